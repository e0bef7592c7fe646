//! Named after the rows of the security catalogue.

use super::{Password, PasswordRules};

const RULES: PasswordRules = PasswordRules {
    min_length: 8,
    max_length: 256,
};

fn code(text: &str, context: &[&str]) -> &'static str {
    RULES
        .choose(text, context)
        .map_or_else(|problem| problem.code, |_| "accepted")
}

/// Text with no pattern that any list could hold.
fn varied(length: usize, alphabet: &str) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    (0..length)
        .map(|i| alphabet[(i * i + 3 * i) % alphabet.len()])
        .collect()
}

#[test]
fn p2_length_is_counted_in_code_points_from_8_to_256() {
    for alphabet in [
        "abcdefghijk",
        "äöüßéèêçñøå",
        "密码口令登录用户名字",
        "🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔",
    ] {
        for length in [8, 15, 64, 72, 73, 128, 256] {
            assert_eq!(
                code(&varied(length, alphabet), &[]),
                "accepted",
                "{alphabet} {length}"
            );
        }
        assert_eq!(code(&varied(7, alphabet), &[]), "password_too_short");
        assert_eq!(code(&varied(257, alphabet), &[]), "password_too_long");
    }
}

#[test]
fn p2_a_megabyte_is_refused_and_so_is_nothing() {
    let megabyte = "x".repeat(1 << 20);
    assert_eq!(code(&megabyte, &[]), "password_too_long");
    assert_eq!(
        Password::presented(&megabyte).unwrap_err().code,
        "password_too_long"
    );
    assert_eq!(code("", &[]), "password_too_short");
    assert_eq!(Password::presented("").unwrap_err().code, "required");
}

#[test]
fn p2_nothing_is_cut_from_a_long_password() {
    let long = varied(256, "🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔");
    assert_eq!(RULES.choose(&long, &[]).unwrap().as_str(), long);
    assert_eq!(
        Password::presented(&long).unwrap().as_bytes(),
        long.as_bytes()
    );
}

#[test]
fn the_fewest_and_the_most_characters_are_settings() {
    let rules = PasswordRules {
        min_length: 15,
        max_length: 64,
    };
    assert_eq!(
        rules.choose("fourteen-chars", &[]).unwrap_err().code,
        "password_too_short"
    );
    assert!(rules.choose("fifteen--chars!", &[]).is_ok());
    assert_eq!(
        rules
            .choose(&varied(65, "abcdefghijk"), &[])
            .unwrap_err()
            .code,
        "password_too_long"
    );
}

#[test]
fn both_forms_of_a_letter_are_one_password() {
    let composed = "caf\u{e9} de la gare";
    let decomposed = "cafe\u{301} de la gare";
    let chosen = RULES.choose(decomposed, &[]).unwrap();
    assert_eq!(chosen.as_str(), composed);
    assert_eq!(
        Password::presented(composed).unwrap().as_bytes(),
        chosen.as_bytes()
    );
    assert_eq!(
        Password::presented(decomposed).unwrap().as_bytes(),
        chosen.as_bytes()
    );
    // Compatibility forms stay apart: NFC, not NFKC.
    let wide = "\u{ff50}assphrase one";
    assert_eq!(Password::presented(wide).unwrap().as_str(), wide);
}

#[test]
fn what_can_be_chosen_can_be_presented_in_any_form() {
    // 256 syllables of three letters each, taken apart: the longest form of the longest password.
    use unicode_normalization::UnicodeNormalization;
    let syllables = varied(256, "각힣읽밟값닭삶앉않많");
    let apart: String = syllables.nfd().collect();
    assert!(apart.len() > 2000);
    assert_eq!(code(&apart, &[]), "accepted");
    assert_eq!(Password::presented(&apart).unwrap().as_str(), syllables);
}

#[test]
fn length_is_counted_after_normalising() {
    let seven_as_fourteen = "e\u{301}u\u{308}".repeat(3) + "e\u{301}";
    assert_eq!(code(&seven_as_fourteen, &[]), "password_too_short");
}

#[test]
fn p4_the_top_list_in_any_case() {
    for common in [
        "password",
        "PASSWORD",
        "Password1",
        "qwertyuiop",
        "iloveyou1",
        "1q2w3e4r5t",
    ] {
        assert_eq!(code(common, &[]), "password_blocklisted", "{common}");
    }
    for one in ["aaaaaaaaaaaaaaaa", "11111111111", "ЯЯЯЯЯЯЯЯЯ", "        "] {
        assert_eq!(code(one, &[]), "password_blocklisted", "{one}");
    }
}

#[test]
fn p4_the_product_name() {
    for text in [
        "symbolon",
        "Symbolon",
        "SYMBOLON1",
        "symbolon2026!",
        "symbolon!",
    ] {
        assert_eq!(code(text, &[]), "password_blocklisted", "{text}");
    }
    assert_eq!(code("my symbolon is halved", &[]), "accepted");
}

#[test]
fn p4_user_name_and_address() {
    let context = ["Wilhelmina", "wil.Oldenburg+shop@example.com"];
    for text in [
        "wilhelmina",
        "WILHELMINA",
        "wilhelmina7",
        "Wilhelmina2024!",
        "wilhelmina20241231",
        "wil.oldenburg",
        "wil.oldenburg1",
        "Wil.Oldenburg+Shop",
        "wil.oldenburg+shop@example.com",
        "wil.oldenburg+shop@example.com1",
    ] {
        assert_eq!(code(text, &context), "password_blocklisted", "{text}");
        assert_eq!(code(text, &[]), "accepted", "{text}");
    }
    assert_eq!(code("alice1999", &["alice2024"]), "password_blocklisted");
}

#[test]
fn p4_a_short_name_does_not_forbid_random_signs() {
    assert_eq!(code("a!8#7$6%5^4", &["a@example.com"]), "accepted");
    assert_eq!(code("bob907153284615", &["bob"]), "accepted");
    assert_eq!(
        code("correct staple 17", &["correct", "", "@", "+@"]),
        "accepted"
    );
    assert_eq!(code("48151623426174", &["481516@example.com"]), "accepted");
}

#[test]
fn no_rule_of_composition() {
    for text in [
        "kfqmzvwp",
        "52907416",
        "KFQMZVWP",
        "kfqm zvwp",
        "кфмзвпжщ",
        "tab\tand\u{7}bell",
    ] {
        assert_eq!(code(text, &[]), "accepted", "{text}");
    }
}

#[test]
fn spaces_at_the_ends_are_part_of_it() {
    assert_eq!(
        RULES.choose("  kfqmzvwp ", &[]).unwrap().as_str(),
        "  kfqmzvwp "
    );
}

#[test]
fn n9_nul_is_refused() {
    assert_eq!(code("kfqm\0zvwp", &[]), "password_malformed");
    assert_eq!(
        Password::presented("kfqm\0zvwp").unwrap_err().code,
        "password_malformed"
    );
}

#[test]
fn p9_nothing_prints_it() {
    let password = Password::presented("kfqm-zvwp").unwrap();
    assert_eq!(format!("{password:?} {password:#?}"), "Password Password");
    let problem = RULES.choose("password", &[]).unwrap_err();
    assert!(
        !format!("{problem:?}").contains("\"password\""),
        "{problem:?}"
    );
}
