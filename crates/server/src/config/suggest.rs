//! Which known setting an unknown name was meant to be.

use super::settings::{SETTINGS, Setting, known_names};

/// The nearest known setting to `name`, which is lower case with a dot between section and key. A name without a section
/// is compared with all keys.
pub(super) fn nearest(name: &str) -> &'static str {
    known_names()
        .min_by_key(|known| distance_of_names(name, known))
        .unwrap_or(SETTINGS[0].name)
}

/// The nearest of some names to `name`.
pub fn nearest_of<'k>(name: &str, known: &[&'k str]) -> &'k str {
    let nearest = known.iter().min_by_key(|known| distance(name, known));
    nearest.copied().unwrap_or_default()
}

/// The nearest section to `section`.
pub(super) fn nearest_section(section: &str) -> &'static str {
    let sections = SETTINGS.iter().map(Setting::section);
    sections
        .min_by_key(|known| distance(section, known))
        .unwrap_or_default()
}

/// Whether a variable without `__` was meant as one: `SYMBOLON_LISTEN`, `SYMBOLON_SERVER_LISTEN` or nearly so.
/// Others are not ours: container platforms add `SYMBOLON_PORT` and the like by themselves.
pub(super) fn meant_by_variable(name: &str) -> Option<&'static str> {
    known_names().find(|known| {
        let flat = known.replace('.', "_");
        let key = known.split_once('.').map_or(*known, |(_, key)| key);
        name == key || distance(name, &flat) <= 1
    })
}

fn distance_of_names(name: &str, known: &str) -> usize {
    let (known_section, known_key) = known.split_once('.').unwrap_or(("", known));
    match name.split_once('.') {
        // Who has the section right meant something in it.
        Some((section, key)) => {
            3 * distance(section, known_section) + distance_of_keys(key, known_key)
        }
        // The first of a section stands for it.
        None if name == known_section => 0,
        None => distance_of_keys(name, known_key).min(distance(name, known)),
    }
}

/// Who leaves a word of a key out is nearer to it than who meant another one.
fn distance_of_keys(key: &str, known: &str) -> usize {
    let is_word = known.contains('_') && known.split('_').any(|word| word == key);
    if is_word { 1 } else { distance(key, known) }
}

/// Edits that turn `a` into `b`: insert, delete, replace, or swap two neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before_at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

fn before_at(row: &[usize], index: usize) -> usize {
    row.get(index).copied().unwrap_or(usize::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        assert_eq!(distance("listen", "listen"), 0);
        assert_eq!(distance("listne", "listen"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn the_nearest_setting_is_named() {
        for (wrong, right) in [
            ("server.listne", "server.listen"),
            ("sever.listen", "server.listen"),
            ("listen", "server.listen"),
            ("tokens.ttl", "tokens.access_ttl"),
            ("token.access_ttl", "tokens.access_ttl"),
            ("database.url_fiel", "database.url_file"),
            ("cookie.samesite", "cookie.same_site"),
            ("registration", "registration.mode"),
        ] {
            assert_eq!(nearest(wrong), right, "{wrong}");
        }
    }

    #[test]
    fn a_variable_without_a_section_may_be_somebody_elses() {
        assert_eq!(meant_by_variable("listen"), Some("server.listen"));
        assert_eq!(meant_by_variable("server_listen"), Some("server.listen"));
        assert_eq!(meant_by_variable("server_listne"), Some("server.listen"));
        for foreign in [
            "port",
            "service_host",
            "service_port_http",
            "port_8080_tcp_addr",
            "bin",
            "require_all",
        ] {
            assert_eq!(meant_by_variable(foreign), None, "{foreign}");
        }
    }
}
