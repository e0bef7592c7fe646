use std::collections::BTreeSet;

use crate::audit::AuditKind;
use crate::revocation::{Effect, Kind};
use crate::{EndReason, Transport, UserStatus};

/// Every word comes back as what it was written from, and nothing else does.
macro_rules! round_trips {
    ($($name:ident),+) => {
        $(
            let words: BTreeSet<&str> = $name::ALL.iter().map(|word| word.as_str()).collect();
            assert_eq!(words.len(), $name::ALL.len(), "two variants share a word");
            for variant in $name::ALL {
                let word = variant.as_str();
                assert_eq!(word.parse::<$name>(), Ok(*variant));
                assert_eq!(variant.to_string(), word);
                assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{word}");
                assert!(word.to_uppercase().parse::<$name>().is_err());
                assert!(format!("{word} ").parse::<$name>().is_err());
            }
            assert!("".parse::<$name>().is_err());
        )+
    };
}

#[test]
fn words_round_trip() {
    round_trips!(UserStatus, Transport, EndReason, Kind, Effect, AuditKind);
}

#[test]
fn an_unknown_word_is_not_repeated() {
    let problem = "zzqq".parse::<EndReason>().unwrap_err().to_string();
    assert_eq!(problem, "unknown end reason");
}
