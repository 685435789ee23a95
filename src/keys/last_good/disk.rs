//! The file as such: read with care, replaced as a whole.

use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, is_separator};

use aws_lc_rs::rand;

use crate::jose::base64url;

/// Larger files are neither read nor written. Thirty key sets of the largest size that is accepted
/// come near it.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// How much of a file is looked at to tell whose it is. Bytes.
const HEAD: u64 = 256;

/// Why the file cannot be read or written. `Display` is for operators.
#[derive(Debug)]
pub(super) enum DiskError {
    Io(io::Error),
    NotAFile,
    TooLarge,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no permissions to look at"))]
    OthersMayWrite,
    NotOurs,
}

impl From<io::Error> for DiskError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NotAFile => f.write_str("it is not a regular file"),
            Self::TooLarge => write!(f, "it is larger than {MAX_BYTES} bytes"),
            Self::OthersMayWrite => {
                f.write_str("every user may write it, and so supply keys; chmod o-w would end that")
            }
            Self::NotOurs => f.write_str(
                "what is there is no file of last good keys and is left alone; \
                 move it, or configure another path",
            ),
        }
    }
}

/// Says what would be right without repeating the path: it may be something else by mistake.
pub(super) fn check_path(path: &Path) -> Result<(), &'static str> {
    let is_for_a_directory = path.to_string_lossy().ends_with(is_separator);
    match path.parent() {
        _ if path.is_dir() => Err("is a directory; it must be the path of a file"),
        Some(folder) if path.file_name().is_some() && !is_for_a_directory => {
            // A name alone is one in the working directory.
            if folder == Path::new("") || folder.is_dir() {
                Ok(())
            } else {
                Err("must be the path of a file in a directory that exists")
            }
        }
        _ => Err("must be the path of a file"),
    }
}

/// All of the file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    let Some(mut file) = open(path)? else { return Ok(None) };
    let metadata = file.metadata()?;
    refuse_if_others_may_write(&metadata)?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    // Not what the metadata say: a file may grow.
    Read::by_ref(&mut file).take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES { Err(DiskError::TooLarge) } else { Ok(Some(bytes)) }
}

/// Puts `bytes` in the place of the file, for its owner alone. What is not ours by its beginning is
/// never replaced: a wrong path must not cost anybody their data.
pub(super) fn replace(
    path: &Path,
    bytes: &[u8],
    is_ours: impl FnOnce(&[u8]) -> bool,
) -> Result<(), DiskError> {
    if bytes.len() > MAX_BYTES {
        return Err(DiskError::TooLarge);
    }
    if let Some(file) = open(path)? {
        let mut head = Vec::new();
        file.take(HEAD).read_to_end(&mut head)?;
        if !head.is_empty() && !is_ours(&head) {
            return Err(DiskError::NotOurs);
        }
    }
    // Never the same name twice: what a crash leaves behind is in nobody's way.
    let mut random = [0; 12];
    rand::fill(&mut random).map_err(|_| io::Error::other("no random numbers can be had"))?;
    let name = format!(".portcullis-{}.tmp", base64url::encode(random));
    let temporary = path.with_file_name(name);

    let file = new_file(&temporary)?;
    let replaced = fill(file, bytes).and_then(|()| fs::rename(&temporary, path));
    if replaced.is_err() {
        // The failure before is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    Ok(replaced?)
}

/// Asks first what the path leads to: opening a pipe would wait for somebody to write to it.
fn open(path: &Path) -> Result<Option<File>, DiskError> {
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if found.is_file() { Ok(Some(File::open(path)?)) } else { Err(DiskError::NotAFile) }
}

fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn refuse_if_others_may_write(metadata: &Metadata) -> Result<(), DiskError> {
    use std::os::unix::fs::PermissionsExt;

    const WRITE_BY_OTHERS: u32 = 0o002;
    let mode = metadata.permissions().mode();
    if mode & WRITE_BY_OTHERS == 0 { Ok(()) } else { Err(DiskError::OthersMayWrite) }
}

#[cfg(not(unix))]
fn refuse_if_others_may_write(_: &Metadata) -> Result<(), DiskError> {
    Ok(())
}
