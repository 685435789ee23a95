//! Scope patterns against candidates that make careless matchers slow, for tools that count what a
//! process does:
//!
//!     patterns list
//!     patterns match VECTOR SIZE COUNT
//!
//! `bench/scope` doubles the size and looks at the instructions.

use std::env;
use std::hint::black_box;

use portcullis::ScopePattern;

struct Vector {
    name: &'static str,
    /// Of a pattern of about that many bytes, 256 at most, and a candidate in proportion.
    texts: fn(usize) -> (String, String),
    matches: bool,
}

const VECTORS: [Vector; 12] = [
    Vector { name: "many stars, end missing", texts: many_stars, matches: false },
    Vector { name: "many stars", texts: |n| ended(many_stars(n), "b"), matches: true },
    Vector { name: "a piece too many", texts: |n| pieces(n, n / 2 - 2), matches: false },
    Vector { name: "as many pieces", texts: |n| pieces(n, n / 2 - 1), matches: true },
    Vector { name: "long piece, near miss", texts: long_piece, matches: false },
    Vector { name: "long piece", texts: |n| ended(long_piece(n), "b"), matches: true },
    Vector { name: "run of stars", texts: |n| ("*".repeat(n), long("x", n)), matches: true },
    Vector { name: "run of stars, end missing", texts: run_of_stars, matches: false },
    Vector { name: "periodic near miss", texts: periodic, matches: false },
    Vector { name: "ends one short", texts: |n| ends(n, 1), matches: false },
    Vector { name: "ends", texts: |n| ends(n, 0), matches: true },
    Vector { name: "middles one short", texts: middles, matches: false },
];

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["list"] => VECTORS.iter().for_each(|vector| println!("{}", vector.name)),
        ["match", name, size, count] => {
            let vector = VECTORS.iter().find(|vector| vector.name == name).expect("a vector");
            let (size, count) = (size.parse().expect("a size"), count.parse().expect("a count"));
            repeat(vector, size, count);
        }
        _ => panic!("list or match"),
    }
}

fn repeat(vector: &Vector, size: usize, count: usize) {
    let (pattern, candidate) = (vector.texts)(size);
    let pattern = ScopePattern::new(&pattern).unwrap();
    assert_eq!(pattern.matches(&candidate), vector.matches, "{}", vector.name);
    for _ in 0..count {
        black_box(black_box(&pattern).matches(black_box(&candidate)));
    }
}

/// As long as a token's whole scope may be when the pattern is.
fn long(text: &str, n: usize) -> String {
    text.repeat(20 * n / text.len())
}

fn ended((pattern, candidate): (String, String), end: &str) -> (String, String) {
    (pattern, candidate + end)
}

fn many_stars(n: usize) -> (String, String) {
    ("a*".repeat(n / 2 - 1) + "b", long("a", n))
}

fn pieces(n: usize, in_candidate: usize) -> (String, String) {
    ("*a".repeat(n / 2 - 1) + "*", "a".repeat(in_candidate))
}

fn long_piece(n: usize) -> (String, String) {
    (format!("*{}b*", "a".repeat(n - 3)), long("a", n))
}

fn run_of_stars(n: usize) -> (String, String) {
    ("*".repeat(n - 1) + "y", long("x", n))
}

fn periodic(n: usize) -> (String, String) {
    let half = "ab".repeat(n / 4 - 1);
    (format!("*{half}c*{half}d"), long("ab", n))
}

fn ends(n: usize, short: usize) -> (String, String) {
    let half = "a".repeat(n / 2 - 1);
    (format!("{half}*{half}"), "a".repeat(2 * half.len() - short))
}

fn middles(n: usize) -> (String, String) {
    let half = "a".repeat(n / 2 - 2);
    (format!("*{half}*{half}*"), "a".repeat(2 * half.len() - 1))
}
