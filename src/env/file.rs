//! Values that stand in a file of their own.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Larger files are refused. Bytes; no setting comes near it.
const MAX_BYTES: u64 = 1024 * 1024;

/// The path in `NAME_FILE`. It is going to be named in faults and warnings, so it must not be the
/// secret itself, put into the wrong variable.
pub(super) fn path(text: &str) -> Result<PathBuf, &'static str> {
    let is_content = text.trim_start().starts_with(['{', '[', '-']);
    // Nobody calls a file like this without naming its folder; secrets look like it.
    let may_be_secret = text.len() >= 20 && !text.contains(['/', '\\', '.']);
    if is_content || may_be_secret || text.chars().any(char::is_control) {
        return Err("must be the path of a file, and seems to hold the value itself");
    }
    Ok(text.into())
}

/// The content of a file, without one newline at its end.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let bytes = bytes(path).map_err(|error| format!("cannot read {path:?}: {error}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        return Err(format!("{path:?} is larger than {MAX_BYTES} bytes"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| format!("{path:?} is not UTF-8"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, content: &[u8]) -> PathBuf {
        let file = format!("portcullis-env-file-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, content).unwrap();
        path
    }

    #[test]
    fn one_newline_at_the_end_is_removed() {
        for (index, (content, expected)) in [
            ("30s", "30s"),
            ("30s\n", "30s"),
            ("30s\r\n", "30s"),
            ("30s\n\n", "30s\n"),
            ("30s\r", "30s\r"),
            ("\n", ""),
            ("", ""),
            ("a\nb\n", "a\nb"),
        ]
        .into_iter()
        .enumerate()
        {
            let path = written(&format!("newline-{index}"), content.as_bytes());
            assert_eq!(read(&path).as_deref(), Ok(expected), "{content:?}");
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_path_and_the_reason() {
        let missing = Path::new("/nonexistent/portcullis");
        let problem = read(missing).unwrap_err();
        assert!(problem.starts_with("cannot read \"/nonexistent/portcullis\": "), "{problem}");

        let path = written("binary", b"\xFF\xFE");
        assert_eq!(read(&path), Err(format!("{path:?} is not UTF-8")));
        std::fs::remove_file(path).unwrap();

        let path = written("large", &vec![b'x'; 1024 * 1024 + 1]);
        assert_eq!(read(&path), Err(format!("{path:?} is larger than 1048576 bytes")));
        std::fs::remove_file(path).unwrap();

        assert!(read(&std::env::temp_dir()).is_err(), "a directory");
    }

    #[test]
    fn a_value_in_place_of_a_path_is_noticed() {
        for good in ["/run/secrets/keys", "keys.json", "./a b", "C:\\keys"] {
            assert!(path(good).is_ok(), "{good}");
        }
        for bad in [r#"{"keys":[]}"#, " {}", "-----BEGIN PRIVATE KEY-----", "a\nb", "[\"x\"]"] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }
}
