//! Who is calling: by what an issuer's tokens tell people, clients, and our own clients from others.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::access_token::Caller;
use crate::jose::json::{Json, Members};

/// By which signs the tokens of an issuer tell whether a person or a client is calling. The first
/// row whose sign a token shows decides; where none does, the caller is unknown, and neither
/// [`users`](crate::users) nor [`clients`](crate::clients) lets it pass.
///
/// The default follows RFC 9068 §2.2: `sub` equal to `client_id` is a client, different from it a
/// person. Systems that give clients a `sub` of another form need a table of their own:
///
/// ```
/// use portcullis::{CallerSign, CallerTable, Issuer};
///
/// let table = CallerTable::new()
///     .client(CallerSign::is("gty", "client-credentials"))
///     .user(CallerSign::different("sub", "azp"));
/// let issuer = Issuer::discover("https://example.auth0.com/").callers(table);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct CallerTable(Vec<Row>);

/// A row of a [`CallerTable`], as it is configured: `client:gty=client-credentials`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    caller: Caller,
    sign: CallerSign,
    /// The sign in words.
    text: Arc<str>,
}

/// Something that a token's claims show.
///
/// `Display` writes it as `PORTCULLIS_CALLER_TABLE` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerSign(Sign);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Sign {
    Is(Box<str>, Box<str>),
    Has(Box<str>),
    Same(Box<str>, Box<str>),
    Different(Box<str>, Box<str>),
}

impl CallerSign {
    /// The claim is this string, or an array that holds it. Written `claim=value`.
    pub fn is(claim: &str, value: &str) -> Self {
        Self(Sign::Is(claim.into(), value.into()))
    }

    /// The claim is there and not `null`. Written `claim`.
    pub fn has(claim: &str) -> Self {
        Self(Sign::Has(claim.into()))
    }

    /// Both claims are the same string, and not an empty one. Written `one==other`.
    pub fn same(one: &str, other: &str) -> Self {
        Self(Sign::Same(one.into(), other.into()))
    }

    /// Both claims are strings, neither is empty, and they differ. Written `one!=other`.
    pub fn different(one: &str, other: &str) -> Self {
        Self(Sign::Different(one.into(), other.into()))
    }

    fn is_shown_by(&self, token: &Members<'_>) -> bool {
        let text = |name: &str| token.get(name)?.as_str().filter(|text| !text.is_empty());
        let both = |one, other| Some((text(one)?, text(other)?));
        match &self.0 {
            Sign::Is(name, value) => is_or_holds(token.get(name), value),
            Sign::Has(name) => token.get(name).is_some_and(|claim| *claim != Json::Null),
            Sign::Same(one, other) => both(one, other).is_some_and(|(one, other)| one == other),
            Sign::Different(one, other) => {
                both(one, other).is_some_and(|(one, other)| one != other)
            }
        }
    }

    fn is_complete(&self) -> bool {
        match &self.0 {
            Sign::Has(name) => !name.is_empty(),
            Sign::Is(one, other) | Sign::Same(one, other) | Sign::Different(one, other) => {
                !one.is_empty() && !other.is_empty()
            }
        }
    }
}

/// Whether a claim is this string, or an array that holds it.
pub(super) fn is_or_holds(claim: Option<&Json<'_>>, value: &str) -> bool {
    match claim {
        Some(Json::String(text)) => text == value,
        Some(Json::Array(items)) => items.iter().any(|item| item.as_str() == Some(value)),
        _ => false,
    }
}

impl fmt::Display for CallerSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Sign::Is(name, value) => write!(f, "{name}={value}"),
            Sign::Has(name) => f.write_str(name),
            Sign::Same(one, other) => write!(f, "{one}=={other}"),
            Sign::Different(one, other) => write!(f, "{one}!={other}"),
        }
    }
}

impl FromStr for CallerSign {
    type Err = InvalidCallerRow;

    fn from_str(text: &str) -> Result<Self, InvalidCallerRow> {
        // The first `=` decides: a value may hold others.
        let sign = match text.split_once('=') {
            None => Self::has(text),
            Some((one, rest)) => match (one.strip_suffix('!'), rest.strip_prefix('=')) {
                (Some(one), _) => Self::different(one, rest),
                (None, Some(other)) => Self::same(one, other),
                (None, None) => Self::is(one, rest),
            },
        };
        if sign.is_complete() { Ok(sign) } else { Err(InvalidCallerRow(())) }
    }
}

impl CallerTable {
    /// A table without rows: every caller is unknown.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// One more row: a token that shows this is a client's own.
    pub fn client(self, sign: CallerSign) -> Self {
        self.row(Caller::Client, sign)
    }

    /// One more row: a token that shows this is a person's.
    pub fn user(self, sign: CallerSign) -> Self {
        self.row(Caller::User, sign)
    }

    fn row(mut self, caller: Caller, sign: CallerSign) -> Self {
        self.0.push(Row::new(caller, sign));
        self
    }

    pub(super) fn is_complete(&self) -> bool {
        self.0.iter().all(|row| row.sign.is_complete())
    }

    /// Who is calling, and the sign that told it.
    pub(super) fn tell(&self, token: &Members<'_>) -> (Caller, Option<Arc<str>>) {
        match self.0.iter().find(|row| row.sign.is_shown_by(token)) {
            Some(row) => (row.caller, Some(Arc::clone(&row.text))),
            None => (Caller::Unknown, None),
        }
    }
}

impl Row {
    fn new(caller: Caller, sign: CallerSign) -> Self {
        let text = sign.to_string().into();
        Self { caller, sign, text }
    }
}

impl FromStr for Row {
    type Err = InvalidCallerRow;

    fn from_str(text: &str) -> Result<Self, InvalidCallerRow> {
        match text.split_once(':') {
            Some(("client", sign)) => Ok(Self::new(Caller::Client, sign.parse()?)),
            Some(("user", sign)) => Ok(Self::new(Caller::User, sign.parse()?)),
            _ => Err(InvalidCallerRow(())),
        }
    }
}

impl From<Vec<Row>> for CallerTable {
    fn from(rows: Vec<Row>) -> Self {
        Self(rows)
    }
}

/// RFC 9068 §2.2. `azp` does not count: who uses it does not say in `sub` that a client acts for
/// itself.
impl Default for CallerTable {
    fn default() -> Self {
        Self::new()
            .client(CallerSign::same("sub", "client_id"))
            .user(CallerSign::different("sub", "client_id"))
    }
}

/// A row of a caller table that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidCallerRow(());

impl fmt::Display for InvalidCallerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be client: or user: and claim, claim=value, claim==claim or claim!=claim")
    }
}

impl std::error::Error for InvalidCallerRow {}

/// By what clients of our own are told from others'.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum FirstParty {
    /// It is not told.
    #[default]
    NotTold,
    Clients(Vec<String>),
    /// A claim and its value.
    Claim(String, String),
}

impl FirstParty {
    pub(super) fn tell(&self, token: &Members<'_>, client_id: Option<&str>) -> Option<bool> {
        match self {
            Self::NotTold => None,
            Self::Clients(clients) => {
                client_id.map(|client_id| clients.iter().any(|one| one == client_id))
            }
            Self::Claim(name, value) => {
                let claim = token.get(name).filter(|claim| **claim != Json::Null);
                claim.map(|claim| is_or_holds(Some(claim), value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::json;

    fn told(table: &CallerTable, claims: &str) -> (Caller, Option<String>) {
        let (caller, text) = table.tell(&json::members(claims).unwrap());
        (caller, text.map(|text| text.to_string()))
    }

    #[test]
    fn rfc_9068_tells_clients_by_their_subject() {
        for (claims, caller, sign) in [
            (r#"{"sub":"c1","client_id":"c1"}"#, Caller::Client, Some("sub==client_id")),
            (r#"{"sub":"u1","client_id":"c1"}"#, Caller::User, Some("sub!=client_id")),
            (r#"{"sub":"u1"}"#, Caller::Unknown, None),
            (r#"{"client_id":"c1"}"#, Caller::Unknown, None),
            (r#"{"sub":"c1","azp":"c1"}"#, Caller::Unknown, None),
            ("{}", Caller::Unknown, None),
        ] {
            let expected = (caller, sign.map(str::to_owned));
            assert_eq!(told(&CallerTable::default(), claims), expected, "{claims}");
        }
    }

    #[test]
    fn the_first_sign_that_is_shown_decides() {
        let rows = ["client:gty=cc", "user:kind", "client:a==b", "user:a!=b"];
        let table: CallerTable =
            rows.iter().map(|row| row.parse::<Row>().unwrap()).collect::<Vec<_>>().into();
        for (claims, caller, sign) in [
            (r#"{"gty":"cc","kind":1}"#, Caller::Client, Some("gty=cc")),
            (r#"{"gty":["x","cc"]}"#, Caller::Client, Some("gty=cc")),
            (r#"{"gty":"ccc","kind":false}"#, Caller::User, Some("kind")),
            (r#"{"gty":{"cc":"cc"},"kind":null}"#, Caller::Unknown, None),
            (r#"{"a":"x","b":"x"}"#, Caller::Client, Some("a==b")),
            (r#"{"a":"x","b":"y"}"#, Caller::User, Some("a!=b")),
            (r#"{"a":1,"b":1}"#, Caller::Unknown, None),
            (r#"{"a":"x"}"#, Caller::Unknown, None),
            (r#"{"a":"","b":""}"#, Caller::Unknown, None),
            (r#"{"a":"x","b":""}"#, Caller::Unknown, None),
            (r#"{"a":"x","b":null}"#, Caller::Unknown, None),
            (r#"{"a":["x"],"b":["x"]}"#, Caller::Unknown, None),
        ] {
            assert_eq!(told(&table, claims), (caller, sign.map(str::to_owned)), "{claims}");
        }
        assert_eq!(told(&CallerTable::new(), r#"{"sub":"c","client_id":"c"}"#).0, Caller::Unknown);
    }

    #[test]
    fn rows_are_written_as_they_are_read() {
        for (row, text) in [
            ("client:gty=a:b=c", "gty=a:b=c"),
            ("user:sub!=azp", "sub!=azp"),
            ("user:oid", "oid"),
            ("client:sub==cid", "sub==cid"),
        ] {
            assert_eq!(&*row.parse::<Row>().unwrap().text, text);
        }
        for (value, text) in [("x==", "client:key=x=="), ("a!=b", "client:key=a!=b")] {
            assert_eq!(text.parse::<Row>().unwrap().sign, CallerSign::is("key", value));
        }
        for bad in ["gty=x", "client", "client:", "client:=x", "user:a==", "user:!=b", "users:a"] {
            assert!(bad.parse::<Row>().is_err(), "{bad}");
        }
    }

    #[test]
    fn our_clients_are_told_by_list_or_by_claim_and_else_not_at_all() {
        let token = json::members(r#"{"owner":"app"}"#).unwrap();
        let list = FirstParty::Clients(vec!["web".to_owned()]);
        assert_eq!(list.tell(&token, Some("web")), Some(true));
        assert_eq!(list.tell(&token, Some("other")), Some(false));
        assert_eq!(list.tell(&token, None), None);
        let claim = |name: &str, value: &str| FirstParty::Claim(name.to_owned(), value.to_owned());
        assert_eq!(claim("owner", "app").tell(&token, Some("web")), Some(true));
        assert_eq!(claim("owner", "tenant").tell(&token, Some("web")), Some(false));
        assert_eq!(claim("kind", "app").tell(&token, Some("web")), None);
        let null = json::members(r#"{"owner":null}"#).unwrap();
        assert_eq!(claim("owner", "app").tell(&null, Some("web")), None);
        assert_eq!(FirstParty::NotTold.tell(&token, Some("web")), None);
    }
}
