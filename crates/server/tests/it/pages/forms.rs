//! The forms of a page, as browsers read them (HTML Living Standard section 4.10.21.4).

/// A form with what stands in it.
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// The first form that goes to `action`.
    #[track_caller]
    pub fn to(page: &str, action: &str) -> Self {
        let all = page.split("<form ").skip(1);
        let mut ours = all.filter(|form| {
            attribute(form, "action").is_some_and(|found| whole(&found) == whole(action))
        });
        let form = ours
            .next()
            .unwrap_or_else(|| panic!("no form to {action} in {page}"));
        let inner = form.split_once("</form>").expect("an end").0;
        Self {
            fields: fields(inner),
        }
    }

    /// What is sent where nothing is filled in.
    pub fn fields(&self) -> Vec<(&str, &str)> {
        let all = self.fields.iter();
        all.map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
}

/// An address without the place on its page.
pub fn whole(address: &str) -> &str {
    address.split('#').next().unwrap()
}

fn fields(form: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut select = None;
    for tag in form.split('<') {
        let name = attribute(tag, "name").filter(|name| !name.is_empty());
        match (tag.split([' ', '>']).next().unwrap(), name) {
            ("input", Some(name)) => found.extend(input(tag).map(|value| (name, value))),
            ("textarea", Some(name)) => {
                let text = tag.split_once('>').unwrap().1;
                // One line break at the beginning is no part of it.
                found.push((name, unescaped(text.strip_prefix('\n').unwrap_or(text))));
            }
            ("select", Some(name)) => select = Some((name, None)),
            ("option", _) => {
                let (_, chosen) = select.as_mut().expect("a select");
                if chosen.is_none() || has(tag, "selected") {
                    *chosen = attribute(tag, "value");
                }
            }
            ("/select", _) => {
                let (name, chosen) = select.take().unwrap();
                found.extend(chosen.map(|value| (name, value)));
            }
            _ => {}
        }
    }
    found
}

/// The value that an input sends, if it sends one.
fn input(tag: &str) -> Option<String> {
    let value = attribute(tag, "value").filter(|_| !has(tag, "disabled"));
    match attribute(tag, "type").as_deref() {
        Some("checkbox" | "radio") => value.filter(|_| has(tag, "checked")),
        Some("submit" | "button") => None,
        _ => Some(value.unwrap_or_default()),
    }
}

/// The value of an attribute in the tag at the beginning of `text`.
fn attribute(text: &str, name: &str) -> Option<String> {
    let tag = format!(" {}", tag(text));
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescaped(rest.split('"').next()?))
}

fn has(text: &str, name: &str) -> bool {
    let mut words = tag(text).split([' ', '\n']);
    words.any(|word| word == name)
}

fn tag(text: &str) -> &str {
    text.split('>').next().unwrap()
}

/// Text as it is read.
pub fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    for (escaped, plain) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x2f;", "/"),
        ("&amp;", "&"),
    ] {
        text = text.replace(escaped, plain);
    }
    text
}
