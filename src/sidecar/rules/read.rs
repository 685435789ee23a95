//! From the text of a file to its rules.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Rule;
use super::fault::{Faults, RuleFault};
use super::methods::{self, Methods};
use super::needs::{Needs, ScopeTemplate};
use super::parameters::Parameters;
use super::path_pattern::PathPattern;
use super::table::{self, Table};
use super::template::Template;
use super::who::{Actor, Callers, Party, Who};
use crate::authorization::{HostPattern, Requirement};
use crate::env::values;
use crate::scope::{InvalidScope, MAX_PATTERNS};

const MAX_BYTES: usize = 1 << 20;
const MAX_RULES: usize = 1000;

const KEYS: [&str; 17] = [
    "path",
    "methods",
    "host",
    "tenant",
    "scopes",
    "any_scopes",
    "claims",
    "callers",
    "client_ids",
    "party",
    "actors",
    "acr",
    "max_age",
    "hide",
    "public",
    "challenge_scope",
    "literal",
];

/// All that a public rule can have.
const OF_PUBLIC: [&str; 4] = ["path", "methods", "hide", "public"];

/// What a client that acts for itself cannot have, as nobody has logged in.
const OF_PEOPLE: [&str; 2] = ["acr", "max_age"];

/// All rules of a file, in its order.
///
/// # Errors
/// Every fault.
pub(super) fn rules(text: &str) -> Result<Vec<Rule>, Vec<RuleFault>> {
    let mut faults = Faults::new(text);
    if text.len() > MAX_BYTES {
        faults.add(&(0..0), format!("the file has {} bytes; {MAX_BYTES} are allowed", text.len()));
        return faults.or(Vec::new());
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        faults.add(&error.span().unwrap_or_default(), format!("no TOML: {message}"));
    }
    if !errors.is_empty() {
        // What can be read of it is not what was written.
        return faults.or(Vec::new());
    }
    let mut rules: Vec<Rule> = Vec::new();
    for (index, entry) in entries(document.get_ref(), &mut faults).iter().enumerate() {
        faults.enter(index + 1);
        let Some(table) = entry.get_ref().as_table() else {
            faults.add(&entry.span(), "a rule is a table, written below [[rule]]");
            continue;
        };
        let Some(rule) = rule(table, &entry.span(), &mut faults) else { continue };
        if let Some(first) = rules.iter().find(|other| other.is_same_as(&rule)) {
            faults.add(&entry.span(), format!("is the same as the rule of line {}", first.line));
        }
        rules.push(rule);
    }
    faults.or(rules)
}

fn entries<'a>(document: &'a DeTable<'a>, faults: &mut Faults<'_>) -> &'a [Spanned<DeValue<'a>>] {
    table::check_keys(document, &["rule"], "table", faults);
    let Some(rules) = document.get("rule") else {
        if document.is_empty() {
            faults.add(&(0..0), "there is no [[rule]] in the file");
        }
        return &[];
    };
    let span = rules.span();
    match rules.get_ref().as_array() {
        Some(entries) if entries.is_empty() => {
            faults.add(&span, "there is no [[rule]] in the file");
            &[]
        }
        Some(entries) if entries.len() > MAX_RULES => {
            let problem = format!("{} rules; {MAX_RULES} are allowed", entries.len());
            faults.add(&entries.get(MAX_RULES).map_or(span, Spanned::span), problem);
            &[]
        }
        Some(entries) => entries,
        None => {
            faults.add(&span, "each rule begins with [[rule]], in two pairs of brackets");
            &[]
        }
    }
}

/// `None` where there is a fault in it.
fn rule(table: &DeTable<'_>, span: &Range<usize>, faults: &mut Faults<'_>) -> Option<Rule> {
    let before = faults.count();
    let line = faults.line(span);
    let mut table = Table::new(table, &KEYS, "key", faults);
    let path = path(&mut table, span);
    let methods = match table.list("methods", methods::method) {
        Some(methods) => Methods::these(methods),
        None => Methods::All,
    };
    let is_public = table.flag("public").unwrap_or(false);
    let hide = table.flag("hide").unwrap_or(false);
    if is_public {
        let is_requirement = |key: &&str| !OF_PUBLIC.contains(key) && table.has(key);
        for key in KEYS.into_iter().filter(is_requirement).collect::<Vec<_>>() {
            table.fault_at(key, "cannot stand together with public, which lets everybody pass");
        }
        if hide {
            table.fault_at("hide", "cannot stand together with public, which hides from nobody");
        }
    }
    let path = path?;
    let needs = Needs { hide, ..needs(&mut table, &path) };
    if hide && !is_public && table.faults() == before && needs.ask_for_nothing() {
        table.fault_at(
            "hide",
            "hides from nobody: the rule asks for nothing that a token could lack",
        );
    }
    let needs = (!is_public).then_some(needs);
    (faults.count() == before).then_some(Rule { line, path, methods, needs })
}

fn path(table: &mut Table<'_, '_>, rule: &Range<usize>) -> Option<PathPattern> {
    if !table.has("path") {
        table.fault(rule, "path", r#"is missing; every path is "/{*rest}""#);
    }
    let (text, span) = table.text("path")?;
    match PathPattern::parse(text) {
        Ok(path) => Some(path),
        Err(problem) => {
            table.fault(&span, "path", &format!("{text:?}: {problem}"));
            None
        }
    }
}

fn needs(table: &mut Table<'_, '_>, path: &PathPattern) -> Needs {
    let host = host(table);
    let names = parameters(table, path, host.as_ref());
    let literal = table.flag("literal").unwrap_or(false);
    let value = |text: &str| match text {
        "" => Err("must not be empty".to_owned()),
        _ => Template::parse(text, &names),
    };
    let stand_in = |text: &str| {
        Template::parse(text, &names).map_err(|problem| format!("{text:?}: {problem}"))
    };
    let before = table.faults();
    let needs = Needs {
        scopes: scopes(table, "scopes", &names, literal),
        any_scopes: scopes(table, "any_scopes", &names, literal),
        claims: table.pairs("claims", value).unwrap_or_default(),
        who: who(table),
        tenant: table.pairs("tenant", value).unwrap_or_default(),
        host,
        acr: table.words("acr", way_to_log_in).unwrap_or_default(),
        max_age: max_age(table),
        challenge_scope: table.words("challenge_scope", stand_in).unwrap_or_default(),
        hide: false,
    };
    if needs.who.callers == Callers::Clients {
        for key in OF_PEOPLE.into_iter().filter(|key| table.has(key)).collect::<Vec<_>>() {
            table.fault_at(
                key,
                r#"cannot stand together with callers = "clients": they have no login"#,
            );
        }
    }
    if table.faults() == before
        && let Some(unused) = needs.unused_of_host(&names)
    {
        let problem = format!("has the parameter {{{unused}}}, which nothing asks for");
        table.fault_at("host", &problem);
    }
    // A scope that could not be read is told already.
    if table.faults() == before
        && let Err(problem) = needs.check_challenge_scope(&names)
    {
        table.fault_at("challenge_scope", &format!("is of no use: {problem}"));
    }
    needs
}

fn way_to_log_in(text: &str) -> Result<String, String> {
    let fault = |fault| format!("{text:?}: {fault}");
    if text.contains(char::is_whitespace) {
        return Err(format!("{text:?}, which is more than one"));
    }
    Requirement::try_acr(text).map(|_| text.to_owned()).map_err(fault)
}

/// Whole seconds, as challenges can say no less.
fn max_age(table: &mut Table<'_, '_>) -> Option<Duration> {
    let (text, span) = table.text("max_age")?;
    match values::duration(text) {
        Ok(age) if age.subsec_nanos() == 0 => return Some(age),
        Ok(_) => table.fault(&span, "max_age", "must be whole seconds"),
        Err(problems) => table.fault(&span, "max_age", &problems.join("; ")),
    }
    None
}

fn host(table: &mut Table<'_, '_>) -> Option<HostPattern> {
    let (text, span) = table.text("host")?;
    match HostPattern::parse(text) {
        Ok(host) => Some(host),
        Err(problem) => {
            table.fault(&span, "host", &format!("{text:?}: {problem}"));
            None
        }
    }
}

fn parameters(
    table: &mut Table<'_, '_>,
    path: &PathPattern,
    host: Option<&HostPattern>,
) -> Parameters {
    Parameters::new(path, host).unwrap_or_else(|problem| {
        table.fault_at("host", &problem);
        Parameters::of_path(path)
    })
}

fn who(table: &mut Table<'_, '_>) -> Who {
    let callers = [("users", Callers::Users), ("clients", Callers::Clients), ("any", Callers::Any)];
    let parties = [("first", Party::First), ("third", Party::Third)];
    let id = |text: &str| match text {
        "" => Err("an empty string".to_owned()),
        _ => Ok(text.to_owned()),
    };
    Who {
        callers: table.choice("callers", &callers).unwrap_or_default(),
        client_ids: table.list("client_ids", id).unwrap_or_default(),
        party: table.choice("party", &parties),
        actors: table.list("actors", Actor::parse).unwrap_or_default(),
    }
}

fn scopes(
    table: &mut Table<'_, '_>,
    key: &str,
    names: &Parameters,
    literal: bool,
) -> Vec<ScopeTemplate> {
    let parse = |text: &str| {
        ScopeTemplate::parse(text, names, literal).map_err(|problem| format!("{text:?}: {problem}"))
    };
    let scopes = table.list(key, parse).unwrap_or_default();
    let patterns = scopes.iter().filter(|scope| scope.is_pattern()).count();
    if patterns > MAX_PATTERNS {
        table.fault_at(key, &format!("is {}", InvalidScope::too_many(patterns)));
    }
    scopes
}
