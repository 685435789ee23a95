//! One to 256 scopes in the token, 1 to 64 patterns in the requirement: both up to their limits. Of
//! the scopes only the last is what the patterns ask for.

use std::hint::black_box;
use std::io;
use std::time::Instant;

use portcullis::{AccessToken, Algorithm, Requirement, ScopePattern, all_of};
use serde::Serialize;

use crate::contender::at_once;
use crate::ours;
use crate::results::Results;
use crate::sample::{Sample, authority, typical};
use crate::stopwatch::median;

const SCOPES: [usize; 5] = [1, 4, 16, 64, 256];
const PATTERNS: [usize; 4] = [1, 4, 16, 64];
const ROUNDS: usize = 101;

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    scopes: usize,
    patterns: usize,
    nanoseconds: f64,
}

pub fn measure(results: &mut Results) -> io::Result<()> {
    for scopes in SCOPES {
        let token = token(scopes);
        for patterns in PATTERNS {
            let requirement = requirement(patterns);
            assert!(token.allows(&requirement), "{scopes} scopes, {patterns} patterns");
            let nanoseconds = median((0..ROUNDS).map(|_| time(&token, &requirement)).collect());
            results.add(Line { bench: "scopes", scopes, patterns, nanoseconds })?;
        }
    }
    Ok(())
}

fn time(token: &AccessToken, requirement: &Requirement) -> f64 {
    let start = Instant::now();
    black_box(token.allows(black_box(requirement)));
    start.elapsed().as_nanos() as f64
}

/// 30 bytes each, which is near what 256 of them may have.
fn token(scopes: usize) -> AccessToken {
    let authority = authority(Algorithm::EdDSA);
    let mut elements: Vec<_> =
        (1..scopes).map(|number| format!("api.example.orders.{number:03}.write")).collect();
    elements.push("api.example.orders.000.read".to_owned());
    let token = typical(&authority).scope(&elements.join(" ")).mint();
    let sample = Sample::of(&authority, Algorithm::EdDSA);
    at_once(ours::server(&sample).verify(&token)).unwrap()
}

/// All of them are needed, and each is met by one scope only.
fn requirement(patterns: usize) -> Requirement {
    all_of((0..patterns).map(|number| {
        // Different texts, as nobody would write the same one twice.
        let (middle, stars) = ("orders".split_at(number % 6), "*".repeat(1 + number / 6));
        let text = format!("api.*.{}{stars}{}.*read", middle.0, middle.1);
        ScopePattern::new(&text).unwrap()
    }))
}
