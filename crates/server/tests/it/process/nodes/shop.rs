//! An application, and the browser of a person who lets it in, at each node in turn.

use super::super::http::{Connection, Reply};
use super::super::place::{PASSWORD, Place};
use super::super::running::Server;
use super::pair::EMAIL;
use crate::oauth::{CALLBACK, REQUEST, code_form, form, hidden_in, refresh_form, told_in};

/// What the page says to whom a sign-in is refused.
const TOLD: [(&str, u16); 2] = [
    ("do not belong together", 401),
    ("try again in a minute", 429),
];
/// More looks than fit into any bound on the delay of a revocation.
const MOST_LOOKS: usize = 20_000;

/// Makes the application.
pub fn open(place: &Place) {
    let words = "client add shop --type public --grant authorization_code --grant refresh_token --scope openid \
                 --redirect-uri";
    let mut words: Vec<_> = words.split_whitespace().collect();
    words.push(CALLBACK);
    place.run(&words).text();
}

/// A code for it, once Ada has signed in and agreed: each page from another node.
pub fn code(nodes: &[Server]) -> String {
    let mut browser = Browser::new(nodes);
    let (head, _) = browser.sign_in(EMAIL, PASSWORD);
    let (mut head, page) = browser.get(&header(&head, "location").unwrap());
    if head.starts_with("HTTP/1.1 200") {
        let pairs = [
            ("interaction", hidden_in(&page, "interaction")),
            ("decision", "allow"),
        ];
        (head, _) = browser.post("/oauth/consent", &pairs);
    }
    let to = header(&head, "location").unwrap_or_else(|| panic!("{head}"));
    told_in(&to, "code")
}

/// Signs in with a wrong password on the page to which it sends people: the status that says the same elsewhere.
pub fn guess(nodes: &[Server], identifier: &str, password: &str) -> u16 {
    let (_, page) = Browser::new(nodes).sign_in(identifier, password);
    let told = TOLD.iter().find(|(words, _)| page.contains(words));
    told.unwrap_or_else(|| panic!("{page}")).1
}

/// Exchanges a code.
pub fn redeem(connection: &mut Connection, code: &str) -> Reply {
    post(connection, "/oauth/token", &code_form(code))
}

/// Exchanges a refresh token.
pub fn refresh(connection: &mut Connection, token: &str) -> Reply {
    post(connection, "/oauth/token", &refresh_form(token))
}

/// Revokes a token.
pub fn revoke(connection: &mut Connection, token: &str) -> Reply {
    let pairs = [("client_id", "shop"), ("token", token)];
    post(connection, "/oauth/revoke", &pairs)
}

/// Asks who it is.
pub fn userinfo(connection: &mut Connection, access: &str) -> Reply {
    let asked = connection.call("GET", "/oauth/userinfo", Some(access), None);
    asked.unwrap()
}

/// Asks until the access token is refused, which every node does within the bound.
#[track_caller]
pub fn until_dead(connection: &mut Connection, access: &str) {
    let dead = (0..MOST_LOOKS).any(|_| userinfo(connection, access).status == 401);
    assert!(dead, "it is revoked and lives on");
}

fn post(connection: &mut Connection, path: &str, pairs: &[(&str, &str)]) -> Reply {
    connection.send(&posted(path, "", pairs)).unwrap();
    connection.reply().unwrap()
}

fn posted(path: &str, headers: &str, pairs: &[(&str, &str)]) -> Vec<u8> {
    let body = form(pairs);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

/// A browser with its cookie.
struct Browser<'a> {
    nodes: &'a [Server],
    turn: usize,
    cookie: String,
}

impl<'a> Browser<'a> {
    fn new(nodes: &'a [Server]) -> Self {
        Self {
            nodes,
            turn: 0,
            cookie: String::new(),
        }
    }

    /// Fills the form to which the application sends it: head and body of what is answered.
    fn sign_in(&mut self, identifier: &str, password: &str) -> (String, String) {
        let (_, page) = self.get(&format!("/oauth/authorize?{}", form(&REQUEST)));
        let pairs = [
            ("interaction", hidden_in(&page, "interaction")),
            ("identifier", identifier),
            ("password", password),
        ];
        self.post("/oauth/sign-in", &pairs)
    }

    fn get(&mut self, path: &str) -> (String, String) {
        let headers = self.headers();
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        self.ask(head.as_bytes())
    }

    fn post(&mut self, path: &str, pairs: &[(&str, &str)]) -> (String, String) {
        let headers = format!("sec-fetch-site: same-origin\r\n{}", self.headers());
        self.ask(&posted(path, &headers, pairs))
    }

    fn headers(&self) -> String {
        let cookie = &self.cookie;
        match cookie.is_empty() {
            true => "connection: close\r\n".to_owned(),
            false => format!("connection: close\r\ncookie: {cookie}\r\n"),
        }
    }

    /// Head and body as they came.
    fn ask(&mut self, request: &[u8]) -> (String, String) {
        let mut connection = self.nodes[self.turn % self.nodes.len()].connect();
        self.turn += 1;
        connection.send(request).unwrap();
        let head = connection.until("\r\n\r\n").unwrap();
        let body = String::from_utf8(connection.rest().unwrap()).unwrap();
        if let Some(set) = header(&head, "set-cookie") {
            let (pair, _) = set.split_once(';').unwrap();
            pair.clone_into(&mut self.cookie);
        }
        (head, body)
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.to_owned())
}
