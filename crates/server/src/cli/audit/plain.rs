//! Text that others chose, made harmless for a line of a terminal or a cell of a spreadsheet.

use std::fmt::Write;

use crate::transfer::write::without_formulas;

/// On one line, and without what moves a cursor or turns the direction of reading: such characters are written as
/// `\u{…}`, a backslash as two.
pub(super) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '\\' => out.push_str("\\\\"),
            one if is_hidden(one) => {
                let _infallible = write!(out, "{}", one.escape_unicode());
            }
            one => out.push(one),
        }
    }
    out
}

/// A field of CSV (RFC 4180). A spreadsheet computes what begins like a formula, hence the `'` before it.
pub(super) fn csv(text: &str) -> String {
    let mut field = without_formulas(&line(text));
    if field.contains(['"', ',']) {
        field = format!("\"{}\"", field.replace('"', "\"\""));
    }
    field
}

/// JSON that prints nothing but what it shows: what JSON leaves in strings is escaped as well.
pub(super) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            one if is_hidden(one) => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(one));
            }
            one => out.push(one),
        }
    }
    out
}

/// Controls (C0, DEL, C1), line and paragraph separators, and marks of direction; all of them within 16 bits.
fn is_hidden(one: char) -> bool {
    one.is_control()
        || matches!(one, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_makes_a_line_of_its_own() {
        assert_eq!(line("Zoë 1"), "Zoë 1");
        assert_eq!(
            line("a\nlogin_succeeded\r\0"),
            "a\\u{a}login_succeeded\\u{d}\\u{0}"
        );
        assert_eq!(
            line("\u{1b}[2J\u{9b}\u{202e}x"),
            "\\u{1b}[2J\\u{9b}\\u{202e}x"
        );
        assert_eq!(line("\\u{a}"), "\\\\u{a}");
    }

    #[test]
    fn no_field_is_computed_or_runs_over() {
        for (text, field) in [
            ("plain", "plain"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("x;=1+1", "x;'=1+1"),
            ("\t=1", "\\u{9}=1"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=\"a\",b", "\"'=\"\"a\"\",b\""),
            ("a\r\nb", "a\\u{d}\\u{a}b"),
        ] {
            assert_eq!(csv(text), field, "{text:?}");
        }
    }

    #[test]
    fn json_stays_what_it_was() {
        let text = "a\u{9b}b\u{202e}\u{7f}\"\n";
        let shown = json(&serde_json::to_string(text).unwrap());
        assert!(shown.is_ascii(), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
