//! A server that keeps nothing but a [`RefreshState`], and tokens that are numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Timestamp;
use crate::refresh::{Decision, Digest, Presented, RefreshPolicy, RefreshState, decide};

pub(super) const LEEWAY: u64 = 10_000;
pub(super) const WINDOW: u64 = 300_000;
pub(super) const POLICY: RefreshPolicy = RefreshPolicy {
    leeway: Duration::from_millis(LEEWAY),
    retry_window: Duration::from_millis(WINDOW),
};

/// A token: each follows from the one before and from nothing else, as in the real chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) generation: u64,
    secret: u64,
}

impl Token {
    pub(super) fn first() -> Self {
        Self {
            generation: 0,
            secret: 1,
        }
    }

    pub(super) fn nth(generation: u64) -> Self {
        (0..generation).fold(Self::first(), |token, _| token.successor())
    }

    pub(super) fn successor(self) -> Self {
        Self {
            generation: self.generation + 1,
            secret: mixed(self.secret),
        }
    }

    /// A token of another chain: what a forger without the key would come to.
    pub(super) fn forged(self) -> Self {
        Self {
            secret: !self.secret,
            ..self
        }
    }

    pub(super) fn digest(self) -> Digest {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.generation.to_le_bytes());
        bytes[24..].copy_from_slice(&mixed(self.secret).to_le_bytes());
        Digest::new(bytes)
    }

    pub(super) fn presented(self) -> Presented {
        Presented {
            generation: self.generation,
            digest: self.digest(),
            successor: self.successor().digest(),
        }
    }
}

fn mixed(seed: u64) -> u64 {
    let seed = (seed ^ (seed >> 30))
        .wrapping_add(1)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9);
    seed ^ (seed >> 27)
}

/// What a caller hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Token(Token),
    /// `invalid_refresh_token`: nothing died.
    Invalid,
    /// `refresh_token_reused`: the session died of it.
    Reused,
    /// `session_revoked`: it was dead before.
    Dead,
}

/// What becomes of the write that a decision asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Commits,
    /// The server dies before it: nothing is stored and nobody answered.
    Crashes,
}

/// All that outlives a restart is in here; a restart therefore changes nothing.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) state: RefreshState,
    pub(super) dead: bool,
    /// Generations whose token was repeated after the leeway.
    pub(super) late: Vec<u64>,
    /// What was given for each generation.
    given: BTreeMap<u64, Token>,
}

impl Server {
    pub(super) fn new(now: u64) -> Self {
        let state = RefreshState::first(Token::first().digest(), 1, at(now));
        Self {
            state,
            dead: false,
            late: Vec::new(),
            given: BTreeMap::new(),
        }
    }

    /// One request, with nobody in between.
    pub(super) fn refresh(&mut self, token: Token, now: u64) -> Answer {
        let loaded = self.state;
        self.refresh_from(loaded, token, now, Fate::Commits)
            .unwrap_or(Answer::Invalid)
    }

    /// A request that loaded the state when it was `loaded`: a write commits only if the state is still that one,
    /// else the request loads and decides again. `None` where nobody is answered.
    pub(super) fn refresh_from(
        &mut self,
        loaded: RefreshState,
        token: Token,
        now: u64,
        fate: Fate,
    ) -> Option<Answer> {
        if self.dead {
            return Some(Answer::Dead);
        }
        let decision = decide(&loaded, &token.presented(), &POLICY, at(now));
        let next = match decision {
            Decision::Rotate(next) | Decision::Repeat { late: Some(next) } => next,
            Decision::Repeat { late: None } => return Some(self.give(token)),
            Decision::LateDuplicate | Decision::Unknown => return Some(Answer::Invalid),
            Decision::Reused if fate == Fate::Crashes => return None,
            Decision::Reused => {
                self.dead = true;
                return Some(Answer::Reused);
            }
        };
        if fate == Fate::Crashes {
            return None;
        }
        let seen = |state: &RefreshState| (state.generation, state.late_generation);
        if seen(&loaded) != seen(&self.state) {
            return self.refresh_from(self.state, token, now, fate);
        }
        assert!(
            next.generation >= self.state.generation,
            "the generation fell"
        );
        assert!(
            next.generation <= self.state.generation + 1,
            "the generation jumped"
        );
        if let Decision::Repeat { .. } = decision {
            self.late.push(token.generation);
        }
        self.state = next;
        Some(self.give(token))
    }

    fn give(&mut self, token: Token) -> Answer {
        let successor = token.successor();
        let given = *self.given.entry(token.generation).or_insert(successor);
        assert_eq!(given, successor, "answered twice differently");
        // A request that loaded early may give what another has replaced since, but nothing else.
        let replaced = successor.generation < self.state.generation;
        assert!(
            replaced || self.state.digest == successor.digest(),
            "not of the chain"
        );
        Answer::Token(successor)
    }
}

pub(super) fn at(now: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(now).unwrap())
}
