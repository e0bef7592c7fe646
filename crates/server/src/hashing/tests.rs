//! What is made verifies, what is foreign verifies, what is missing costs the same.

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use symbolon_domain::Password;

use super::{HashAlgorithm, HashError, HashOptions, Hasher, Verdict};
use crate::rng::Rng;

pub(super) const YES: Verdict = Verdict {
    matches: true,
    rehash: false,
};
pub(super) const RENEW: Verdict = Verdict {
    matches: true,
    rehash: true,
};
pub(super) const NO: Verdict = Verdict {
    matches: false,
    rehash: false,
};

pub(super) fn argon2id() -> HashOptions {
    HashOptions {
        memory_kib: 64,
        iterations: 2,
        bcrypt_cost: 4,
        threads: 1,
        ..HashOptions::default()
    }
}

fn bcrypt_options() -> HashOptions {
    HashOptions {
        algorithm: HashAlgorithm::Bcrypt,
        ..argon2id()
    }
}

pub(super) fn start(options: HashOptions) -> Hasher {
    Hasher::start(options, &Rng::seeded(1)).unwrap()
}

pub(super) fn password(text: &str) -> Password {
    Password::presented(text).unwrap()
}

pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

fn hash(hasher: &Hasher, text: &str) -> String {
    run(hasher.hash(password(text))).unwrap()
}

pub(super) fn verify(hasher: &Hasher, text: &str, stored: &str) -> Verdict {
    run(hasher.verify(password(text), Some(stored.to_owned()))).unwrap()
}

#[test]
fn argon2id_hashes_verify_here_and_elsewhere() {
    let hasher = start(argon2id());
    let stored = hash(&hasher, "correct horse");
    assert!(
        stored.starts_with("$argon2id$v=19$m=64,t=2,p=1$"),
        "{stored}"
    );
    assert_eq!(verify(&hasher, "correct horse", &stored), YES);
    assert_eq!(verify(&hasher, "correct horsf", &stored), NO);
    let read = PasswordHash::new(&stored).unwrap();
    Argon2::default()
        .verify_password(b"correct horse", &read)
        .unwrap();
}

#[test]
fn every_hash_has_its_own_salt() {
    let hasher = start(argon2id());
    assert_ne!(
        hash(&hasher, "correct horse"),
        hash(&hasher, "correct horse")
    );
    let hasher = start(bcrypt_options());
    assert_ne!(
        hash(&hasher, "correct horse"),
        hash(&hasher, "correct horse")
    );
}

/// From the test file of the reference implementation (P-H-C/phc-winner-argon2, src/test.c).
const REFERENCE: [&str; 4] = [
    "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
    "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E",
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
];

#[test]
fn the_reference_implementations_hashes_verify_and_are_renewed() {
    let hasher = start(argon2id());
    for stored in REFERENCE {
        assert_eq!(verify(&hasher, "password", stored), RENEW, "{stored}");
        assert_eq!(verify(&hasher, "Password", stored), NO, "{stored}");
    }
}

#[test]
fn a_hash_without_a_version_is_of_the_first_one() {
    let old = argon2::Params::new(64, 1, 1, Some(32)).unwrap();
    let engine = Argon2::new(argon2::Algorithm::Argon2i, argon2::Version::V0x10, old);
    let mut output = [0; 32];
    engine
        .hash_password_into(b"password", b"somesalt", &mut output)
        .unwrap();
    let output = base64_simd::STANDARD_NO_PAD.encode_to_string(output);
    let hasher = start(argon2id());
    for version in ["", "v=16$"] {
        let stored = format!("$argon2i${version}m=64,t=1,p=1$c29tZXNhbHQ${output}");
        assert_eq!(verify(&hasher, "password", &stored), RENEW, "{stored}");
    }
    let wrong = format!("$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ${output}");
    assert_eq!(verify(&hasher, "password", &wrong), NO);
}

#[test]
fn other_costs_are_renewed() {
    let stored = hash(&start(argon2id()), "correct horse");
    for (memory_kib, iterations, parallelism) in [(128, 2, 1), (64, 1, 1), (64, 2, 2)] {
        let hasher = start(HashOptions {
            memory_kib,
            iterations,
            parallelism,
            ..argon2id()
        });
        assert_eq!(verify(&hasher, "correct horse", &stored), RENEW);
    }
    assert_eq!(
        verify(&start(bcrypt_options()), "correct horse", &stored),
        RENEW
    );
}

#[test]
fn bcrypt_hashes_verify_and_follow_the_configured_cost() {
    let hasher = start(bcrypt_options());
    let stored = hash(&hasher, "correct horse");
    assert!(stored.starts_with("$2b$04$"), "{stored}");
    assert_eq!(verify(&hasher, "correct horse", &stored), YES);
    assert_eq!(verify(&hasher, "correct horsf", &stored), NO);
    assert_eq!(
        verify(
            &start(HashOptions {
                bcrypt_cost: 5,
                ..bcrypt_options()
            }),
            "correct horse",
            &stored
        ),
        RENEW
    );
    assert_eq!(verify(&start(argon2id()), "correct horse", &stored), RENEW);
}

#[test]
fn p1_foreign_bcrypt_prefixes_are_read() {
    let hasher = start(argon2id());
    let parts = bcrypt::hash_with_salt("päßword", 4, [5; 16]).unwrap();
    use bcrypt::Version::{TwoA, TwoB, TwoX, TwoY};
    for version in [TwoA, TwoB, TwoY] {
        assert_eq!(
            verify(&hasher, "päßword", &parts.format_for_version(version)),
            RENEW
        );
    }
    // `$2x$` marks hashes of a broken implementation: what matches there says nothing.
    assert_eq!(
        verify(&hasher, "päßword", &parts.format_for_version(TwoX)),
        NO
    );
}

#[test]
fn p1_bcrypt_never_cuts_a_password() {
    let hasher = start(bcrypt_options());
    assert_eq!(hasher.longest_password_bytes(), Some(72));
    assert_eq!(start(argon2id()).longest_password_bytes(), None);
    let longest = "a".repeat(72);
    let stored = hash(&hasher, &longest);
    assert_eq!(verify(&hasher, &longest, &stored), YES);
    assert_eq!(verify(&hasher, &format!("{longest}b"), &stored), NO);
    assert_eq!(verify(&hasher, &"a".repeat(71), &stored), NO);
    assert!(matches!(
        run(hasher.hash(password(&format!("{longest}a")))),
        Err(HashError::Fault(_))
    ));
    // 71 letters and one of two bytes: the 72nd byte is half a letter.
    let multibyte = format!("{}é", "a".repeat(71));
    let cut = bcrypt::hash_with_salt(&multibyte, 4, [5; 16])
        .unwrap()
        .to_string();
    assert_eq!(verify(&hasher, &multibyte, &cut), NO);
}

#[test]
fn a_password_too_long_for_bcrypt_keeps_its_other_hash() {
    let long = "a".repeat(100);
    let stored = hash(&start(argon2id()), &long);
    assert_eq!(verify(&start(bcrypt_options()), &long, &stored), YES);
}

#[test]
fn l8_without_a_usable_hash_the_work_is_done_and_nothing_matches() {
    for options in [argon2id(), bcrypt_options()] {
        let hasher = start(options);
        let mut done = 0;
        for stored in [
            None,
            Some(""),
            Some("x"),
            Some("$argon2id$"),
            Some("plain"),
            Some("é$$"),
            Some("$2b$04$short"),
        ] {
            let verdict =
                run(hasher.verify(password("correct horse"), stored.map(str::to_owned))).unwrap();
            assert_eq!(verdict, NO, "{stored:?}");
            done += 1;
            assert_eq!(hasher.done(), done);
        }
    }
    let hasher = start(argon2id());
    run(hasher.verify(password("correct horse"), None)).unwrap();
    assert_eq!(
        hasher.memory_held(),
        64 * 1024,
        "Argon2 has worked on its memory"
    );
}

#[test]
fn a_stored_hash_cannot_ask_for_too_much() {
    let hasher = start(argon2id());
    let output = "iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8";
    for costs in [
        "m=4194304,t=1,p=1",
        "m=262145,t=1,p=1",
        "m=262144,t=5,p=1",
        "m=64,t=4000000000,p=1",
        "m=2048,t=1,p=100",
    ] {
        let stored = format!("$argon2id$v=19${costs}$c29tZXNhbHQ${output}");
        assert_eq!(verify(&hasher, "password", &stored), NO, "{costs}");
        assert_eq!(
            hasher.memory_held(),
            64 * 1024,
            "{costs}: only the configured memory was taken"
        );
    }
    let dear = bcrypt::hash_with_salt("password", 4, [5; 16])
        .unwrap()
        .to_string()
        .replace("$04$", "$31$");
    assert_eq!(verify(&hasher, "password", &dear), NO);
}

#[test]
fn memory_that_a_foreign_hash_needed_is_given_back() {
    let hasher = start(argon2id());
    assert_eq!(verify(&hasher, "password", REFERENCE[0]), RENEW);
    assert_eq!(hasher.memory_held(), 64 * 1024);
    let hasher = start(bcrypt_options());
    assert_eq!(verify(&hasher, "password", REFERENCE[0]), RENEW);
    assert_eq!(hasher.memory_held(), 0);
}

#[test]
fn impossible_costs_do_not_start() {
    for options in [
        HashOptions {
            memory_kib: 1,
            ..argon2id()
        },
        HashOptions {
            iterations: 0,
            ..argon2id()
        },
        HashOptions {
            parallelism: 0,
            ..argon2id()
        },
        HashOptions {
            bcrypt_cost: 3,
            ..argon2id()
        },
        HashOptions {
            bcrypt_cost: 32,
            ..argon2id()
        },
    ] {
        assert!(Hasher::start(options, &Rng::seeded(1)).is_err());
    }
}

#[test]
fn the_names_of_algorithms_are_read_and_written() {
    for algorithm in [HashAlgorithm::Argon2id, HashAlgorithm::Bcrypt] {
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
    }
    assert!("argon2".parse::<HashAlgorithm>().is_err());
}

#[test]
fn many_at_once_are_all_answered() {
    let hasher = start(HashOptions {
        threads: 4,
        ..argon2id()
    });
    let stored = hash(&hasher, "correct horse");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for number in 0..200 {
            let (hasher, stored) = (hasher.clone(), stored.clone());
            let text = if number % 2 == 0 {
                "correct horse"
            } else {
                "wrong horse"
            };
            tasks.push(tokio::spawn(async move {
                hasher.verify(password(text), Some(stored)).await
            }));
        }
        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(
                task.await.unwrap().unwrap(),
                if number % 2 == 0 { YES } else { NO }
            );
        }
    });
    assert_eq!(hasher.waiting(), 0);
}
