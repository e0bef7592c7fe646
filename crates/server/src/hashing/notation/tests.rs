//! Hashes that other programs made of the password `correct horse`.

use super::FirebaseProject;
use crate::hashing::tests::{NO, RENEW, argon2id, password, run, start, verify};
use crate::hashing::{Unusable, notation};

const PASSWORD: &str = "correct horse";

/// Made by the hashers of Django 5.2.19, with a thousand rounds (N = 1024, cost 4, 64 KiB) to be quick.
const DJANGO: [&str; 5] = [
    "pbkdf2_sha256$1000$seasalt2seasalt2$8MkvgctZalT3B1nT7NulxO1ihsB4FzTmepbHRG1ngO0=",
    "pbkdf2_sha1$1000$seasalt2seasalt2$dSo8DwDJrxiEoz8SyR5GZ4AKRSo=",
    "scrypt$1024$seasalt2seasalt2$8$5$5QY6/ftL0IQD6WqYBiHfcNbjWIRbPWaYp5HrkrNIc5oUX7oySyJhGiBnjex4DhkrxBv0J9JU5thdI431Pw6koA==",
    "argon2$argon2id$v=19$m=64,t=1,p=1$c2Vhc2FsdDJzZWFzYWx0Mg$4WTLsBGdBmOiBzG0xsbyc/lLvm2mQOjGkR3bteMu698",
    "bcrypt$$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
];

/// Made by passlib 1.7.4; the second has a salt whose base64 is not only letters.
const PASSLIB: [&str; 4] = [
    "$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M",
    "$pbkdf2-sha512$1000$.//.MzQ1Njc4OWFiY2RlZg$dR092kvhUAmb0An0xhcqMAcbVHh/IIGMSbgcXz6fcBrzpa/qCMzu8cYe.I82281kJciea4U9z7Aw0g/m5lqAXw",
    "$pbkdf2$1000$MDEyMzQ1Njc4OWFiY2RlZg$aUfE2vx5Q7zgbb0jx49AaNpXUQQ",
    "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M",
];

/// The form that Auth0's bulk import documents, made by Python's hashlib.pbkdf2_hmac.
const PHC: &str = "$pbkdf2-sha512$i=1000,l=64$YXV0aDBzYWx0YXV0aDBzYQ$oul+S07wkcFQH7gth7lQdU8Ud7ETsnBuQUi+YM40nNmYwpXK7mGR0pcSewpONXc0LpOcx9OK4c/gyh8jXNZZuA";

fn bytes(text: &str) -> Vec<u8> {
    base64_simd::STANDARD.decode_to_vec(text).unwrap()
}

#[test]
fn hashes_of_django_passlib_and_auth0_verify_and_are_renewed() {
    let hasher = start(argon2id());
    for foreign in DJANGO.iter().chain(&PASSLIB).chain([&PHC]) {
        let stored = hasher.accept(foreign).unwrap();
        assert_eq!(verify(&hasher, PASSWORD, &stored), RENEW, "{foreign}");
        assert_eq!(verify(&hasher, "correct horsf", &stored), NO, "{foreign}");
        // What is stored can be exported and imported again.
        assert_eq!(hasher.accept(&stored).unwrap(), stored);
    }
}

/// The example of the README of firebase/scrypt.
fn firebase() -> (FirebaseProject, Vec<u8>, Vec<u8>) {
    let project = FirebaseProject {
        signer_key: zeroize::Zeroizing::new(bytes(
            "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
        )),
        salt_separator: bytes("Bw=="),
        rounds: 8,
        mem_cost: 14,
    };
    let salt = bytes("42xEC+ixf3L2lw==");
    let hash = bytes(
        "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
    );
    (project, salt, hash)
}

#[test]
fn firebases_documented_example_verifies() {
    let (project, salt, hash) = firebase();
    let hasher = start(argon2id());
    let stored = hasher.accept(&project.hash(&salt, &hash)).unwrap();
    assert_eq!(verify(&hasher, "user1password", &stored), RENEW);
    assert_eq!(verify(&hasher, "user2password", &stored), NO);
    let short = hasher.accept(&project.hash(&salt, &hash[..32]));
    assert_eq!(short, Err(Unusable::Malformed), "not as long as the key");
}

#[test]
fn what_is_too_weak_is_refused_by_name() {
    let hasher = start(argon2id());
    for weak in [
        "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
        "sha1$salt$5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8",
        "{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "$P$B55D6LjfHDkINU5wF.v2BuuzO0/XPk/",
        "pbkdf2_sha256$999$seasalt2$8MkvgctZalT3B1nT7NulxO1ihsB4FzTmepbHRG1ngO0=",
        "scrypt$16$seasalt2$8$1$5QY6/ftL0IQD6WqYBiHfcNbjWIRbPWaYp5HrkrNIc5o=",
    ] {
        assert_eq!(hasher.accept(weak), Err(Unusable::TooWeak), "{weak}");
    }
}

#[test]
fn what_costs_too_much_is_refused_and_matches_nothing() {
    let hasher = start(argon2id());
    let hash = "6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M";
    let salt = "MDEyMzQ1Njc4OWFiY2RlZg";
    for dear in [
        format!("$scrypt$ln=19,r=8,p=1${salt}${hash}"),
        format!("$scrypt$ln=18,r=8,p=2${salt}${hash}"),
        format!("$scrypt$ln=10,r=8,p=17${salt}${hash}"),
        format!("$scrypt$ln=64,r=8,p=1${salt}${hash}"),
        format!("$scrypt$ln=10,r=4294967295,p=4294967295${salt}${hash}"),
        format!("$pbkdf2-sha256$i=2000001${salt}${hash}"),
        format!("$pbkdf2-sha256$i=99999999999${salt}${hash}"),
        format!("$pbkdf2-sha1$i=1000001${salt}${hash}"),
        format!("$argon2id$v=19$m=4194304,t=1,p=1${salt}${hash}"),
        "$2b$15$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e".to_owned(),
    ] {
        assert_eq!(hasher.accept(&dear), Err(Unusable::TooCostly), "{dear}");
        assert_eq!(verify(&hasher, PASSWORD, &dear), NO, "{dear}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_and_matches_nothing() {
    let hasher = start(argon2id());
    for (bad, says) in [
        ("", Unusable::Unknown),
        ("plain", Unusable::Unknown),
        ("$", Unusable::Unknown),
        ("$6$salt$hash", Unusable::Unknown),
        (
            "$2x$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
            Unusable::Unknown,
        ),
        ("$2b$04$short", Unusable::Malformed),
        (
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ",
            Unusable::Malformed,
        ),
        (
            "$scrypt$ln=10,r=8$MDEy$6g3umF+uVrJsObaTZhIbbQ",
            Unusable::Malformed,
        ),
        (
            "$scrypt$r=8,ln=10,p=1$MDEy$6g3umF+uVrJsObaTZhIbbQ",
            Unusable::Malformed,
        ),
        (
            "$scrypt$ln=010,r=8,p=1$MDEy$6g3umF+uVrJsObaTZhIbbQ",
            Unusable::Malformed,
        ),
        ("$scrypt$ln=10,r=8,p=1$MDEy$6g3umF+u", Unusable::Malformed),
        (
            "$scrypt$ln=10,r=8,p=1$MDEy$6g3umF+uVrJsObaTZhIbbQ$",
            Unusable::Malformed,
        ),
        (
            "$pbkdf2-md5$i=1000$MDEy$6g3umF+uVrJsObaTZhIbbQ",
            Unusable::Unknown,
        ),
        (
            "$pbkdf2-sha256$i=-1$MDEy$6g3umF+uVrJsObaTZhIbbQ",
            Unusable::Malformed,
        ),
        (
            "$pbkdf2-sha256$i=1000$M\u{e9}$6g3umF+uVrJsObaTZhIbbQ",
            Unusable::Malformed,
        ),
        ("pbkdf2_sha256$1000$salt", Unusable::Unknown),
        (
            "scrypt$1000$salt$8$1$6g3umF+uVrJsObaTZhIbbQ==",
            Unusable::Malformed,
        ),
        ("argon2$x", Unusable::Unknown),
    ] {
        assert_eq!(hasher.accept(bad), Err(says), "{bad}");
        assert_eq!(verify(&hasher, PASSWORD, bad), NO, "{bad}");
    }
}

#[test]
fn what_no_hash_looks_like_is_refused() {
    let hasher = start(argon2id());
    let long = format!(
        "$pbkdf2-sha256$1000${}${}",
        "A".repeat(600),
        "A".repeat(600)
    );
    assert_eq!(hasher.accept(&long), Err(Unusable::Malformed));
    assert_eq!(
        notation::scrypt(1000, (8, 1), b"s", b"h"),
        Err(Unusable::Malformed)
    );
}

#[test]
fn p1_an_imported_bcrypt_hash_never_cuts_a_password() {
    let hasher = start(argon2id());
    // Of 72 times `a`, by the bcrypt package of Python.
    let stored = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";
    let stored = hasher.accept(stored).unwrap();
    assert_eq!(verify(&hasher, &"a".repeat(72), &stored), RENEW);
    assert_eq!(verify(&hasher, &"a".repeat(73), &stored), NO);
    let half = format!("{}\u{e9}", "a".repeat(71));
    assert_eq!(
        verify(&hasher, &half, &stored),
        NO,
        "the 72nd byte is half a letter"
    );
    let done = hasher.done();
    run(hasher.verify(password(&half), Some(stored))).unwrap();
    assert_eq!(hasher.done(), done + 1, "the work is done all the same");
}
