use std::collections::BTreeSet;
use std::sync::LazyLock;

use symbolon_domain::mail::Locale;

use super::*;
use crate::config::PagesConfig;
use crate::pages::Pages;

static PAGES: LazyLock<Pages> = LazyLock::new(|| Pages::new(&PagesConfig::default()).unwrap());

const LOCALES: [Locale; 6] = [
    Locale::En,
    Locale::De,
    Locale::Fr,
    Locale::Es,
    Locale::Pl,
    Locale::Zh,
];
const CALLBACK: &str = "https://shop.example.org/callback?a=1";
/// Ends an attribute and an element, runs a script, is a template, and turns the text.
const HOSTILE: &str = "\"'></p></title><script>alert(1)</script>{{ 7 * 7 }}\u{202e}evil";

fn shown(screen: &Screen<'_>, locale: Locale) -> (String, String) {
    let frame = Frame::at(&PAGES, "https://login.example.com/auth", locale);
    let (text, policy) = screen.page(&frame, Some("r-1")).unwrap();
    (text, policy.to_str().unwrap().to_owned())
}

/// Calls `each` with every screen, with `text` wherever somebody else chose the text.
fn every_screen<'a>(text: &'a str, url: &'a str, mut each: impl FnMut(&Screen<'a>)) {
    for unverified in [false, true] {
        for screen in asking(text, unverified) {
            each(&screen);
        }
    }
    for screen in ending(text, url) {
        each(&screen);
    }
    let troubles = [
        Trouble::Request,
        Trouble::Client,
        Trouble::Redirect,
        Trouble::Expired,
        Trouble::Busy,
        Trouble::Internal,
    ];
    for trouble in troubles {
        each(&Screen::Fault(Fault {
            trouble,
            code: text,
            detail: text,
        }));
    }
}

fn asker(text: &str, unverified: bool) -> Asker<'_> {
    Asker {
        name: text,
        host: text,
        unverified,
    }
}

fn asking(text: &str, unverified: bool) -> Vec<Screen<'_>> {
    let asker = asker(text, unverified);
    let user = Person {
        name: unverified.then_some(text),
        email: text,
    };
    let scopes: &'static [&'static str] = &["openid", "email", "offline_access"];
    let signing_in = |told| {
        Screen::SignIn(SignIn {
            told,
            link: if unverified { text } else { "" },
            ..sign_in(text, (!unverified).then_some(asker))
        })
    };
    let mut screens: Vec<_> = [
        None,
        Some(Told::WrongCredentials),
        Some(Told::Disabled),
        Some(Told::Unconfirmed),
        Some(Told::Busy),
    ]
    .map(signing_in)
    .into();
    screens.push(Screen::Consent(Consent {
        action: "/oauth/authorize",
        interaction: text,
        asker,
        user,
        scopes,
        resources: if unverified {
            &["https://api.example.com/"]
        } else {
            &[]
        },
        until: Until::Withdrawn,
        leaves: true,
    }));
    screens.push(Screen::DeviceConfirm(DeviceConfirm {
        action: "/oauth/device/verify",
        interaction: text,
        code: text,
        asker,
        user,
        scopes,
        resources: &[],
        until: Until::SignedOut,
    }));
    screens.push(Screen::SignOut(SignOut {
        action: "/oauth/logout",
        interaction: text,
        asker: unverified.then_some(asker),
        user: unverified.then_some(user),
        leaves: true,
    }));
    screens
}

fn sign_in<'a>(text: &'a str, asker: Option<Asker<'a>>) -> SignIn<'a> {
    SignIn {
        action: "/oauth/authorize",
        interaction: text,
        identifier: text,
        remember: false,
        told: None,
        link: "",
        asker,
        upstreams: &[Upstream {
            action: "/upstream/github",
            name: "GitHub",
        }],
        registered: "/oauth/sign-in?interaction=x",
        leaves: true,
    }
}

fn ending<'a>(text: &'a str, url: &'a str) -> Vec<Screen<'a>> {
    let codes = [None, Some(CodeTold::Unknown), Some(CodeTold::Busy)];
    let mut screens: Vec<_> = codes
        .map(|told| {
            Screen::DeviceCode(DeviceCode {
                action: "/device",
                code: text,
                told,
            })
        })
        .into();
    screens.push(Screen::DeviceDone(true));
    screens.push(Screen::DeviceDone(false));
    for (signed_out, back) in [(true, Some(url)), (false, None)] {
        screens.push(Screen::SignedOut(SignedOut { signed_out, back }));
    }
    screens.push(Screen::Return(Return { host: text, url }));
    screens.push(Screen::FormPost(FormPost {
        action: CALLBACK,
        host: text,
        fields: &[("code", HOSTILE), ("state", HOSTILE)],
    }));
    screens
}

#[test]
fn every_screen_is_there_in_every_language() {
    let mut headings = BTreeSet::new();
    for locale in LOCALES {
        every_screen("Somebody", CALLBACK, |screen| {
            let (text, policy) = shown(screen, locale);
            assert!(text.contains(&format!("<html lang=\"{locale}\" dir=\"ltr\">")));
            assert_eq!(text.matches("<h1>").count(), 1, "{text}");
            let title = between(&text, "<title>", "</title>");
            assert!(
                title.ends_with(" · login.example.com") && !title.contains('<'),
                "{title}"
            );
            assert!(!policy.contains("unsafe") && policy.starts_with("default-src 'none'; "));
            for script in text.split("<script").skip(1) {
                let own = script.starts_with(" src=\"/auth/assets/");
                assert!(own && script.contains("></script>"), "{script}");
            }
            let sends_itself = text.contains("/assets/submit.js");
            assert_eq!(sends_itself, matches!(screen, Screen::FormPost(_)));
            assert!(!text.contains(" style=") && !text.contains("<style"));
            headings.insert((locale.as_str(), title.to_owned()));
        });
    }
    let titles: BTreeSet<_> = headings.iter().map(|(_, title)| title).collect();
    assert_eq!(
        headings.len(),
        titles.len(),
        "no two languages share one: {headings:?}"
    );
}

#[test]
fn every_field_that_people_see_has_a_label_and_every_reference_a_target() {
    every_screen("Somebody", CALLBACK, |screen| {
        let (text, _) = shown(screen, Locale::En);
        for tag in text.split("<input ").skip(1) {
            let tag = tag.split('>').next().unwrap();
            let hidden = tag.contains("type=\"hidden\"");
            let id = tag.contains("id=\"").then(|| between(tag, "id=\"", "\""));
            let labelled = match id {
                Some(id) => text.contains(&format!("<label for=\"{id}\">")),
                None => tag.contains("type=\"checkbox\""),
            };
            assert!(hidden || labelled, "{tag}");
        }
        for described in text.split("aria-describedby=\"").skip(1) {
            let id = described.split('"').next().unwrap();
            assert_eq!(text.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
        }
    });
}

/// SECURITY C11 and M10: what others chose is text, wherever it stands.
#[test]
fn c11_hostile_texts_are_only_texts() {
    for locale in LOCALES {
        every_screen(
            HOSTILE,
            "https://shop.example.org/?\"><script>alert(1)</script>",
            |screen| {
                let (text, policy) = shown(screen, locale);
                assert!(!text.contains("<script>alert"), "{text}");
                assert!(!text.contains("49\u{202e}"), "{text}");
                assert!(!policy.contains("alert"), "{policy}");
                // What turns text stands in an attribute, or where it turns nothing around it.
                for (at, _) in text.match_indices('\u{202e}') {
                    let before = text.get(..at).unwrap();
                    let isolated =
                        before.matches("<bdi>").count() > before.matches("</bdi>").count();
                    let attribute = before.rfind("value=\"") > before.rfind('>');
                    assert!(isolated || attribute, "{before}");
                }
            },
        );
    }
}

#[test]
fn a_link_leads_to_the_web_or_to_an_app_only() {
    let known = [
        ("https://shop.example.org/", true),
        ("http://127.0.0.1:8000/", true),
        ("org.example.shop:/back", true),
        ("javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("//shop.example.org/", false),
        ("", false),
    ];
    for (url, good) in known {
        let end = SignedOut {
            signed_out: true,
            back: Some(url),
        };
        let (text, _) = shown(&Screen::SignedOut(end), Locale::En);
        assert_eq!(text.contains("<a class=\"button"), good, "{url}");
        let (text, _) = shown(&Screen::Return(Return { host: "x", url }), Locale::En);
        assert_eq!(text.contains("<a class=\"button"), good, "{url}");
    }
}

#[test]
fn forms_that_stay_here_are_kept_here() {
    every_screen("Somebody", CALLBACK, |screen| {
        let (_, policy) = shown(screen, Locale::En);
        let leaving = matches!(
            screen,
            Screen::SignIn(_) | Screen::Consent(_) | Screen::SignOut(_) | Screen::FormPost(_)
        );
        assert_eq!(
            policy.contains("form-action 'self'; "),
            !leaving,
            "{policy}"
        );
        assert!(
            policy.ends_with("frame-ancestors 'none'; base-uri 'none'"),
            "{policy}"
        );
    });
    let alone = Screen::SignIn(SignIn {
        upstreams: &[],
        leaves: false,
        ..sign_in("Somebody", None)
    });
    assert!(shown(&alone, Locale::En).1.contains("form-action 'self'; "));
}

#[test]
fn the_path_of_the_issuer_stands_before_every_path_of_ours() {
    every_screen("Somebody", CALLBACK, |screen| {
        let (text, _) = shown(screen, Locale::En);
        for action in text.split("action=\"").skip(1) {
            let action = action.split('"').next().unwrap();
            let foreign = matches!(screen, Screen::FormPost(_));
            assert_eq!(!action.starts_with("&#x2f;auth&#x2f;"), foreign, "{action}");
        }
    });
}

/// WCAG 2.2, success criteria 1.4.3 and 1.4.11: 4.5 for text, 3 for the edge of a field.
#[test]
fn colours_can_be_told_apart_in_light_and_dark() {
    let style = include_str!("../../../../assets/pages/page.css");
    let schemes: Vec<_> = style.split(":root{").skip(1).collect();
    assert_eq!(schemes.len(), 2);
    for scheme in schemes {
        for (one, other, least) in [
            ("ink", "sheet", 4.5),
            ("strong", "sheet", 4.5),
            ("strong", "quiet", 4.5),
            ("soft", "sheet", 4.5),
            ("lead", "sheet", 4.5),
            ("lead", "quiet", 4.5),
            ("on-lead", "lead", 4.5),
            ("on-lead", "lead-over", 4.5),
            ("good", "good-ground", 4.5),
            ("bad", "bad-ground", 4.5),
            ("care", "care-ground", 4.5),
            ("edge", "sheet", 3.0),
            ("bad", "sheet", 3.0),
        ] {
            let (one_light, other_light) = (light(scheme, one), light(scheme, other));
            let ratio = (one_light.max(other_light) + 0.05) / (one_light.min(other_light) + 0.05);
            assert!(ratio >= least, "{one} on {other}: {ratio}");
        }
    }
}

/// The relative luminance of a colour of the style sheet.
fn light(scheme: &str, name: &str) -> f64 {
    let text = between(scheme, &format!("--{name}:#"), ";")
        .split('}')
        .next()
        .unwrap();
    let text = match text.len() {
        3 => text.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => text.to_owned(),
    };
    let channel = |at: usize| {
        let part = u8::from_str_radix(text.get(at..at + 2).unwrap(), 16).unwrap();
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split(end).next().unwrap()
}
