//! A mail as a person sees it: its parts found and decoded (RFC 2045, 2046, 2047).

/// A mail with a text and an HTML part.
#[derive(Debug, Clone)]
pub struct Read {
    headers: Vec<(String, String)>,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Read {
    pub fn of(raw: &str) -> Self {
        let (headers, body) = split(raw);
        let kind = value(&headers, "content-type");
        assert!(kind.starts_with("multipart/alternative"), "{kind}");
        let boundary = kind.split("boundary=").nth(1).unwrap().trim_matches('"');
        let parts: Vec<_> = body.split(&format!("--{boundary}")).collect();
        assert_eq!(parts.len(), 4, "before, text, HTML, after: {body}");
        assert!(parts[3].starts_with("--"), "{:?}", parts[3]);
        let part = |index: usize, kind: &str| {
            let (headers, body) = split(parts[index].trim_start_matches("\r\n"));
            let found = value(&headers, "content-type").to_ascii_lowercase();
            assert!(
                found.starts_with(kind) && found.contains("utf-8"),
                "{found}"
            );
            decoded(body, &value(&headers, "content-transfer-encoding"))
        };
        Self {
            to: value(&headers, "to"),
            subject: words(&value(&headers, "subject")),
            text: part(1, "text/plain"),
            html: part(2, "text/html").replace("&#x2f;", "/"),
            headers,
        }
    }

    pub fn header(&self, name: &str) -> &str {
        let found: Vec<_> = self
            .headers
            .iter()
            .filter(|(known, _)| known == name)
            .collect();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        &found[0].1
    }

    /// The address that its button leads to, which is the one in the text.
    pub fn link(&self) -> String {
        let start = self.text.find("http").expect("a link");
        let link = self.text[start..].split_whitespace().next().unwrap();
        assert!(
            self.html.contains(&format!("href=\"{link}\"")),
            "{link}: {}",
            self.html
        );
        link.to_owned()
    }

    /// The token in its link.
    pub fn token(&self) -> String {
        self.link()
            .split_once("token=")
            .expect("a token")
            .1
            .to_owned()
    }
}

fn split(raw: &str) -> (Vec<(String, String)>, &str) {
    let (head, body) = raw.split_once("\r\n\r\n").expect("a head");
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let headers = unfolded.split("\r\n").map(|line| {
        let (name, value) = line.split_once(':').expect("a header");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    (headers.collect(), body)
}

fn value(headers: &[(String, String)], name: &str) -> String {
    let found = headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

fn decoded(body: &str, encoding: &str) -> String {
    let bytes = match encoding {
        "base64" => {
            let whole: String = body.split_whitespace().collect();
            base64_simd::STANDARD.decode_to_vec(whole).unwrap()
        }
        "quoted-printable" => quoted(&body.replace("=\r\n", ""), b'='),
        "7bit" | "8bit" | "" => body.as_bytes().to_vec(),
        other => panic!("{other}"),
    };
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

/// `=C3=A4`
fn quoted(text: &str, sign: u8) -> Vec<u8> {
    let (bytes, mut at) = (text.as_bytes(), 0);
    let mut decoded = Vec::new();
    while at < bytes.len() {
        if bytes[at] == sign {
            let digits = &text[at + 1..at + 3];
            decoded.push(u8::from_str_radix(digits, 16).unwrap());
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    decoded
}

/// `=?utf-8?b?…?=`
fn words(text: &str) -> String {
    let mut decoded = String::new();
    let mut encoded_before = false;
    for word in text.split(' ') {
        let encoded = word
            .strip_prefix("=?utf-8?b?")
            .and_then(|rest| rest.strip_suffix("?="));
        // White space between two encoded words is not part of the text.
        if !(decoded.is_empty() || encoded.is_some() && encoded_before) {
            decoded.push(' ');
        }
        encoded_before = encoded.is_some();
        match encoded {
            Some(base64) => {
                let bytes = base64_simd::STANDARD.decode_to_vec(base64).unwrap();
                decoded.push_str(&String::from_utf8(bytes).unwrap());
            }
            None => decoded.push_str(word),
        }
    }
    decoded
}
