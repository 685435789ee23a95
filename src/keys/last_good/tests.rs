use std::io;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use proptest::prelude::*;
use serde_json::{Value, json};
use tracing::Level;

use super::*;

const A: &str = "https://a.example";
const B: &str = "https://b.example/t?\"\n";

/// A directory of its own for a test, gone with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("portcullis-last-good-{}-{name}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&folder.0).unwrap();
        folder
    }

    fn file(&self) -> PathBuf {
        self.0.join("keys.json")
    }

    fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = Self::new(name);
        std::fs::write(folder.file(), content).unwrap();
        folder
    }

    /// What is in it besides the file.
    fn others(&self) -> Vec<PathBuf> {
        let paths = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| *path != self.file()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn entry(host: &str, fetched_at: u64) -> LastGood {
    LastGood {
        address: Url::parse(&format!("https://{host}/keys?x=%20")).unwrap(),
        document: format!(r#"{{ "keys":[{{"kid":"{host} é\u0000 \\"}}] }}"#).into(),
        fetched_at: UNIX_EPOCH + Duration::from_secs(fetched_at),
        lifetime: Duration::from_secs(600),
    }
}

/// The text of a file with the entries of both.
fn both() -> Vec<u8> {
    let entries = [(A, entry("a", 1_700_000_000)), (B, entry("b", 1_700_000_001))];
    format::write(&entries.map(|(issuer, entry)| (issuer.to_owned(), entry)).into()).unwrap()
}

/// Both entries, changed, with digests that fit unless they are changed too.
fn forged(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(&both()).unwrap();
    change(&mut document);
    document.to_string().into_bytes()
}

/// An entry in the place of the first, with a digest that fits.
fn sealed(issuer: &str, member: &str, value: Value) -> Vec<u8> {
    forged(|document| {
        let first = &mut document["entries"][0];
        first["issuer"] = issuer.into();
        first[member] = value;
        first["sha256"] = entry::Entry::from_json(first.clone()).unwrap().digest().into();
    })
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged meanwhile, debug messages aside.
fn logged<T>(action: impl FnOnce() -> T) -> (T, String) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::INFO)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let result = tracing::subscriber::with_default(subscriber, action);
    let log = log.0.lock().unwrap();
    (result, String::from_utf8_lossy(&log).into_owned())
}

/// The one warning that opening the file leaves; it names the path.
fn warning(folder: &Folder) -> (LastGoodFile, String) {
    let (file, log) = logged(|| LastGoodFile::open(folder.file()));
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("WARN") && log.contains(&format!("{:?}", folder.file())), "{log}");
    (file, log)
}

#[test]
fn what_was_remembered_is_recalled_after_a_restart() {
    let folder = Folder::new("restart");
    let (file, log) = logged(|| LastGoodFile::open(folder.file()));
    assert_eq!(log, "", "no file is normal");
    assert!(file.recall(A).is_none());

    for fetched_at in [1_700_000_000, 1_700_000_060] {
        file.remember(A, entry("a", fetched_at));
        file.remember(B, entry("b", fetched_at));
    }
    for file in [file, LastGoodFile::open(folder.file())] {
        assert!(file.recall(A) == Some(entry("a", 1_700_000_060)));
        assert!(file.recall(B) == Some(entry("b", 1_700_000_060)));
        assert!(file.recall("https://a.example/").is_none());
    }
    assert_eq!(folder.others(), [""; 0].map(PathBuf::from));
}

#[test]
fn the_text_is_of_this_form() {
    let text = forged(|document| document["entries"][1] = Value::Null);
    let text: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(
        text,
        json!({
            "portcullis_jwks_snapshot": 1,
            "entries": [{
                "issuer": "https://a.example",
                "jwks_uri": "https://a/keys?x=%20",
                "fetched_at": 1_700_000_000,
                "lifetime": 600,
                "jwks": r#"{ "keys":[{"kid":"a é\u0000 \\"}] }"#,
                "sha256": "0vZtDSoBZx_dqfBZs9S9TCp-J-CCozfvnK7JZDflcUw",
            }, null],
        })
    );
}

#[test]
fn issuers_that_are_gone_leave_the_file_with_the_next_write() {
    let folder = Folder::with("gone", both());
    let file = LastGoodFile::open(folder.file());
    file.keep_only(&[A]);
    assert!(file.recall(B).is_none());
    assert!(LastGoodFile::open(folder.file()).recall(B).is_some(), "nothing is written yet");
    file.remember(A, entry("a", 7));
    let again = LastGoodFile::open(folder.file());
    assert!(again.recall(A) == Some(entry("a", 7)) && again.recall(B).is_none());
}

#[test]
fn issuers_do_not_lose_each_others_entries() {
    let folder = Folder::new("threads");
    let file = LastGoodFile::open(folder.file());
    std::thread::scope(|scope| {
        for number in 0..8 {
            let file = &file;
            scope.spawn(move || {
                for fetched_at in 0..5 {
                    file.remember(&format!("https://{number}"), entry("h", fetched_at));
                }
            });
        }
    });
    let file = LastGoodFile::open(folder.file());
    for number in 0..8 {
        assert!(file.recall(&format!("https://{number}")) == Some(entry("h", 4)), "{number}");
    }
}

/// And what was ours is replaced by the next write, what was not is left alone.
#[test]
fn what_is_not_our_file_is_ignored_and_the_warning_says_why() {
    let not_json = "not one JSON object";
    let good = String::from_utf8(both()).unwrap();
    let large = " ".repeat(16 * 1024 * 1024) + &good;
    for (name, content, expected, replaced) in [
        ("empty", "", not_json, true),
        ("half", &good[..good.len() / 2], not_json, true),
        ("twice", &good.repeat(2), not_json, true),
        ("text", "hunter2", not_json, false),
        ("array", "[]", not_json, false),
        ("json", r#"{"password":"hunter2"}"#, "not a file of last good keys", false),
        ("keys", r#"{"keys":[]}"#, "not a file of last good keys", false),
        ("less", r#"{"portcullis_jwks_snapshot":1}"#, "not a file of last good keys", true),
        (
            "more",
            r#"{"portcullis_jwks_snapshot":1,"entries":[],"hunter2":0}"#,
            "not a file of last good keys",
            true,
        ),
        ("later", &good.replacen(":1,", ":2,", 1), "version", true),
        ("version", &good.replacen(":1,", ":\"1\",", 1), "version", true),
        ("large", &large, "larger than 16777216 bytes", false),
    ] {
        let folder = Folder::with(name, content);
        let (file, log) = warning(&folder);
        assert!(log.contains(expected) && !log.contains("hunter2"), "{name}: {log}");
        assert!(file.recall(A).is_none(), "{name}");

        let ((), log) = logged(|| file.remember(A, entry("a", 7)));
        if replaced {
            assert_eq!(log, "", "{name}");
            assert!(LastGoodFile::open(folder.file()).recall(A).is_some(), "{name}");
        } else {
            assert!(log.contains("left alone") && !log.contains("hunter2"), "{name}: {log}");
            assert_eq!(std::fs::read(folder.file()).unwrap(), content.as_bytes(), "{name}");
        }
        assert!(folder.others().is_empty(), "{name}");
    }
}

#[test]
fn a_faulty_entry_costs_itself_alone() {
    let first = |change: fn(&mut Value)| forged(|document| change(&mut document["entries"][0]));
    let day = 24 * 60 * 60;
    for (name, content, expected) in [
        ("issuer", first(|entry| entry["issuer"] = "https://c.example".into()), "digest"),
        ("address", first(|entry| entry["jwks_uri"] = "https://evil/".into()), "digest"),
        ("time", first(|entry| entry["fetched_at"] = 1_800_000_000.into()), "digest"),
        ("lifetime", first(|entry| entry["lifetime"] = 601.into()), "digest"),
        ("document", first(|entry| entry["jwks"] = "{}".into()), "digest"),
        ("digest", first(|entry| entry["sha256"] = "".into()), "digest"),
        ("array", first(|entry| *entry = json!([A, "https://a", 1, 1, "{}", ""])), "members"),
        ("null", first(|entry| *entry = Value::Null), "members"),
        ("float", first(|entry| entry["lifetime"] = 600.5.into()), "members"),
        ("negative", first(|entry| entry["fetched_at"] = (-1).into()), "members"),
        ("more", first(|entry| entry["x"] = "hunter2".into()), "members"),
        ("nobody", sealed("", "lifetime", 600.into()), "issuer cannot be right"),
        ("twice", sealed(B, "lifetime", 600.into()), "entry 2: its issuer has an entry before it"),
        ("no-url", sealed(A, "jwks_uri", "hunter2".into()), "jwks_uri cannot be right"),
        ("future", sealed(A, "fetched_at", 253_402_300_800_u64.into()), "fetched_at cannot be"),
        ("forever", sealed(A, "fetched_at", u64::MAX.into()), "fetched_at cannot be right"),
        ("long", sealed(A, "lifetime", (day + 1).into()), "lifetime cannot be right"),
    ] {
        let folder = Folder::with(&format!("entry-{name}"), content);
        let (file, log) = warning(&folder);
        assert!(log.contains(expected) && !log.contains("hunter2"), "{name}: {log}");
        assert!(file.recall(A).is_none() && file.recall("").is_none(), "{name}");
        assert!(file.recall("https://c.example").is_none(), "{name}");
        assert!(file.recall(B).is_some(), "{name}");
    }
    let several = forged(|document| {
        document["entries"][0]["jwks"] = "".into();
        document["entries"][1] = 7.into();
    });
    let (_, log) = warning(&Folder::with("several", several));
    assert!(log.contains("ignored entry 1: its digest") && log.contains("(and 1 more)"), "{log}");

    let longest = Folder::with("longest", sealed(A, "lifetime", day.into()));
    let (file, log) = logged(|| LastGoodFile::open(longest.file()));
    assert_eq!(log, "");
    assert!(file.recall(A).is_some_and(|entry| entry.lifetime == Duration::from_secs(day)));
}

#[test]
fn a_time_before_1970_is_1970() {
    let folder = Folder::new("1969");
    let early = UNIX_EPOCH - Duration::from_secs(1);
    LastGoodFile::open(folder.file()).remember(A, LastGood { fetched_at: early, ..entry("a", 0) });
    assert!(LastGoodFile::open(folder.file()).recall(A) == Some(entry("a", 0)));
}

#[test]
fn failures_to_write_are_warned_about_once_until_they_are_over() {
    let folder = Folder::new("failures");
    let file = LastGoodFile::open(folder.file());
    let remember = |fetched_at| logged(|| file.remember(A, entry("a", fetched_at))).1;
    assert_eq!(remember(1), "");
    for _ in 0..2 {
        std::fs::remove_dir_all(&folder.0).unwrap();
        let log = remember(2);
        assert!(log.contains("WARN") && log.contains("cannot be written"), "{log}");
        assert_eq!(remember(3), "");

        std::fs::create_dir(&folder.0).unwrap();
        let log = remember(4);
        assert!(log.contains("INFO") && log.contains("can be written again"), "{log}");
        assert!(LastGoodFile::open(folder.file()).recall(A) == Some(entry("a", 4)));
    }
}

#[test]
fn more_than_would_be_read_again_is_not_written() {
    let folder = Folder::new("too-large");
    let file = LastGoodFile::open(folder.file());
    let document = "x".repeat(16 * 1024 * 1024).into();
    let large = LastGood { document, ..entry("a", 1) };
    let ((), log) = logged(|| file.remember(A, large));
    assert!(log.contains("larger than 16777216 bytes"), "{log}");
    assert!(!folder.file().exists() && folder.others().is_empty());
}

#[test]
fn a_directory_is_neither_read_nor_replaced() {
    let folder = Folder::new("directory");
    std::fs::create_dir(folder.file()).unwrap();
    let (file, log) = warning(&folder);
    assert!(log.contains("not a regular file"), "{log}");
    let ((), log) = logged(|| file.remember(A, entry("a", 1)));
    assert!(log.contains("not a regular file") && folder.file().is_dir(), "{log}");
    assert!(folder.others().is_empty());
}

#[test]
fn a_path_is_one_of_a_file_in_a_directory_that_exists() {
    let folder = Folder::with("path", "");
    let check = |path: &Path| LastGoodFile::check_path(path);
    assert_eq!(check(&folder.file()), Ok(()));
    assert_eq!(check(&folder.0.join("not-there")), Ok(()));
    assert_eq!(check(Path::new("last-good.json")), Ok(()));

    let no_folder = Err("must be the path of a file in a directory that exists");
    assert_eq!(check(&folder.0.join("not-there/keys.json")), no_folder);
    assert_eq!(check(&folder.file().join("keys.json")), no_folder);
    let directory = Err("is a directory; it must be the path of a file");
    for path in [&folder.0, Path::new("/"), Path::new("..")] {
        assert_eq!(check(path), directory, "{path:?}");
    }
    for path in ["", "not-there/", "not-there/.."] {
        assert_eq!(check(Path::new(path)), Err("must be the path of a file"), "{path:?}");
    }
}

#[test]
fn debug_shows_the_path_alone() {
    let folder = Folder::with("debug", both());
    let file = LastGoodFile::open(folder.file());
    assert_eq!(format!("{file:?}"), format!("LastGoodFile({:?})", folder.file()));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_anybody_may_write_is_ignored_and_replaced_by_one_of_the_owners_alone() {
        let folder = Folder::with("mode", both());
        for good in [0o600, 0o644, 0o660] {
            set_mode(&folder.file(), good);
            assert!(LastGoodFile::open(folder.file()).recall(A).is_some(), "{good:o}");
        }
        for bad in [0o666, 0o602] {
            set_mode(&folder.file(), bad);
            let (file, log) = warning(&folder);
            assert!(log.contains("every user may write it"), "{log}");
            assert!(file.recall(A).is_none());
            file.remember(A, entry("a", 7));
            assert_eq!(mode(&folder.file()), 0o600);
        }
    }

    /// Reading a pipe would wait for somebody to write to it.
    #[test]
    fn a_pipe_or_socket_is_neither_read_nor_replaced() {
        let folder = Folder::new("pipe");
        let made = Command::new("mkfifo").arg(folder.file()).status();
        if !made.is_ok_and(|status| status.success()) {
            drop(UnixListener::bind(folder.file()).unwrap());
        }
        let (file, log) = warning(&folder);
        assert!(log.contains("not a regular file"), "{log}");
        let ((), log) = logged(|| file.remember(A, entry("a", 1)));
        assert!(log.contains("not a regular file"), "{log}");
        assert!(!std::fs::metadata(folder.file()).unwrap().is_file());
    }

    #[test]
    fn what_a_link_leads_to_is_judged_and_the_link_replaced() {
        let folder = Folder::new("link");
        let target = folder.0.join("target");
        std::fs::write(&target, both()).unwrap();
        std::os::unix::fs::symlink(&target, folder.file()).unwrap();
        let file = LastGoodFile::open(folder.file());
        assert!(file.recall(A).is_some());
        file.remember(A, entry("a", 7));
        assert_eq!(std::fs::read(&target).unwrap(), both());
        assert!(LastGoodFile::open(folder.file()).recall(A) == Some(entry("a", 7)));
    }

    #[test]
    fn any_name_that_the_system_accepts_will_do() {
        let folder = Folder::new("names");
        for name in [vec![b'x'; 255], b"\xFF\n".to_vec()] {
            let path = folder.0.join(std::ffi::OsString::from_vec(name));
            let ((), log) = logged(|| LastGoodFile::open(path.clone()).remember(A, entry("a", 7)));
            assert_eq!(log, "");
            assert!(LastGoodFile::open(path).recall(A).is_some());
        }
    }
}

fn recalled(content: &[u8]) -> Entries {
    format::read(content).map(|contents| contents.entries).unwrap_or_default()
}

#[test]
fn no_change_of_one_byte_makes_another_entry() {
    let original = both();
    let good = recalled(&original);
    assert_eq!(good.len(), 2);
    let check = |changed: &[u8], change: &str| {
        for (issuer, entry) in recalled(changed) {
            assert!(good.get(&issuer) == Some(&entry), "{change}: {issuer}");
        }
    };
    for position in 0..original.len() {
        for mask in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF] {
            let mut changed = original.clone();
            changed[position] ^= mask;
            check(&changed, &format!("byte {position} ^ {mask:#x}"));
        }
        let (before, after) = original.split_at(position);
        check(before, &format!("cut at {position}"));
        check(&[before, &after[1..]].concat(), &format!("without byte {position}"));
    }
}

#[test]
fn a_write_that_fails_leaves_nothing_behind() {
    let folder = Folder::new("rename");
    // With the separator nothing is found there, and a file cannot be moved there.
    let file = LastGoodFile::open(folder.0.join("keys.json/"));
    let ((), log) = logged(|| file.remember(A, entry("a", 1)));
    assert!(log.contains("cannot be written"), "{log}");
    assert!(folder.others().is_empty() && !folder.file().exists());
}

/// Pieces of good files, in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let text = String::from_utf8(both()).unwrap();
    let cuts: Vec<String> =
        text.split_inclusive(['{', '}', '[', ']', ',', ':', '"']).map(str::to_owned).collect();
    proptest::collection::vec(proptest::sample::select(cuts), 0..40)
        .prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn whatever_is_in_the_file_nothing_is_recalled_that_was_not_written(
        content in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "\\{\"portcullis_jwks_snapshot\":1,\"entries\":\\[\\{?\\PC{0,20}\\}?\\]\\}"
                .prop_map(String::into_bytes),
            pieces(),
            (any::<proptest::sample::Index>(), any::<u8>()).prop_map(|(index, byte)| {
                let mut changed = both();
                let length = changed.len();
                changed[index.index(length)] = byte;
                changed
            }),
        ],
    ) {
        let good = recalled(&both());
        let folder = Folder::with("property", &content);
        let file = LastGoodFile::open(folder.file());
        for (issuer, entry) in &file.state().entries {
            prop_assert!(good.get(issuer) == Some(entry), "{issuer}");
        }
    }
}
