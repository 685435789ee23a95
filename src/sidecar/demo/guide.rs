//! What the demo prints: lines to paste into a shell.

use std::fmt;

/// The client that is registered, and its secret.
pub(super) const CLIENT: &str = "test";
pub(super) const SECRET: &str = "test";

/// The route that is protected, and the scope that it needs.
pub(super) const PATH: &str = "/orders";
pub(super) const SCOPE: &str = "orders.read";

/// The lines for one run of the demo. They need `curl` and `sed`, and no more than a POSIX shell.
pub(super) struct Guide {
    pub(super) api_url: String,
    pub(super) token_endpoint: String,
}

impl Guide {
    /// Sets `TOKEN`. `more` is what the token request says besides the grant type.
    fn get_token(&self, more: &str) -> String {
        let endpoint = &self.token_endpoint;
        format!(
            "TOKEN=$(curl -s -u {CLIENT}:{SECRET} -d grant_type=client_credentials{more} \
             {endpoint} | sed -n 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/p')"
        )
    }

    /// Calls the API, and ends the answer's last line, which JSON does not.
    fn call(&self, authorization: &str) -> String {
        format!("curl -i -s -w '\\n'{authorization} {}{PATH}", self.api_url)
    }
}

const BEARER: &str = " -H \"Authorization: Bearer $TOKEN\"";
/// One character more than what was signed.
const BROKEN: &str = " -H \"Authorization: Bearer ${TOKEN}x\"";

impl fmt::Display for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { api_url, .. } = self;
        let with_scope = self.get_token(&format!(" -d scope={SCOPE}"));
        let without_scope = self.get_token("");
        let read_scope = format!(
            "SCOPE=$(curl -i -s{BEARER} {api_url}{PATH} | sed -n 's/.*scope=\"\\([^\"]*\\)\".*/\\1/p')"
        );
        let with_named_scope = self.get_token(" --data-urlencode \"scope=$SCOPE\"");
        write!(
            f,
            "\
# portcullis demo, on this machine alone: GET {api_url}{PATH} needs a token with
# the scope {SCOPE}. Paste these lines into another shell, in this order.

# With a token that has the scope: 200.
{with_scope}
{call}

# Without a token: 401, and no error, for nothing was done wrong yet.
{call_without}

# With a broken token: 401 and error=\"invalid_token\".
{call_broken}

# With a token that lacks the scope: 403, which names the scope.
{without_scope}
{call}

# With a token for the scope that the 403 named: 200.
{read_scope}
{with_named_scope}
{call}

# Ctrl-C in this shell ends the demo.
",
            call = self.call(BEARER),
            call_without = self.call(""),
            call_broken = self.call(BROKEN),
        )
    }
}
