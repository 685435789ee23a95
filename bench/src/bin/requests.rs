//! A number of requests and nothing else, for tools that count what a process does:
//!
//!     requests prepare DIRECTORY
//!     requests list DIRECTORY
//!     requests send DIRECTORY ALGORITHM CASE CONTENDER COUNT
//!
//! Two runs that differ in nothing but the count differ by what the requests cost; everything else
//! cancels out. `bench/instructions` does that.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use portcullis_bench::case::Case;
use portcullis_bench::contenders;
use portcullis_bench::sample::{ALGORITHMS, Sample};

/// As many different tokens as may be asked for.
const TOKENS: usize = 1_000;

/// Enough for what is made once and lazily.
const WARM_UP: usize = 20;

fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["prepare", directory] => prepare(Path::new(directory)),
        ["list", directory] => list(Path::new(directory)),
        ["send", directory, algorithm, case, contender, count] => {
            let sample = Sample::read(&file(Path::new(directory), algorithm))?;
            let case = Case::named(case).expect("the name of a case");
            send(&sample, case, contender, count.parse().expect("a number of requests"));
            Ok(())
        }
        _ => panic!("prepare, list or send"),
    }
}

fn file(directory: &Path, algorithm: &str) -> PathBuf {
    directory.join(algorithm).with_extension("json")
}

fn prepare(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    for algorithm in ALGORITHMS {
        Sample::mint(algorithm, TOKENS).write(&file(directory, algorithm.name()))?;
    }
    Ok(())
}

/// Who takes part in what, as lines that the script reads.
fn list(directory: &Path) -> io::Result<()> {
    for algorithm in ALGORITHMS {
        let sample = Sample::read(&file(directory, algorithm.name()))?;
        for case in Case::ALL {
            let presented = case.presented(&sample, 1);
            for contender in contenders(&sample, case, &presented) {
                println!("{}\t{}\t{}", algorithm.name(), case.name(), contender.name);
            }
        }
    }
    Ok(())
}

fn send(sample: &Sample, case: Case, contender: &str, count: usize) {
    // All tokens, whatever the count: the set-up is to be the same.
    let presented = case.presented(sample, TOKENS);
    let once = matches!(case, Case::New | Case::Forged);
    assert!(!once || WARM_UP + count <= TOKENS, "there are {TOKENS} tokens");
    let mut contender = contenders(sample, case, &presented)
        .into_iter()
        .find(|one| one.name == contender)
        .expect("the name of a contender");
    contender.answer_all(0..WARM_UP + count);
}
