//! The core of the Rust guard judges every case as well.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use symbolon_guard::{
    Checker, CheckerOptions, Demand, Entry, Presented, ProofRejection, Proofs, Scheme,
};
use symbolon_token::{Algorithm, Jwks, KeySet, Verifier};

use super::demands::{self, Wants};
use super::feed::Written;
use super::proofs::ProofCase;
use super::{AUDIENCE, File, ISSUER, LEEWAY, NOW};

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
];

/// # Errors
/// The first case on which the core says something else.
pub(super) fn judge(file: &File) -> Result<()> {
    for case in &file.tokens {
        let feed = file.feeds.get(&case.feed).context("a case without feed")?;
        ensure!(feed.now == case.now, "{}: the clocks differ", case.name);
        let checker = checker(&file.jwks, &feed.entries, case.now)?;
        // The second time from the cache.
        for _ in 0..2 {
            let said = verdict(&checker, &case.token, case.now);
            same(
                &case.name,
                said,
                (case.code, case.subject.map(str::to_owned)),
            )?;
        }
    }
    for demand in &file.demands {
        let is_met = meets(&checker(&file.jwks, &[], NOW)?, demand)?;
        ensure!(is_met == demand.code.is_none(), "{}: {is_met}", demand.name);
    }
    for case in &file.proofs {
        let proofs = Proofs::default();
        let said = proven(&checker(&file.jwks, &[], NOW)?, &proofs, case);
        ensure!(said == case.code, "{}: {said:?}", case.name);
        // Again, where a proof counted.
        if case.code.is_none() && case.scheme == "dpop" {
            let said = proven(&checker(&file.jwks, &[], NOW)?, &proofs, case);
            ensure!(
                said == Some("invalid_dpop_proof"),
                "{}: {said:?}",
                case.name
            );
        }
    }
    for stream in &file.streams {
        let checker = checker(&file.jwks, &stream.live, NOW)?;
        let live = checker.revocations().len();
        ensure!(
            live == stream.after.entries,
            "{}: {live} entries",
            stream.name
        );
        for probe in &stream.probe {
            let (said, _) = verdict(&checker, &probe.token, NOW);
            ensure!(said == probe.code, "{}: {said:?}", stream.name);
        }
    }
    unique(
        "authorization",
        file.authorization.iter().map(|case| case.name),
    )?;
    unique("tokens", file.tokens.iter().map(|case| case.name.as_str()))?;
    unique("proofs", file.proofs.iter().map(|case| case.name.as_str()))?;
    unique(
        "demands",
        file.demands.iter().map(|case| case.name.as_str()),
    )?;
    unique(
        "streams",
        file.streams.iter().map(|case| case.name.as_str()),
    )
}

type Verdict = (Option<&'static str>, Option<String>);

fn checker(jwks: &Jwks, entries: &[Written], now: i64) -> Result<Checker> {
    let verifier = Verifier::access(ISSUER, AUDIENCE, &ALGORITHMS)?;
    let options = CheckerOptions {
        verifier: verifier.leeway_seconds(u32::try_from(LEEWAY)?)?,
        cache_capacity: 10,
    };
    let keys = KeySet::from_jwks(jwks)?;
    let checker = Checker::new(options, keys);
    let entries: Vec<Entry> = entries.iter().map(Written::entry).collect::<Result<_>>()?;
    checker.replace(entries);
    checker.expire(now);
    Ok(checker)
}

fn verdict(checker: &Checker, token: &str, now: i64) -> Verdict {
    match checker.check(token, now) {
        Ok(verified) => (None, Some(verified.claims().sub.clone())),
        Err(rejection) => (Some(rejection.code()), None),
    }
}

fn meets(checker: &Checker, case: &demands::Demand) -> Result<bool> {
    let verified = checker.check(&case.token, NOW).context(case.name.clone())?;
    let demands = match case.wants {
        Wants::Roles(roles) => vec![Demand::any_role(roles.iter().copied())],
        Wants::Permission(permission) => vec![Demand::permission(permission)],
        Wants::Scope(scope) => vec![Demand::scope(scope)],
        Wants::SignIn(wanted) => {
            let age = |seconds: u32| Duration::from_secs(seconds.into());
            let recent = wanted
                .max_age
                .map(|seconds| Demand::signed_in_within(age(seconds)));
            let class = wanted.acr.map(|values| Demand::acr(values.iter().copied()));
            recent.into_iter().chain(class).collect()
        }
    };
    let mut all = demands.iter();
    Ok(all.all(|demand| demand.is_met_at(verified.claims(), NOW, LEEWAY)))
}

fn proven(checker: &Checker, proofs: &Proofs, case: &ProofCase) -> Option<&'static str> {
    let verified = match checker.check(&case.token, NOW) {
        Ok(verified) => verified,
        Err(rejection) => return Some(rejection.code()),
    };
    let texts: Vec<&str> = case.dpop.iter().map(String::as_str).collect();
    let presented = Presented {
        scheme: match case.scheme {
            "dpop" => Scheme::Dpop,
            _ => Scheme::Bearer,
        },
        token: &case.token,
        proofs: &texts,
        method: case.method,
        uri: case.url,
    };
    match proofs.check(&presented, verified.claims().cnf.as_ref(), NOW) {
        Ok(()) => None,
        Err(ProofRejection::Unbound) => Some("invalid_token"),
        Err(_) => Some("invalid_dpop_proof"),
    }
}

fn same(name: &str, said: Verdict, stated: Verdict) -> Result<()> {
    ensure!(said == stated, "{name}: stated {stated:?}, judged {said:?}");
    Ok(())
}

fn unique<'a>(part: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = HashSet::new();
    for name in names {
        ensure!(seen.insert(name), "{part}: `{name}` twice");
    }
    Ok(())
}
