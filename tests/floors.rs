//! Imports point down: a module uses the floors below its own and never one above.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up; modules of one floor are blind to each other.
const FLOORS: [&[&str]; 15] = [
    // Words.
    &["client_certificate", "clock", "config_error", "rejection_kind", "scope", "spelling"],
    &["access_token"],
    // Mechanisms.
    &["jose", "fetch", "credentials", "token_cache"],
    &["keys"],
    &["introspection"],
    // Decisions.
    &["authentication", "authorization"],
    &["rejection"],
    &["challenge"],
    &["origin"],
    &["resource_server"],
    // Fronts.
    &["tower"],
    &["axum", "tonic"],
    &["env"],
    &["testing"],
    &["sidecar"],
];

/// Sees everything, and nothing sees it.
const APART: [&str; 2] = ["lib", "internals"];

#[test]
fn imports_point_down() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = BTreeSet::new();
    for file in rust_files(&source) {
        let module = module_of(&source, &file);
        if APART.contains(&module.as_str()) {
            continue;
        }
        let floor = floor_of(&module).unwrap_or_else(|| panic!("{module} stands on no floor"));
        let text = fs::read_to_string(&file).unwrap();
        for used in uses(&text) {
            let Some(target) = floor_of(&used) else {
                // A group, or a name that the crate root exports for users: it hides the floor.
                faults.insert(format!("{module} uses crate::{used} ({})", file.display()));
                continue;
            };
            if used != module && target >= floor {
                faults.insert(format!("{module} uses {used} ({})", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

fn module_of(source: &Path, file: &Path) -> String {
    let first = file.strip_prefix(source).unwrap().components().next().unwrap();
    let name = first.as_os_str().to_str().unwrap();
    name.trim_end_matches(".rs").to_owned()
}

/// The first names after `crate::` in code; documentation may point anywhere.
fn uses(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned()
        })
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // A binary is on top of everything.
            if !path.ends_with("bin") {
                files.extend(rust_files(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
