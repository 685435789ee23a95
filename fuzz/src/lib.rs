//! What the fuzz targets run. `tests/fuzz_corpus.rs` runs the same over the seeds.

// Other tests use more of them.
#[allow(dead_code)]
#[path = "../../tests/support/challenge.rs"]
mod challenge;
#[allow(dead_code)]
#[path = "../../tests/support/json_facts.rs"]
mod json_facts;
pub mod targets;
