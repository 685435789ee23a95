//! Who is calling: by what an issuer's tokens tell people, clients, and our own clients from others.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::caller_sign::{CallerSign, InvalidCallerRow, is_or_holds};
use crate::access_token::Caller;
use crate::jose::json::{Json, Members};

/// By which signs the tokens of an issuer tell whether a person or a client is calling. The first
/// row whose sign a token shows decides; where none does, the caller is unknown, and neither
/// [`users`](crate::users) nor [`clients`](crate::clients) lets it pass.
///
/// The default follows RFC 9068 §2.2: `sub` equal to `client_id` is a client, different from it a
/// person. That is a SHOULD, and some systems give clients a `sub` of another form. Where a token
/// shows that it is of one of these, the default does not tell: they have
/// [presets](crate::Preset), and others need a table of their own.
///
/// ```
/// use portcullis::{CallerSign, CallerTable, Issuer};
///
/// let table = CallerTable::new()
///     .client(CallerSign::is("kind", "service"))
///     .unknown(CallerSign::like("sub", "svc-*"))
///     .user(CallerSign::has("email"));
/// let issuer = Issuer::discover("https://login.example.com").callers(table);
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

    /// One more row: whose a token is that shows this is not told, whatever follows.
    pub fn unknown(self, sign: CallerSign) -> Self {
        self.row(Caller::Unknown, sign)
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
            Some(row) if row.caller != Caller::Unknown => (row.caller, Some(Arc::clone(&row.text))),
            _ => (Caller::Unknown, None),
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
            Some(("unknown", sign)) => Ok(Self::new(Caller::Unknown, sign.parse()?)),
            _ => Err(InvalidCallerRow(())),
        }
    }
}

/// As `PORTCULLIS_CALLER_TABLE` has it.
impl fmt::Display for CallerTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, row) in self.0.iter().enumerate() {
            let caller = match row.caller {
                Caller::Client => "client",
                Caller::User => "user",
                Caller::Unknown => "unknown",
            };
            let space = if number == 0 { "" } else { " " };
            write!(f, "{space}{caller}:{}", row.text)?;
        }
        Ok(())
    }
}

impl From<Vec<Row>> for CallerTable {
    fn from(rows: Vec<Row>) -> Self {
        Self(rows)
    }
}

/// RFC 9068 §2.2. `azp` does not count: who uses it does not say in `sub` that a client acts for
/// itself. Clients whose `sub` is not their `client_id` would be taken for people; the first rows are
/// for those that are known, of Auth0, Keycloak and Wristband.
impl Default for CallerTable {
    fn default() -> Self {
        Self::new()
            .client(CallerSign::same("sub", "client_id"))
            .unknown(CallerSign::like("sub", "*@clients"))
            .unknown(CallerSign::has("clientHost"))
            .unknown(CallerSign::like("preferred_username", "service-account-*"))
            .unknown(CallerSign::is("sub_kind", "client"))
            .user(CallerSign::different("sub", "client_id"))
    }
}

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
            // Clients of systems that have a preset.
            (r#"{"sub":"c1@clients","client_id":"c1"}"#, Caller::Unknown, None),
            (r#"{"sub":"7f","client_id":"c1","clientHost":"10.0.0.1"}"#, Caller::Unknown, None),
            (
                r#"{"sub":"7f","client_id":"c1","preferred_username":"service-account-c1"}"#,
                Caller::Unknown,
                None,
            ),
            (r#"{"sub":"7f","client_id":"c1","sub_kind":"client"}"#, Caller::Unknown, None),
        ] {
            let expected = (caller, sign.map(str::to_owned));
            assert_eq!(told(&CallerTable::default(), claims), expected, "{claims}");
        }
    }

    #[test]
    fn the_first_sign_that_is_shown_decides() {
        let rows = ["client:gty=cc", "unknown:kind=?*", "user:kind", "client:a==b", "user:a!=b"];
        let table: CallerTable =
            rows.iter().map(|row| row.parse::<Row>().unwrap()).collect::<Vec<_>>().into();
        for (claims, caller, sign) in [
            (r#"{"gty":"cc","kind":1}"#, Caller::Client, Some("gty=cc")),
            (r#"{"gty":"ccc","kind":false}"#, Caller::User, Some("kind")),
            (r#"{"kind":"?","a":"x","b":"y"}"#, Caller::Unknown, None),
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
    fn rows_say_who_and_by_what() {
        for (row, text) in [
            ("client:gty=a:b=c", "gty=a:b=c"),
            ("user:sub!=azp", "sub!=azp"),
            ("unknown:oid", "oid"),
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
