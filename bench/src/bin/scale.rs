//! How the cost of a request grows: with threads, with distinct tokens (and with them the hits of
//! caches of several sizes), with issuers, with scopes and patterns.
//!
//! `BENCH_TOKENS` is the largest number of distinct tokens (default: a million, which takes 2 GB),
//! `BENCH_TOKEN_CACHE` how many the server may keep.

use std::io;

use portcullis_bench::results::Results;
use portcullis_bench::scale;

fn main() -> io::Result<()> {
    let mut results = Results::create("scale")?;
    scale::scopes::measure(&mut results)?;
    scale::issuers::measure(&mut results)?;
    scale::threads::measure(&mut results)?;
    scale::hits::measure(&mut results)?;
    scale::tokens::measure(&mut results)
}
