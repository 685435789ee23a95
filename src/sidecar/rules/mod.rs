//! The rules file: which request needs what.
//!
//! ```toml
//! [[rule]]
//! path = "/healthz"
//! public = true                     # no token is asked for
//!
//! [[rule]]
//! methods = ["GET"]                 # HEAD too; absent: all
//! path = "/orders/{id}"
//! scopes = ["orders.read"]          # all of these
//!
//! [[rule]]
//! path = "/apps/{id}/push"
//! scopes = ["push.application.{id}"]
//!
//! [[rule]]
//! path = "/tenants/{tenant}/{*rest}"
//! tenant = { tnt_id = "{tenant}" }  # all of these; another tenant's token is 401
//!
//! [[rule]]
//! path = "/shop/{*rest}"
//! host = "{shop}.api.example.com"   # parameters from the host, each one label
//! tenant = { iss = "https://{shop}.id.example.com" }
//!
//! [[rule]]
//! path = "/admin/{*rest}"           # /admin/ too, not /admin
//! any_scopes = ["admin.*", "root"]  # one of these
//! challenge_scope = "admin.all"     # what clients are told to ask for in place of patterns
//! claims = { tnt_id = "acme" }      # all of these
//! callers = "users"                 # users, clients or any
//! client_ids = ["web", "mobile"]    # one of these clients
//! party = "first"                   # first (our own clients) or third
//! actors = ["none", "agent"]        # who may act for the subject; "issuer subject" for a foreign one
//!
//! [[rule]]
//! path = "/transfers"
//! scopes = ["payments"]
//! acr = ["phr", "mfa"]              # how the person has logged in, one of these
//! max_age = "15m"                   # and how long ago at most
//!
//! [[rule]]
//! path = "/audit/{*rest}"
//! scopes = ["audit"]
//! hide = true                       # 404 for those who may not, as if there were nothing
//! ```
//!
//! 1. The first rule that covers method and path counts. What the server requires of every request
//!    is required in any case, except on public routes; and where no rule counts, that alone is.
//! 2. Paths are as in axum (matchit): `{name}` is one segment or a part of it and never empty,
//!    `{*name}` is the rest of the path, which may be empty. `{{` and `}}` stand for braces. Upper
//!    and lower case differ, a slash at the end matters. Rules are compared with what a path means
//!    once it is decoded, see [`canonical`](super::path::canonical), so any spelling will do.
//! 3. A `*` in a scope is a pattern, unless `literal = true`.
//! 4. `{name}` in a scope or the value of a claim is the parameter of the path, decoded, or of the
//!    host, in lower case. Its
//!    characters mean themselves. Where it cannot be part of a scope (RFC 6749 §3.3), where it is
//!    empty, and where it has a `*` and meets a pattern, no token will do: 403 without `error`.
//! 5. A claim has its value if it is this string, or an array that holds it; numbers and booleans
//!    are compared as JSON writes them. Claims and callers that are not met are 403 without
//!    `error`.
//! 6. What is said of callers stands for what the token tells, see
//!    [`CallerTable`](crate::CallerTable); where it does not tell, it is not met. `actors` are those
//!    of the outermost `act`, and `none` stands for there being no actor.
//! 7. A login that is not as `acr` and `max_age` want it is 401 with
//!    `insufficient_user_authentication`; a client that acts for itself gets 403.
//! 8. `tenant` names claims that have to be these strings: of a token of another tenant, or of none,
//!    the client is told what it is told of a token for somebody else, 401 `invalid_token`, so that
//!    it does not learn which tenants there are. It is decided before scope.
//! 9. `host` does not choose among rules. It says how the host is read, `{name}` being one label of
//!    it; a request for another host gets what it would get for a tenant that does not exist.
//! 10. `hide` makes 404 of every answer to a good token that this rule refuses, 401 for another login or
//!     another tenant included. All other answers are those to a path that no rule covers, so that none
//!     tells that there is one: they name no scope of the rule, and what every request needs is told
//!     openly.
//! 11. A file that cannot mean what was meant is refused as a whole, with all its faults.

mod braces;
mod fault;
mod methods;
mod needs;
mod other_syntax;
mod parameters;
mod path_pattern;
mod path_syntax;
mod read;
mod routes;
mod ruling;
mod table;
mod template;
mod warnings;
mod who;

pub(in crate::sidecar) use fault::RuleFault;
use http::Method;
use methods::Methods;
pub(in crate::sidecar) use methods::method;
use needs::Needs;
use path_pattern::PathPattern;
pub(in crate::sidecar) use routes::{Route, Routes};
pub(in crate::sidecar) use ruling::{ClaimPart, Parts, Ruling};

use crate::env::variables;
use crate::resource_server::ResourceServer;

/// The rules of one file, checked, and not yet bound to a resource server.
#[derive(Debug, Default)]
pub(in crate::sidecar) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    /// Counted from one.
    line: usize,
    path: PathPattern,
    methods: Methods,
    /// `None` where everybody may pass.
    needs: Option<Needs>,
}

impl Rules {
    /// No file: every request needs what the server requires.
    pub(in crate::sidecar) fn none() -> Self {
        Self::default()
    }

    /// The rules in the text of a file.
    ///
    /// # Errors
    /// Every fault, in the order of lines. A file without a rule is one, since it may be a file
    /// that is being written.
    pub(in crate::sidecar) fn parse(text: &str) -> Result<Self, Vec<RuleFault>> {
        read::rules(text).map(Self)
    }

    /// How many there are.
    pub(in crate::sidecar) fn len(&self) -> usize {
        self.0.len()
    }

    /// What is allowed, and most likely not what was meant; one line each.
    pub(in crate::sidecar) fn warnings(&self) -> Vec<String> {
        warnings::warnings(&self.0)
    }

    /// The same where nothing tells our own clients from those of others.
    ///
    /// # Errors
    /// A fault for each rule with `party`, which would let nobody pass.
    pub(in crate::sidecar) fn without_parties(self) -> Result<Self, Vec<RuleFault>> {
        let asks = |rule: &Rule| rule.needs.as_ref().is_some_and(|needs| needs.who.party.is_some());
        let numbered = (1..).zip(&self.0).filter(|(_, rule)| asks(rule));
        let fault = |(number, rule): (usize, &Rule)| {
            let (clients, claim) = (variables::FIRST_PARTY_CLIENTS, variables::FIRST_PARTY_CLAIM);
            let problem = format!("party needs {clients} or {claim}");
            RuleFault::new(rule.line, Some(number), problem)
        };
        let faults: Vec<_> = numbered.map(fault).collect();
        if faults.is_empty() { Ok(self) } else { Err(faults) }
    }

    /// The rules with what `server` requires and tells clients.
    pub(in crate::sidecar) fn compile(self, server: &ResourceServer) -> Routes {
        Routes::new(self.0, server)
    }
}

impl Rule {
    /// Whether it is for this method and this path, decoded.
    fn covers(&self, method: &Method, path: &str) -> bool {
        self.methods.cover(method) && self.path.matches(path)
    }

    /// Whether one of the two could stand for the other.
    fn is_same_as(&self, other: &Self) -> bool {
        self.path == other.path && self.methods == other.methods && self.needs == other.needs
    }
}

#[cfg(test)]
mod tests;
