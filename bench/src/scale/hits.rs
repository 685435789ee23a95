//! How many requests find their token remembered, for cache sizes and numbers of distinct tokens.
//! EdDSA, as its tokens are quickly made.

use std::io;

use portcullis::{Algorithm, scope};
use serde::Serialize;
use tower_layer::Layer;

use crate::contender::{Contender, Noop, Presented};
use crate::ours;
use crate::results::Results;
use crate::sample::{SCOPE, Sample};
use crate::stopwatch::{median, time};

const CACHES: [usize; 3] = [1_000, 10_000, 100_000];
const TOKENS: [usize; 4] = [1_000, 3_000, 10_000, 30_000];
/// Requests for each token, before and while hits are counted.
const EACH: usize = 3;

/// Which token a request presents, of so many.
type Choice = fn(usize, usize) -> usize;

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    cache: usize,
    tokens: usize,
    load: &'static str,
    hits: f64,
}

pub fn measure(results: &mut Results) -> io::Result<()> {
    let sample = Sample::mint(Algorithm::EdDSA, TOKENS[3]);
    let all = Presented::of(sample.tokens.iter().cloned());
    let loads: [(&str, Choice); 2] =
        [("one after the other", |request, tokens| request % tokens), ("some more often", skewed)];
    for (load, choose) in loads {
        for cache in CACHES {
            for tokens in TOKENS {
                let hits = hits(&sample, &all, cache, tokens, choose);
                results.add(Line { bench: "hits", cache, tokens, load, hits })?;
            }
        }
    }
    Ok(())
}

fn hits(sample: &Sample, all: &Presented, cache: usize, tokens: usize, choose: Choice) -> f64 {
    let server = ours::builder().issuer(ours::issuer(sample)).token_cache(cache).build().unwrap();
    let service = server.require(scope(SCOPE)).layer(<Noop>::default());
    let mut layer = Contender::of_service("", service, all);
    let requests = EACH * tokens;
    (0..requests).for_each(|request| assert_eq!(layer.answer(choose(request, tokens)), 200));
    let times: Vec<_> =
        (requests..2 * requests).map(|request| time(&mut layer, choose(request, tokens))).collect();
    // What no cache is asked for: a token that is verified anew.
    let fresh = ours::builder().issuer(ours::issuer(sample)).token_cache(0).build().unwrap();
    let fresh = fresh.require(scope(SCOPE)).layer(<Noop>::default());
    let mut fresh = Contender::of_service("", fresh, all);
    let verified = median((0..200).map(|request| time(&mut fresh, request)).collect());
    times.iter().filter(|time| **time < verified / 2.0).count() as f64 / times.len() as f64
}

/// Tokens by Zipf's law with exponent 1: the second comes half as often as the first, and so on.
/// The same sequence every time.
fn skewed(request: usize, tokens: usize) -> usize {
    // SplitMix64.
    let mut bits = (request as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let chance = ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
    // The inverse of the distribution's logarithmic approximation.
    (((tokens as f64 + 1.0).powf(chance) - 1.0) as usize).min(tokens - 1)
}
