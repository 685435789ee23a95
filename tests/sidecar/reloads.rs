//! Rules that change while requests come.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Answer, Connection, Load, Sidecar, Upstream, authority, bearer, get};

const RELOADS: usize = 200;
const CLIENTS: usize = 4;

/// Two versions that answer a token with scope `a` differently.
const VERSIONS: [&str; 2] = [
    "[[rule]]\npath = \"/orders\"\nscopes = [\"a\"]\n[[rule]]\npath = \"/{*rest}\"\nscopes = [\"z\"]\n",
    "[[rule]]\npath = \"/orders\"\nscopes = [\"b\"]\n[[rule]]\npath = \"/{*rest}\"\nscopes = [\"z\"]\n",
];

/// Which of the two versions has answered; there is no third answer.
#[track_caller]
fn version(answer: &Answer) -> usize {
    match (answer.status, answer.field("www-authenticate")) {
        (200, None) if answer.text() == "hello" => 0,
        (403, Some(challenge)) if challenge.contains(r#"scope="b""#) => 1,
        _ => panic!("{answer:?}"),
    }
}

/// In one step, as programs do it that know that somebody reads.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

/// Until requests are answered by this version.
fn wait_for_version(sidecar: &Sidecar, token: &str, wanted: usize) {
    let ask = || version(&get(sidecar.address(), "/orders", token));
    sidecar.wait_for(|| ask() == wanted, "the other rules");
}

fn count(sidecar: &Sidecar, outcome: &str) -> usize {
    sidecar.metric(&format!("portcullis_rules_reloads_total{{outcome=\"{outcome}\"}}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn reloads_under_load_lose_no_request() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).rules(VERSIONS[0]).start();
    let token = bearer(&authority.token().scope("a"));
    let request = format!("GET /orders HTTP/1.1\r\nHost: api.example\r\n{token}\r\n");
    let load = Load::start(CLIENTS, |_| {
        let (mut connection, request) = (Connection::open(sidecar.address()), request.clone());
        move || {
            connection.send(request.as_bytes());
            version(&connection.answer().expect("a request was lost"));
        }
    });
    let path = sidecar.file("PORTCULLIS_RULES");
    for number in 1..=RELOADS {
        replace(&path, VERSIONS[number % 2]);
        sidecar.signal("HUP");
        wait_for_version(&sidecar, &token, number % 2);
    }
    // Nobody says anything about these.
    for number in 1..=3 {
        replace(&path, VERSIONS[number % 2]);
        wait_for_version(&sidecar, &token, number % 2);
    }
    assert!(load.finish() > 0);
    assert!(count(&sidecar, "good") >= RELOADS + 3);
    assert_eq!(count(&sidecar, "failed"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rules_replace_nothing_and_say_why() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).rules(VERSIONS[0]).start();
    let token = bearer(&authority.token().scope("a"));
    let path = sidecar.file("PORTCULLIS_RULES");
    for (failures, (bad, reasons)) in (1..).zip([
        ("[[rule]]\npath = \"/orders\"\npubic = true\n", &["line 3: rule 1: ", "\"public\"?"][..]),
        ("[[rule]]\npath = \"/orders\"\nscopes = [\"b\"\n", &["line "]),
        ("[[rule]]\npath = \"a\"\n[[rule]]\npath = \"b\"\n", &["line 2: rule 1", "line 4: rule 2"]),
        ("", &["rule"]),
    ]) {
        replace(&path, bad);
        sidecar.signal("HUP");
        let told = || {
            let log = sidecar.stderr();
            let mut lines = log.lines().filter(|line| line.contains("rules: not taken up"));
            lines.nth(failures - 1).map(str::to_owned)
        };
        sidecar.wait_for(|| told().is_some(), "a line about it");
        let (line, page) = (told().unwrap(), sidecar.ask_admin("/").text());
        assert_eq!(count(&sidecar, "failed"), failures);
        for reason in reasons {
            assert!(line.contains(reason), "{reason}: {line}");
            let reason = reason.replace('"', "&quot;");
            assert!(page.contains(&reason), "{reason}: {page}");
        }
        assert_eq!(version(&get(sidecar.address(), "/orders", &token)), 0);
        assert_eq!(get(sidecar.address(), "/other", &token).status, 403);
    }
    // A bad file does not make a sidecar unready.
    assert_eq!(sidecar.ask_admin("/readyz").status, 200);
    replace(&path, VERSIONS[1]);
    wait_for_version(&sidecar, &token, 1);
    sidecar.wait_for(|| !sidecar.ask_admin("/").text().contains("line "), "the page is good again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_leaves_the_rules_as_they_were() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).rules(VERSIONS[0]).start();
    let token = bearer(&authority.token().scope("a"));
    let path = sidecar.file("PORTCULLIS_RULES");
    fs::remove_file(&path).unwrap();
    sidecar.wait_for_stderr("rules: not taken up");
    assert!(sidecar.stderr().contains("cannot read"), "{}", sidecar.stderr());
    assert_eq!(version(&get(sidecar.address(), "/orders", &token)), 0);
    assert_eq!(get(sidecar.address(), "/other", &token).status, 403);
    // It is said once, and its return is noticed.
    assert_eq!(count(&sidecar, "failed"), 1);
    replace(&path, VERSIONS[1]);
    wait_for_version(&sidecar, &token, 1);
}

/// `rules.toml` → `..data/rules.toml`, `..data` → a folder of one version.
#[tokio::test(flavor = "multi_thread")]
async fn kubernetes_swaps_a_link() {
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).rules(VERSIONS[0]).start();
    let token = bearer(&authority.token().scope("a"));
    let path = sidecar.file("PORTCULLIS_RULES");
    let project = |number: usize| {
        let folder = sidecar.file(&format!("..{number}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("rules.toml"), VERSIONS[number % 2]).unwrap();
        symlink(&folder, sidecar.file("..data_tmp")).unwrap();
        fs::rename(sidecar.file("..data_tmp"), sidecar.file("..data")).unwrap();
    };
    project(0);
    fs::remove_file(&path).unwrap();
    symlink("..data/rules.toml", &path).unwrap();
    for number in 1..=3 {
        project(number);
        fs::remove_dir_all(sidecar.file(&format!("..{}", number - 1))).unwrap();
        wait_for_version(&sidecar, &token, number % 2);
    }
}

/// A file is looked at once a second, and counts when it is the same twice.
const LOOKS: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_being_written_is_never_taken_for_fewer_rules() {
    // What comes first would open everything.
    let parts = VERSIONS[0].split_at(VERSIONS[0].rfind("[[rule]]").unwrap());
    let (authority, upstream) = (authority().await, Upstream::start().await);
    let sidecar = Sidecar::before(&upstream, &authority).rules(VERSIONS[0]).start();
    let token = bearer(&authority.token().scope("a"));
    let path = sidecar.file("PORTCULLIS_RULES");
    let started = Instant::now();
    let mut longest = Duration::ZERO;
    // Over several looks, so that some find a part of it, each time of another file.
    for number in 0.. {
        let begun = Instant::now();
        if begun - started > 4 * LOOKS {
            break;
        }
        fs::write(&path, format!("# {number}\n{}", parts.0)).unwrap();
        assert_eq!(version(&get(sidecar.address(), "/orders", &token)), 0);
        let other = get(sidecar.address(), "/other", &token).status;
        fs::write(&path, format!("# {number}\n{}{}", parts.0, parts.1)).unwrap();
        longest = longest.max(begun.elapsed());
        // On a machine that stood still, the part may have been there for two looks.
        assert!(other == 403 || longest >= LOOKS, "{other}");
    }
    replace(&path, VERSIONS[1]);
    wait_for_version(&sidecar, &token, 1);
    assert_eq!(get(sidecar.address(), "/other", &token).status, 403);
}
