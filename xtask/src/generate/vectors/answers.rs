//! What a guard answers to whom it refuses (CONTRACT.md section 3.5, RFC 6750 section 3, RFC 9728 section 5.1, RFC 9470
//! section 3).

use serde::Serialize;

use super::demands::SignIn;

const METADATA: &str = "https://api.example/.well-known/oauth-protected-resource";

const ALGS: &str = r#"algs="ES256 EdDSA RS256 PS256""#;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    code: &'static str,
    resource_metadata: Option<&'static str>,
    /// Whether the guard judges proofs of possession (RFC 9449).
    proofs: bool,
    /// The scope that was asked for.
    scope: Option<&'static str>,
    /// What was asked of the sign-in.
    sign_in: Option<SignIn>,
    status: u16,
    /// The header `WWW-Authenticate`; `null` where there is none.
    challenge: Option<String>,
    /// The header `Retry-After`, in seconds; `null` where there is none.
    retry_after: Option<u32>,
    title: &'static str,
    detail: &'static str,
}

pub(super) fn all() -> Vec<Answer> {
    let both = [None, Some(METADATA)];
    both.into_iter()
        .flat_map(|metadata| {
            let plain = with(metadata).chain(again(metadata));
            plain.chain(with_proofs(metadata))
        })
        .collect()
}

/// The challenge names all that is asked of the sign-in, whatever of it was missing.
fn again(metadata: Option<&'static str>) -> impl Iterator<Item = Answer> {
    let code = "insufficient_user_authentication";
    let age = (Some(300), ("max_age", "300"));
    let class = (Some(&["3", "2"][..]), ("acr_values", "3 2"));
    let asked = [
        (age.0, None, vec![age.1]),
        (None, class.0, vec![class.1]),
        (age.0, class.0, vec![age.1, class.1]),
    ];
    asked.into_iter().map(move |(max_age, acr, wanted)| {
        let description = ("error_description", "The person must sign in again");
        let mut parameters = vec![("error", code), description];
        parameters.extend(wanted);
        Answer {
            code,
            resource_metadata: metadata,
            proofs: false,
            scope: None,
            sign_in: Some(SignIn { max_age, acr }),
            status: 401,
            challenge: Some(challenge(metadata, &parameters)),
            retry_after: None,
            title: "Unauthorized",
            detail: "You must sign in again for this.",
        }
    })
}

/// The same with the other scheme (RFC 9449 section 7.1), and what is said of proofs.
fn with_proofs(metadata: Option<&'static str>) -> impl Iterator<Item = Answer> {
    let both = move |answer: Answer| {
        let challenge = answer.challenge.map(|bearer| {
            let dpop = bearer.replacen("Bearer", "DPoP", 1);
            let separator = if dpop == "DPoP" { " " } else { ", " };
            format!("{bearer}, {dpop}{separator}{ALGS}")
        });
        Answer {
            proofs: true,
            challenge,
            ..answer
        }
    };
    let of_the_proof = move |code, detail, description| {
        let error = [("error", code), ("error_description", description)];
        let bearer = challenge(metadata, &[]);
        let dpop = challenge(metadata, &error).replacen("Bearer", "DPoP", 1);
        Answer {
            code,
            resource_metadata: metadata,
            proofs: true,
            scope: None,
            sign_in: None,
            status: 401,
            challenge: Some(format!("{bearer}, {dpop}, {ALGS}")),
            retry_after: None,
            title: "Unauthorized",
            detail,
        }
    };
    with(metadata).chain(again(metadata)).map(both).chain([
        of_the_proof(
            "invalid_dpop_proof",
            "Invalid proof",
            "The proof is not valid",
        ),
        of_the_proof(
            "use_dpop_nonce",
            "The proof needs a nonce",
            "The proof needs the nonce of this answer",
        ),
    ])
}

fn with(metadata: Option<&'static str>) -> impl Iterator<Item = Answer> {
    let answer = move |code, status, title, detail| Answer {
        code,
        resource_metadata: metadata,
        proofs: false,
        scope: None,
        sign_in: None,
        status,
        challenge: None,
        retry_after: None,
        title,
        detail,
    };
    let unauthorized = move |code, detail, parameters: &[(&str, &str)]| Answer {
        challenge: Some(challenge(metadata, parameters)),
        ..answer(code, 401, "Unauthorized", detail)
    };
    let invalid = move |code, description| {
        let error = [
            ("error", "invalid_token"),
            ("error_description", description),
        ];
        unauthorized(code, "Invalid token", &error)
    };
    let narrow = [
        ("error", "insufficient_scope"),
        ("error_description", "The token's scope does not allow this"),
        ("scope", "orders:read"),
    ];
    let forbidden = move |code, detail| answer(code, 403, "Forbidden", detail);
    let twice = "The header authorization is given more than once.";
    let busy = "The service is busy. Wait and try again.";
    [
        answer("malformed_request", 400, "Bad Request", twice),
        unauthorized("no_token", "No token provided", &[]),
        invalid("invalid_token", "The access token is not valid"),
        invalid("token_expired", "The access token expired"),
        invalid("token_revoked", "The access token was revoked"),
        invalid("token_stale", "The access token is stale"),
        forbidden("forbidden", "You are not allowed to do this."),
        Answer {
            scope: Some("orders:read"),
            challenge: Some(challenge(metadata, &narrow)),
            ..forbidden(
                "insufficient_scope",
                "The token's scope does not allow this.",
            )
        },
        Answer {
            retry_after: Some(1),
            ..answer("overloaded", 503, "Service Unavailable", busy)
        },
    ]
    .into_iter()
}

/// The resource's metadata first, so that it is found whatever follows.
fn challenge(metadata: Option<&str>, parameters: &[(&str, &str)]) -> String {
    let metadata = metadata.map(|url| ("resource_metadata", url));
    let parameters: Vec<String> = metadata
        .iter()
        .chain(parameters)
        .map(|(name, value)| format!(r#"{name}="{value}""#))
        .collect();
    match parameters.as_slice() {
        [] => "Bearer".to_owned(),
        parameters => format!("Bearer {}", parameters.join(", ")),
    }
}
