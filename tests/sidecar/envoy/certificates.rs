//! Tokens that are bound to a client certificate (RFC 8705), which Envoy has seen and passes on.

use portcullis::ClientCertificate;
use portcullis::testing::{Authority, TokenBuilder};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use reqwest::{Certificate, Client, Response};

use super::gateway::{Gateway, asked_by_envoy};
use crate::support::{Identity, Upstream, authority};

const SWITCH: &str = "include_peer_certificate: true";

/// Who signs the certificates of clients.
struct Signer {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Signer {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = named("signer");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(parameters, key), certificate }
    }

    fn sign(&self, name: &str) -> Shown {
        let key = KeyPair::generate().unwrap();
        let made = named(name).signed_by(&key, &self.issuer).unwrap();
        // The whole chain, as clients send it.
        let pem = made.pem() + &self.certificate + &key.serialize_pem();
        Shown { pem, certificate: ClientCertificate::from_der(made.der()) }
    }
}

/// Who signs and who is signed have different names: otherwise it would seem to be one and the same.
fn named(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

/// What a client shows.
struct Shown {
    pem: String,
    certificate: ClientCertificate,
}

/// Envoy with TLS before its listener, and with another switch in place of [`SWITCH`].
struct Secure {
    gateway: Gateway,
    server: Identity,
    authority: Authority,
    signer: Signer,
}

impl Secure {
    async fn start(switch: &str, is_required: bool) -> Option<Self> {
        let (authority, server, signer) = (authority().await, Identity::new(), Signer::new());
        let sidecar = asked_by_envoy(authority.issuer_url()).start();
        let inline = |pem: &str| format!("{{ inline_string: {} }}", serde_json::json!(pem));
        let tls = format!(
            "    - transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          require_client_certificate: {is_required}
          common_tls_context:
            tls_certificates: [{{ certificate_chain: {}, private_key: {} }}]
            validation_context: {{ trusted_ca: {} }}
      filters:
",
            inline(&server.certificate),
            inline(&server.key),
            inline(&signer.certificate),
        );
        let edit = |example: String| {
            for place in [SWITCH, "    - filters:\n"] {
                assert_eq!(example.matches(place).count(), 1, "{place}");
            }
            example.replace(SWITCH, switch).replace("    - filters:\n", &tls)
        };
        let gateway = Gateway::with(sidecar, Upstream::start().await, edit)?;
        Some(Self { gateway, server, authority, signer })
    }

    fn token(&self) -> TokenBuilder {
        self.authority.token().subject("u1")
    }

    fn bound_to(&self, shown: &Shown) -> String {
        self.token().bound_to(&shown.certificate).mint()
    }

    fn client(&self, shown: Option<&Shown>) -> Client {
        let root = Certificate::from_pem(self.server.certificate.as_bytes()).unwrap();
        let client = Client::builder().tls_certs_only([root]);
        let client = client.resolve("localhost", self.gateway.address());
        match shown {
            Some(shown) => {
                client.identity(reqwest::Identity::from_pem(shown.pem.as_bytes()).unwrap())
            }
            None => client,
        }
        .build()
        .unwrap()
    }

    async fn get(&self, shown: Option<&Shown>, token: &str, fields: &[(&str, &str)]) -> Response {
        let address = format!("https://localhost:{}/orders", self.gateway.address().port());
        let request = self.client(shown).get(address).bearer_auth(token);
        let request =
            fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap()
    }

    async fn passes(&self, shown: Option<&Shown>, token: &str) {
        assert_eq!(self.get(shown, token, &[]).await.status(), 200);
        assert_eq!(self.gateway.service.take_one().field("x-auth-subject"), Some("u1"));
    }

    async fn is_refused(&self, shown: Option<&Shown>, token: &str, fields: &[(&str, &str)]) {
        let answer = self.get(shown, token, fields).await;
        assert_eq!(answer.status(), 401);
        assert_eq!(
            answer.headers()["www-authenticate"],
            "Bearer realm=\"resource\", error=\"invalid_token\", \
             error_description=\"The access token is bound to a key that was not proven\""
        );
        assert!(self.gateway.seen().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_04_mtls_01_a_bound_token_passes_with_its_own_certificate_alone() {
    let Some(envoy) = Secure::start(SWITCH, true).await else { return };
    let [own, other] = ["own", "other"].map(|name| envoy.signer.sign(name));
    let bound = envoy.bound_to(&own);
    for _ in 0..2 {
        envoy.passes(Some(&own), &bound).await;
        envoy.is_refused(Some(&other), &bound, &[]).await;
    }
    envoy.passes(Some(&other), &envoy.token().mint()).await;
    envoy.passes(Some(&other), &envoy.bound_to(&other)).await;
}

/// A client may write into fields what it likes.
#[tokio::test(flavor = "multi_thread")]
async fn envoy_04_mtls_02_without_a_certificate_a_bound_token_is_refused() {
    let Some(envoy) = Secure::start(SWITCH, false).await else { return };
    let own = envoy.signer.sign("own");
    let bound = envoy.bound_to(&own);
    let leaf = own.pem.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
    let escaped = leaf.replace('\n', "%0A").replace(' ', "%20").replace('+', "%2B");
    let forwarded = format!("Cert=\"{escaped}\"");
    envoy.is_refused(None, &bound, &[]).await;
    let made_up = [("x-forwarded-client-cert", &*forwarded), ("client-cert", &escaped)];
    envoy.is_refused(None, &bound, &made_up).await;
    envoy.passes(None, &envoy.token().mint()).await;
    envoy.passes(Some(&own), &bound).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_04_without_the_switch_a_bound_token_is_refused() {
    let Some(envoy) = Secure::start("include_peer_certificate: false", true).await else { return };
    let own = envoy.signer.sign("own");
    envoy.is_refused(Some(&own), &envoy.bound_to(&own), &[]).await;
    envoy.passes(Some(&own), &envoy.token().mint()).await;
}
