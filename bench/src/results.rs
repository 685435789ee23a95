//! Measurements as lines of JSON in files, which `bench/page` makes tables and plots of.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

pub struct Results {
    file: File,
}

impl Results {
    /// A new file of this name in `bench/results`.
    pub fn create(name: &str) -> io::Result<Self> {
        fs::create_dir_all(directory())?;
        let file = File::create(directory().join(name).with_extension("jsonl"))?;
        Ok(Self { file })
    }

    pub fn add(&mut self, measurement: impl Serialize) -> io::Result<()> {
        let line = serde_json::to_string(&measurement)?;
        println!("{line}");
        writeln!(self.file, "{line}")
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}
