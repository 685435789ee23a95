//! Allocations per request for every layer in every case. Apart from `layer`, as counting takes
//! time.

use std::alloc::System;
use std::io;

use portcullis_bench::case::{Case, ROTATION};
use portcullis_bench::contenders;
use portcullis_bench::results::Results;
use portcullis_bench::sample::{ALGORITHMS, Sample};
use serde::Serialize;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const WARM_UP: usize = 100;
const REQUESTS: usize = 100;

#[derive(Serialize)]
struct Line<'a> {
    bench: &'static str,
    algorithm: &'a str,
    case: &'static str,
    contender: &'static str,
    allocations: f64,
    bytes: f64,
}

fn main() -> io::Result<()> {
    let mut results = Results::create("allocations")?;
    for algorithm in ALGORITHMS {
        let sample = Sample::mint(algorithm, ROTATION);
        for case in Case::ALL {
            if !case.is_blind() || algorithm == ALGORITHMS[0] {
                measure(&sample, case, &mut results)?;
            }
        }
    }
    Ok(())
}

fn measure(sample: &Sample, case: Case, results: &mut Results) -> io::Result<()> {
    let presented = case.presented(sample, WARM_UP + REQUESTS);
    for mut contender in contenders(sample, case, &presented) {
        // A rotation comes round once, and goes on from its beginning.
        let warm_up = if case == Case::Rotation { ROTATION } else { WARM_UP };
        contender.answer_all(0..warm_up);
        let region = Region::new(ALLOCATOR);
        contender.answer_all(warm_up..warm_up + REQUESTS);
        let change = region.change();
        let per_request = |count: usize| count as f64 / REQUESTS as f64;
        results.add(Line {
            bench: "allocations",
            algorithm: &sample.algorithm,
            case: case.name(),
            contender: contender.name,
            allocations: per_request(change.allocations + change.reallocations),
            bytes: per_request(change.bytes_allocated),
        })?;
    }
    Ok(())
}
