//! What `--help` prints.

/// What help is wanted about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    All,
    Serve,
    Demo,
    Check,
    Explain,
}

impl Topic {
    /// The command of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        [Self::Serve, Self::Demo, Self::Check, Self::Explain]
            .into_iter()
            .find(|topic| topic.name() == Some(name))
    }

    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Serve => Some("serve"),
            Self::Demo => Some("demo"),
            Self::Check => Some("check"),
            Self::Explain => Some("explain"),
        }
    }

    pub(super) fn text(self) -> String {
        match self {
            Self::All => format!("{COMMANDS}\n{ENVIRONMENT}"),
            Self::Serve => SERVE.to_owned(),
            Self::Demo => DEMO.to_owned(),
            Self::Check => CHECK.to_owned(),
            Self::Explain => EXPLAIN.to_owned(),
        }
    }
}

const COMMANDS: &str = "\
portcullis: checks OAuth 2.0 access tokens in front of an API

Usage: portcullis [COMMAND]

Commands:
  serve             runs the sidecar; what is done without a command
  demo              runs a development authorization server and a protected API on this
                    machine alone, and prints curl lines that show what the API answers
  check             validates the configuration and asks the authorization server for keys
  explain [TOKEN]   says step by step whether a token would pass, and why not

Options:
  -h, --help        prints this text; after a command, the help of that command
  -V, --version     prints the version

Exit codes: 0 good; 1 not good, or failed; 64 the command line is wrong; 78 the configuration is.
";

const SERVE: &str = "\
Usage: portcullis [serve]

Runs the sidecar: requests with a good token go on to the service, the others are answered here.
With PORTCULLIS_MODE=forward-auth (nginx, Traefik, Caddy) or ext-authz (Envoy) a gateway asks about
its requests, and passes them on itself.
Everything is configured by environment variables; portcullis --help lists them all.
SIGTERM and SIGINT end it when open requests are done.
";

const DEMO: &str = "\
Usage: portcullis demo

Runs a development authorization server and a protected API on this machine alone, and prints curl
lines that show what the API answers: 200, 401 and 403. Ctrl-C ends it.

Environment:
  PORTCULLIS_LISTEN    address of the demo API, a loopback one
                       (default 127.0.0.1:8080, or a free port if that is taken)
";

const CHECK: &str = "\
Usage: portcullis check

Validates the whole configuration, rules and certificate included, and asks the authorization
server for its keys: which there are, how old they are, which are of no use and why. Then what every
request needs, whether the service takes connections, and warnings. Without PORTCULLIS_UPSTREAM,
PORTCULLIS_RULES and PORTCULLIS_MODE, only the part that the library reads is checked.

Exit codes:
  0     good
  1     the authorization server cannot be reached, or gives no usable key
  78    the configuration is wrong
";

const EXPLAIN: &str = "\
Usage: portcullis explain [TOKEN|-] [--request \"METHOD /PATH\"] [--offline] [--json]

Says check by check whether the token would pass, what was expected and what was found, and how a
request with it would be answered. Judged is what every request needs; with --request, also what the
rule for that request asks for.
Without TOKEN, or with -, the token is read from standard input, which keeps it out of the shell's
history and the list of processes. A line like \"Authorization: Bearer …\" will do as well.
Neither the token nor its signature is printed; values of claims are, where a check is about them.

Options:
  --request    method and path of the request, as in --request \"GET /orders/7\": says which rule of
               PORTCULLIS_RULES applies, and judges the token by it. Where rules look at the host,
               write it: --request \"GET https://acme.api.example.com/orders/7\"
  --offline    uses no network. Signatures are checked only with PORTCULLIS_JWKS or
               PORTCULLIS_JWKS_FILE. Otherwise the best answer is \"would pass, if the signature is
               good\", with exit code 1, as it is not known whether it would
  --json       prints one JSON object: verdict (pass, refuse or unknown), the answer, and checks

Exit codes:
  0     it would pass
  1     it would not, or that cannot be known
  64    the command line is wrong, or there is no token, or the path means different things to
        different servers, so that it gets 400
  78    the configuration is wrong
";

const ENVIRONMENT: &str = "\
Environment:
  Lists are separated by white space. Durations are 500ms, 30s, 10m, 24h. Instead of NAME, a file
  with the value can be given as NAME_FILE. Empty counts as unset. An unknown PORTCULLIS_ variable
  is a fault. All faults are reported together.

 Tokens: where they come from and whom they are for
  PORTCULLIS_ISSUER             one or more issuer URLs; * in one stands for a whole label of the
                                host or segment of the path (required)
  PORTCULLIS_PRESET             settings for a well-known system: auth0, keycloak, entra, okta,
                                cognito, google, wristband, entrypage or mobilefirst (default none)
  PORTCULLIS_MAX_ISSUERS        how many issuers a pattern may stand for at a time
                                (required with a pattern)
  PORTCULLIS_AUDIENCE           accepted audiences, exact strings
                                (default PORTCULLIS_RESOURCE, else required)
  PORTCULLIS_AUDIENCE_CLAIM     claim in which audiences are looked for (default aud)
  PORTCULLIS_RESOURCE           resource identifier (RFC 9728); its metadata document is named in
                                challenges (default none)
  PORTCULLIS_SCOPES_SUPPORTED   scopes that the metadata document lists, no patterns (default none)
  PORTCULLIS_MCP                on: the resource is a server of the Model Context Protocol
                                (default off)
  PORTCULLIS_REALM              realm in challenges (default PORTCULLIS_RESOURCE, else resource)
  PORTCULLIS_PROFILE            compatible or rfc9068 (default compatible)
  PORTCULLIS_LEEWAY             how far clocks may differ, 0s to 300s (default 60s)
  PORTCULLIS_REQUIRED_CLAIMS    name=value pairs, all of which must hold (default none)
  PORTCULLIS_SKIP_AUDIENCE      dangerously: tokens need not be meant for us; only together with
                                PORTCULLIS_REQUIRED_CLAIMS (default off)

 Callers: people and clients
  PORTCULLIS_CALLER_TABLE       by what they are told apart, the first that holds: client:, user: or
                                unknown: with claim=value (* is a pattern there), claim,
                                claim==claim or claim!=claim
                                (default client:sub==client_id user:sub!=client_id, with exceptions
                                for clients that would be taken for people, see docs/presets.md)
  PORTCULLIS_CLIENT_CLAIMS      claims that name the client; the first one present counts
                                (default client_id azp)
  PORTCULLIS_FIRST_PARTY_CLIENTS  the clients that are our own, for rules with party
                                (default none)
  PORTCULLIS_FIRST_PARTY_CLAIM  name=value, in the tokens of clients of our own; in place of the
                                list (default none)

 Scopes
  PORTCULLIS_REQUIRED_SCOPES    every request needs all of these; * in one makes it a pattern
                                (default none)
  PORTCULLIS_ALLOWED_SCOPES     ceiling of patterns: granted scopes outside them do not count
                                (default none)
  PORTCULLIS_GRANTED_WILDCARDS  on, off, or the issuers in whose tokens * is a pattern (default off)
  PORTCULLIS_SCOPE_CLAIMS       claims that carry scopes; the first one present counts
                                (default scope scp)

 Keys
  PORTCULLIS_JWKS_URI           address of the key set, one issuer only (default discovery)
  PORTCULLIS_JWKS               the key set itself as JSON, one issuer only. PORTCULLIS_JWKS_FILE is
                                a local file of keys, read again when it changes (default discovery)
  PORTCULLIS_ALGORITHMS         allowed signature algorithms
                                (default RS256 PS256 ES256 ES384 EdDSA Ed25519)
  PORTCULLIS_ALLOW_HTTP         where keys may come over plain http from: loopback, or dangerously
                                anywhere (default loopback)
  PORTCULLIS_JWKS_MAX_STALE     how long good keys survive an unreachable authorization server
                                (default 24h)
  PORTCULLIS_JWKS_SNAPSHOT      a file for the last good keys, for restarts during an outage;
                                whoever can write it can supply keys (default none)
  PORTCULLIS_TOKEN_CACHE        how many verified tokens are remembered; 0 is off (default 10000)

 Opaque tokens: asking the authorization server (RFC 7662)
  PORTCULLIS_INTROSPECTION_URI  tokens are asked about here, one issuer only (default none; with the
                                preset mobilefirst below the issuer)
  PORTCULLIS_INTROSPECTION_AUTH
                                basic, post, private_key_jwt, or bearer with a token of our own
                                (default basic)
  PORTCULLIS_CLIENT_ID          who asks (required with the address)
  PORTCULLIS_CLIENT_SECRET      its secret; with private_key_jwt its private key, PKCS#8 in PEM
                                (required with the address)
  PORTCULLIS_TOKEN_URI          where our own token comes from, by client credentials for the scope
                                authorization.introspect (required with bearer)
  PORTCULLIS_INTROSPECTED_TOKENS
                                all, or opaque: those that are no JWTs (default all)
  PORTCULLIS_INTROSPECTION_ANSWERS
                                json, or jwt: signed (RFC 9701) (default json)
  PORTCULLIS_INTROSPECTION_AUDIENCE
                                required, or implied: answers need no aud (default required)

 Sidecar: traffic
  PORTCULLIS_UPSTREAM           http://host:port of the service (required in proxy mode)
  PORTCULLIS_LISTEN             address of the protected port (default 127.0.0.1:8080)
  PORTCULLIS_MODE               proxy; or others ask about requests and pass them on: forward-auth
                                (nginx, Traefik, Caddy) or ext-authz (Envoy) (default proxy)
  PORTCULLIS_RULES              path of a TOML file of rules (default none)
  PORTCULLIS_FORWARD_TOKEN      on passes Authorization on to the service (default off)
  PORTCULLIS_CLAIM_HEADERS      header=claim pairs that are set for the service
                                (default x-auth-subject=sub x-auth-client-id=client_id
                                x-auth-issuer=iss x-auth-scope=scope)
  PORTCULLIS_TRUSTED_PROXIES    networks whose forwarded fields are believed (default none, required
                                in mode forward-auth)
  PORTCULLIS_TLS_CERT           certificate chain in PEM, usually as PORTCULLIS_TLS_CERT_FILE: the
                                protected port speaks TLS (default none)
  PORTCULLIS_TLS_KEY            its private key in PEM, usually as PORTCULLIS_TLS_KEY_FILE

 Sidecar: operation
  PORTCULLIS_ADMIN_LISTEN       address of /livez, /readyz, /metrics and the status page, or off
                                (default 127.0.0.1:9090)
  PORTCULLIS_DRAIN_TIMEOUT      time for open requests after SIGTERM (default 30s)
  PORTCULLIS_LOG                filter of log lines (default info)
  PORTCULLIS_LOG_FORMAT         text or json (default text)
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::KNOWN_NAMES;
    use crate::jose::Algorithm;

    const TOPICS: [Topic; 5] =
        [Topic::All, Topic::Serve, Topic::Demo, Topic::Check, Topic::Explain];

    #[test]
    fn the_table_has_every_variable_once_with_its_default() {
        let help = Topic::All.text();
        for name in KNOWN_NAMES {
            let is_whole = |row: &&str| row.starts_with([' ', '\n']);
            let start = format!("\n  {name}");
            let rows: Vec<_> = help.split(&start).skip(1).filter(is_whole).collect();
            assert_eq!(rows.len(), 1, "{name}");
            let row = rows[0].split("\n  PORTCULLIS_").next().unwrap();
            let has_default = row.contains("(default ") || row.contains("(required");
            assert!(has_default || name == "PORTCULLIS_TLS_KEY", "{name}: {row}");
        }
        let algorithms = Algorithm::DEFAULT.map(Algorithm::name).join(" ");
        assert!(help.contains(&format!("(default {algorithms})")));
    }

    #[test]
    fn lines_fit_and_nothing_trails() {
        for topic in TOPICS {
            for line in topic.text().lines() {
                assert!(line.chars().count() <= 100, "{line}");
                assert_eq!(line, line.trim_end());
            }
        }
    }

    #[test]
    fn every_command_has_its_help() {
        let all = Topic::All.text();
        for topic in TOPICS {
            let Some(name) = topic.name() else { continue };
            assert_eq!(Topic::of(name), Some(topic));
            assert!(all.contains(&format!("\n  {name} ")), "{name}");
            assert!(topic.text().contains(name), "{name}");
        }
    }
}
