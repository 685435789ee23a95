//! Tokens of one algorithm and the keys that verify them.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use portcullis::Algorithm;
use portcullis::testing::{Authority, ManualClock, TokenBuilder};
use serde::{Deserialize, Serialize};

pub const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// What every route asks for.
pub const SCOPE: &str = "orders.read";

const LONG: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// All that a resource server and its client need. Can be written to a file, so that what is
/// counted under valgrind does not sign.
#[derive(Serialize, Deserialize)]
pub struct Sample {
    pub algorithm: String,
    pub issuer: String,
    pub audience: String,
    pub jwks: String,
    /// Good ones, all different.
    pub tokens: Vec<String>,
    pub expired: String,
}

impl Sample {
    pub fn mint(algorithm: Algorithm, tokens: usize) -> Self {
        let authority = authority(algorithm);
        let tokens = (0..tokens).map(|_| typical(&authority).mint()).collect();
        Self { tokens, ..Self::of(&authority, algorithm) }
    }

    /// Without tokens but the expired one.
    pub fn of(authority: &Authority, algorithm: Algorithm) -> Self {
        Self {
            algorithm: algorithm.name().to_owned(),
            issuer: authority.issuer_url().to_owned(),
            audience: authority.audience().to_owned(),
            jwks: authority.jwks(),
            tokens: Vec::new(),
            expired: typical(authority).expired().mint(),
        }
    }

    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }

    pub fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_vec(self)?)
    }
}

/// The peers know no clock but the system's.
pub fn authority(algorithm: Algorithm) -> Authority {
    Authority::builder().algorithms([algorithm]).clock(ManualClock::running()).build().unwrap()
}

/// Twelve claims; about 900 bytes when signed with RSA.
pub fn typical(authority: &Authority) -> TokenBuilder {
    authority
        .token()
        .expires_in(LONG)
        .subject("8c0e3f0a-1b7d-4c55-9a53-0d2f6b1f7e11")
        .scope("orders.read orders.write invoices.read profile")
        .claim("tenant", "acme-industries")
        .claim("email", "alice.archer@example.com")
        .claim("name", "Alice Archer")
        .claim("roles", ["reader", "writer"])
}

/// The same token with another signature, of the same length.
pub fn forged(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (start, rest) = signature.split_at(signature.len() / 2);
    let (changed, end) = rest.split_at(1);
    let changed = if changed == "A" { "B" } else { "A" };
    format!("{message}.{start}{changed}{end}")
}
