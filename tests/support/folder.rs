//! A directory of a test's own, gone with the value.

use std::fs;
use std::path::{Path, PathBuf};

pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let name = format!("portcullis-{name}-{}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        // What a test of the same number has left behind when it was killed.
        let _ = fs::remove_dir_all(&folder.0);
        fs::create_dir(&folder.0).unwrap();
        folder
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The number of files in it.
    pub fn count(&self) -> usize {
        fs::read_dir(&self.0).unwrap().count()
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("keys.json")
    }

    /// What is in the file, nothing where there is none.
    pub fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
