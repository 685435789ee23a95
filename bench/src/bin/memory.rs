//! What a token costs in memory after its requests are answered: bytes that stay allocated. Each is
//! presented as often as it takes for the thread to have it at hand, if it can.

use std::alloc::System;
use std::io;

use portcullis::{Algorithm, scope};
use portcullis_bench::contender::{Contender, Noop, Presented};
use portcullis_bench::ours;
use portcullis_bench::results::Results;
use portcullis_bench::sample::{SCOPE, Sample};
use serde::Serialize;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tower_layer::Layer;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Fewer than are kept by default.
const TOKENS: usize = 5_000;
const TIMES: usize = 10;

#[derive(Serialize)]
struct Line {
    bench: &'static str,
    tokens: usize,
    token_bytes: usize,
    bytes_per_token: f64,
}

fn main() -> io::Result<()> {
    let sample = Sample::mint(Algorithm::RS256, TOKENS + 1);
    let presented = Presented::of(sample.tokens.iter().cloned());
    let service = ours::server(&sample).require(scope(SCOPE)).layer(<Noop>::default());
    let mut layer = Contender::of_service("", service, &presented);
    // What is made once for all tokens is made for the first.
    assert_eq!(layer.answer(TOKENS), 200);
    let region = Region::new(ALLOCATOR);
    for number in (0..TIMES).flat_map(|_| 0..TOKENS) {
        assert_eq!(layer.answer(number), 200);
    }
    let change = region.change();
    let kept = change.bytes_allocated as f64 - change.bytes_deallocated as f64;
    Results::create("memory")?.add(Line {
        bench: "memory",
        tokens: TOKENS,
        token_bytes: sample.tokens[0].len(),
        bytes_per_token: (kept / TOKENS as f64).max(0.0),
    })
}
