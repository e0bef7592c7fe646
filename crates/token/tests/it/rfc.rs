//! The examples of the RFCs, byte for byte.

use symbolon_token::inspect::verify_signature_only;
use symbolon_token::{Algorithm, Error, Jwk, KeySet, PrivateJwk, SigningKey, VerifyingKey};

const A1_KEY: &str = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
const A1_TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const A2_KEY: &str = r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#;
const A2_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const A3_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
const A3_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const A5_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
const PAYLOAD: &str =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
const ED25519_KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const ED25519_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn public(json: &str) -> KeySet {
    let key = VerifyingKey::from_jwk(&Jwk::parse(json.as_bytes()).unwrap()).unwrap();
    KeySet::new(vec![key]).unwrap()
}

fn private(json: &str) -> KeySet {
    let key = PrivateJwk::parse(json.as_bytes()).unwrap();
    KeySet::new(vec![VerifyingKey::from_private_jwk(&key).unwrap()]).unwrap()
}

fn verify(keys: &KeySet, token: &str) -> Result<String, Error> {
    verify_signature_only(keys, token, &Algorithm::ALL)
        .map(|payload| String::from_utf8(payload).unwrap())
}

#[test]
fn rfc_7515_appendix_a() {
    assert_eq!(verify(&private(A1_KEY), A1_TOKEN).as_deref(), Ok(PAYLOAD));
    assert_eq!(verify(&public(A2_KEY), A2_TOKEN).as_deref(), Ok(PAYLOAD));
    assert_eq!(verify(&private(A3_KEY), A3_TOKEN).as_deref(), Ok(PAYLOAD));
    assert_eq!(
        verify(&private(A1_KEY), A5_TOKEN),
        Err(Error::AlgorithmNotAllowed)
    );
}

#[test]
fn rfc_7515_appendix_a1_is_what_we_sign_too() {
    let key = SigningKey::from_jwk(&PrivateJwk::parse(A1_KEY.as_bytes()).unwrap()).unwrap();
    let token = key.sign_raw(
        b"{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
        PAYLOAD.as_bytes(),
    );
    assert_eq!(token.as_deref(), Ok(A1_TOKEN));
}

#[test]
fn rfc_8037_appendix_a() {
    let key = PrivateJwk::parse(ED25519_KEY.as_bytes()).unwrap();
    let signed = SigningKey::from_jwk(&key)
        .unwrap()
        .sign_raw(br#"{"alg":"EdDSA"}"#, b"Example of Ed25519 signing");
    assert_eq!(signed.as_deref(), Ok(ED25519_TOKEN));
    assert_eq!(
        verify(&private(ED25519_KEY), ED25519_TOKEN).as_deref(),
        Ok("Example of Ed25519 signing")
    );
    // Appendix A.3.
    assert_eq!(
        key.public().unwrap().thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
}

#[test]
fn rfc_9864_name_of_ed25519() {
    let key = PrivateJwk::parse(ED25519_KEY.as_bytes()).unwrap();
    let token = SigningKey::from_jwk(&key)
        .unwrap()
        .sign_raw(br#"{"alg":"Ed25519"}"#, b"{}");
    assert_eq!(
        verify(&private(ED25519_KEY), &token.unwrap()).as_deref(),
        Ok("{}")
    );
}

#[test]
fn rfc_7638_section_3_1() {
    let json = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    let jwk = Jwk::parse(json.as_bytes()).unwrap();
    assert_eq!(
        jwk.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

#[test]
fn rfc_7520_section_4() {
    // Sections 4.1 and 4.4; PS384 (4.2) and ES512 (4.3) are not ours.
    let payload = "It\u{2019}s a dangerous business, Frodo, going out your door. You step onto the road, and if you don't keep your feet, there\u{2019}s no knowing where you might be swept off to.";
    let file: serde_json::Value =
        serde_json::from_str(include_str!("vectors/rfc7520.json")).unwrap();
    for example in file.as_array().unwrap() {
        let key = PrivateJwk::parse(example["key"].to_string().as_bytes()).unwrap();
        let token = example["token"].as_str().unwrap();
        let keys = KeySet::new(vec![VerifyingKey::from_private_jwk(&key).unwrap()]).unwrap();
        assert_eq!(verify(&keys, token).as_deref(), Ok(payload));
        let signed = SigningKey::from_jwk(&key).unwrap().sign_raw(
            example["header"].as_str().unwrap().as_bytes(),
            payload.as_bytes(),
        );
        assert_eq!(
            signed.as_deref(),
            Ok(token),
            "signatures of both are deterministic"
        );
    }
    assert_eq!(file.as_array().unwrap().len(), 2);
}
