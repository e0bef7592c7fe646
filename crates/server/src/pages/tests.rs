use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use minijinja::context;
use symbolon_domain::mail::Locale;

use super::*;

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("symbolon-pages-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("words/de")).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn config(&self) -> PagesConfig {
        PagesConfig {
            folder: Some(self.0.clone()),
            ..PagesConfig::default()
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn said(config: &PagesConfig) -> String {
    match Pages::new(config) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_template_is_listed() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/pages");
    let mut folders = vec![PathBuf::from(root)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "html") {
                found.push(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }
    found.sort();
    let mut listed: Vec<_> = TEMPLATES
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    listed.sort();
    assert_eq!(found, listed);
}

/// The words of a file, by their dotted names.
fn words(locale: Locale, part: &str) -> BTreeMap<String, String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{root}/assets/pages/words/{locale}/{part}");
    let table: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let mut rest: Vec<(String, toml::Value)> = table.into_iter().collect();
    let mut words = BTreeMap::new();
    while let Some((name, value)) = rest.pop() {
        match value {
            toml::Value::Table(inner) => {
                let inner = inner.into_iter();
                rest.extend(inner.map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            value => {
                words.insert(name, value.as_str().unwrap().to_owned());
            }
        }
    }
    words
}

/// The names in the braces of a word, those of the template language aside.
fn facts(word: &str) -> BTreeSet<&str> {
    const LANGUAGE: [&str; 8] = ["and", "elif", "else", "endif", "if", "in", "not", "or"];
    let inside = word.split('{').skip(1).filter_map(|rest| {
        let (inside, _) = rest.split_once('}')?;
        Some(inside)
    });
    inside
        .flat_map(|text| text.split(|c: char| c != '_' && !c.is_alphanumeric()))
        .filter(|name| name.starts_with(|c: char| c == '_' || c.is_alphabetic()))
        .filter(|name| !LANGUAGE.contains(name))
        .collect()
}

/// The tags of a word, and what stands in `<code>`, which is the same in every language.
fn markup(word: &str) -> Vec<&str> {
    let tags = word.split('<').skip(1);
    let codes = word.split("<code>").skip(1);
    let mut found: Vec<_> = tags
        .filter_map(|rest| rest.split('>').next())
        .chain(codes.filter_map(|rest| rest.split('<').next()))
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn every_language_has_every_word_with_its_facts_and_markup() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/pages/words/en");
    for entry in fs::read_dir(folder).unwrap() {
        let part = entry.unwrap().file_name().into_string().unwrap();
        let english = words(Locale::En, &part);
        for locale in Locale::ALL.iter().filter(|locale| **locale != Locale::En) {
            let own = words(*locale, &part);
            let names = |words: &BTreeMap<String, String>| -> BTreeSet<String> {
                words.keys().cloned().collect()
            };
            let (wanted, had) = (names(&english), names(&own));
            let apart: Vec<_> = wanted.symmetric_difference(&had).collect();
            assert!(apart.is_empty(), "{locale}/{part}: {apart:?}");
            for (name, word) in &own {
                let first = &english[name];
                assert_eq!(facts(word), facts(first), "{locale}/{part}: {name}");
                assert_eq!(markup(word), markup(first), "{locale}/{part}: {name}");
                let same = word == first && word.chars().count() > 60;
                assert!(!same, "{locale}/{part}: {name} is English");
            }
        }
    }
}

#[test]
fn an_owner_changes_single_words_and_whole_templates() {
    let folder = Folder::new("own");
    folder.put(
        "words/de/hosted.toml",
        b"[sign_in]\ntitle = 'Willkommen bei {{ service }}'\n",
    );
    folder.put(
        "left.html",
        b"Bye, {{ service }}. {{ t(\"sign_in.title\") }}",
    );
    let pages = Pages::new(&folder.config()).unwrap();
    let facts = || context! { lang => "de", service => "<Acme>" };
    let left = pages.render("left.html", facts()).unwrap();
    assert_eq!(left, "Bye, &lt;Acme&gt;. Willkommen bei &lt;Acme&gt;");
    let other = pages.word(Locale::De, "sign_in.password", facts()).unwrap();
    assert_eq!(other.to_string(), "Passwort");
    let english = pages.word(Locale::En, "sign_in.title", facts()).unwrap();
    assert_eq!(english.to_string(), "Sign in");
}

#[test]
fn a_mistake_in_an_owners_file_is_told_at_the_start() {
    let folder = Folder::new("mistakes");
    for (name, text, wanted) in [
        ("left.html", "{% if %}", "left.html: "),
        ("words/de/hosted.toml", "[sign_in", "words/de/hosted.toml: "),
        (
            "words/de/hosted.toml",
            "[sign_in]\ntitle = 3",
            "`sign_in.title` is no text",
        ),
        (
            "words/de/hosted.toml",
            "[sign_in]\ntitle = '{{ open'",
            "de/sign_in.title.html: ",
        ),
    ] {
        let path = folder.put(name, text.as_bytes());
        let told = said(&folder.config());
        assert!(told.contains(wanted), "{name}: {told}");
        fs::remove_file(path).unwrap();
    }
    assert_eq!(said(&folder.config()), "");
}

#[test]
fn a_logo_is_a_picture_of_bounded_size() {
    let folder = Folder::new("logo");
    let with = |path: PathBuf| PagesConfig {
        logo: Some(path),
        ..PagesConfig::default()
    };
    let good: [(&str, &[u8], &str); 4] = [
        ("a", b"\x89PNG\r\n\x1a\nxx", "image/png"),
        ("b", b"\xff\xd8\xffxx", "image/jpeg"),
        ("c", b"RIFFxxxxWEBPxx", "image/webp"),
        (
            "d",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "image/svg+xml",
        ),
    ];
    for (name, bytes, wanted) in good {
        let pages = Pages::new(&with(folder.put(name, bytes))).unwrap();
        assert_eq!(pages.asset("logo").unwrap().media_type, wanted);
    }
    for (name, bytes) in [("e", b"<html>".to_vec()), ("f", vec![0; 300 * 1024])] {
        assert_ne!(said(&with(folder.put(name, &bytes))), "", "{name}");
    }
    assert!(said(&with(folder.0.join("none"))).contains("none"));
}

/// WCAG 2.2, success criterion 1.4.3.
#[test]
fn an_owners_colour_can_be_read_on_every_ground() {
    let grounds = [Colour([0xff; 3]), Colour([0x16, 0x1c, 0x26])];
    for text in [
        "#ffffff", "#000000", "#ffff00", "#1d4ed8", "#7f7f7f", "#ff0080",
    ] {
        let colour: Colour = text.parse().unwrap();
        for ground in grounds {
            let shade = colour.readable_on(ground);
            assert!(shade.contrast(ground) >= 4.5, "{text}: {shade} on {ground}");
        }
        let brand = Brand {
            name: None,
            logo: None,
            colour: Some(colour),
            style: None,
        };
        let theme = brand.theme().unwrap();
        for rules in theme.split(":root{").skip(1) {
            let of = |name: &str| -> Colour {
                let (_, rest) = rules.split_once(&format!("--{name}:")).unwrap();
                rest.get(..7).unwrap().parse().unwrap()
            };
            assert!(of("on-lead").contrast(of("lead")) >= 4.5, "{rules}");
            assert!(of("on-lead").contrast(of("lead-over")) >= 4.5, "{rules}");
        }
    }
    for text in ["1d4ed8", "#1d4ed", "#1d4edg", "#1d4ed8;", "red", "#é1234"] {
        assert!(text.parse::<Colour>().is_err(), "{text}");
    }
}

#[test]
fn numbers_are_grouped() {
    for (number, wanted) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1\u{202f}000"),
        (-1_234_567, "\u{2212}1\u{202f}234\u{202f}567"),
    ] {
        assert_eq!(functions::grouped(number), wanted);
    }
}

#[test]
fn every_word_of_a_template_is_there_in_english() {
    let words = Words::read(None).unwrap();
    let known = words.names(Locale::En);
    for (template, text) in TEMPLATES {
        let calls = text.split("t(\"").skip(1).zip(text.split("t(\""));
        // Not the end of another function's name.
        let calls = calls.filter(|(_, before)| {
            !before.ends_with(|one: char| one.is_alphanumeric() || one == '_')
        });
        for (call, _) in calls {
            let (name, rest) = call.split_once('"').unwrap();
            let found = match rest.trim_start().starts_with('~') {
                true => known.iter().any(|word| word.starts_with(name)),
                false => known.contains(&name),
            };
            assert!(found, "{template}: there is no word `{name}`");
        }
    }
}
