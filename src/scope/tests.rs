//! Elements, lists, grants, ceilings and hierarchies. Matching itself: `wildcard/tests.rs`.

use std::sync::Arc;

use super::granted::TooMuchScope;
use super::*;

fn rules(wildcards: Wildcards, ceiling: Option<&str>) -> Arc<GrantRules> {
    let ceiling = ceiling.map(|text| Ceiling::from_config(text).unwrap());
    Arc::new(GrantRules { wildcards, ceiling, hierarchy: Hierarchy::default() })
}

fn granted(text: &str) -> GrantedScopes {
    GrantedScopes::from_text(text, &Arc::default()).unwrap()
}

fn elements(granted: &GrantedScopes) -> Vec<&str> {
    granted.iter().collect()
}

fn element(text: &str) -> Scope {
    Scope::new(text).unwrap()
}

fn pattern(text: &str) -> ScopePattern {
    ScopePattern::new(text).unwrap()
}

#[test]
fn scope_01_the_alphabet_is_that_of_rfc_6749() {
    for byte in 0..=0xFF_u8 {
        let text = char::from(byte).to_string();
        let legal = matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        assert_eq!(Scope::new(&text).is_ok(), legal, "{byte:#x}");
        assert_eq!(ScopePattern::new(&text).is_ok(), legal, "{byte:#x}");
        assert_eq!(elements(&granted(&text)) == [text.as_str()], legal, "{byte:#x}");
    }
}

#[test]
fn scope_01_elements_are_told_apart_by_case() {
    assert!(granted("read").grants(&element("read")));
    assert!(!granted("READ").grants(&element("read")));
}

#[test]
fn faults_name_the_place_and_the_kind_of_character() {
    let fault = |text: &str| Scope::new(text).unwrap_err().to_string();
    assert_eq!(fault(""), "a scope element cannot be empty");
    assert_eq!(fault("a b"), "character 2 is a space, which no scope element may hold");
    assert_eq!(fault("a\"b"), "character 2 is a double quote, which no scope element may hold");
    assert_eq!(fault("\\"), "character 1 is a backslash, which no scope element may hold");
    assert_eq!(
        fault("ab\t"),
        "character 3 is a control character, which no scope element may hold"
    );
    assert_eq!(fault("réad"), "character 2 is outside US-ASCII, which no scope element may hold");
}

#[test]
fn wild_08_elements_and_patterns_have_at_most_256_bytes() {
    assert!(Scope::new(&"x".repeat(256)).is_ok());
    assert!(ScopePattern::new(&"*".repeat(256)).is_ok());
    let fault = ScopePattern::new(&"*".repeat(257)).unwrap_err();
    assert_eq!(fault.to_string(), "a scope element of 257 bytes; 256 are allowed");
    assert_eq!(Scope::new(&"x".repeat(257)).unwrap_err(), fault);
}

#[test]
fn wild_09_patterns_have_scope_characters_only() {
    assert!(ScopePattern::new("réad*").is_err());
    assert!("re ad*".parse::<ScopePattern>().is_err());
    assert_eq!("read.*".parse::<ScopePattern>().unwrap().to_string(), "read.*");
    assert_eq!("read".parse::<Scope>().unwrap().to_string(), "read");
}

#[test]
fn wild_05_configured_lists_are_split_at_ascii_white_space() {
    let split = |text| split_config_list(text).collect::<Vec<&str>>();
    assert_eq!(split(" a*  b\twrite\r\nc\n"), ["a*", "b", "write", "c"]);
    assert_eq!(split("a\u{a0}b a\x0bb a\x0cb"), ["a\u{a0}b", "a\x0bb", "a\x0cb"]);
    assert_eq!(split(" \t "), [""; 0]);
}

#[test]
fn lists_report_every_fault_by_its_element() {
    let faults = Ceiling::from_config("ok réad* b\"d").unwrap_err();
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "element 2: character 2 is outside US-ASCII, which no scope element may hold",
            "element 3: character 2 is a double quote, which no scope element may hold",
        ]
    );
}

#[test]
fn wild_08_a_ceiling_has_at_most_64_patterns() {
    assert!(Ceiling::from_list(["a*"; 64]).is_ok());
    let faults = Ceiling::from_list(["a*"; 65]).unwrap_err();
    assert_eq!(faults[0].to_string(), "a list of 65 scope patterns; 64 are allowed");
}

#[test]
fn wild_04_ceiling_vectors_l01_to_l07() {
    for (row, allowed, required, covered) in [
        ("L01", "*", "", true),
        ("L02", "", "", true),
        ("L03", "", "read", false),
        ("L04", "send* read", "sendMessage read", true),
        ("L05", "send*", "sendMessage read", false),
        ("L06", "messages.write push.application.*", "push.application.x messages.write", true),
        ("L07", "a*  b\twrite", "b write", true),
    ] {
        let token =
            GrantedScopes::from_text(required, &rules(Wildcards::Off, Some(allowed))).unwrap();
        let each_granted = split_config_list(required).all(|r| token.grants(&element(r)));
        let each_possible = split_config_list(required).all(|r| token.could_grant(&element(r)));
        assert_eq!((each_granted, each_possible), (covered, covered), "{row}");
    }
}

/// SPEC.md §25.3: number, granted, required, by overlap, by cover.
const BOTH_SIDED: [(&str, &str, &str, bool, bool); 14] = [
    ("B01", "push.*", "push.application.*", true, true),
    ("B02", "push.application.*", "push.*", true, false),
    ("B03", "*.admin", "tenantA.*", true, false),
    ("B04", "read.*", "write.*", false, false),
    ("B05", "*", "*", true, true),
    ("B06", "a*b", "a*b", true, true),
    ("B07", "a*", "*b", true, false),
    ("B08", "ab*", "a*", true, false),
    ("B09", "a*c", "ab*", true, false),
    ("B10", "*x", "*y", false, false),
    ("B11", "ax*", "ay*", false, false),
    ("B12", "*", "*.admin", true, true),
    ("B13", "read", "r*", true, false),
    ("B14", "r*", "read", true, true),
];

#[test]
fn both_sided_vectors_b01_to_b14() {
    for (row, grant, required, overlap, cover) in BOTH_SIDED {
        assert_eq!(pattern(grant).overlaps(&pattern(required)), overlap, "{row}: overlaps");
        assert_eq!(pattern(required).overlaps(&pattern(grant)), overlap, "{row}: symmetric");
        assert_eq!(pattern(grant).covers(&pattern(required)), cover, "{row}: covers");
        for (wildcards, expected) in [(Wildcards::Overlap, overlap), (Wildcards::Cover, cover)] {
            // A ceiling that allows everything changes nothing.
            for ceiling in [None, Some("*")] {
                let token = GrantedScopes::from_text(grant, &rules(wildcards, ceiling)).unwrap();
                let granted = token.grants_any(&pattern(required));
                assert_eq!(granted, expected, "{row}: {wildcards:?}, ceiling {ceiling:?}");
            }
        }
    }
}

#[test]
fn wild_06_stars_in_tokens_are_characters_unless_declared() {
    let token = granted("files:* *");
    assert!(!token.grants(&element("files:read")));
    assert!(token.grants(&element("files:*")));
    assert!(token.grants_any(&pattern("files:*")));
    assert!(!token.grants_any(&pattern("*:read")));
    for wildcards in [Wildcards::Overlap, Wildcards::Cover] {
        let token = GrantedScopes::from_text("files:*", &rules(wildcards, None)).unwrap();
        assert!(token.grants(&element("files:read")), "{wildcards:?}");
    }
}

#[test]
fn a_granted_pattern_over_256_bytes_is_a_literal() {
    let long = "*".repeat(257);
    let token = GrantedScopes::from_text(&long, &rules(Wildcards::Overlap, None)).unwrap();
    assert!(!token.grants(&element("read")));
    assert!(!token.grants_any(&pattern("read.*")));
    assert!(token.grants_any(&pattern("**")));
    let longest = "*".repeat(256);
    let token = GrantedScopes::from_text(&longest, &rules(Wildcards::Overlap, None)).unwrap();
    assert!(token.grants(&element("read")));
}

#[test]
fn a_ceiling_needs_an_element_in_common_with_grant_and_requirement() {
    for (wildcards, allowed, grant, required, satisfied, possible) in [
        // The grant reaches into the ceiling, and so does the requirement, but not together.
        (Wildcards::Off, "push.send", "push.delete", "push.*", false, true),
        (Wildcards::Off, "push.*", "push.delete", "push.*", true, true),
        (Wildcards::Overlap, "push.send", "push.*", "push.*", true, true),
        (Wildcards::Overlap, "a*", "*x", "*y", false, true),
        (Wildcards::Overlap, "a*", "*x", "ab*", true, true),
        (Wildcards::Overlap, "a*", "*x", "b*", false, false),
        (Wildcards::Overlap, "a*x b*y", "*y", "a*", false, true),
        (Wildcards::Overlap, "a*", "axe", "*e", true, true),
        (Wildcards::Overlap, "b*", "axe", "*e", false, true),
        (Wildcards::Overlap, "", "*", "*", false, false),
        // What is asked for as a whole has to be allowed as a whole.
        (Wildcards::Cover, "push.*", "*", "push.send.*", true, true),
        (Wildcards::Cover, "push.send", "*", "push.*", false, false),
        (Wildcards::Cover, "push.*", "read", "push.*", false, true),
    ] {
        let token = GrantedScopes::from_text(grant, &rules(wildcards, Some(allowed))).unwrap();
        let required = pattern(required);
        let row = format!("{wildcards:?}, allowed {allowed}, granted {grant}, {required}");
        assert_eq!(token.grants_any(&required), satisfied, "{row}: satisfied");
        assert_eq!(token.could_grant_any(&required), possible, "{row}: possible");
    }
}

#[test]
fn scope_03_tokens_are_split_at_spaces_only() {
    assert_eq!(elements(&granted("  read  write ")), ["read", "write"]);
    for text in ["x\u{a0}read", "x\tread", "x\nread", "x\u{2003}read", "x\u{85}read"] {
        assert_eq!(elements(&granted(text)), [""; 0], "{text:?}");
    }
}

#[test]
fn scope_04_elements_with_foreign_characters_grant_nothing() {
    assert_eq!(elements(&granted("réad read")), ["read"]);
    assert_eq!(elements(&granted("r\"ead r\\ead \x7f")), [""; 0]);
}

#[test]
fn scope_05_no_scope_is_the_empty_set() {
    for token in [GrantedScopes::default(), granted(""), granted("   ")] {
        assert_eq!(elements(&token), [""; 0]);
        assert!(!token.grants_any(&pattern("*")));
    }
}

#[test]
fn scope_07_items_of_an_array_are_single_elements() {
    let items = ["read", "a b", "", "read write", "x"];
    let token = GrantedScopes::from_items(items, &Arc::default()).unwrap();
    assert_eq!(elements(&token), ["read", "x"]);
}

#[test]
fn wild_08_a_token_has_at_most_8192_bytes_and_256_elements_of_scope() {
    let rules = Arc::default();
    let text =
        |text: &str| GrantedScopes::from_text(text, &rules).map(|token| token.iter().count());
    assert_eq!(text(&"x ".repeat(256)), Ok(256));
    assert_eq!(text(&"x ".repeat(257)), Err(TooMuchScope));
    assert_eq!(text(&["x"; 256].join(" ")), Ok(256));
    assert_eq!(text(&["x"; 257].join(" ")), Err(TooMuchScope));
    assert_eq!(text(&"é ".repeat(257)), Err(TooMuchScope), "dropped elements count");
    assert_eq!(text(&"x".repeat(8192)), Ok(1));
    assert_eq!(text(&"x".repeat(8193)), Err(TooMuchScope));
    assert_eq!(text(&" ".repeat(8193)), Err(TooMuchScope), "spaces count");

    let items = |items: &[&str]| {
        GrantedScopes::from_items(items.iter().copied(), &rules).map(|token| token.iter().count())
    };
    assert_eq!(items(&["x"; 256]), Ok(256));
    assert_eq!(items(&["x"; 257]), Err(TooMuchScope));
    assert_eq!(items(&[""; 257]), Err(TooMuchScope), "items that grant nothing count");
    let half = "x".repeat(4096);
    assert_eq!(items(&[&half, &half]), Ok(2));
    assert_eq!(items(&[&half, &half, "x"]), Err(TooMuchScope));
}

fn with_hierarchy(
    text: &str,
    declared: &[(&str, &[&str])],
    wildcards: Wildcards,
    ceiling: Option<&str>,
) -> GrantedScopes {
    let declared = declared
        .iter()
        .map(|(wider, implied)| (element(wider), implied.iter().map(|i| element(i)).collect()));
    let rules = GrantRules {
        wildcards,
        ceiling: ceiling.map(|text| Ceiling::from_config(text).unwrap()),
        hierarchy: Hierarchy::new(declared),
    };
    GrantedScopes::from_text(text, &Arc::new(rules)).unwrap()
}

#[test]
fn scope_11_declared_scopes_imply_others_all_the_way_down() {
    let declared: &[(&str, &[&str])] = &[("admin", &["write", "x"]), ("write", &["read"])];
    let admin = with_hierarchy("admin", declared, Wildcards::Off, None);
    for implied in ["admin", "write", "read", "x"] {
        assert!(admin.grants(&element(implied)), "{implied}");
    }
    assert!(admin.grants_any(&pattern("r*d")));
    assert!(!admin.grants(&element("other")));
    assert_eq!(elements(&admin), ["admin"], "only what the token spells is shown");

    let writer = with_hierarchy("write", declared, Wildcards::Off, None);
    assert!(writer.grants(&element("read")));
    assert!(!writer.grants(&element("admin")));
}

#[test]
fn scope_11_cycles_make_equals() {
    let declared: &[(&str, &[&str])] = &[("a", &["b"]), ("b", &["c"]), ("c", &["a", "c"])];
    for grant in ["a", "b", "c"] {
        let token = with_hierarchy(grant, declared, Wildcards::Off, None);
        for required in ["a", "b", "c"] {
            assert!(token.grants(&element(required)), "{grant} implies {required}");
        }
    }
}

#[test]
fn scope_11_the_ceiling_bounds_both_what_implies_and_what_is_implied() {
    let declared: &[(&str, &[&str])] = &[("admin", &["read"])];
    for (ceiling, satisfied) in [("admin read", true), ("read", false), ("admin", false)] {
        let token = with_hierarchy("admin", declared, Wildcards::Off, Some(ceiling));
        assert_eq!(token.grants(&element("read")), satisfied, "{ceiling}");
        assert_eq!(token.grants_any(&pattern("re*")), satisfied, "{ceiling}");
    }
}

#[test]
fn scope_11_a_granted_pattern_implies_what_its_scopes_imply() {
    let declared: &[(&str, &[&str])] = &[("admin", &["read"])];
    for (wildcards, satisfied) in
        [(Wildcards::Overlap, true), (Wildcards::Cover, true), (Wildcards::Off, false)]
    {
        let token = with_hierarchy("adm*", declared, wildcards, None);
        assert_eq!(token.grants(&element("read")), satisfied, "{wildcards:?}");
    }
}

#[test]
fn implied_stars_are_characters_for_every_issuer() {
    let declared: &[(&str, &[&str])] = &[("admin", &["files:*"])];
    let token = with_hierarchy("admin", declared, Wildcards::Overlap, None);
    assert!(!token.grants(&element("files:read")));
    assert!(token.grants(&element("files:*")));
}

#[test]
fn debug_shows_no_claim_values() {
    assert_eq!(format!("{:?}", granted("secret-scope x")), "GrantedScopes { elements: 2 }");
}
