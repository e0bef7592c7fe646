use symbolon_token::{Algorithm, Error, SigningKey, dpop::Draft};

use super::*;

const NOW: i64 = 1_790_000_000;
const URI: &str = "https://api.example/orders";

struct Client(SigningKey);

impl Client {
    fn new() -> Self {
        Self(SigningKey::generate(Algorithm::EdDsa).unwrap())
    }

    fn cnf(&self) -> Confirmation {
        let jkt = self.0.public_jwk().unwrap().jkt();
        Confirmation { jkt }
    }

    fn draft(jti: &str) -> Draft<'_> {
        Draft {
            jti,
            method: "GET",
            uri: URI,
            iat_seconds: NOW,
            access_token: Some("token"),
            nonce: None,
        }
    }

    fn proof(&self, jti: &str) -> String {
        Self::draft(jti).sign(&self.0).unwrap()
    }
}

fn presented<'a>(scheme: Scheme, proofs: &'a [&'a str]) -> Presented<'a> {
    Presented {
        scheme,
        token: "token",
        proofs,
        method: "GET",
        uri: URI,
    }
}

#[test]
fn d3_the_scheme_is_that_of_the_token() {
    let (proofs, client) = (Proofs::default(), Client::new());
    let (proof, cnf) = (client.proof("1"), client.cnf());
    let check =
        |scheme, texts: &[&str], bound_to| proofs.check(&presented(scheme, texts), bound_to, NOW);
    assert_eq!(check(Scheme::Bearer, &[], None), Ok(()));
    let unbound = Err(ProofRejection::Unbound);
    assert_eq!(check(Scheme::Bearer, &[&proof], Some(&cnf)), unbound);
    assert_eq!(check(Scheme::Dpop, &[&proof], None), unbound);
    let other = Client::new().cnf();
    assert_eq!(check(Scheme::Dpop, &[&proof], Some(&other)), unbound);
    assert_eq!(check(Scheme::Dpop, &[&proof], Some(&cnf)), Ok(()));
}

#[test]
fn d1_exactly_one_good_proof() {
    let (proofs, client) = (Proofs::default(), Client::new());
    let (one, two, cnf) = (client.proof("1"), client.proof("2"), client.cnf());
    let check = |texts: &[&str]| proofs.check(&presented(Scheme::Dpop, texts), Some(&cnf), NOW);
    assert_eq!(check(&[]), Err(ProofRejection::NotOne));
    assert_eq!(check(&[&one, &two]), Err(ProofRejection::NotOne));
    assert_eq!(check(&[&one, &one]), Err(ProofRejection::NotOne));
    let nonsense = Err(DpopError::Token(Error::Malformed).into());
    assert_eq!(check(&["nonsense"]), nonsense);
    assert_eq!(check(&[&one]), Ok(()));
}

#[test]
fn d1_a_proof_comes_once_while_it_is_good() {
    let (proofs, client) = (Proofs::default(), Client::new());
    let cnf = client.cnf();
    let check = |text: &str, now| proofs.check(&presented(Scheme::Dpop, &[text]), Some(&cnf), now);
    for beginning in 0..66 {
        let now = NOW + 1_000 + beginning * 1_001;
        let jti = beginning.to_string();
        let draft = Draft {
            iat_seconds: now + 5,
            ..Client::draft(&jti)
        };
        let proof = draft.sign(&client.0).unwrap();
        assert_eq!(check(&proof, now), Ok(()));
        for later in 0..=65 {
            let again = check(&proof, now + later);
            assert_eq!(again, Err(ProofRejection::Replayed), "{later}");
        }
        let dead = Err(DpopError::TooOld.into());
        assert_eq!(check(&proof, now + 66), dead);
    }
    // Another key may use the same name.
    let other = Client::new();
    let (one, two) = (client.proof("same"), other.proof("same"));
    let late = Proofs::default();
    late.check(&presented(Scheme::Dpop, &[&one]), Some(&cnf), NOW)
        .unwrap();
    late.check(&presented(Scheme::Dpop, &[&two]), Some(&other.cnf()), NOW)
        .unwrap();
}

#[test]
fn nothing_good_is_forgotten_to_make_room() {
    let options = ProofOptions {
        capacity: 4,
        ..ProofOptions::default()
    };
    let (proofs, client) = (Proofs::new(options), Client::new());
    let cnf = client.cnf();
    let check = |jti: &str, now| {
        let draft = Draft {
            iat_seconds: now,
            ..Client::draft(jti)
        };
        let text = draft.sign(&client.0).unwrap();
        proofs.check(&presented(Scheme::Dpop, &[&text]), Some(&cnf), now)
    };
    assert_eq!((check("1", NOW), check("2", NOW)), (Ok(()), Ok(())));
    assert_eq!(check("3", NOW), Err(ProofRejection::Full));
    assert_eq!(check("1", NOW), Err(ProofRejection::Replayed));
    assert_eq!(check("3", NOW + 66), Ok(()));
    // A clock that was put back makes nobody forget.
    assert_eq!(check("1", NOW), Err(ProofRejection::Replayed));
    assert_eq!(check("3", NOW + 100), Err(ProofRejection::Replayed));
}

#[test]
fn d3_a_nonce_where_one_is_asked_for() {
    let options = ProofOptions {
        nonces: Some(Nonces::new(&[7; 32])),
        ..ProofOptions::default()
    };
    let (proofs, client) = (Proofs::new(options), Client::new());
    let cnf = client.cnf();
    let nonce = proofs.nonce(NOW).unwrap();
    let check = |jti: &str, nonce: Option<&str>| {
        let draft = Draft {
            nonce,
            ..Client::draft(jti)
        };
        let text = draft.sign(&client.0).unwrap();
        proofs.check(&presented(Scheme::Dpop, &[&text]), Some(&cnf), NOW)
    };
    let needed = Err(ProofRejection::NonceNeeded);
    assert_eq!(check("1", None), needed);
    assert_eq!(check("1", Some("x")), needed);
    assert_eq!(check("1", Some(&nonce)), Ok(()));
    assert_eq!(check("1", Some(&nonce)), Err(ProofRejection::Replayed));
    assert_eq!(Proofs::default().nonce(NOW), None);
}

#[test]
fn a_proof_without_a_token_names_its_key() {
    let (proofs, client) = (Proofs::default(), Client::new());
    let key = |texts: &[&str]| proofs.key(&presented(Scheme::Bearer, texts), NOW);
    assert_eq!(key(&[]), Ok(None));
    let draft = Draft {
        access_token: None,
        ..Client::draft("1")
    };
    let text = draft.sign(&client.0).unwrap();
    assert_eq!(key(&[&text]), Ok(Some(client.cnf().jkt)));
    assert_eq!(key(&[&text]), Err(ProofRejection::Replayed));
    assert_eq!(key(&[&text, &text]), Err(ProofRejection::NotOne));
}
