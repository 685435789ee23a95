//! Time per request for every layer in every case, all in one run. See `bench/layer`.

use std::io;

use portcullis_bench::case::Case;
use portcullis_bench::contenders;
use portcullis_bench::results::Results;
use portcullis_bench::sample::{ALGORITHMS, Sample};
use portcullis_bench::stopwatch::{Plan, medians};
use serde::Serialize;

const PLAN: Plan = Plan { rounds: 151, batch: 20 };

#[derive(Serialize)]
struct Line<'a> {
    bench: &'static str,
    algorithm: &'a str,
    case: &'static str,
    contender: &'static str,
    nanoseconds: f64,
    status: u16,
    expected: u16,
}

fn main() -> io::Result<()> {
    let mut results = Results::create("layer")?;
    for algorithm in ALGORITHMS {
        // The first request of a case is the one that is checked.
        let fresh = PLAN.requests() + 1;
        let sample = Sample::mint(algorithm, fresh.max(portcullis_bench::case::ROTATION));
        for case in Case::ALL {
            if !case.is_blind() || algorithm == ALGORITHMS[0] {
                measure(&sample, case, fresh, &mut results)?;
            }
        }
    }
    Ok(())
}

fn measure(sample: &Sample, case: Case, fresh: usize, results: &mut Results) -> io::Result<()> {
    let presented = case.presented(sample, fresh);
    let mut contenders = contenders(sample, case, &presented);
    let statuses: Vec<_> = contenders.iter_mut().map(|one| one.answer(0)).collect();
    if case == Case::Rotation {
        for one in &mut contenders {
            one.answer_all(1..presented.len());
        }
    }
    let times = medians(&mut contenders, PLAN, 1);
    for ((contender, nanoseconds), status) in contenders.iter().zip(times).zip(statuses) {
        results.add(Line {
            bench: "layer",
            algorithm: &sample.algorithm,
            case: case.name(),
            contender: contender.name,
            nanoseconds,
            status: status.as_u16(),
            expected: case.expected_status(),
        })?;
    }
    Ok(())
}
