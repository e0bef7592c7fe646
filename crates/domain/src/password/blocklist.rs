//! Passwords that are guessed first: a bundled list of common ones, and what an attacker knows of the user.

use std::cmp::Ordering;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// One password a line, lower case, in NFC, sorted by byte. Where it comes from is in `NOTICE`.
const COMMON: &str = include_str!("common.txt");

/// The name of the product, which is guessed wherever the product is found.
const PRODUCT: &str = "symbolon";

/// The most characters that count as a trivial ending: a date of eight digits.
const MAX_ENDING: usize = 8;

/// The fewest characters of a word that is worth looking for with an ending behind it.
const MIN_WORD: usize = 3;

/// Whether a password is too easy to guess. `context` holds what is known of the user: addresses, names.
pub(super) fn is_blocked(password: &str, context: &[&str]) -> bool {
    let password = folded(password);
    is_common(&password)
        || is_one_character(&password)
        || is_made_from(&password, PRODUCT)
        || context
            .iter()
            .any(|text| is_made_from_identifier(&password, &folded(text)))
}

/// The case does not matter to those who guess. Wiped like the password that it is made from.
fn folded(text: &str) -> Zeroizing<String> {
    let lower = Zeroizing::new(text.to_lowercase());
    // NFC makes UTF-8 at most three times as long; a buffer that grew would leave a copy behind.
    let mut folded = Zeroizing::new(String::with_capacity(lower.len() * 3));
    folded.extend(lower.nfc());
    folded
}

/// Binary search over the lines as they lie, so that nothing is built or kept for it.
fn is_common(password: &str) -> bool {
    // A password with a line feed is no line, and would match two of them.
    !password.contains('\n') && contains_line(COMMON, password)
}

fn contains_line(sorted: &str, wanted: &str) -> bool {
    let (bytes, wanted) = (sorted.as_bytes(), wanted.as_bytes());
    let (mut low, mut high) = (0, bytes.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = line_start(bytes, low, middle);
        let end = line_end(bytes, middle);
        match bytes[start..end].cmp(wanted) {
            Ordering::Equal => return true,
            Ordering::Less => low = end + 1,
            Ordering::Greater => high = start,
        }
    }
    false
}

fn line_start(bytes: &[u8], low: usize, at: usize) -> usize {
    bytes[low..at]
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(low, |feed| low + feed + 1)
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..]
        .iter()
        .position(|b| *b == b'\n')
        .map_or(bytes.len(), |feed| at + feed)
}

fn is_one_character(password: &str) -> bool {
    let mut characters = password.chars();
    let first = characters.next();
    characters.all(|c| Some(c) == first)
}

/// Whether it is the identifier, or a trivial change of it; of an address also of the part before the `@`, with
/// and without a tag.
fn is_made_from_identifier(password: &str, identifier: &str) -> bool {
    let local = identifier
        .rsplit_once('@')
        .map_or(identifier, |(local, _)| local);
    let untagged = local.split_once('+').map_or(local, |(name, _)| name);
    [identifier, local, untagged]
        .iter()
        .any(|word| is_made_from(password, word))
}

/// Whether it is the word, or the word with other digits or signs behind it (`alice2024!`).
fn is_made_from(password: &str, word: &str) -> bool {
    if password == word {
        return true;
    }
    let stem = stem(password);
    stem.chars().count() >= MIN_WORD && (stem == word || stem == self::stem(word))
}

/// The text without the digits and signs at its end; the whole text if they are too many to be trivial.
fn stem(text: &str) -> &str {
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    if text.len() - stem.len() > MAX_ENDING {
        text
    } else {
        stem
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMON, contains_line, is_common};

    #[test]
    fn the_list_is_sorted_folded_and_found_to_the_last_line() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() > 10_000, "{}", lines.len());
        assert!(
            lines
                .windows(2)
                .all(|pair| pair[0].as_bytes() < pair[1].as_bytes())
        );
        for line in &lines {
            assert_eq!(*line, super::folded(line).as_str());
            assert!(is_common(line), "{line}");
            assert!(!is_common(&format!("{line}\u{1}")), "{line}");
        }
    }

    #[test]
    fn a_search_agrees_with_reading_every_line() {
        for list in [
            "",
            "\n",
            "a",
            "a\n",
            "b\nd\n",
            "b\nd",
            "aa\nab\nb\n",
            "a\nb\nc\nd\ne\nf\n",
        ] {
            for wanted in [
                "a", "aa", "ab", "b", "bb", "c", "d", "e", "f", "g", "A", "aaa",
            ] {
                assert_eq!(
                    contains_line(list, wanted),
                    list.lines().any(|line| line == wanted)
                );
            }
        }
    }

    #[test]
    fn a_line_feed_matches_nothing() {
        assert!(!is_common("password\npassword1"));
        assert!(!is_common(""));
    }
}
