//! JSONTestSuite's files in every place where portcullis reads JSON of others: as JOSE header, as
//! claims, as JWK set, and as a part of each.
//!
//! By the first letter of its name a file is valid JSON (`y`), invalid (`n`) or left to the
//! implementation (`i`). Nothing invalid gets in anywhere. What is valid gets in where it belongs,
//! as far as the rules of [`JsonFacts`] let it. Nothing makes anything panic.

// What was counted is for people to read.
#![allow(clippy::print_stdout)]

mod support;

use std::path::Path;

use portcullis::internals::{self, KeySet};
use portcullis::{Algorithm, RejectionKind};
use serde_json::Value;
use support::json_facts::JsonFacts;
use support::vectors;

/// The key of RFC 8037, App. A.2.
const KEY: &str =
    r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

/// Where a text was taken.
#[derive(Debug, PartialEq, Eq)]
struct Accepted {
    header: bool,
    header_member: bool,
    claims: bool,
    claim: bool,
    key_set: bool,
    /// As an entry next to a good key, whose set is then usable.
    next_to_a_key: bool,
    key_member: bool,
    key_set_member: bool,
}

impl Accepted {
    const NOWHERE: Self = Self {
        header: false,
        header_member: false,
        claims: false,
        claim: false,
        key_set: false,
        next_to_a_key: false,
        key_member: false,
        key_set_member: false,
    };

    fn by_portcullis(text: &[u8]) -> Self {
        let around =
            |before: &str, after: &str| [before.as_bytes(), text, after.as_bytes()].concat();
        // Whatever the header lacks, it has been parsed.
        let header = internals::jose_header(text).err() != Some(RejectionKind::MalformedToken);
        let keys = |document: &[u8]| {
            let set = KeySet::fetched(document, &[Algorithm::EdDSA]);
            set.is_ok_and(|set| set.keys() == 1)
        };
        Self {
            header,
            header_member: internals::jose_header(&around(r#"{"alg":"ES256","x":"#, "}")).is_ok(),
            claims: internals::json_object(text).is_some(),
            claim: internals::json_object(&around(r#"{"x":"#, "}")).is_some(),
            key_set: keys(text),
            next_to_a_key: keys(&around(r#"{"keys":["#, &format!(",{{{KEY}}}]}}"))),
            key_member: keys(&around(&format!(r#"{{"keys":[{{{KEY},"y":"#), "}]}")),
            key_set_member: keys(&around(r#"{"x":"#, &format!(r#","keys":[{{{KEY}}}]}}"#))),
        }
    }

    fn by_the_rules(facts: &JsonFacts) -> Self {
        Self {
            header: facts.fits_as_document(),
            header_member: facts.fits_below(1),
            claims: facts.fits_as_document(),
            claim: facts.fits_below(1),
            // None of the files has a member "keys".
            key_set: false,
            next_to_a_key: true,
            key_member: facts.fits_below(1),
            key_set_member: true,
        }
    }
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn test_parsing() {
    let Some(folder) = vectors::folder("jsontestsuite") else { return };
    let (mut valid, mut invalid, mut free) = (0, 0, 0);
    let mut exceptions = Vec::new();
    for path in vectors::files(&folder.join("test_parsing")) {
        let text = vectors::bytes(&path);
        let accepted = Accepted::by_portcullis(&text);
        match name(&path).as_bytes()[0] {
            b'y' => {
                let value: Value = serde_json::from_slice(&text).unwrap();
                let facts = JsonFacts::of(&text, &value);
                assert_eq!(accepted, Accepted::by_the_rules(&facts), "{}", name(&path));
                valid += 1;
                if !facts.fits_below(1) {
                    exceptions.push(name(&path).to_owned());
                }
            }
            b'n' => {
                assert_eq!(accepted, Accepted::NOWHERE, "{}", name(&path));
                invalid += 1;
            }
            _ => free += 1,
        }
    }
    println!("JSONTestSuite: {valid} valid, {invalid} invalid refused, {free} free");
    println!("valid and refused for duplicates or depth: {exceptions:?}");
    assert_eq!((valid, invalid, free, exceptions.len()), (95, 188, 35, 2));
}

#[test]
fn test_transform() {
    let Some(folder) = vectors::folder("jsontestsuite") else { return };
    let mut files = 0;
    for path in vectors::files(&folder.join("test_transform")) {
        let accepted = Accepted::by_portcullis(&vectors::bytes(&path));
        let name = name(&path);
        let (as_claims, as_claim) = match name {
            // Where parsers differ is which of the two they believe.
            _ if name.starts_with("object_same_key") => (false, false),
            // Lone surrogates, which UTF-8 cannot express.
            _ if name.starts_with("string_") && name.contains("invalid") => (false, false),
            // Names that look alike and are not the same.
            _ if name.starts_with("object_key_nf") => (true, true),
            _ => (false, true),
        };
        assert_eq!((accepted.claims, accepted.claim), (as_claims, as_claim), "{name}");
        assert_eq!((accepted.header, accepted.header_member), (as_claims, as_claim), "{name}");
        assert_eq!(accepted.key_member, as_claim, "{name}");
        files += 1;
    }
    assert_eq!(files, 22);
}
