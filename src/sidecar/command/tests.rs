use super::*;

fn parse(line: &str) -> Result<Command, UsageError> {
    let arguments: Vec<String> = line.split_terminator(' ').map(str::to_owned).collect();
    Command::parse(&arguments)
}

fn explained(line: &str) -> explain::Options {
    match parse(line) {
        Ok(Command::Explain(options)) => options,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn known_commands() {
    for (line, command) in [
        ("", Command::Serve),
        ("serve", Command::Serve),
        ("demo", Command::Demo),
        ("check", Command::Check),
        ("help", Command::Help(Topic::All)),
        ("--help", Command::Help(Topic::All)),
        ("-h", Command::Help(Topic::All)),
        ("serve -h", Command::Help(Topic::Serve)),
        ("demo --help", Command::Help(Topic::Demo)),
        ("check -h", Command::Help(Topic::Check)),
        ("explain --offline -h", Command::Help(Topic::Explain)),
        ("help explain", Command::Help(Topic::Explain)),
        ("--version", Command::Version),
        ("-V", Command::Version),
    ] {
        assert_eq!(parse(line), Ok(command), "{line}");
    }
}

#[test]
fn explain_takes_a_token_in_any_form_and_two_options() {
    for (line, token, offline, json) in [
        ("explain", None, false, false),
        ("explain -", None, false, false),
        ("explain a.b.c", Some("a.b.c"), false, false),
        ("explain --json a.b.c --offline", Some("a.b.c"), true, true),
        ("explain - --offline", None, true, false),
        ("explain Bearer a.b.c", Some("Bearer a.b.c"), false, false),
        ("explain Authorization: Bearer a.b.c", Some("Authorization: Bearer a.b.c"), false, false),
    ] {
        let options = explained(line);
        assert_eq!(options.token.given(), token, "{line}");
        assert_eq!((options.offline, options.json), (offline, json), "{line}");
    }
}

#[test]
fn unknown_commands_and_options_are_refused_with_the_nearest_known_one() {
    for (line, similar) in [
        ("dmeo", Some("demo")),
        ("Demo", Some("demo")),
        ("demos", Some("demo")),
        ("explian", Some("explain")),
        ("--hlep", Some("--help")),
        ("--versoin", Some("--version")),
        ("help serv", Some("serve")),
        ("explain --ofline", Some("--offline")),
        ("explain --jsn x", Some("--json")),
        ("check --hepl", Some("--help")),
        ("proxy", None),
        ("demonstrate", None),
        ("-", None),
        ("explain --all", None),
    ] {
        let error = parse(line).unwrap_err();
        let (UsageError::UnknownCommand { similar: found, .. }
        | UsageError::UnknownOption { similar: found, .. }) = error
        else {
            panic!("{line}: {error}")
        };
        assert_eq!(found, similar, "{line}");
    }
}

#[test]
fn other_mistakes() {
    for (line, message) in [
        ("demo now", "\"now\" is one argument too many\nTry: portcullis demo --help"),
        ("help demo now", "\"now\" is one argument too many\nTry: portcullis --help"),
        ("check x", "\"x\" is one argument too many\nTry: portcullis check --help"),
    ] {
        assert_eq!(parse(line).unwrap_err().to_string(), message, "{line}");
    }
}

#[test]
fn messages_stay_on_their_lines() {
    let error = parse("a\nb\u{1b}[31m").unwrap_err().to_string();
    assert_eq!(error.lines().count(), 2);
    assert!(error.lines().all(|line| line.chars().all(|char| !char.is_control())));
}

#[test]
fn a_token_whose_command_was_forgotten_is_not_repeated() {
    let token = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl";
    for line in [token.to_owned(), format!("check {token}"), format!("explain -{token}")] {
        let error = parse(&line).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("eyJ"), "{error}");
    }
    let options = explained(&format!("explain {token}"));
    assert!(!format!("{options:?}").contains("eyJ"));
}
