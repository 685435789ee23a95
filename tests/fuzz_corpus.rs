//! Every fuzz target over its seeds, and over the corpus that fuzzing has left behind, if any.

mod support;
#[allow(unreachable_pub)]
#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use portcullis::Algorithm;
use portcullis::internals::KeySet;
use support::{challenge, json_facts, vectors};

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 10] = [
    ("authorization_field", targets::authorization_field),
    ("challenge", targets::challenge),
    ("claims", targets::claims),
    ("compact_jws", targets::compact_jws),
    ("environment", targets::environment),
    ("header", targets::header),
    ("jwk_set", targets::jwk_set),
    ("path", targets::path),
    ("rules", targets::rules),
    ("scope_pattern", targets::scope_pattern),
];

fn fuzz(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder)
}

#[test]
fn every_target_holds_for_its_seeds() {
    for (name, target) in TARGETS {
        let seeds = vectors::files(&fuzz("seeds").join(name));
        assert!(!seeds.is_empty(), "{name}");
        seeds.iter().for_each(|seed| target(&vectors::bytes(seed)));
    }
}

#[test]
fn every_target_holds_for_what_was_found() {
    for (name, target) in TARGETS {
        for folder in ["corpus", "artifacts"] {
            let folder = fuzz(folder).join(name);
            if folder.is_dir() {
                vectors::files(&folder).iter().for_each(|input| target(&vectors::bytes(input)));
            }
        }
    }
}

#[test]
fn every_target_is_listed() {
    let listed: BTreeSet<_> = TARGETS.map(|(name, _)| name.to_owned()).into();
    let there: BTreeSet<_> = vectors::files(&fuzz("fuzz_targets"))
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(there, listed);
}

/// The RFCs' examples among the seeds were typed in; so they were typed in well.
#[test]
fn seeds_that_are_signed_verify() {
    for (key, token, algorithm) in [
        ("rfc7515-a1", "rfc7515-a1-hs256", Algorithm::HS256),
        ("rfc7515-a2", "rfc7515-a2-rs256", Algorithm::RS256),
        ("rfc7515-a3", "rfc7515-a3-es256", Algorithm::ES256),
        ("rfc8037-a2", "rfc8037-a4-eddsa", Algorithm::EdDSA),
    ] {
        let seeds = fuzz("seeds");
        let document = vectors::bytes(&seeds.join("jwk_set").join(key));
        let token = vectors::bytes(&seeds.join("compact_jws").join(token));
        let set = KeySet::configured(&document, &[algorithm]).unwrap();
        assert_eq!(set.verify(str::from_utf8(&token).unwrap()), Ok(()), "{algorithm}");
    }
}
