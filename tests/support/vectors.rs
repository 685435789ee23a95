//! Test data of others, which is not part of this repository.
//!
//! It is read from the folder that `PORTCULLIS_VECTORS` names, by default `../shared/vectors` as
//! seen from the package: `wycheproof` (C2SP), `rfc7520-cookbook` (IETF JOSE) and `jsontestsuite`
//! (Nicolas Seriot), each with files as their authors wrote them.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

const VARIABLE: &str = "PORTCULLIS_VECTORS";
const DEFAULT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors");

/// One of the folders. `None`, after a word about it, where nobody has said where the data is.
pub fn folder(name: &str) -> Option<PathBuf> {
    if let Some(root) = env::var_os(VARIABLE) {
        let folder = Path::new(&root).join(name);
        assert!(folder.is_dir(), "{VARIABLE}: there is no {}", folder.display());
        return Some(folder);
    }
    let folder = Path::new(DEFAULT).join(name);
    if !folder.is_dir() {
        let place = folder.display();
        let notice = format!("skipped: no test data at {place}; {VARIABLE} can say where it is\n");
        // Not by a macro: what these print is shown for tests that fail only.
        io::stderr().write_all(notice.as_bytes()).expect("a standard error");
        return None;
    }
    Some(folder)
}

/// A file of JSON.
pub fn json<T: DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&bytes(path)).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

pub fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// The files of a folder, in order of their names.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a folder's entry").path()).collect();
    files.sort();
    files
}
