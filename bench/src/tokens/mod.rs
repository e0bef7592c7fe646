//! (a) Signing and verifying, beside the `jsonwebtoken` crate and beside the bare primitives.

pub mod bare;
mod claims;
mod peer;

use std::{hint::black_box, time::Duration};

use anyhow::{Context as _, Result, ensure};
use bare::Bare;
use claims::Claims;
use peer::Peer;
use symbolon_token::{AccessClaims, Algorithm, KeySet, SigningKey, Typ, Verifier};

use crate::{
    Run, clock, machine,
    report::{Row, Section, median},
};

const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
    Algorithm::Hs256,
];

const NOTE: &str = "One token of an access token's claims, verified and signed on one thread. \"Bare\" is what cannot be \
    left out: the signature with a prepared aws-lc-rs key, base64url of payload and signature, and a typed `serde_json` \
    pass over the payload; it checks neither header nor claims. \"jsonwebtoken\" is that crate with the same aws-lc-rs below \
    it and keys that it prepared. The three take turns, many short rounds, and the medians are compared. A ratio beside \
    `bare` is a multiple of its time (less is better), one beside `jsonwebtoken` says how many times as fast we are.";

pub fn measure(run: &Run) -> Result<Section> {
    let mut section = Section::new("tokens", "Tokens", "");
    let mut payload = 0;
    for algorithm in ALGORITHMS {
        let trial = Trial::new(algorithm)?;
        payload = trial.payload;
        trial.verify(run, &mut section)?;
        trial.sign(run, &mut section)?;
    }
    section.note = format!("{NOTE} Payload: {payload} bytes.");
    Ok(section)
}

/// One algorithm: the same key and the same token in three hands.
struct Trial {
    algorithm: Algorithm,
    ours: SigningKey,
    keys: KeySet,
    verifier: Verifier,
    claims: AccessClaims,
    plain: Claims,
    bare: Bare,
    peer: Peer,
    token: String,
    payload: usize,
    now: i64,
}

impl Trial {
    fn new(algorithm: Algorithm) -> Result<Self> {
        let now = clock::unix_seconds();
        let ours = match algorithm {
            Algorithm::Hs256 => SigningKey::hmac("bench", &[7; 32])?,
            _ => SigningKey::generate(algorithm)?,
        };
        let claims = claims::ours(now);
        let plain = claims::plain(&claims);
        let token = ours.sign(Typ::AtJwt, &claims)?;
        let trial = Self {
            algorithm,
            keys: KeySet::new(vec![ours.verifying_key()])?,
            verifier: Verifier::access(claims::ISSUER, claims::AUDIENCE, &[algorithm])?,
            bare: Bare::new(&ours)?,
            peer: Peer::new(&ours)?,
            payload: serde_json::to_vec(&claims)?.len(),
            ours,
            claims,
            plain,
            token,
            now,
        };
        trial.agree()?;
        Ok(trial)
    }

    /// Nobody is measured who does not read what the others wrote.
    fn agree(&self) -> Result<()> {
        let signed = [
            self.token.clone(),
            self.bare.sign(&self.plain)?,
            self.peer.sign(&self.plain)?,
        ];
        for token in &signed {
            ensure!(
                self.bare.verify(token)? == self.plain,
                "bare reads something else"
            );
            ensure!(
                self.peer.verify(token)? == self.plain,
                "jsonwebtoken reads something else"
            );
            let read = self.verifier.verify(&self.keys, token, self.now)?;
            ensure!(read == self.claims, "we read something else");
        }
        Ok(())
    }

    fn verify(&self, run: &Run, section: &mut Section) -> Result<()> {
        let [ours, bare, peer] = rounds(
            run,
            [
                &mut || {
                    done(
                        self.verifier
                            .verify(&self.keys, black_box(&self.token), self.now)?,
                    )
                },
                &mut || done(self.bare.verify(black_box(&self.token))?),
                &mut || done(self.peer.verify(black_box(&self.token))?),
            ],
        )?;
        let (bound, faster) = match self.algorithm {
            Algorithm::Hs256 => (1.3, Some(2.5)),
            _ => (1.05, None),
        };
        let what = format!("{} verify", self.algorithm);
        let figure = format!("{ours:.2} us");
        section.push(
            Row::new(&what, &figure)
                .beside(format!("{bare:.2} us bare"), ours / bare)
                .at_most(bound),
        );
        let row =
            Row::new(&what, &figure).beside(format!("{peer:.2} us jsonwebtoken"), peer / ours);
        section.push(match faster {
            Some(faster) => row.at_least(faster),
            None => row,
        });
        Ok(())
    }

    fn sign(&self, run: &Run, section: &mut Section) -> Result<()> {
        let [ours, bare, peer] = rounds(
            run,
            [
                &mut || done(self.ours.sign(Typ::AtJwt, black_box(&self.claims))?),
                &mut || done(self.bare.sign(black_box(&self.plain))?),
                &mut || done(self.peer.sign(black_box(&self.plain))?),
            ],
        )?;
        let what = format!("{} sign", self.algorithm);
        let figure = format!("{ours:.2} us");
        section.push(Row::new(&what, &figure).beside(format!("{bare:.2} us bare"), ours / bare));
        section.push(
            Row::new(&what, &figure).beside(format!("{peer:.2} us jsonwebtoken"), peer / ours),
        );
        Ok(())
    }
}

/// The end of a call whose result nobody wants, and which must not be left out for that.
pub fn done<T>(result: T) -> Result<()> {
    black_box(result);
    Ok(())
}

/// The median time of each contender for one call, in microseconds. They take turns in short
/// rounds, so that whatever else the machine does hits all of them.
pub fn rounds<const N: usize>(
    run: &Run,
    mut contenders: [&mut dyn FnMut() -> Result<()>; N],
) -> Result<[f64; N]> {
    machine::wait_until_quiet();
    let turn = Duration::from_millis(if run.quick { 2 } else { 4 });
    let turns = if run.quick { 31 } else { 101 };
    let mut calls = [0_u32; N];
    for (calls, contender) in calls.iter_mut().zip(&mut contenders) {
        let start = clock::now();
        while clock::since(start) < turn * 4 {
            contender()?;
            *calls += 1;
        }
        *calls = (*calls / 4).max(1);
    }
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(turns));
    for turn in 0..turns {
        for at in 0..N {
            // Nobody always follows the same neighbour.
            let at = (at + turn) % N;
            let contender = contenders.get_mut(at).context("contender")?;
            let calls = calls.get(at).copied().context("contender")?;
            let start = clock::now();
            for _ in 0..calls {
                contender()?;
            }
            let time = clock::since(start).as_secs_f64() * 1e6 / f64::from(calls);
            times.get_mut(at).context("contender")?.push(time);
        }
    }
    Ok(times.map(|mut times| median(&mut times)))
}
