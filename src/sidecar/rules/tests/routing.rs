//! Which rule counts.

use std::sync::LazyLock;

use http::Method;
use proptest::prelude::*;

use super::super::routes::Access;
use super::super::{Routes, Rules};
use super::rules;
use crate::resource_server::ResourceServer;
use crate::sidecar::path::canonical;
use crate::testing::Authority;

static SERVER: LazyLock<ResourceServer> =
    LazyLock::new(|| Authority::new().resource_server().build().unwrap());

fn routes(text: &str) -> Routes {
    rules(text).compile(&SERVER)
}

/// Rules that are told apart by their scopes, each with this path and these methods.
fn routes_of(lines: &[impl AsRef<str>]) -> Routes {
    let rule = |(number, lines): (usize, &_)| {
        let lines: &str = AsRef::as_ref(lines);
        format!("[[rule]]\n{lines}\nscopes = [\"s{number}\"]\n")
    };
    routes(&lines.iter().enumerate().map(rule).collect::<String>())
}

fn rule(routes: &Routes, method: &str, path: &str) -> Option<usize> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    routes.route(&method, &canonical(path).unwrap(), "").rule
}

/// Whether a path of the file covers the path of a request.
fn covers(path: &str, request: &str) -> bool {
    rule(&routes_of(&[format!("path = '{path}'")]), "GET", request).is_some()
}

#[test]
fn paths_are_matched_as_matchit_does() {
    for (path, good, bad) in [
        ("/", &["/"][..], &["/a"][..]),
        ("/a", &["/a", "/%61"], &["/a/", "/A", "/", "/ab", "/a/b"]),
        ("/a/", &["/a/"], &["/a", "/a/b"]),
        ("/{x}", &["/a", "/a%20b", "/%7Bx%7D", "/..."], &["/", "/a/", "/a/b"]),
        ("/{x}/", &["/a/"], &["/a", "/"]),
        ("/a/{x}/b", &["/a/7/b"], &["/a/b", "/a/7/c", "/a/7/8/b", "/a/7/b/"]),
        ("/{x}.json", &["/a.json", "/a.json.json"], &["/.json", "/a.jso", "/a.json/"]),
        ("/v{x}-b", &["/v1-b", "/v-b-b"], &["/v-b", "/1-b", "/v1"]),
        ("/{x}:cancel", &["/7:cancel", "/7%3Acancel"], &["/7:close", "/:cancel"]),
        ("/{*r}", &["/", "/a", "/a/b/", "/a/b"], &[]),
        ("/admin/{*r}", &["/admin/", "/admin/a", "/admin/a/b"], &["/admin", "/admina", "/Admin/a"]),
        ("/t/{x}/{*r}", &["/t/7/", "/t/7/a/b"], &["/t/7", "/t/", "/t"]),
        ("/{{x}}", &["/%7Bx%7D", "/{x}"], &["/x"]),
        ("/a{{{x}}}b", &["/a%7B7%7Db"], &["/a7b", "/a%7B%7Db"]),
    ] {
        for request in good {
            assert!(covers(path, request), "{path} {request}");
        }
        for request in bad {
            assert!(!covers(path, request), "{path} {request}");
        }
    }
}

#[test]
fn any_spelling_of_a_path_will_do() {
    for path in ["/caf%c3%a9", "/caf%C3%A9", "/café", "/%63afé"] {
        for request in ["/caf%c3%a9", "/caf%C3%A9", "/café", "/%63af%c3%A9"] {
            assert!(covers(path, request), "{path} {request}");
        }
    }
    // What servers decode before they route cannot be hidden by an escape.
    for (path, request) in [
        ("/a:b", "/a%3Ab"),
        ("/a%3ab", "/a:b"),
        ("/a@b", "/a%40b"),
        ("/a b", "/a%20b"),
        ("/a+b", "/a%2bb"),
        ("/100%25", "/100%25"),
    ] {
        assert!(covers(path, request), "{path} {request}");
    }
    assert!(!covers("/a+b", "/a%20b"));
}

#[test]
fn a_literal_never_ends_inside_an_escape() {
    // é is %C3%A9.
    assert!(!covers("/{x}9", "/caf%C3%A9"));
    assert!(!covers("/{x}A9", "/caf%C3%A9"));
    assert!(covers("/{x}é", "/caf%C3%A9"));
}

#[test]
fn the_first_rule_that_covers_method_and_path_counts() {
    let routes = routes_of(&[
        "path = \"/orders/new\"\nmethods = [\"POST\"]",
        "path = \"/orders/{id}\"\nmethods = [\"GET\"]",
        "path = \"/orders/{*rest}\"",
        "path = \"/orders/7\"",
    ]);
    for (method, path, number) in [
        ("POST", "/orders/new", Some(1)),
        ("GET", "/orders/new", Some(2)),
        ("HEAD", "/orders/new", Some(2)),
        ("GET", "/orders/7", Some(2)),
        ("DELETE", "/orders/7", Some(3)),
        ("get", "/orders/7", Some(3)),
        ("GET", "/orders/", Some(3)),
        ("GET", "/orders", None),
        ("POST", "/Orders/new", None),
    ] {
        assert_eq!(rule(&routes, method, path), number, "{method} {path}");
    }
}

#[test]
fn without_a_file_there_are_no_routes() {
    let none = Rules::none().compile(&SERVER);
    assert!(!none.exist());
    let route = none.route(&Method::GET, "//not%/canonical;", "");
    assert!(route.rule.is_none() && matches!(route.access, Access::Gate(_)));
    assert!(routes_of(&["path = \"/\""]).exist());
}

#[test]
fn gates_are_made_once_unless_the_path_is_part_of_them() {
    let routes = routes(
        "[[rule]]\npath = \"/a/{id}\"\nscopes = [\"a\"]\n[[rule]]\npath = \"/b/{id}\"\n\
         scopes = [\"b.{id}\"]\n[[rule]]\npath = \"/c/{id}\"\npublic = true\n",
    );
    let access = |path| routes.route(&Method::GET, path, "").access;
    assert!(matches!(access("/a/7"), Access::Gate(_)) && access("/a/7").gate().is_some());
    assert!(matches!(access("/b/7"), Access::Made(_)) && access("/b/7").gate().is_some());
    assert!(matches!(access("/c/7"), Access::Public) && access("/c/7").gate().is_none());
}

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Parameter(String, String),
}

#[derive(Debug, Clone)]
struct RulePath {
    parts: Vec<Part>,
    is_open: bool,
    methods: &'static str,
}

impl RulePath {
    /// In the syntax of the file. Parameters are numbered.
    fn text(&self) -> String {
        let part = |(number, part): (usize, &Part)| match part {
            Part::Literal(text) => format!("/{}", text.replace('{', "{{").replace('}', "}}")),
            Part::Parameter(before, after) => format!("/{before}{{p{number}}}{after}"),
        };
        let parts: String = self.parts.iter().enumerate().map(part).collect();
        if self.is_open { parts + "/{*rest}" } else { parts }
    }

    fn lines(&self) -> String {
        format!("path = '{}'\n{}", self.text(), self.methods)
    }

    /// The simplest thing that could be right.
    fn covers(&self, method: &str, segments: &[String]) -> bool {
        let part = |(part, segment): (&Part, &String)| match part {
            Part::Literal(text) => text == segment,
            Part::Parameter(before, after) => {
                segment.len() > before.len() + after.len()
                    && segment.starts_with(before.as_str())
                    && segment.ends_with(after.as_str())
            }
        };
        let enough = if self.is_open {
            segments.len() > self.parts.len()
        } else {
            segments.len() == self.parts.len()
        };
        let method = match self.methods {
            "" => true,
            get if get.contains("GET") => method == "GET" || method == "HEAD",
            other => other.contains(method),
        };
        method && enough && self.parts.iter().zip(segments).all(part)
    }

    /// As axum would, but for the rest, which may be empty here.
    fn is_matched_by_matchit(&self, path: &str) -> bool {
        let mut router = matchit::Router::new();
        router.insert(self.text(), ()).unwrap();
        if self.is_open {
            router.insert(self.text().replace("{*rest}", ""), ()).unwrap();
        }
        router.at(path).is_ok()
    }
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(&["a", "b", "ab", "é", "a.b", "{", "}", "a:b", "9", "%", "A9"][..])
        .prop_map(str::to_owned)
}

fn end() -> impl Strategy<Value = String> {
    prop::sample::select(&["", "", "a", "b", ".b", ":b", "9", "é"][..]).prop_map(str::to_owned)
}

fn rule_path() -> impl Strategy<Value = RulePath> {
    let part = prop_oneof![
        word().prop_map(|word| Part::Literal(word.replace('%', "%25"))),
        (end().prop_map(|end| end.replace(':', "-")), end())
            .prop_map(|(before, after)| Part::Parameter(before, after)),
    ];
    const METHODS: [&str; 4] = ["", "", "methods = [\"GET\"]", "methods = [\"POST\", \"PUT\"]"];
    (prop::collection::vec(part, 0..4), any::<bool>(), prop::sample::select(&METHODS[..])).prop_map(
        |(parts, is_open, methods)| {
            let is_open = is_open || parts.is_empty();
            RulePath { parts, is_open, methods }
        },
    )
}

/// Segments, the last one perhaps empty, and which characters are spelt as escapes.
fn request() -> impl Strategy<Value = (Vec<String>, Vec<bool>)> {
    let segment = prop::collection::vec(word(), 1..3).prop_map(|words| words.concat());
    let segments =
        (prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(mut segments, slash)| {
            if slash || segments.is_empty() {
                segments.push(String::new());
            }
            segments
        });
    (segments, prop::collection::vec(any::<bool>(), 8))
}

fn spell(segments: &[String], escapes: &[bool]) -> String {
    let mut escapes = escapes.iter().cycle();
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        for character in segment.chars() {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).bytes();
            if character == '%' || (*escapes.next().unwrap() && character != '.') {
                path.extend(bytes.map(|byte| format!("%{byte:02x}")));
            } else {
                path.push(character);
            }
        }
    }
    path
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn the_simplest_reading_of_the_rules_agrees(
        paths in prop::collection::vec(rule_path(), 1..6),
        method in prop::sample::select(&["GET", "HEAD", "POST", "DELETE"][..]),
        (segments, escapes) in request(),
    ) {
        let spelt = spell(&segments, &escapes);
        // `%` and two digits that were not meant to be an escape.
        let Ok(path) = canonical(&spelt) else { return Ok(()) };
        let lines: Vec<_> = paths.iter().map(RulePath::lines).collect();
        let route = routes_of(&lines);
        let method_ = Method::from_bytes(method.as_bytes()).unwrap();
        let undone = |part: &Part| match part {
            Part::Literal(text) => Part::Literal(text.replace("%25", "%")),
            other => other.clone(),
        };
        let meant: Vec<_> = paths
            .iter()
            .map(|path| RulePath { parts: path.parts.iter().map(undone).collect(), ..path.clone() })
            .collect();
        let expected = meant.iter().position(|path| path.covers(method, &segments)).map(|at| at + 1);
        prop_assert_eq!(route.route(&method_, &path, "").rule, expected, "{} {:?}", spelt, lines);
        let decoded: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        for path in meant {
            let get = RulePath { methods: "", ..path };
            prop_assert_eq!(get.is_matched_by_matchit(&decoded), get.covers("GET", &segments));
        }
    }
}
