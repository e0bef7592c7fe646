//! Tokens that are bound to a key, and the proofs that come with them (RFC 9449; SECURITY D1, D3, K6).

use anyhow::Result;
use serde::Serialize;
use symbolon_token::{dpop::access_token_hash, encoding, feed_key};

use super::NOW;
use super::cases::{ACCEPTED, Code, INVALID};
use super::forge::{EDDSA, ES256, Forge, PS256, RS256, STRANGER};
use super::members::{Members, quoted};

const URL: &str = "https://api.example/orders?limit=3";
const HTU: &str = "https://api.example/orders";
const INVALID_PROOF: Option<&str> = Some("invalid_dpop_proof");
/// The key of the client, which is none of the issuer's.
const CLIENT: &str = STRANGER;

#[derive(Serialize)]
pub(super) struct ProofCase {
    pub(super) name: String,
    /// `bearer` or `dpop`: that of the header `Authorization`.
    pub(super) scheme: &'static str,
    pub(super) token: String,
    /// The lines of the header `DPoP`.
    pub(super) dpop: Vec<String>,
    pub(super) method: &'static str,
    pub(super) url: &'static str,
    /// `null` where the request is let through.
    pub(super) code: Code,
}

/// Collects them; all are of a request that is otherwise good.
struct Proofs<'f> {
    forge: &'f mut Forge,
    all: Vec<ProofCase>,
    /// A good token, bound to the client's key.
    token: String,
}

pub(super) fn all(forge: &mut Forge) -> Result<Vec<ProofCase>> {
    let token = bound(forge, CLIENT)?;
    let mut proofs = Proofs {
        forge,
        all: Vec::new(),
        token,
    };
    proofs.algorithms()?;
    proofs.schemes()?;
    proofs.numbers()?;
    proofs.headers()?;
    proofs.keys()?;
    proofs.targets()?;
    proofs.times()?;
    proofs.claims()?;
    Ok(proofs.all)
}

/// A good token that is bound to a key.
fn bound(forge: &mut Forge, kid: &str) -> Result<String> {
    let jkt = forge.keys.public(kid)?.jkt();
    let cnf = format!(r#"{{"jkt":"{jkt}"}}"#);
    forge.signed(EDDSA, &Members::claims().with("cnf", cnf))
}

impl Proofs<'_> {
    fn put(
        &mut self,
        name: impl Into<String>,
        request: (&'static str, &str),
        dpop: &[&str],
        code: Code,
    ) {
        self.all.push(ProofCase {
            name: name.into(),
            scheme: request.0,
            token: request.1.to_owned(),
            dpop: dpop.iter().map(|&one| one.to_owned()).collect(),
            method: "GET",
            url: URL,
            code,
        });
    }

    fn proof(&mut self, name: &str, dpop: &str, code: Code) {
        let token = self.token.clone();
        self.put(name, ("dpop", &token), &[dpop], code);
    }

    /// The header of a good proof of a key.
    fn header(&self, kid: &str) -> Result<Members> {
        let algorithm = self.forge.keys.get(kid)?.algorithm();
        let jwk = serde_json::to_value(self.forge.keys.public(kid)?)?;
        let mut jwk = jwk.as_object().cloned().unwrap_or_default();
        jwk.retain(|name, _| !matches!(name.as_str(), "kid" | "use" | "alg"));
        let jwk = serde_json::Value::Object(jwk).to_string();
        Ok(Members::empty()
            .with("typ", quoted("dpop+jwt"))
            .with("alg", quoted(algorithm.as_str()))
            .with("jwk", jwk))
    }

    /// The claims of a good proof that is used in one case only.
    fn named(&self, case: &str) -> Members {
        Self::claims_for(&self.token).with("jti", quoted(case))
    }

    /// The claims of a good proof for a token.
    fn claims_for(token: &str) -> Members {
        Members::empty()
            .with("jti", quoted(&encoding::encode(&feed_key("jti", token))))
            .with("htm", quoted("GET"))
            .with("htu", quoted(HTU))
            .with("iat", NOW.to_string())
            .with("ath", quoted(&access_token_hash(token)))
    }

    /// A proof that is good but for what `change` does to its claims.
    fn with_claims(
        &mut self,
        name: &str,
        change: impl FnOnce(&Members) -> String,
        code: Code,
    ) -> Result<()> {
        let header = self.header(CLIENT)?.text();
        let claims = change(&self.named(name));
        let proof = self.forge.sign(CLIENT, &header, claims.as_bytes())?;
        self.proof(name, &proof, code);
        Ok(())
    }

    fn with_header(&mut self, name: &str, header: &str, code: Code) -> Result<()> {
        let claims = self.named(name).text();
        let proof = self.forge.sign(CLIENT, header, claims.as_bytes())?;
        self.proof(name, &proof, code);
        Ok(())
    }

    fn good(&mut self, kid: &str, token: &str) -> Result<String> {
        let header = self.header(kid)?.text();
        let claims = Self::claims_for(token).text();
        self.forge.sign(kid, &header, claims.as_bytes())
    }

    fn algorithms(&mut self) -> Result<()> {
        for kid in [CLIENT, ES256, RS256, PS256] {
            let token = bound(self.forge, kid)?;
            let proof = self.good(kid, &token)?;
            self.put(format!("good-{kid}"), ("dpop", &token), &[&proof], ACCEPTED);
        }
        Ok(())
    }

    /// D3.
    fn schemes(&mut self) -> Result<()> {
        let token = self.token.clone();
        let unbound = self.forge.signed(EDDSA, &Members::claims())?;
        let proof = self.good(CLIENT, &token)?;
        let of_unbound = self.good(CLIENT, &unbound)?;
        self.put("d3-bound-as-bearer", ("bearer", &token), &[], INVALID);
        let name = "d3-bound-as-bearer-with-a-proof";
        self.put(name, ("bearer", &token), &[&proof], INVALID);
        let name = "d3-unbound-under-dpop";
        self.put(name, ("dpop", &unbound), &[&of_unbound], INVALID);
        let name = "d3-unbound-under-dpop-without-a-proof";
        self.put(name, ("dpop", &unbound), &[], INVALID);
        let name = "unbound-as-bearer-with-a-proof-that-nobody-asked-for";
        self.put(name, ("bearer", &unbound), &["nonsense"], ACCEPTED);
        let other = bound(self.forge, ES256)?;
        let of_other = self.good(CLIENT, &other)?;
        let name = "d3-bound-to-another-key";
        self.put(name, ("dpop", &other), &[&of_other], INVALID);
        let name = "d3-proof-for-another-token";
        self.put(name, ("dpop", &token), &[&of_unbound], INVALID_PROOF);
        let expired = Members::claims().with("exp", (NOW - 60).to_string());
        let expired = self.forge.signed(EDDSA, &expired)?;
        let expired_code = Some("token_expired");
        self.put(
            "expired-under-dpop",
            ("dpop", &expired),
            &[&proof],
            expired_code,
        );
        self.put(
            "garbage-under-dpop",
            ("dpop", "garbage"),
            &[&proof],
            INVALID,
        );
        Ok(())
    }

    /// D1: exactly one header, and one text in it.
    fn numbers(&mut self) -> Result<()> {
        let token = self.token.clone();
        let proof = self.good(CLIENT, &token)?;
        let claims = Self::claims_for(&token).with("jti", quoted("two"));
        let header = self.header(CLIENT)?.text();
        let second = self.forge.sign(CLIENT, &header, claims.text().as_bytes())?;
        let request = ("dpop", token.as_str());
        self.put("d1-no-proof", request, &[], INVALID_PROOF);
        self.put("d1-two-proofs", request, &[&proof, &second], INVALID_PROOF);
        let name = "d1-the-same-proof-twice";
        self.put(name, request, &[&proof, &proof], INVALID_PROOF);
        let listed = format!("{proof}, {second}");
        self.put("d1-a-list", request, &[&listed], INVALID_PROOF);
        for (name, text) in [
            ("d1-empty", ""),
            ("d1-no-token", "nonsense"),
            ("d1-the-access-token", request.1),
        ] {
            self.put(name, request, &[text], INVALID_PROOF);
        }
        let padded = format!("{proof}=");
        self.put("d1-padded", request, &[&padded], INVALID_PROOF);
        let unsigned = format!("{}.", proof.rsplit_once('.').unwrap_or_default().0);
        self.put("d1-no-signature", request, &[&unsigned], INVALID_PROOF);
        Ok(())
    }

    fn headers(&mut self) -> Result<()> {
        let good = self.header(CLIENT)?;
        for typ in ["JWT", "at+jwt", "dpop", ""] {
            let header = good.with("typ", quoted(typ));
            self.with_header(&format!("d1-typ-{typ}"), &header.text(), INVALID_PROOF)?;
        }
        let header = good.without("typ");
        self.with_header("d1-typ-absent", &header.text(), INVALID_PROOF)?;
        let header = good.with("typ", quoted("application/dpop+jwt"));
        self.with_header("typ-in-full", &header.text(), ACCEPTED)?;
        let header = good.with("typ", quoted("DPoP+JWT"));
        self.with_header("typ-in-other-letters", &header.text(), ACCEPTED)?;
        for alg in ["none", "HS256", "ES256", "RS256", "ES512", "eddsa", ""] {
            let header = good.with("alg", quoted(alg));
            self.with_header(&format!("d1-alg-{alg}"), &header.text(), INVALID_PROOF)?;
        }
        let header = good.with("alg", quoted("Ed25519"));
        self.with_header("alg-ed25519", &header.text(), ACCEPTED)?;
        for (name, value) in [("crit", "[]"), ("b64", "true"), ("enc", r#""A256GCM""#)] {
            let header = good.with(name, value);
            self.with_header(&format!("d1-header-{name}"), &header.text(), INVALID_PROOF)?;
        }
        let header = good.twice(r#""typ""#, r#""dpop+jwt""#);
        self.with_header("d1-header-duplicate", &header, INVALID_PROOF)?;
        let jwk = r#""jwk":{"#;
        let header = good.text().replacen(jwk, r#""jwk":{"kty":"OKP","#, 1);
        self.with_header("d1-key-duplicate", &header, INVALID_PROOF)
    }

    /// K6: a public key of ours, and a sound one.
    fn keys(&mut self) -> Result<()> {
        let good = self.header(CLIENT)?;
        let es256 = self.header(ES256)?;
        let header = good.without("jwk");
        self.with_header("d1-key-absent", &header.text(), INVALID_PROOF)?;
        for (name, jwk) in [
            ("null", "null"),
            ("text", r#""key""#),
            ("list", "[]"),
            ("empty", "{}"),
            (
                "secret",
                r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}"#,
            ),
        ] {
            let header = good.with("jwk", jwk);
            self.with_header(&format!("d1-key-{name}"), &header.text(), INVALID_PROOF)?;
        }
        let private = r#""jwk":{"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","#;
        let header = good.text().replacen(r#""jwk":{"#, private, 1);
        self.with_header("d1-key-private", &header, INVALID_PROOF)?;
        let for_encryption = r#""jwk":{"use":"enc","#;
        let header = good.text().replacen(r#""jwk":{"#, for_encryption, 1);
        self.with_header("k6-key-for-encryption", &header, INVALID_PROOF)?;
        let off_curve = r#"{"kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs"}"#;
        let header = es256.with("jwk", off_curve);
        self.with_header("k6-key-off-its-curve", &header.text(), INVALID_PROOF)?;
        let weak = format!(
            r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#,
            encoding::encode(&[0xc5; 128])
        );
        let header = self.header(RS256)?.with("jwk", weak);
        self.with_header("k6-key-of-1024-bits", &header.text(), INVALID_PROOF)?;
        // The key in the header is another one than the one that signed.
        let header = self.header(EDDSA)?;
        self.with_header("d1-another-signer", &header.text(), INVALID_PROOF)?;
        Ok(())
    }

    fn targets(&mut self) -> Result<()> {
        for method in ["POST", "get", "HEAD", ""] {
            self.with_claims(
                &format!("d1-htm-{method}"),
                |good| good.with("htm", quoted(method)).text(),
                INVALID_PROOF,
            )?;
        }
        for (name, uri) in [
            ("query", "https://api.example/orders?limit=9"),
            ("fragment", "https://api.example/orders#top"),
            ("port", "https://api.example:443/orders"),
            ("capitals", "HTTPS://API.Example/orders"),
            ("escapes", "https://api.example/%6frders"),
            ("dots", "https://api.example/x/../orders"),
        ] {
            self.with_claims(
                &format!("htu-{name}"),
                |good| good.with("htu", quoted(uri)).text(),
                ACCEPTED,
            )?;
        }
        for (name, uri) in [
            ("other-path", "https://api.example/order"),
            ("deeper", "https://api.example/orders/"),
            ("capitals-in-the-path", "https://api.example/Orders"),
            ("escaped-slash", "https://api.example/x%2F..%2Forders"),
            ("other-host", "https://api.example.evil/orders"),
            ("user", "https://me@api.example/orders"),
            ("other-scheme", "http://api.example/orders"),
            ("other-port", "https://api.example:8443/orders"),
            ("path-alone", "/orders"),
            ("empty", ""),
        ] {
            self.with_claims(
                &format!("d1-htu-{name}"),
                |good| good.with("htu", quoted(uri)).text(),
                INVALID_PROOF,
            )?;
        }
        Ok(())
    }

    fn times(&mut self) -> Result<()> {
        for (name, iat, code) in [
            ("d1-iat-5-minutes-ago", NOW - 300, INVALID_PROOF),
            ("d1-iat-just-too-old", NOW - 61, INVALID_PROOF),
            ("iat-just-not-too-old", NOW - 60, ACCEPTED),
            ("iat-just-not-too-new", NOW + 5, ACCEPTED),
            ("d1-iat-just-too-new", NOW + 6, INVALID_PROOF),
            ("d1-iat-in-5-minutes", NOW + 300, INVALID_PROOF),
        ] {
            self.with_claims(name, |good| good.with("iat", iat.to_string()).text(), code)?;
        }
        Ok(())
    }

    fn claims(&mut self) -> Result<()> {
        for name in ["jti", "htm", "htu", "iat", "ath"] {
            self.with_claims(
                &format!("d1-{name}-absent"),
                |good| good.without(name).text(),
                INVALID_PROOF,
            )?;
            for (kind, value) in [
                ("null", "null"),
                ("list", r#"["x"]"#),
                ("object", "{}"),
                ("true", "true"),
            ] {
                let case = format!("d1-{name}-{kind}");
                self.with_claims(&case, |good| good.with(name, value).text(), INVALID_PROOF)?;
            }
        }
        let long = |length: usize| quoted(&"x".repeat(length));
        for (name, claim, value, code) in [
            ("jti-of-256", "jti", long(256), ACCEPTED),
            ("d1-jti-of-257", "jti", long(257), INVALID_PROOF),
            ("d1-jti-empty", "jti", long(0), INVALID_PROOF),
            ("d1-jti-number", "jti", "7".to_owned(), INVALID_PROOF),
            ("d1-htu-number", "htu", "7".to_owned(), INVALID_PROOF),
            (
                "d1-iat-text",
                "iat",
                quoted(&NOW.to_string()),
                INVALID_PROOF,
            ),
            ("d3-ath-other", "ath", quoted("x"), INVALID_PROOF),
            ("d1-nonce-number", "nonce", "7".to_owned(), INVALID_PROOF),
            (
                "nonce-that-nobody-asked-for",
                "nonce",
                quoted("n"),
                ACCEPTED,
            ),
            ("claim-unknown", "x", r#"{"y":[1]}"#.to_owned(), ACCEPTED),
        ] {
            self.with_claims(name, |good| good.with(claim, value).text(), code)?;
        }
        let twice = |good: &Members| good.twice(r#""jti""#, r#""another""#);
        self.with_claims("d1-claim-duplicate", twice, INVALID_PROOF)
    }
}
