//! The master key: what it opens, what it refuses, and its file.

use std::fs;
use std::path::PathBuf;

use super::{MasterKey, MasterKeyError, SealError};
use crate::rng::Rng;
use crate::secret::Secret;

const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn key() -> MasterKey {
    from_text(HEX).unwrap()
}

fn from_text(text: &str) -> Result<MasterKey, MasterKeyError> {
    MasterKey::from_config(&Secret::new(text.to_owned()))
}

/// A folder of this test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("symbolon-sealing-{}-{test}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn key_file(&self) -> PathBuf {
        self.0.join("master.key")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_was_sealed_opens() {
    let (key, rng) = (key(), Rng::seeded(1));
    for plaintext in [&b""[..], b"x", &[7; 5_000]] {
        let sealed = key.seal(&rng, "keys/k1", plaintext).unwrap();
        assert_eq!(sealed.len(), 1 + 12 + plaintext.len() + 16);
        assert_eq!(key.open("keys/k1", &sealed).unwrap().as_slice(), plaintext);
    }
}

#[test]
fn sealing_twice_gives_two_texts() {
    let (key, rng) = (key(), Rng::seeded(1));
    assert_ne!(
        key.seal(&rng, "c", b"same").unwrap(),
        key.seal(&rng, "c", b"same").unwrap()
    );
}

#[test]
fn another_key_or_another_context_does_not_open_it() {
    let sealed = key().seal(&Rng::seeded(1), "keys/k1", b"secret").unwrap();
    let other = MasterKey::generate(&Rng::seeded(2)).unwrap();
    assert_eq!(other.open("keys/k1", &sealed), Err(SealError::NotOurs));
    assert_eq!(key().open("keys/k2", &sealed), Err(SealError::NotOurs));
    assert_eq!(key().open("", &sealed), Err(SealError::NotOurs));
}

#[test]
fn every_changed_bit_is_noticed() {
    let sealed = key().seal(&Rng::seeded(1), "c", b"secret").unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            key().open("c", &changed),
            Err(SealError::NotOurs),
            "bit {bit}"
        );
    }
    for length in 0..sealed.len() {
        assert_eq!(
            key().open("c", &sealed[..length]),
            Err(SealError::NotOurs),
            "cut to {length}"
        );
    }
}

#[test]
fn subkeys_differ_by_label_and_key() {
    let other = MasterKey::generate(&Rng::seeded(2)).unwrap();
    assert_eq!(key().subkey("a").unwrap(), key().subkey("a").unwrap());
    assert_ne!(key().subkey("a").unwrap(), key().subkey("b").unwrap());
    assert_ne!(key().subkey("a").unwrap(), other.subkey("a").unwrap());
}

#[test]
fn the_check_value_is_fixed_for_ever() {
    // Stores hold it: a change here locks their owners out.
    assert_eq!(key().check_value().unwrap(), "SfwP4-AJJ416VJTXB9SW3w");
    assert_ne!(
        key().check_value().unwrap(),
        MasterKey::generate(&Rng::seeded(2))
            .unwrap()
            .check_value()
            .unwrap()
    );
}

#[test]
fn it_is_read_in_the_forms_that_people_have() {
    let expected = key().check_value().unwrap();
    for text in [
        HEX,
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ] {
        assert_eq!(
            from_text(text).unwrap().check_value().unwrap(),
            expected,
            "{text}"
        );
    }
    let url = from_text("-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_8").unwrap();
    let standard = from_text("+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/8=").unwrap();
    assert_eq!(url.check_value(), standard.check_value());
}

#[test]
fn what_is_no_key_is_refused_without_being_shown() {
    for text in [
        "",
        "changeme",
        &HEX[..62],
        &format!("{HEX}00"),
        &HEX.replace('0', "g"),
        "é".repeat(32).as_str(),
    ] {
        let error = from_text(text).unwrap_err();
        assert!(matches!(error, MasterKeyError::Malformed), "{text}");
        assert!(
            text.is_empty() || !error.to_string().contains(text),
            "{error}"
        );
    }
    assert!(matches!(
        from_text(&"00".repeat(32)),
        Err(MasterKeyError::Placeholder)
    ));
    assert!(matches!(
        from_text(&"aa".repeat(32)),
        Err(MasterKeyError::Placeholder)
    ));
}

#[test]
fn debug_output_shows_nothing_of_it() {
    assert_eq!(format!("{:?}", key()), "MasterKey");
}

#[test]
fn x6_a_missing_file_is_told_from_an_unreadable_one() {
    let folder = Folder::new("missing");
    assert!(
        MasterKey::read_file(&folder.key_file())
            .unwrap_err()
            .is_missing()
    );
    fs::create_dir(folder.key_file()).unwrap();
    let error = MasterKey::read_file(&folder.key_file()).unwrap_err();
    assert!(!error.is_missing(), "{error}");
    assert!(error.to_string().contains("master.key"), "{error}");
}

#[test]
fn x6_a_damaged_file_is_refused_and_left_alone() {
    let folder = Folder::new("damaged");
    for contents in [&b""[..], b"half a k", b"\xff\xfe", &[b'a'; 100_000]] {
        fs::write(folder.key_file(), contents).unwrap();
        private(&folder.key_file());
        let error = MasterKey::read_file(&folder.key_file()).unwrap_err();
        assert!(!error.is_missing(), "{error}");
        assert_eq!(fs::read(folder.key_file()).unwrap(), contents);
    }
}

#[test]
fn x6_a_new_file_is_private_and_never_replaces_one() {
    let folder = Folder::new("create");
    let made = MasterKey::create_file(&folder.key_file(), &Rng::seeded(1)).unwrap();
    let read = MasterKey::read_file(&folder.key_file()).unwrap();
    assert_eq!(made.check_value(), read.check_value());
    let before = fs::read(folder.key_file()).unwrap();
    let error = MasterKey::create_file(&folder.key_file(), &Rng::seeded(2)).unwrap_err();
    assert!(error.to_string().contains("cannot be written"), "{error}");
    assert_eq!(fs::read(folder.key_file()).unwrap(), before);
    assert_eq!(
        fs::read_dir(&folder.0).unwrap().count(),
        1,
        "no draft is left"
    );
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = Folder::new("nowhere");
    let path = folder.0.join("no/such/master.key");
    assert!(MasterKey::create_file(&path, &Rng::seeded(1)).is_err());
}

#[cfg(unix)]
#[test]
fn x6_a_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("exposed");
    MasterKey::create_file(&folder.key_file(), &Rng::seeded(1)).unwrap();
    let mode = fs::metadata(folder.key_file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    for open in [0o640, 0o604, 0o660, 0o644] {
        fs::set_permissions(folder.key_file(), fs::Permissions::from_mode(open)).unwrap();
        let error = MasterKey::read_file(&folder.key_file()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    fs::set_permissions(folder.key_file(), fs::Permissions::from_mode(0o400)).unwrap();
    assert!(MasterKey::read_file(&folder.key_file()).is_ok());
}

#[cfg(unix)]
fn private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_path: &std::path::Path) {}

#[test]
fn what_was_sealed_singly_opens_for_its_context_alone() {
    let (key, rng) = (key(), Rng::seeded(1));
    for plaintext in [&b""[..], b"x", &[7; 5_000]] {
        let sealed = key.seal_single(&rng, "tokens", plaintext).unwrap();
        assert_eq!(sealed.len(), 1 + 24 + plaintext.len() + 16);
        let opened = key.open_single("tokens", &sealed).unwrap();
        assert_eq!(opened.as_slice(), plaintext);
        assert_eq!(key.open_single("keys", &sealed), Err(SealError::NotOurs));
        assert_eq!(key.open("tokens", &sealed), Err(SealError::NotOurs));
        // After a restart, and on another node.
        let again = from_text(HEX).unwrap();
        assert!(again.open_single("tokens", &sealed).is_ok());
        let other = MasterKey::generate(&rng).unwrap();
        assert_eq!(
            other.open_single("tokens", &sealed),
            Err(SealError::NotOurs)
        );
    }
    let sealed = key.seal(&rng, "tokens", b"x").unwrap();
    assert_eq!(key.open_single("tokens", &sealed), Err(SealError::NotOurs));
}

#[test]
fn each_single_seal_has_a_key_of_its_own() {
    let (key, rng) = (key(), Rng::seeded(1));
    let sealed: Vec<_> = (0..50)
        .map(|_| key.seal_single(&rng, "c", &[0; 32]).unwrap())
        .collect();
    let salts: std::collections::BTreeSet<_> = sealed.iter().map(|one| &one[1..25]).collect();
    let texts: std::collections::BTreeSet<_> = sealed.iter().map(|one| &one[25..57]).collect();
    assert_eq!((salts.len(), texts.len()), (50, 50));
}

#[test]
fn any_bit_of_a_single_seal_that_changed_is_seen() {
    let (key, rng) = (key(), Rng::seeded(1));
    let sealed = key.seal_single(&rng, "c", b"plain").unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.open_single("c", &changed), Err(SealError::NotOurs));
    }
    for length in 0..sealed.len() {
        let cut = &sealed[..length];
        assert_eq!(key.open_single("c", cut), Err(SealError::NotOurs));
    }
}
