//! Random requirements, judged also by the definition: a scope stands for a set of strings.

use proptest::prelude::*;

use super::*;

/// A requirement that can be looked into.
#[derive(Debug, Clone)]
enum Model {
    Scope(&'static str),
    Pattern(&'static str),
    Users,
    Policy(bool),
    All(Vec<Model>),
    Any(Vec<Model>),
}

impl Model {
    fn requirement(&self) -> Requirement {
        match self {
            Self::Scope(text) => scope(text),
            Self::Pattern(text) => scope_pattern(text),
            Self::Users => users(),
            Self::Policy(answer) => {
                let answer = *answer;
                policy(move |_| answer)
            }
            Self::All(models) => all_of(models.iter().map(Self::requirement)),
            Self::Any(models) => any_of(models.iter().map(Self::requirement)),
        }
    }

    /// Whether it holds for a person's token, `has` answering for scopes and patterns and
    /// `policy` for the answers of policies.
    fn holds(&self, has: &dyn Fn(&str) -> bool, policy: &dyn Fn(bool) -> bool) -> bool {
        match self {
            Self::Scope(text) | Self::Pattern(text) => has(text),
            Self::Users => true,
            Self::Policy(answer) => policy(*answer),
            Self::All(models) => models.iter().all(|model| model.holds(has, policy)),
            Self::Any(models) => models.iter().any(|model| model.holds(has, policy)),
        }
    }
}

/// Trees over these leaves.
fn tree(leaf: BoxedStrategy<Model>) -> impl Strategy<Value = Model> {
    leaf.prop_recursive(3, 16, 4, |inner| {
        let some = prop::collection::vec(inner, 0..4);
        prop_oneof![some.clone().prop_map(Model::All), some.prop_map(Model::Any)]
    })
}

fn scope_leaf() -> BoxedStrategy<Model> {
    prop::sample::select(&["a", "b", "ab", "ba"][..]).prop_map(Model::Scope).boxed()
}

fn any_leaf() -> BoxedStrategy<Model> {
    let pattern = prop::sample::select(&["*", "a*", "*b", "b*a", "*a*"][..]);
    prop_oneof![
        4 => scope_leaf(),
        3 => pattern.prop_map(Model::Pattern),
        1 => Just(Model::Users),
        1 => any::<bool>().prop_map(Model::Policy),
    ]
    .boxed()
}

/// Every string of `a` and `b` that is needed to tell three of the patterns above apart.
fn universe() -> Vec<String> {
    let mut all = vec![String::new()];
    for start in 0..255 {
        for letter in ["a", "b"] {
            all.push(all[start].clone() + letter);
        }
    }
    all.split_off(1)
}

fn names(pattern: &str, element: &str) -> bool {
    ScopePattern::new(pattern).unwrap().matches(element)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Denials are right: insufficient scope where scope is short and the ceiling would allow
    /// enough of it, or where it would open another way past a rule that refuses.
    #[test]
    fn decisions_agree_with_their_definition(
        model in tree(any_leaf()),
        wildcards in prop::sample::select(&[Wildcards::Off, Wildcards::Overlap][..]),
        grants in prop::collection::vec("[ab*]{1,2}", 0..3),
        allowed in prop::option::of(prop::collection::vec("[ab*]{1,2}", 0..3)),
    ) {
        let ceiling =
            allowed.as_ref().map(|allowed| Ceiling::from_config(&allowed.join(" ")).unwrap());
        let rules = GrantRules { wildcards, ceiling, ..GrantRules::default() };
        let token = token_with(&grants.join(" "), rules);

        let allows = |element: &str| {
            allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|a| names(a, element)))
        };
        let concrete = universe();
        let granted: Vec<&String> = match wildcards {
            Wildcards::Off => grants.iter().collect(),
            _ => concrete.iter().filter(|c| grants.iter().any(|g| names(g, c))).collect(),
        };
        let has = |asked: &str| granted.iter().any(|g| names(asked, g) && allows(g));
        let could_have = |asked: &str| concrete.iter().any(|c| names(asked, c) && allows(c));
        let grantable = |asked: &str| has(asked) || could_have(asked);
        let (judged, met) = (|answer| answer, |_| true);
        let expected = if model.holds(&has, &judged) {
            PASS
        } else if model.holds(&grantable, &judged)
            || (!model.holds(&has, &met) && model.holds(&grantable, &met))
        {
            let requirement = model.requirement();
            let advertised = requirement.advertised().unwrap_or_default();
            let mut scopes = advertised.split(' ').filter(|scope| !scope.is_empty());
            let names_one = |asked: &str| scopes.clone().any(|scope| names(asked, scope));
            let is_enough = model.holds(&names_one, &met);
            let has_all = scopes.clone().all(&has);
            if !is_enough || advertised.is_empty() || (!has_all && scopes.all(grantable)) {
                INSUFFICIENT
            } else {
                FORBIDDEN
            }
        } else {
            FORBIDDEN
        };
        prop_assert_eq!(authorize(&model.requirement(), &token), expected);
    }

    /// The loop of a client that reads the challenge and asks again comes to an end.
    #[test]
    fn a_token_with_the_advertised_scope_passes(model in tree(scope_leaf())) {
        let requirement = model.requirement();
        if authorize(&requirement, &token("")) == INSUFFICIENT {
            let advertised = requirement.advertised().unwrap();
            prop_assert_eq!(authorize(&requirement, &token(&advertised)), PASS);
        }
    }

    /// A wider grant never loses access.
    #[test]
    fn more_scope_never_hurts(
        model in tree(any_leaf()),
        wildcards in prop::sample::select(&[Wildcards::Off, Wildcards::Overlap, Wildcards::Cover][..]),
        grants in prop::collection::vec("[ab*]{1,3}", 0..3),
        more in "[ab*]{1,3}",
    ) {
        let requirement = model.requirement();
        let judge = |text: String| {
            let rules = GrantRules { wildcards, ..GrantRules::default() };
            authorize(&requirement, &token_with(&text, rules))
        };
        let before = judge(grants.join(" "));
        let after = judge(grants.join(" ") + " " + &more);
        prop_assert!(before != PASS || after == PASS, "{before:?}, then {after:?}");
    }
}
