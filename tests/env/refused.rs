//! What refuses to start: exact lines, all at once, no value in any of them.

use std::ffi::OsString;

use portcullis::ResourceServerBuilder;
use proptest::prelude::*;

use super::{AUDIENCE, ISSUER, TempFile, lines, server};

#[test]
fn jwt_04_res_04_prm_04_disc_05_chal_06_wild_08_wild_09_each_fault_has_its_line() {
    let unit = "must be a whole number with a unit: 500ms, 30s, 10m, 24h";
    let folder = std::env::temp_dir();
    let folder = folder.to_str().unwrap();
    let named = TempFile::new("snapshot-path", "/nonexistent/portcullis/keys.json\n");
    for (vars, expected) in [
        // PORTCULLIS_ISSUER, DISC-05
        (&[("PORTCULLIS_ISSUER", " ")] as &[(&str, &str)], "ISSUER: holds only white space"),
        (&[("PORTCULLIS_ISSUER", "login.example.com")], "ISSUER: is not an absolute URL"),
        (
            &[("PORTCULLIS_ISSUER", "http://h")],
            "ISSUER: must be https (http is allowed to loopback addresses only)",
        ),
        (&[("PORTCULLIS_ISSUER", "https://h?x")], "ISSUER: must not have a query"),
        (&[("PORTCULLIS_ISSUER", "https://h#x")], "ISSUER: must not have a fragment"),
        (&[("PORTCULLIS_ISSUER", "https://h ftp://h")], "ISSUER: element 2: must be an https URL"),
        (
            &[("PORTCULLIS_ISSUER", "https://g https://h https://h")],
            "ISSUER: element 2: is configured twice",
        ),
        // PORTCULLIS_AUDIENCE, RES-04
        (
            &[("PORTCULLIS_AUDIENCE", "")],
            "AUDIENCE: is required: what tokens for this service name in aud, for example \
             https://api.example.com (or PORTCULLIS_RESOURCE, which takes its place)",
        ),
        (
            &[("PORTCULLIS_AUDIENCE", "api *")],
            "AUDIENCE: an audience must be an exact string; \"*\" and the empty string are not",
        ),
        (
            &[("PORTCULLIS_AUDIENCE", "*"), ("PORTCULLIS_ISSUER", "https://g https://h")],
            "AUDIENCE: an audience must be an exact string; \"*\" and the empty string are not",
        ),
        // PORTCULLIS_JWKS_URI and PORTCULLIS_JWKS
        (
            &[("PORTCULLIS_JWKS_URI", "http://h/jwks")],
            "JWKS_URI: the JWKS URI must be https (http is allowed to loopback addresses only)",
        ),
        (
            &[("PORTCULLIS_JWKS_URI", "https://h/a https://h/b")],
            "JWKS_URI: must be one value without white space",
        ),
        (
            &[
                ("PORTCULLIS_JWKS_URI", "https://h/jwks"),
                ("PORTCULLIS_ISSUER", "https://g https://h"),
            ],
            "JWKS_URI: is for one issuer, and PORTCULLIS_ISSUER has 2",
        ),
        (
            &[
                ("PORTCULLIS_JWKS", server::HS256_KEYS),
                ("PORTCULLIS_ALGORITHMS", "HS256"),
                ("PORTCULLIS_ISSUER", "https://g https://h"),
            ],
            "JWKS: is for one issuer, and PORTCULLIS_ISSUER has 2",
        ),
        (
            &[
                ("PORTCULLIS_JWKS_URI", "https://h/jwks"),
                ("PORTCULLIS_JWKS", server::HS256_KEYS),
                ("PORTCULLIS_ALGORITHMS", "HS256"),
            ],
            "JWKS_URI: cannot be set together with PORTCULLIS_JWKS",
        ),
        (
            &[("PORTCULLIS_JWKS", "[]")],
            "JWKS: the configured key set: not a JWK set, which is a JSON object with an array \"keys\": it does not begin like a JSON object",
        ),
        (
            &[("PORTCULLIS_JWKS", server::HS256_KEYS)],
            "JWKS: the configured key set: no key in the set can be used; \
             key 1: no allowed algorithm fits the key",
        ),
        (
            &[("PORTCULLIS_JWKS", "{}"), ("PORTCULLIS_JWKS_FILE", "/x")],
            "JWKS: cannot be set together with PORTCULLIS_JWKS_FILE",
        ),
        (
            &[("PORTCULLIS_JWKS_FILE", server::HS256_KEYS)],
            "JWKS_FILE: must be the path of a file, and seems to hold the value itself",
        ),
        // PORTCULLIS_ALGORITHMS
        (
            &[("PORTCULLIS_ALGORITHMS", "ES256 RS265")],
            "ALGORITHMS: element 2: not a supported signature algorithm; did you mean RS256?",
        ),
        (
            &[("PORTCULLIS_ALGORITHMS", "none")],
            "ALGORITHMS: element 1: not a supported signature algorithm",
        ),
        (
            &[("PORTCULLIS_ALGORITHMS", "HS256")],
            "ALGORITHMS: HS256, HS384 and HS512 need a static key set: \
             published keys are no secrets",
        ),
        (
            &[("PORTCULLIS_ALGORITHMS", "HS256 ES256"), ("PORTCULLIS_JWKS", server::HS256_KEYS)],
            "ALGORITHMS: HS256, HS384 and HS512 cannot be mixed with public key algorithms",
        ),
        // A misspelt algorithm does not make a key set look bad.
        (
            &[("PORTCULLIS_ALGORITHMS", "HS265"), ("PORTCULLIS_JWKS", server::HS256_KEYS)],
            "ALGORITHMS: element 1: not a supported signature algorithm; did you mean HS256?",
        ),
        // Single values
        (&[("PORTCULLIS_PROFILE", "RFC9068")], "PROFILE: must be compatible or rfc9068"),
        (&[("PORTCULLIS_LEEWAY", "60")], &format!("LEEWAY: {unit}")),
        (&[("PORTCULLIS_LEEWAY", "1.5s")], &format!("LEEWAY: {unit}")),
        (&[("PORTCULLIS_LEEWAY", "301s")], "LEEWAY: the leeway must be within 0 to 300 seconds"),
        (
            &[("PORTCULLIS_LEEWAY", "300001ms"), ("PORTCULLIS_ISSUER", "https://g https://h")],
            "LEEWAY: the leeway must be within 0 to 300 seconds",
        ),
        (&[("PORTCULLIS_JWKS_MAX_STALE", "1d")], &format!("JWKS_MAX_STALE: {unit}")),
        (
            &[("PORTCULLIS_JWKS_MAX_STALE", "18446744073709551615s")],
            "JWKS_MAX_STALE: is too long a time",
        ),
        // PORTCULLIS_JWKS_SNAPSHOT
        (
            &[("PORTCULLIS_JWKS_SNAPSHOT", folder)],
            "JWKS_SNAPSHOT: is a directory; it must be the path of a file",
        ),
        (
            &[("PORTCULLIS_JWKS_SNAPSHOT", "/nonexistent/portcullis/keys.json")],
            "JWKS_SNAPSHOT: must be the path of a file in a directory that exists",
        ),
        (
            &[("PORTCULLIS_JWKS_SNAPSHOT_FILE", named.path())],
            "JWKS_SNAPSHOT_FILE: must be the path of a file in a directory that exists",
        ),
        (
            &[("PORTCULLIS_JWKS_SNAPSHOT", "not-there/")],
            "JWKS_SNAPSHOT: must be the path of a file",
        ),
        (
            &[("PORTCULLIS_JWKS_SNAPSHOT", server::HS256_KEYS)],
            "JWKS_SNAPSHOT: must be the path of a file, and seems to hold the value itself",
        ),
        (&[("PORTCULLIS_TOKEN_CACHE", "10k")], "TOKEN_CACHE: must be a whole number"),
        (&[("PORTCULLIS_TOKEN_CACHE", "99999999999999999999999")], "TOKEN_CACHE: is too large"),
        (&[("PORTCULLIS_REALM", "é")], "REALM: must be one or more printable ASCII characters"),
        // Scopes, CHAL-06, WILD-08, WILD-09
        (
            &[("PORTCULLIS_REQUIRED_SCOPES", "ok a\"b")],
            "REQUIRED_SCOPES: element 2: character 2 is a double quote, \
             which no scope element may hold",
        ),
        (
            &[("PORTCULLIS_ALLOWED_SCOPES", "réad*"), ("PORTCULLIS_ISSUER", "https://g https://h")],
            "ALLOWED_SCOPES: element 1: character 2 is outside US-ASCII, \
             which no scope element may hold",
        ),
        (
            &[("PORTCULLIS_ALLOWED_SCOPES", &"* ".repeat(65))],
            "ALLOWED_SCOPES: a list of 65 scope patterns; 64 are allowed",
        ),
        (
            &[("PORTCULLIS_REQUIRED_SCOPES", &"x".repeat(257))],
            "REQUIRED_SCOPES: element 1: a scope element of 257 bytes; 256 are allowed",
        ),
        (&[("PORTCULLIS_SCOPE_CLAIMS", "\t")], "SCOPE_CLAIMS: holds only white space"),
        // PORTCULLIS_GRANTED_WILDCARDS
        (
            &[("PORTCULLIS_GRANTED_WILDCARDS", "https://as.example/")],
            "GRANTED_WILDCARDS: element 1: is none of the issuers in PORTCULLIS_ISSUER; \
             did you mean element 1 there?",
        ),
        (
            &[("PORTCULLIS_GRANTED_WILDCARDS", "true")],
            "GRANTED_WILDCARDS: element 1: is none of the issuers in PORTCULLIS_ISSUER",
        ),
        (
            &[("PORTCULLIS_GRANTED_WILDCARDS", "on https://as.example")],
            "GRANTED_WILDCARDS: element 1: is none of the issuers in PORTCULLIS_ISSUER",
        ),
        // PORTCULLIS_REQUIRED_CLAIMS and PORTCULLIS_SKIP_AUDIENCE
        (
            &[("PORTCULLIS_REQUIRED_CLAIMS", "acme")],
            "REQUIRED_CLAIMS: element 1: must be name=value",
        ),
        (
            &[("PORTCULLIS_REQUIRED_CLAIMS", "a=1 a=2")],
            "REQUIRED_CLAIMS: element 2: names a claim that is named before",
        ),
        (
            &[("PORTCULLIS_SKIP_AUDIENCE", "dangerously")],
            "REQUIRED_CLAIMS: skipping the audience needs at least one required claim in its place",
        ),
        (
            &[("PORTCULLIS_SKIP_AUDIENCE", "dangerously"), ("PORTCULLIS_REQUIRED_CLAIMS", "a")],
            "REQUIRED_CLAIMS: element 1: must be name=value",
        ),
        (
            &[("PORTCULLIS_SKIP_AUDIENCE", "on"), ("PORTCULLIS_AUDIENCE", "")],
            "SKIP_AUDIENCE: must be dangerously or off",
        ),
        // PORTCULLIS_RESOURCE, PRM-04
        (
            &[("PORTCULLIS_RESOURCE", "http://rs.example")],
            "RESOURCE: must be https (http is allowed to loopback addresses only)",
        ),
        (&[("PORTCULLIS_RESOURCE", "https://rs.example#f")], "RESOURCE: must not have a fragment"),
        (
            &[("PORTCULLIS_RESOURCE", "https://rs.example/é"), ("PORTCULLIS_AUDIENCE", "")],
            "RESOURCE: holds characters that a URL cannot hold",
        ),
        (
            &[("PORTCULLIS_RESOURCE", "a b"), ("PORTCULLIS_AUDIENCE", "")],
            "RESOURCE: must be one value without white space",
        ),
        // PORTCULLIS_ALLOW_HTTP: the address is not at fault as well.
        (
            &[("PORTCULLIS_ALLOW_HTTP", "on"), ("PORTCULLIS_ISSUER", "http://as.example")],
            "ALLOW_HTTP: must be loopback or dangerously",
        ),
        // PORTCULLIS_SCOPES_SUPPORTED, PRM-06; PORTCULLIS_MCP, MCP-12
        (
            &[
                ("PORTCULLIS_SCOPES_SUPPORTED", "a b*"),
                ("PORTCULLIS_RESOURCE", "https://rs.example"),
            ],
            "SCOPES_SUPPORTED: element 2: is a pattern, which no client can ask for",
        ),
        (
            &[("PORTCULLIS_SCOPES_SUPPORTED", "a")],
            "SCOPES_SUPPORTED: needs a resource whose scopes they are",
        ),
        (&[("PORTCULLIS_MCP", "yes")], "MCP: must be on or off"),
        (&[("PORTCULLIS_MCP", "on")], "MCP: needs PORTCULLIS_RESOURCE, the address of the server"),
        (
            &[
                ("PORTCULLIS_MCP", "on"),
                ("PORTCULLIS_RESOURCE", "https://rs.example/mcp"),
                ("PORTCULLIS_GRANTED_WILDCARDS", "on"),
            ],
            "GRANTED_WILDCARDS: cannot grant patterns to clients of an MCP server",
        ),
        // Names
        (&[("PORTCULLIS_SCOPES", "a")], "SCOPES: is no known variable"),
        (
            &[("PORTCULLIS_AUDIENCES", "a")],
            "AUDIENCES: is no known variable; did you mean PORTCULLIS_AUDIENCE?",
        ),
        (
            &[("PORTCULLIS_LEWAY_FILE", "a")],
            "LEWAY_FILE: is no known variable; did you mean PORTCULLIS_LEEWAY_FILE?",
        ),
        (&[("PORTCULLIS_JWKS_FILE_FILE", "a")], "JWKS_FILE_FILE: is no known variable"),
        (&[("PORTCULLIS_PORT", "8080")], "PORT: is no known variable"),
        (&[("PORTCULLIS_", "8080")], ": is no known variable"),
        (&[("PORTCULLIS_A\nB", "8080")], "A\\nB: is no known variable"),
    ] {
        assert_eq!(lines(vars), [format!("PORTCULLIS_{expected}")], "{vars:?}");
    }
}

#[test]
fn all_faults_are_reported_at_once_in_the_order_of_the_table() {
    let missing = "/nonexistent/portcullis";
    let vars = [
        ("PORTCULLIS_TOKEN_CACHE", "-1"),
        ("PORTCULLIS_JWKS_SNAPSHOT", "/nonexistent/portcullis/keys.json"),
        ("PORTCULLIS_ALLOW_HTTP", "yes"),
        ("PORTCULLIS_SKIP_AUDIENCE", "yes"),
        ("PORTCULLIS_RESOURCE", "http://rs.example"),
        ("PORTCULLIS_REALM", "é"),
        ("PORTCULLIS_REQUIRED_CLAIMS", "x"),
        ("PORTCULLIS_GRANTED_WILDCARDS", "x"),
        ("PORTCULLIS_ALLOWED_SCOPES", "é \""),
        ("PORTCULLIS_LEEWAY", "10m"),
        ("PORTCULLIS_PROFILE_FILE", missing),
        ("PORTCULLIS_JWKS_FILE", missing),
        ("PORTCULLIS_ISSUER", "https://a.example ftp://b.example https://c.example?"),
        ("PORTCULLIS_ISUER", "x"),
        ("PORTCULLIS_AUDIENCE", "*"),
        ("PORTCULLIS_ZZZ", "x"),
    ];
    let os = std::fs::read(missing).unwrap_err();
    let error = ResourceServerBuilder::from_vars(vars).unwrap_err();
    let expected = format!(
        "PORTCULLIS_ISUER: is no known variable; did you mean PORTCULLIS_ISSUER?
PORTCULLIS_ZZZ: is no known variable
PORTCULLIS_AUDIENCE: an audience must be an exact string; \"*\" and the empty string are not
PORTCULLIS_JWKS_FILE: is for one issuer, and PORTCULLIS_ISSUER has 3
PORTCULLIS_JWKS_FILE: {missing}: {os}
PORTCULLIS_PROFILE_FILE: cannot read \"{missing}\": {os}
PORTCULLIS_LEEWAY: the leeway must be within 0 to 300 seconds
PORTCULLIS_ALLOWED_SCOPES: element 1: character 1 is outside US-ASCII, which no scope element may hold
PORTCULLIS_ALLOWED_SCOPES: element 2: character 1 is a double quote, which no scope element may hold
PORTCULLIS_GRANTED_WILDCARDS: element 1: is none of the issuers in PORTCULLIS_ISSUER
PORTCULLIS_REQUIRED_CLAIMS: element 1: must be name=value
PORTCULLIS_REALM: must be one or more printable ASCII characters
PORTCULLIS_RESOURCE: must be https (http is allowed to loopback addresses only)
PORTCULLIS_SKIP_AUDIENCE: must be dangerously or off
PORTCULLIS_ALLOW_HTTP: must be loopback or dangerously
PORTCULLIS_JWKS_SNAPSHOT: must be the path of a file in a directory that exists
PORTCULLIS_TOKEN_CACHE: must be a whole number"
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.faults().len(), 17);
    assert!(error.faults().iter().all(|fault| fault.setting().starts_with("PORTCULLIS_")));
}

#[test]
fn nothing_at_all_names_what_is_required() {
    let error = ResourceServerBuilder::from_vars([("PORTCULLIS_LOG", "info")]).unwrap_err();
    let expected = "PORTCULLIS_ISSUER: is required: the authorization server's name for itself, for \
                    example https://login.example.com\n\
                    PORTCULLIS_AUDIENCE: is required: what tokens for this service name in aud, \
                    for example https://api.example.com (or PORTCULLIS_RESOURCE, which takes its place)";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_fault_in_a_file_is_named_by_the_variable_that_names_the_file() {
    let text = TempFile::new("leeway", "30\n");
    let binary = TempFile::new("binary", b"\xFF");
    let large = TempFile::new("large", vec![b'x'; 1024 * 1024 + 1]);
    let keys = TempFile::new("no-keys", "{}");
    for (vars, expected) in [
        (
            ("PORTCULLIS_LEEWAY_FILE", text.path()),
            "LEEWAY_FILE: must be a whole number with a unit: 500ms, 30s, 10m, 24h".to_owned(),
        ),
        (
            ("PORTCULLIS_REALM_FILE", binary.path()),
            format!("REALM_FILE: {:?} is not UTF-8", binary.path()),
        ),
        (
            ("PORTCULLIS_REALM_FILE", large.path()),
            format!("REALM_FILE: {:?} is larger than 1048576 bytes", large.path()),
        ),
        (
            ("PORTCULLIS_JWKS_FILE", keys.path()),
            format!(
                "JWKS_FILE: {}: not a JWK set, which is a JSON object with an array \"keys\": a member that is needed is missing, there twice, or of another type",
                keys.path()
            ),
        ),
    ] {
        assert_eq!(lines(&[vars]), [format!("PORTCULLIS_{expected}")]);
    }
}

#[cfg(unix)]
#[test]
fn values_that_are_not_utf_8_are_refused() {
    use std::os::unix::ffi::OsStringExt;

    let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let vars = [
        (bytes(ISSUER.0.as_bytes()), bytes(b"https://\xFF")),
        (bytes(b"PORTCULLIS_JWKS_FILE"), bytes(b"/\xFF")),
        (bytes(b"PORTCULLIS_MODE"), bytes(b"\xFF")),
        (bytes(b"PORTCULLIS_PORT"), bytes(b"tcp://\xFF")),
        (bytes(b"PORTCULLIS_\xFF"), bytes(b"x")),
        (bytes(b"\xFF"), bytes(b"\xFF")),
        (bytes(AUDIENCE.0.as_bytes()), bytes(b"api")),
    ];
    let error = ResourceServerBuilder::from_vars(vars).unwrap_err();
    assert_eq!(
        error.to_string(),
        "PORTCULLIS_PORT: is no known variable\n\
         PORTCULLIS_\u{FFFD}: is no known variable\n\
         PORTCULLIS_ISSUER: is not UTF-8\n\
         PORTCULLIS_JWKS_FILE: is not UTF-8"
    );
}

/// A value that would be seen, put where it does not belong, in every variable.
#[test]
fn no_value_is_ever_shown() {
    const SECRET: &str = "hunter2";
    let json = format!("{{\"keys\":[{{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"{SECRET}\"}}]}}");
    let url = format!("https://user:{SECRET}@h/");
    let pair = format!("{SECRET}={SECRET}");
    for name in NAMES {
        for value in [SECRET, &json, &url, &pair, &format!("\"{SECRET}"), &format!("é{SECRET}")] {
            let name = format!("PORTCULLIS_{name}");
            for name in [name.clone(), format!("{name}S")] {
                let result = super::with(&[(&name, value)]);
                let shown = match &result {
                    Ok(builder) => format!("{builder:?}"),
                    Err(error) => format!("{error} {error:?}"),
                };
                assert!(!shown.contains(SECRET), "{name}: {shown}");
                if let Ok(Err(error)) = result.map(ResourceServerBuilder::build) {
                    panic!("{name}: build() found {error}");
                }
            }
        }
    }
}

#[test]
fn a_key_set_of_secrets_is_not_shown_by_debug() {
    let issuer = portcullis::Issuer::with_jwks("https://h", server::HS256_KEYS);
    let shown = format!("{issuer:?} {:?}", issuer.clone().dangerous());
    assert!(!shown.contains("keys\\\":") && !shown.contains("AAECAwQF"), "{shown}");
}

const NAMES: [&str; 27] = [
    "ISSUER",
    "AUDIENCE",
    "JWKS_URI",
    "JWKS",
    "ALGORITHMS",
    "PROFILE",
    "LEEWAY",
    "REQUIRED_SCOPES",
    "ALLOWED_SCOPES",
    "GRANTED_WILDCARDS",
    "SCOPE_CLAIMS",
    "REQUIRED_CLAIMS",
    "REALM",
    "RESOURCE",
    "SKIP_AUDIENCE",
    "ALLOW_HTTP",
    "JWKS_MAX_STALE",
    "JWKS_SNAPSHOT",
    "TOKEN_CACHE",
    "INTROSPECTION_URI",
    "INTROSPECTION_AUTH",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "TOKEN_URI",
    "INTROSPECTED_TOKENS",
    "INTROSPECTION_ANSWERS",
    "INTROSPECTION_AUDIENCE",
];

fn name() -> impl Strategy<Value = String> {
    let form = prop_oneof![4 => Just(""), 1 => Just("_FILE"), 1 => "[A-Z_]{1,3}".prop_map(|_| "S")];
    let known = (proptest::sample::select(&NAMES[..]), form)
        .prop_map(|(name, form)| format!("PORTCULLIS_{name}{form}"));
    prop_oneof![8 => known, 1 => "PORTCULLIS_[A-Z_]{0,24}", 1 => "PORTCULLIS_\\PC{0,8}"]
}

fn value() -> impl Strategy<Value = String> {
    let good = [
        "https://a.example",
        "https://a.example https://b.example",
        "http://127.0.0.1:9",
        "on",
        "off",
        "dangerously",
        "loopback",
        "rfc9068",
        "30s",
        "10h",
        "7",
        "a=b",
        "a.* b",
        "*",
        "HS256",
        "HS256 ES256",
        "ES256",
        server::HS256_KEYS,
        "{\"keys\":[]}",
        "tcp://10.0.0.1:80",
        " ",
        "",
    ];
    prop_oneof![4 => proptest::sample::select(good.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,40}"]
}

proptest! {
    /// And whatever is wrong is named by a variable that is set or should be.
    #[test]
    fn no_set_of_variables_panics(vars in proptest::collection::vec((name(), value()), 0..12)) {
        match ResourceServerBuilder::from_vars(vars.clone()) {
            Ok(builder) => {
                prop_assert!(vars.iter().any(|(name, _)| name.starts_with("PORTCULLIS_ISSUER")));
                drop(builder);
            }
            Err(error) => {
                prop_assert!(!error.faults().is_empty());
                let lines = error.to_string();
                prop_assert_eq!(lines.lines().count(), error.faults().len());
                for fault in error.faults() {
                    prop_assert!(fault.setting().starts_with("PORTCULLIS_"), "{}", fault);
                    prop_assert!(!fault.problem().contains("stand-in"), "{}", fault);
                }
            }
        }
    }
}

#[cfg(not(feature = "introspection"))]
#[test]
fn the_preset_of_mobilefirst_needs_introspection() {
    let needs = "needs a build with the feature introspection";
    let told = lines(&[("PORTCULLIS_PRESET", "mobilefirst"), ("PORTCULLIS_CLIENT_ID", "rs")]);
    let expected = [
        format!("PORTCULLIS_PRESET: mobilefirst {needs}"),
        format!("PORTCULLIS_CLIENT_ID: {needs}"),
    ];
    assert_eq!(told, expected);
}
