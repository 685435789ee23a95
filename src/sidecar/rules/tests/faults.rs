//! Files that are refused.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::Rules;
use super::{faults, rules};

/// The faults of a rule with these lines, which is the first of its file and begins in line 1.
fn faults_of(lines: &str) -> Vec<String> {
    faults(&format!("[[rule]]\n{lines}"))
}

/// Without the place, for one fault in the line after `path = "/a/{id}/{*rest}"`.
fn fault_of(line: &str) -> String {
    let found = faults_of(&format!("path = \"/a/{{id}}/{{*rest}}\"\n{line}"));
    let [fault] = &found[..] else { panic!("{line}: {found:?}") };
    fault.strip_prefix("line 3: rule 1: ").unwrap_or_else(|| panic!("{fault}")).to_owned()
}

#[test]
fn the_example_of_the_documentation_is_good() {
    let example: String = include_str!("../mod.rs")
        .lines()
        .skip_while(|line| *line != "//! ```toml")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| format!("{}\n", line.trim_start_matches("//!")))
        .collect();
    assert_eq!(rules(&example).0.len(), 8);
}

#[test]
fn unknown_names_are_faults_with_the_nearest_known_one() {
    for (line, fault) in [
        ("pubic = true", r#"there is no key "pubic"; did you mean "public"?"#),
        ("Scopes = []", r#"there is no key "Scopes"; did you mean "scopes"?"#),
        ("any_scope = []", r#"there is no key "any_scope"; did you mean "any_scopes"?"#),
        (
            "colour = 1",
            r#"there is no key "colour"; known: path, methods, host, tenant, scopes, any_scopes, claims, callers, client_ids, party, actors, acr, max_age, hide, public, challenge_scope, literal"#,
        ),
    ] {
        assert_eq!(fault_of(line), fault);
    }
    assert_eq!(
        faults("\n[[rules]]\npath = \"/\"\npublic = true"),
        [r#"line 2: there is no table "rules"; did you mean "rule"?"#]
    );
    assert_eq!(
        faults("[[rule]]\npath = \"/\"\n[other]\nx = 1"),
        [r#"line 3: there is no table "other"; known: rule"#]
    );
}

#[test]
fn a_file_without_a_rule_is_a_fault() {
    for empty in ["", "\n\n", "# nothing yet\n", "rule = []"] {
        assert_eq!(faults(empty), ["line 1: there is no [[rule]] in the file"], "{empty:?}");
    }
    assert_eq!(
        faults("[rule]\npath = \"/\""),
        ["line 1: each rule begins with [[rule]], in two pairs of brackets"]
    );
    assert_eq!(faults("rule = 7").len(), 1);
    assert_eq!(
        faults("rule = [\"/a\"]"),
        ["line 1: rule 1: a rule is a table, written below [[rule]]"]
    );
}

#[test]
fn types_are_exact() {
    for (line, fault) in [
        ("scopes = \"a\"", r#"scopes must be a list of strings, as in ["a", "b"]"#),
        ("scopes = [\"a\", 7]", "scopes must hold strings alone, in quotes"),
        ("any_scopes = true", r#"any_scopes must be a list of strings, as in ["a", "b"]"#),
        ("methods = \"GET\"", r#"methods must be a list of strings, as in ["a", "b"]"#),
        ("public = \"yes\"", "public must be true or false"),
        ("hide = 1\nscopes = [\"a\"]", "hide must be true or false"),
        ("public = 1", "public must be true or false"),
        ("literal = 0", "literal must be true or false"),
        ("callers = 7", "callers must be a string, in quotes"),
        ("callers = \"people\"", r#"callers must be "users" or "clients" or "any""#),
        ("client_ids = [\"\"]", "client_ids holds an empty string"),
        ("client_ids = \"a\"", r#"client_ids must be a list of strings, as in ["a", "b"]"#),
        ("party = \"ours\"", r#"party must be "first" or "third""#),
        ("actors = [\"\"]", "actors holds an empty string"),
        ("actors = []", "actors must not be empty; leave it out instead"),
        ("callers = \"Users\"", r#"callers must be "users" or "clients" or "any""#),
        ("claims = [\"a=b\"]", r#"claims must be a table, as in { name = "value" }"#),
        (
            "claims = { a = [\"b\"] }",
            r#"claims "a": must be a string, an integer, true or false; a name with a dot is put in quotes"#,
        ),
        (
            "claims = { a.b = \"c\" }",
            r#"claims "a": must be a string, an integer, true or false; a name with a dot is put in quotes"#,
        ),
        (
            "claims = { a = 1.5 }",
            r#"claims "a": must be a string, an integer, true or false; a name with a dot is put in quotes"#,
        ),
        ("claims = { a = \"\" }", r#"claims "a": must not be empty"#),
        ("tenant = {}", "tenant must not be empty; leave it out instead"),
        ("tenant = \"acme\"", r#"tenant must be a table, as in { name = "value" }"#),
        ("tenant = { a = \"{x}\" }", r#"tenant "a": has {x}, which the path has not"#),
        (
            "host = \"api.example\"",
            r#"host "api.example": has no parameter, as in {tenant}.example.com"#,
        ),
        ("host = \"{a}.example\"", "host has the parameter {a}, which nothing asks for"),
        (
            "tenant = { t = \"{b}\" }\nhost = \"{a}.example\"",
            r#"tenant "t": has {b}, which neither path nor host has"#,
        ),
    ] {
        assert_eq!(fault_of(line), fault);
    }
    assert_eq!(faults_of("path = 7"), ["line 2: rule 1: path must be a string, in quotes"]);
}

#[test]
fn empty_lists_are_faults() {
    for key in ["scopes", "any_scopes", "methods", "challenge_scope"] {
        let fault = format!("{key} must not be empty; leave it out instead");
        let found = faults_of(&format!("path = \"/\"\n{key} = []"));
        assert_eq!(found, [format!("line 3: rule 1: {fault}")]);
    }
    assert_eq!(fault_of("claims = {}"), "claims must not be empty; leave it out instead");
    assert_eq!(
        fault_of("challenge_scope = \" \""),
        "challenge_scope must not be empty; leave it out instead"
    );
}

/// Taken as it stands, each of them would leave its route open.
#[test]
fn the_syntax_of_others_is_a_fault_that_says_what_is_meant() {
    let star = |meant: &str| {
        format!(
            "a * stands for itself here; is it {meant:?} that you mean? A real * is written %2A"
        )
    };
    let colon = |meant: &str| {
        format!(
            "a : stands for itself here; is it {meant:?} that you mean? A real : is written %3A"
        )
    };
    let angles = |meant: &str| {
        format!("< stands for itself here; is it {meant:?} that you mean? A real < is written %3C")
    };
    let choice = "( and | stand for themselves here; each choice needs a rule of its own. \
                  A real ( is written %28";
    for (path, problem) in [
        ("/admin/*", star("/admin/{*rest}")),
        ("/*", star("/{*rest}")),
        ("/admin/**", star("/admin/{*rest}")),
        ("/a/*/b", star("/a/{name}/b")),
        ("/a/*.json", star("/a/{name}.json")),
        ("/a/{id}/*", star("/a/{id}/{*rest}")),
        ("/a/:id", colon("/a/{id}")),
        ("/a/:id/b/*", colon("/a/{id}/b/{*rest}")),
        ("/a/:id.json", colon("/a/{id}.json")),
        ("/a/<id>", angles("/a/{id}")),
        ("/a/x-<int:id>/b", angles("/a/x-{id}/b")),
        ("/(a|b)", choice.to_owned()),
        ("/x/v(1|2)/{*rest}", choice.to_owned()),
        (
            "/*/*/x",
            "a * stands for itself here; {name} is one segment, {*rest} the rest. \
             A real * is written %2A"
                .to_owned(),
        ),
        (
            "/:/x",
            "a : stands for itself here; a parameter is {name}. A real : is written %3A".to_owned(),
        ),
    ] {
        let expected = format!("line 2: rule 1: path {path:?}: {problem}");
        assert_eq!(faults_of(&format!("path = '{path}'")), [expected]);
    }
    for good in [
        "/a/%2A",
        "/%3Aid",
        "/%3Cid%3E",
        "/%28a|b)",
        "/a/v1:batch",
        "/Orders(7)",
        "/{a}:b",
        "/a/{*rest}",
    ] {
        assert_eq!(faults_of(&format!("path = '{good}'\npublic = true")), [""; 0], "{good}");
    }
}

#[test]
fn bad_paths_are_faults() {
    for (path, problem) in [
        ("", "The path must begin with a slash"),
        ("a", "The path must begin with a slash"),
        ("{id}", "The path must begin with a slash"),
        ("{*rest}", "The path must begin with a slash"),
        ("*", "The path must begin with a slash"),
        ("/a//b", "The path must not hold two slashes in a row"),
        ("/{a}//", "The path must not hold two slashes in a row"),
        ("/a//{*rest}", "The path must not hold two slashes in a row"),
        ("/a/../b", "The path must not hold the segments . and .."),
        ("/.", "The path must not hold the segments . and .."),
        ("/a/./{*rest}", "The path must not hold the segments . and .."),
        ("/a%2fb", "The path must not hold an encoded slash (%2F)"),
        ("/a%2e", "The path must not hold an encoded dot (%2E)"),
        ("/a;b", "The path must not hold a semicolon, encoded (%3B) or not"),
        ("/%4{id}", "Every % in the path must be followed by two hexadecimal digits"),
        ("/%ff", "The percent-encoded bytes of the path must be UTF-8"),
        ("/a?b=c", "must be a path alone; %3F and %23 stand for ? and #"),
        ("/a#b", "must be a path alone; %3F and %23 stand for ? and #"),
        ("/{a}{b}", "has two parameters in one segment"),
        ("/{a}-{b}", "has two parameters in one segment"),
        ("/{a}/{a}", "has two parameters of the name a"),
        ("/{a}/{*a}", "has two parameters of the name a"),
        ("/x{*rest}", "must have a slash before its {*parameter}"),
        ("/{a}{*rest}", "must have a slash before its {*parameter}"),
        ("/{*rest}/x", "must end with its {*parameter}"),
        ("/{*a}{b}", "must end with its {*parameter}"),
        ("/{", "has a brace without its other; {{ and }} stand for braces"),
        ("/a}", "has a brace without its other; {{ and }} stand for braces"),
        ("/{}", "has the parameter {}, whose name is not made of letters, digits, _ and -"),
        ("/{*}", "has the parameter {*}, whose name is not made of letters, digits, _ and -"),
        ("/{a b}", "has the parameter {a b}, whose name is not made of letters, digits, _ and -"),
    ] {
        assert_eq!(
            faults_of(&format!("path = '{path}'")),
            [format!("line 2: rule 1: path {path:?}: {problem}")]
        );
    }
    assert_eq!(
        faults("\n\n[[rule]]\npublic = true"),
        [r#"line 3: rule 1: path is missing; every path is "/{*rest}""#]
    );
}

#[test]
fn methods_are_checked() {
    assert_eq!(
        fault_of("methods = [\"GET\", \"post\"]"),
        r#"methods holds "post": methods are written in upper case; did you mean "POST"?"#
    );
}

#[test]
fn wild_08_wild_09_scopes_are_checked() {
    for (line, fault) in [
        (
            "scopes = [\"a b\"]",
            r#"scopes holds "a b": character 2 is a space, which no scope element may hold"#,
        ),
        ("scopes = [\"\"]", r#"scopes holds "": a scope element cannot be empty"#),
        (
            "any_scopes = [\"réad*\"]",
            r#"any_scopes holds "réad*": character 2 is outside US-ASCII, which no scope element may hold"#,
        ),
        (
            "scopes = [\"a.{ret}\"]",
            r#"scopes holds "a.{ret}": has {ret}, which the path has not; did you mean {rest}?"#,
        ),
        (
            "scopes = [\"a.{tenant}\"]",
            r#"scopes holds "a.{tenant}": has {tenant}, which the path has not"#,
        ),
        (
            "scopes = [\"a.{rest}\"]",
            r#"scopes holds "a.{rest}": has the rest of the path in it, which is no part of a scope"#,
        ),
        (
            "scopes = [\"a.{*rest}\"]",
            r#"scopes holds "a.{*rest}": has {*rest}; the * is for the path alone"#,
        ),
        (
            "scopes = [\"a.{id\"]",
            r#"scopes holds "a.{id": has a brace without its other; {{ and }} stand for braces"#,
        ),
        ("claims = { t = \"{tenant}\" }", r#"claims "t": has {tenant}, which the path has not"#),
    ] {
        assert_eq!(fault_of(line), fault);
    }
    let long = format!("scopes = [{:?}]", "x".repeat(257));
    assert!(fault_of(&long).ends_with("a scope element of 257 bytes; 256 are allowed"));
    let many: Vec<_> = (0..65).map(|number| format!("\"p{number}*\"")).collect();
    let many = many.join(",");
    assert_eq!(
        fault_of(&format!("any_scopes = [{many}]")),
        "any_scopes is a list of 65 scope patterns; 64 are allowed"
    );
    let literal = format!("[[rule]]\npath='/'\nliteral = true\nany_scopes = [{many}]");
    assert_eq!(faults(&literal), [""; 0]);
}

#[test]
fn wild_11_what_challenges_name_has_to_be_enough() {
    for (lines, problem) in [
        ("challenge_scope = \"a\"", "no pattern of the requirement matches any of these"),
        (
            "scopes = [\"a\"]\nchallenge_scope = \"a\"",
            "no pattern of the requirement matches any of these",
        ),
        (
            "scopes = [\"a*\", \"b*\"]\nchallenge_scope = [\"a1\"]",
            "a token with the advertised scopes would not meet the requirement",
        ),
        (
            "scopes = [\"a*\"]\nchallenge_scope = \"a*\u{e9}\"",
            "element 1: character 3 is outside US-ASCII, which no scope element may hold",
        ),
        (
            "literal = true\nscopes = [\"a*\"]\nchallenge_scope = \"a1\"",
            "no pattern of the requirement matches any of these",
        ),
    ] {
        let found = faults_of(&format!("path = \"/\"\n{lines}"));
        let [fault] = &found[..] else { panic!("{found:?}") };
        assert!(fault.ends_with(&format!("challenge_scope is of no use: {problem}")), "{fault}");
    }
    let unread = "path = \"/\"\nscopes = [\"a *\"]\nchallenge_scope = \"a1\"";
    assert_eq!(faults_of(unread).len(), 1);
    for good in [
        "scopes = [\"a*\", \"b*\"]\nchallenge_scope = [\"a1\", \"b1\"]",
        "scopes = [\"a*\", \"b*\"]\nchallenge_scope = \"a1 b1\"",
        "any_scopes = [\"push.{id}.*\"]\nchallenge_scope = \"push.{id}.send\"",
    ] {
        assert_eq!(faults_of(&format!("path = \"/{{id}}\"\n{good}")), [""; 0]);
    }
}

#[test]
fn public_stands_alone() {
    let found = faults_of(
        "path = \"/\"\npublic = true\nscopes = [\"a\"]\nany_scopes = [\"a\"]\nclaims = { a = \"b\" }\n\
         callers = \"any\"\nacr = \"mfa\"\nmax_age = \"5m\"",
    );
    let keys = ["scopes", "any_scopes", "claims", "callers", "acr", "max_age"];
    assert_eq!(found.len(), keys.len());
    for ((line, key), fault) in (4..).zip(keys).zip(found) {
        let expected = format!(
            "line {line}: rule 1: {key} cannot stand together with public, which lets everybody pass"
        );
        assert_eq!(fault, expected);
    }
    assert_eq!(faults_of("path = \"/\"\npublic = false\nscopes = [\"a\"]"), [""; 0]);
}

#[test]
fn logins_are_words_and_whole_seconds_and_of_people() {
    for (line, fault) in [
        ("acr = []", "acr must not be empty; leave it out instead"),
        ("acr = \"\"", "acr must not be empty; leave it out instead"),
        ("acr = [\"a b\"]", "acr holds \"a b\", which is more than one"),
        (
            "acr = \"a \u{e9}\"",
            "acr holds \"\u{e9}\": value 1: must be printable US-ASCII without \" and \\, 256 bytes at most",
        ),
        ("max_age = 300", "max_age must be a string, in quotes"),
        ("max_age = \"300\"", "max_age must be a whole number with a unit: 500ms, 30s, 10m, 24h"),
        ("max_age = \"1500ms\"", "max_age must be whole seconds"),
    ] {
        assert_eq!(fault_of(line), fault);
    }
    for key in ["acr = \"mfa\"", "max_age = \"5m\""] {
        let found = faults_of(&format!("path = \"/\"\ncallers = \"clients\"\n{key}"));
        let [fault] = &found[..] else { panic!("{found:?}") };
        assert!(
            fault.ends_with("cannot stand together with callers = \"clients\": they have no login")
        );
    }
}

#[test]
fn chal_20_a_rule_hides_from_somebody() {
    let nobody = "hide hides from nobody: the rule asks for nothing that a token could lack";
    for line in ["hide = true", "hide = true\ncallers = \"any\""] {
        assert_eq!(fault_of(line), nobody);
    }
    for good in [
        "hide = false",
        "public = true\nhide = false",
        "hide = true\nscopes = [\"a\"]",
        "hide = true\ncallers = \"users\"",
        "hide = true\ntenant = { t = \"{id}\" }",
    ] {
        assert_eq!(faults_of(&format!("path = \"/{{id}}\"\n{good}")), [""; 0], "{good}");
    }
    assert_eq!(
        faults_of("path = \"/\"\npublic = true\nhide = true"),
        ["line 4: rule 1: hide cannot stand together with public, which hides from nobody"]
    );
    let (open, hidden) = ("[[rule]]\npath = \"/\"\nscopes = [\"a\"]\n", "hide = true\n");
    assert_eq!(faults(&format!("{open}{open}{hidden}")), [""; 0], "one hides, and one does not");
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_lines() {
    let text = "[[rule]]\npath = \"/a/../b\"\nmethods = [\"get\"]\n\n[[rule]]\nscops = [\"a\"]\n\
                path = \"/\"\npublic = \"no\"\n[[ruel]]\n";
    let lines: Vec<usize> = Rules::parse(text).unwrap_err().iter().map(|f| f.line()).collect();
    assert_eq!(lines, [2, 3, 6, 8, 9]);
}

#[test]
fn syntax_errors_have_a_line_too() {
    for (text, line) in [
        ("[[rule]]\npath = /a", 2),
        ("[[rule]]\npath = \"/a\"\n\n[[rule\n", 4),
        ("[[rule]]\n\npath = \"a\"\npath = \"b\"", 4),
    ] {
        let found = Rules::parse(text).unwrap_err();
        assert_eq!(found[0].line(), line, "{found:?}");
        assert!(found[0].to_string().starts_with(&format!("line {line}: no TOML: ")));
    }
}

#[test]
fn identical_rules_are_a_fault() {
    let rule = "[[rule]]\npath = \"/caf%c3%a9\"\nmethods = [\"GET\", \"HEAD\"]\nscopes = [\"a\"]\n";
    let same = "[[rule]]\nmethods = [\"GET\"]\nscopes = [\"a\"]\npath = \"/café\"\n";
    assert_eq!(
        faults(&format!("{rule}{same}")),
        ["line 5: rule 2: is the same as the rule of line 1"]
    );
    assert_eq!(faults(&format!("{rule}{}", same.replace("\"a\"", "\"b\""))), [""; 0]);
}

#[test]
fn sizes_are_bounded() {
    let file = |rules: usize| {
        let rule = |mut text: String, number| {
            let _ = write!(text, "[[rule]]\npath = \"/{number}\"\n");
            text
        };
        (0..rules).fold(String::new(), rule)
    };
    assert_eq!(rules(&file(1000)).0.len(), 1000);
    assert_eq!(faults(&file(1001)), ["line 2001: 1001 rules; 1000 are allowed"]);
    let large = format!("{}{}", file(1), "#".repeat(1 << 20));
    assert_eq!(faults(&large).len(), 1);
    assert!(faults(&large)[0].ends_with("1048576 are allowed"));
}

#[test]
fn sub_tables_and_other_ways_of_toml_are_the_same() {
    let one = rules("[[rule]]\npath = \"/\"\nclaims = { a = \"b\", n = 0x10, t = true }");
    let other = rules("[[rule]]\npath = '/'\n[rule.claims]\na = 'b'\nn = \"16\"\nt = \"true\"\n");
    let third =
        rules("rule = [{ path = \"/\", claims.a = \"b\", claims.n = 16, claims.t = true }]");
    assert!(one.0[0].is_same_as(&other.0[0]) && one.0[0].is_same_as(&third.0[0]));
}

proptest! {
    /// Every fault is one line that begins with its place.
    #[test]
    fn nothing_panics_and_faults_are_lines(
        lines in prop::collection::vec(prop_oneof![
            Just("[[rule]]".to_owned()),
            Just("path = \"/a/{id}\"".to_owned()),
            r#"(path|scopes|claims|methods|public|callers) = .{0,20}"#,
            r#"(path|callers|challenge_scope) = "[a-z/{}*%;.]{0,12}""#,
            r#"(scopes|any_scopes|methods) = \["[a-zA-Z{}*. ]{0,12}"\]"#,
            ".{0,20}",
        ], 0..8)
    ) {
        let text = lines.join("\n");
        if let Err(faults) = Rules::parse(&text) {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                let message = fault.to_string();
                prop_assert!(!message.chars().any(char::is_control), "{message:?}");
                let place = format!("line {}: ", fault.line());
                prop_assert!(message.starts_with(&place));
                prop_assert!(fault.line() <= text.lines().count().max(1) + 1);
            }
        }
    }
}
