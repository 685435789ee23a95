use super::super::Rules;
use super::rules;

fn warnings(text: &str) -> Vec<String> {
    rules(text).warnings()
}

fn file(rules: &[&str]) -> String {
    rules.iter().map(|lines| format!("[[rule]]\n{lines}\n")).collect()
}

#[test]
fn the_root_that_falls_to_another_rule_is_told() {
    let all = "path = \"/{*all}\"\nscopes = [\"user\"]";
    let admin = "path = \"/admin/{*rest}\"\nscopes = [\"admin\"]";
    assert_eq!(
        warnings(&file(&[admin, all])),
        [r#"line 1: rule 1: does not cover "/admin", which falls to rule 2"#]
    );
    assert_eq!(
        warnings(&file(&[admin])),
        [r#"line 1: rule 1: does not cover "/admin", which no rule covers"#]
    );
    assert_eq!(
        warnings(&file(&[admin, "path = \"/{page}\"\npublic = true"])),
        [r#"line 1: rule 1: does not cover "/admin", which falls to rule 2"#]
    );
    let root = "path = \"/admin\"\nscopes = [\"admin\"]";
    assert_eq!(warnings(&file(&[admin, root, all])), [""; 0]);
    assert_eq!(
        warnings(&file(&[admin, &format!("{root}\nmethods = [\"GET\"]"), all])),
        [r#"line 1: rule 1: does not cover "/admin", which falls to rule 3"#]
    );
    let same = "path = \"/{*all}\"\nscopes = [\"admin\"]";
    assert_eq!(warnings(&file(&["path = \"/a/{*r}\"\nscopes = [\"admin\"]", same])), [""; 0]);
    let tenant = "path = \"/t/{id}/{*rest}\"\nscopes = [\"t.{id}\"]";
    assert_eq!(warnings(&file(&[tenant, "path = \"/t/{x}\"\npublic = true"])), [""; 0]);
    assert_eq!(warnings(&file(&[tenant])).len(), 1);
}

#[test]
fn rules_that_are_never_reached_are_told() {
    let never = |first: &str, second: &str| {
        let found = warnings(&file(&[first, &format!("{second}\ncallers = \"users\"")]));
        found.iter().any(|warning| warning.contains("rule 2: is never reached, because of rule 1"))
    };
    for (first, second, expected) in [
        ("path = \"/{*all}\"", "path = \"/a\"", true),
        ("path = \"/{*all}\"", "path = \"/\"", true),
        ("path = \"/{*all}\"", "path = \"/a/{*rest}\"", true),
        ("path = \"/a/{*all}\"", "path = \"/a/\"", true),
        ("path = \"/a/{*all}\"", "path = \"/a\"", false),
        ("path = \"/a\"", "path = \"/a\"", true),
        ("path = \"/a\"", "path = \"/a/\"", false),
        ("path = \"/{x}\"", "path = \"/a\"", true),
        ("path = \"/{x}\"", "path = \"/\"", false),
        ("path = \"/{x}\"", "path = \"/{*r}\"", false),
        ("path = \"/{x}.json\"", "path = \"/a{x}.json\"", true),
        ("path = \"/{x}.json\"", "path = \"/{x}\"", false),
        ("path = \"/{x}.json\"", "path = \"/.json\"", false),
        ("path = \"/a\"", "path = \"/a\"\nmethods = [\"GET\"]", true),
        ("path = \"/a\"\nmethods = [\"GET\"]", "path = \"/a\"", false),
        ("path = \"/a\"\nmethods = [\"GET\"]", "path = \"/a\"\nmethods = [\"HEAD\"]", true),
        ("path = \"/a\"\nmethods = [\"HEAD\"]", "path = \"/a\"\nmethods = [\"GET\"]", false),
    ] {
        assert_eq!(never(first, second), expected, "{first} {second}");
    }
    let three = [
        "path = \"/a\"\nmethods = [\"GET\"]",
        "path = \"/{x}\"\nmethods = [\"POST\"]",
        "path = \"/a\"\nmethods = [\"GET\", \"POST\"]",
    ];
    assert_eq!(
        warnings(&file(&three)),
        ["line 7: rule 3: is never reached, because of rule 1 and rule 2"]
    );
}

#[test]
fn nothing_is_said_where_there_is_nothing() {
    assert_eq!(Rules::none().warnings(), [""; 0]);
}
