//! What clients do.

use crate::contender::Presented;
use crate::sample::{Sample, forged};

/// Tokens in rotation: as many as a resource server may well see within an hour.
pub const ROTATION: usize = 10_000;

const OVERSIZED: usize = 16_385;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Same,
    Rotation,
    New,
    NoHeader,
    Expired,
    Forged,
    Malformed,
    Oversized,
}

impl Case {
    pub const ALL: [Self; 8] = [
        Self::Same,
        Self::Rotation,
        Self::New,
        Self::NoHeader,
        Self::Expired,
        Self::Forged,
        Self::Malformed,
        Self::Oversized,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same token",
            Self::Rotation => "10,000 tokens",
            Self::New => "new token",
            Self::NoHeader => "no header",
            Self::Expired => "expired",
            Self::Forged => "bad signature",
            Self::Malformed => "malformed header",
            Self::Oversized => "oversized token",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    /// Whether the answer comes before the algorithm of the token is known.
    pub fn is_blind(self) -> bool {
        matches!(self, Self::NoHeader | Self::Malformed | Self::Oversized)
    }

    /// What RFC 6750 §3.1 asks for.
    pub fn expected_status(self) -> u16 {
        match self {
            Self::Same | Self::Rotation | Self::New => 200,
            Self::NoHeader | Self::Expired | Self::Forged => 401,
            Self::Malformed | Self::Oversized => 400,
        }
    }

    /// The tokens that are presented in turn. Those of `New` and `Forged` last for as many requests
    /// as `fresh` says and must not be presented twice.
    pub fn tokens(self, sample: &Sample, fresh: usize) -> Vec<String> {
        let some = |count: usize| sample.tokens.iter().take(count);
        match self {
            Self::Same => some(1).cloned().collect(),
            Self::Rotation => some(ROTATION).cloned().collect(),
            Self::New => some(fresh).cloned().collect(),
            Self::Forged => some(fresh).map(|token| forged(token)).collect(),
            Self::Expired => vec![sample.expired.clone()],
            Self::Oversized => vec!["a".repeat(OVERSIZED)],
            Self::NoHeader | Self::Malformed => Vec::new(),
        }
    }

    /// The `Authorization` fields that are presented in turn.
    pub fn presented(self, sample: &Sample, fresh: usize) -> Presented {
        match self {
            Self::NoHeader => Presented::new(vec![None]),
            Self::Malformed => Presented::of(["not,a(token".to_owned()]),
            _ => Presented::of(self.tokens(sample, fresh)),
        }
    }
}
