//! What each method of a gRPC server needs, in one place.

use std::collections::HashMap;
use std::sync::Arc;

use super::MethodsLayer;
use crate::authorization::Requirement;
use crate::config_error::{ConfigError, Faults};
use crate::resource_server::{Gate, ResourceServer};

/// What the methods of a gRPC server need, by path: `/pkg.Service/Method` for one of them,
/// `/pkg.Service/*` for those of a service that are not listed themselves. The order does not
/// matter. What is listed in neither way needs a good token, of whatever scope.
///
/// [`ResourceServer::methods`] makes a layer of it; the [module](super) has an example.
#[derive(Debug, Clone, Default)]
#[must_use = "methods are protected by the layer that is made of this"]
pub struct Methods(Vec<(String, Need)>);

#[derive(Debug, Clone)]
enum Need {
    Nothing,
    Token(Requirement),
    /// Whoever has no such token is told that there is no such method.
    Hidden(Requirement),
}

impl Methods {
    /// Every method needs a good token.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a method, or all others of a service, requires.
    pub fn require(self, path: impl Into<String>, requirement: impl Into<Requirement>) -> Self {
        self.with(path.into(), Need::Token(requirement.into()))
    }

    /// As [`require`](Self::require), and whoever may not call it gets 5 `NOT_FOUND`, see
    /// [`RequireLayer::hidden`](crate::tower::RequireLayer::hidden). Servers answer 12 `UNIMPLEMENTED` for
    /// a method that there is not.
    pub fn hidden(self, path: impl Into<String>, requirement: impl Into<Requirement>) -> Self {
        self.with(path.into(), Need::Hidden(requirement.into()))
    }

    /// Lets everybody call a method, or all others of a service; no token is looked at.
    pub fn public(self, path: impl Into<String>) -> Self {
        self.with(path.into(), Need::Nothing)
    }

    fn with(mut self, path: String, need: Need) -> Self {
        self.0.push((path, need));
        self
    }
}

impl ResourceServer {
    /// A layer for a gRPC server or service, which judges each call by what its method needs.
    ///
    /// # Errors
    /// Every path that is none, or is listed twice.
    pub fn methods(&self, methods: Methods) -> Result<MethodsLayer, ConfigError> {
        let mut faults = Faults::default();
        let mut table = MethodTable::new(self);
        for (path, need) in methods.0 {
            if let Some(problem) = fault(&path) {
                faults.add(path.escape_debug().to_string(), problem);
                continue;
            }
            let gate = match need {
                Need::Nothing => None,
                Need::Token(needed) => Some(Gate::new(self, needed, false)),
                Need::Hidden(needed) => Some(Gate::new(self, needed, false).hidden()),
            };
            if table.insert(&path, gate.map(Arc::new)).is_some() {
                faults.add(path, "is listed twice");
            }
        }
        faults.or(MethodsLayer::new(table))
    }
}

/// Why a path is neither that of a method nor that of a service.
fn fault(path: &str) -> Option<&'static str> {
    let parts = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    // Of what names in protobuf are made of; with other characters, paths have several spellings.
    let is_name = |name: &str| {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
        !name.is_empty() && name.bytes().all(is_good)
    };
    match parts {
        Some((service, method)) if is_name(service) && (is_name(method) || method == "*") => None,
        _ => Some("must be /pkg.Service/Method, or /pkg.Service/* for all others of a service"),
    }
}

/// `None` where everybody may pass.
type Access = Option<Arc<Gate>>;

/// The gates of all methods.
pub(super) struct MethodTable {
    methods: HashMap<Box<str>, Access>,
    /// By the path up to the slash before the method.
    services: HashMap<Box<str>, Access>,
    otherwise: Arc<Gate>,
}

impl MethodTable {
    fn new(server: &ResourceServer) -> Self {
        let otherwise = Arc::new(Gate::plain(server));
        Self { methods: HashMap::new(), services: HashMap::new(), otherwise }
    }

    /// What was there before.
    fn insert(&mut self, path: &str, access: Access) -> Option<Access> {
        match path.strip_suffix("/*") {
            Some(service) => self.services.insert(service.into(), access),
            None => self.methods.insert(path.into(), access),
        }
    }

    /// `None` where everybody may pass.
    pub(super) fn gate(&self, path: &str) -> Option<&Arc<Gate>> {
        let of_service = || self.services.get(path.rsplit_once('/')?.0);
        let found = self.methods.get(path).or_else(of_service);
        found.map_or(Some(&self.otherwise), Option::as_ref)
    }

    /// For what is not listed.
    pub(super) fn otherwise(&self) -> &Gate {
        &self.otherwise
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authentication::Issuer;
    use crate::authorization::scope;

    fn server() -> ResourceServer {
        let issuer = Issuer::discover("https://as.example").audience("https://rs.example");
        ResourceServer::builder().issuer(issuer).build().unwrap()
    }

    fn gates(methods: Methods) -> MethodTable {
        let server = server();
        let layer = server.methods(methods).unwrap();
        Arc::into_inner(layer.into_table()).unwrap()
    }

    #[test]
    fn the_method_counts_before_its_service_and_what_is_not_listed_needs_a_token() {
        let table = gates(
            Methods::new()
                .public("/a.S/Open")
                .require("/a.S/*", scope("a"))
                .public("/b.S/*")
                .require("/b.S/Closed", scope("b")),
        );
        for (path, is_public, is_listed) in [
            ("/a.S/Open", true, true),
            ("/a.S/Other", false, true),
            ("/a.S/", false, true),
            ("/b.S/Closed", false, true),
            ("/b.S/Other", true, true),
            ("/a.S/open", false, true),
            ("/a.S/Open/", false, false),
            ("/a.S", false, false),
            ("/c.S/Any", false, false),
            ("/b.s/Other", false, false),
            ("//b.S/Other", false, false),
            ("/", false, false),
            ("*", false, false),
            ("", false, false),
        ] {
            let gate = table.gate(path);
            assert_eq!(gate.is_none(), is_public, "{path}");
            let is_otherwise = gate.is_some_and(|gate| Arc::ptr_eq(gate, &table.otherwise));
            assert_eq!(is_otherwise, !is_listed, "{path}");
        }
    }

    #[test]
    fn every_fault_is_told() {
        let methods = Methods::new()
            .public("a.S/Open")
            .require("/a.S/Twice", scope("a"))
            .public("/a.S/Twice")
            .public("/a.S")
            .public("/*/Open")
            .public("/a.S/Op*")
            .public("/a.S/Open/More")
            .public("/a.S/%4fpen")
            .public("");
        let error = server().methods(methods).unwrap_err();
        let settings: Vec<_> = error.faults().iter().map(|fault| fault.setting()).collect();
        assert_eq!(
            settings,
            [
                "a.S/Open",
                "/a.S/Twice",
                "/a.S",
                "/*/Open",
                "/a.S/Op*",
                "/a.S/Open/More",
                "/a.S/%4fpen",
                ""
            ]
        );
        assert!(error.to_string().contains("/a.S/Twice: is listed twice"), "{error}");
    }
}
