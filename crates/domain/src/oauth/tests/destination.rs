use proptest::prelude::*;

use super::*;
use crate::ClientStatus;

const LOOPBACK: &str = "http://127.0.0.1/cb";
const LOOPBACK_6: &str = "http://[::1]:3000/cb?x=1";
const LOCALHOST: &str = "http://localhost:8090/cb";
const APP: &str = "com.example.app:/cb";

fn leads(client: &Client, uri: &str) -> Result<Destination, Misdirected> {
    destination(Some(client), &read(&[("redirect_uri", uri)]).unwrap())
}

fn is_sent(client: &Client, uri: &str) -> bool {
    match leads(client, uri) {
        Ok(found) => {
            assert_eq!(found.uri.as_str(), uri, "byte for byte");
            assert!(found.named);
            true
        }
        Err(error) => {
            assert_eq!(error, Misdirected::RedirectUri);
            false
        }
    }
}

#[test]
fn a1_byte_for_byte() {
    let client = client(ClientType::Public, &[CALLBACK]);
    assert!(is_sent(&client, CALLBACK));
    for attack in [
        // Slashes, case, path.
        "https://good.example/cb/",
        "https://good.example//cb",
        "https://good.example/CB",
        "https://GOOD.example/cb",
        "HTTPS://good.example/cb",
        "https://good.example",
        "https://good.example/",
        "https://good.example/c",
        "https://good.example/cbx",
        "https://good.example/%63b",
        "https://good.example/cb%2f",
        // Up and down again.
        "https://good.example/..;/cb",
        "https://good.example/cb/..;/evil",
        "https://good.example/cb/../evil",
        "https://good.example/cb/%2e%2e/evil",
        "https://good.example/cb/%2E./evil",
        "https://good.example/x/../cb",
        "https://good.example/./cb",
        "https://good.example/cb/%252e%252e/evil",
        // Another host.
        "https://good.example@evil.example/cb",
        "https://good.example:x@evil.example/cb",
        "https://evil.example/cb?https://good.example/cb",
        "https://evil.example\\@good.example/cb",
        "https://good.example\\@evil.example/cb",
        "https://good.example\\.evil.example/cb",
        "https://good.example.evil.example/cb",
        "https://evilgood.example/cb",
        "https://goodxexample/cb",
        "https://sub.good.example/cb",
        "https://*.example/cb",
        "https://good.example./cb",
        "https://evil.example/good.example/cb",
        "https://g\u{43e}\u{43e}d.example/cb",
        "https://xn--gd-jbba.example/cb",
        "https://good.example%2f.evil.example/cb",
        "https://good.example%00.evil.example/cb",
        "https://2130706433/cb",
    ] {
        assert!(!is_sent(&client, attack), "{attack:?}");
    }
}

#[test]
fn a1_nothing_before_and_nothing_behind() {
    let client = client(ClientType::Confidential, &[CALLBACK]);
    for attack in [
        "https://good.example/cb?",
        "https://good.example/cb?x=1",
        "https://good.example/cb#",
        "https://good.example/cb#x",
        "https://good.example/cb?#",
        "https://good.example/cb;x",
        "https://good.example/cb ",
        " https://good.example/cb",
        "https://good.example/cb\n",
        "https://good.example/cb\tx",
        "https://good.example/cb%20",
        "https://good.example/cb%0d%0aSet-Cookie:x",
        "https://good.example/cb,https://evil.example/",
        "https://good.example/cb https://evil.example/",
        // Another port or scheme.
        "https://good.example:443/cb",
        "https://good.example:444/cb",
        "https://good.example:/cb",
        "http://good.example/cb",
        "http://good.example:443/cb",
        "http://127.0.0.1/cb",
        "http://localhost/cb",
        "javascript:alert(1)",
        "javascript://good.example/cb%0aalert(1)",
        "data:text/html,x",
        "com.example.app:/cb",
        "//good.example/cb",
        "https:good.example/cb",
        "https:/good.example/cb",
        "https:///good.example/cb",
        "good.example/cb",
        "/cb",
        ".",
        "urn:ietf:wg:oauth:2.0:oob",
    ] {
        assert!(!is_sent(&client, attack), "{attack:?}");
    }
}

#[test]
fn a2_the_port_of_a_loopback_address_is_free() {
    let client = client(ClientType::Public, &[LOOPBACK, LOOPBACK_6]);
    for good in [
        LOOPBACK,
        LOOPBACK_6,
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:80/cb",
        "http://127.0.0.1:49152/cb",
        "http://127.0.0.1:65535/cb",
        "http://[::1]/cb?x=1",
        "http://[::1]:8080/cb?x=1",
    ] {
        assert!(is_sent(&client, good), "{good}");
    }
    for attack in [
        "http://127.0.0.1:49152/cb/",
        "http://127.0.0.1:49152/",
        "http://127.0.0.1:49152/cb?x=1",
        "http://[::1]:8080/cb",
        "http://[::1]:8080/cb?x=2",
        "http://127.0.0.2:49152/cb",
        "http://127.1:49152/cb",
        "http://2130706433/cb",
        "http://0.0.0.0/cb",
        "http://[::]/cb?x=1",
        "http://[0:0:0:0:0:0:0:1]/cb?x=1",
        "http://[::ffff:127.0.0.1]/cb",
        "http://localhost:49152/cb",
        "http://lan-host/cb",
        "http://lan-host:49152/cb",
        "http://10.0.0.1/cb",
        "https://127.0.0.1/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:80x/cb",
        "http://127.0.0.1:*/cb",
        "http://127.0.0.1:80:80/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:49152\\cb",
    ] {
        assert!(!is_sent(&client, attack), "{attack:?}");
    }
}

#[test]
fn a2_the_port_of_localhost_is_free_and_the_name_is_no_address() {
    let client = client(ClientType::Public, &[LOCALHOST]);
    for good in [
        "http://localhost/cb",
        "http://localhost:8090/cb",
        "http://localhost:49152/cb",
    ] {
        assert!(is_sent(&client, good), "{good}");
    }
    for attack in [
        "http://127.0.0.1:8090/cb",
        "http://[::1]:8090/cb",
        "https://localhost:8090/cb",
        "http://LOCALHOST:8090/cb",
        "http://localhost.:8090/cb",
        "http://localhost:8090/cb/",
        "http://localhost:8090/",
        "http://localhost:0/cb",
        "http://a.localhost:8090/cb",
        "http://localhost.evil.example/cb",
        "http://localhost@evil.example/cb",
        "http://localhost:8090@evil.example/cb",
    ] {
        assert!(!is_sent(&client, attack), "{attack:?}");
    }
}

#[test]
fn a2_other_ports_are_not_free() {
    let client = client(
        ClientType::Public,
        &["https://127.0.0.1/cb", "https://localhost:1/cb", APP],
    );
    for attack in [
        "https://127.0.0.1:8443/cb",
        "https://localhost:2/cb",
        "https://localhost/cb",
        "com.example.app://:80/cb",
        "com.example.app:/cb/",
        "com.example.app2:/cb",
        "http://127.0.0.1/cb",
    ] {
        assert!(!is_sent(&client, attack), "{attack:?}");
    }
    assert!(is_sent(&client, APP));
}

#[test]
fn a1_where_none_is_named() {
    let (nothing, empty) = (read(&[]).unwrap(), read(&[("redirect_uri", "")]).unwrap());
    for parameters in [nothing, empty] {
        let only = client(ClientType::Public, &[CALLBACK]);
        let found = destination(Some(&only), &parameters).unwrap();
        assert_eq!((found.uri.as_str(), found.named), (CALLBACK, false));
        for uris in [
            &[][..],
            &[CALLBACK, LOOPBACK],
            &[CALLBACK, "https://good.example/cb2"],
        ] {
            let unclear = destination(Some(&client(ClientType::Public, uris)), &parameters);
            assert_eq!(unclear, Err(Misdirected::RedirectUri), "{uris:?}");
        }
    }
    let none = client(ClientType::Public, &[]);
    assert!(!is_sent(&none, CALLBACK));
}

#[test]
fn a1_clients_that_have_no_use_for_codes() {
    let disabled = |mut client: Client| {
        client.definition.status = ClientStatus::Disabled;
        client
    };
    let without = |mut client: Client| {
        client.definition.grants = BTreeSet::from([Grant::DeviceCode, Grant::RefreshToken]);
        client
    };
    for uri in [CALLBACK, "https://evil.example/", ""] {
        let parameters = read(&[("redirect_uri", uri)]).unwrap();
        let good = || client(ClientType::Public, &[CALLBACK]);
        for client in [None, Some(disabled(good())), Some(without(good()))] {
            let refused = destination(client.as_ref(), &parameters);
            assert_eq!(refused, Err(Misdirected::Client), "{uri}");
        }
    }
}

#[test]
fn a15_where_anybodys_program_may_listen() {
    let uris = [CALLBACK, LOOPBACK, LOOPBACK_6, LOCALHOST, APP];
    for (kind, uri, open) in [
        (ClientType::Public, CALLBACK, false),
        (ClientType::Public, LOOPBACK, true),
        (ClientType::Public, "http://127.0.0.1:49152/cb", true),
        (ClientType::Public, LOOPBACK_6, true),
        (ClientType::Public, LOCALHOST, true),
        (ClientType::Public, APP, true),
        (ClientType::Confidential, CALLBACK, false),
        (ClientType::Confidential, LOOPBACK, false),
        (ClientType::Confidential, LOCALHOST, false),
        (ClientType::Confidential, APP, false),
    ] {
        let found = leads(&client(kind, &uris), uri).unwrap();
        assert_eq!(found.open, open, "{kind} {uri}");
    }
    let only = client(ClientType::Public, &[APP]);
    assert!(
        destination(Some(&only), &Parameters::default())
            .unwrap()
            .open,
        "unnamed as well"
    );
}

proptest! {
    /// Whatever is changed of a URI, it is another one.
    #[test]
    fn a1_one_byte_more_or_less_or_other(place in any::<prop::sample::Index>(), byte in 0_u8..128, kind in 0..3) {
        let client = client(ClientType::Public, &[CALLBACK]);
        let mut bytes = CALLBACK.as_bytes().to_vec();
        let place = place.index(bytes.len());
        match kind {
            0 => bytes.insert(place, byte),
            1 => bytes[place] = byte,
            _ => drop(bytes.remove(place)),
        }
        let text = String::from_utf8(bytes).unwrap();
        let sent = read(&[("redirect_uri", &text)]).is_ok_and(|read| destination(Some(&client), &read).is_ok());
        prop_assert_eq!(sent, text == CALLBACK, "{:?}", text);
    }

    /// No answer goes where the client has nothing, whatever is asked for.
    #[test]
    fn a1_whatever_is_asked_for(text in "(https?://)?(good[.]example|127[.]0[.]0[.]1|\\[::1\\])?\\PC{0,8}(/cb)?\\PC{0,4}") {
        let client = client(ClientType::Public, &[CALLBACK, LOOPBACK]);
        let given = read(&[("redirect_uri", &text)]).unwrap_or_default();
        if let Ok(found) = destination(Some(&client), &given) {
            let port = text.strip_prefix("http://127.0.0.1").and_then(|rest| rest.strip_suffix("/cb"));
            let is_port = |port: &str| port.is_empty() || port[1..].parse::<u16>().is_ok_and(|number| number > 0);
            prop_assert!(text.is_empty() || text == CALLBACK || port.is_some_and(is_port), "{:?}", text);
            prop_assert_eq!(found.uri.as_str(), text);
        }
    }
}
