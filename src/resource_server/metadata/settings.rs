//! What is configured about the resource itself.

use super::{Document, ResourceIdentifier, ResourceMetadata};
use crate::authentication::Issuer;
use crate::config_error::{Faults, Setting};
use crate::fetch::AllowHttp;
use crate::scope::{OFFLINE_ACCESS, Scope, parse_all, split_config_list};

/// As it was written.
#[derive(Debug, Default)]
pub(in crate::resource_server) struct Advertised {
    pub(in crate::resource_server) resource: Option<String>,
    pub(in crate::resource_server) is_mcp: bool,
    pub(in crate::resource_server) at_root: Option<bool>,
    pub(in crate::resource_server) scopes: String,
    pub(in crate::resource_server) name: Option<String>,
    pub(in crate::resource_server) documentation: Option<String>,
}

/// As it counts.
#[derive(Debug)]
pub(in crate::resource_server) struct Checked {
    resource: Option<String>,
    /// `None` also where there is a fault in it.
    identifier: Option<ResourceIdentifier>,
    is_mcp: bool,
    at_root: bool,
    scopes: Vec<Scope>,
    name: Option<String>,
    documentation: Option<String>,
    warnings: Vec<&'static str>,
}

impl Advertised {
    pub(in crate::resource_server) fn read(&self, faults: &mut Faults) -> Checked {
        let mut warnings = Vec::new();
        let resource = self.resource(&mut warnings);
        let identifier = resource.as_deref().and_then(|text| {
            ResourceIdentifier::parse(text)
                .map_err(|problem| faults.add_about(Setting::Resource, "resource", problem))
                .ok()
        });
        let scopes = self.scopes(&mut warnings, faults);
        if let Some(url) = &self.documentation
            && let Err(problem) = AllowHttp::Loopback.check(url)
        {
            faults.add("resource_documentation", problem);
        }
        Checked {
            resource,
            identifier,
            is_mcp: self.is_mcp,
            at_root: self.at_root.unwrap_or(self.is_mcp),
            scopes,
            name: self.name.clone(),
            documentation: self.documentation.clone(),
            warnings,
        }
    }

    fn resource(&self, warnings: &mut Vec<&'static str>) -> Option<String> {
        let text = self.resource.clone()?;
        if !self.is_mcp {
            return Some(text);
        }
        let canonical = ResourceIdentifier::canonical(&text);
        if canonical != text {
            warnings.push("the address of the MCP server is used in its canonical form");
        }
        Some(canonical)
    }

    fn scopes(&self, warnings: &mut Vec<&'static str>, faults: &mut Faults) -> Vec<Scope> {
        let mut fault = |problem: String| {
            faults.add_about(Setting::ScopesSupported, "scopes_supported", problem);
        };
        let mut scopes = match parse_all(split_config_list(&self.scopes), Scope::new) {
            Ok(scopes) => scopes,
            Err(problems) => {
                problems.iter().for_each(|problem| fault(problem.to_string()));
                Vec::new()
            }
        };
        if !scopes.is_empty() && self.resource.is_none() {
            fault("needs a resource whose scopes they are".to_owned());
        }
        let before = scopes.len();
        scopes.retain(|scope| !self.is_mcp || scope.as_str() != OFFLINE_ACCESS);
        if scopes.len() < before {
            warnings.push("offline_access is no scope of the resource, and is not advertised");
        }
        scopes
    }
}

impl Checked {
    pub(in crate::resource_server) fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// The address of the document.
    pub(in crate::resource_server) fn address(&self) -> Option<String> {
        self.identifier.as_ref().map(ResourceIdentifier::document)
    }

    pub(in crate::resource_server) fn is_mcp(&self) -> bool {
        self.is_mcp
    }

    pub(in crate::resource_server) fn metadata(
        &self,
        issuers: &[Issuer],
        faults: &mut Faults,
    ) -> Option<ResourceMetadata> {
        let identifier = self.identifier.as_ref()?;
        let servers: Vec<_> = issuers.iter().filter_map(Issuer::address).collect();
        let scopes: Vec<_> = self.scopes.iter().map(Scope::as_str).collect();
        let document = Document {
            resource: identifier.as_str(),
            authorization_servers: &servers,
            scopes_supported: &scopes,
            bearer_methods_supported: ["header"],
            resource_name: self.name.as_deref(),
            resource_documentation: self.documentation.as_deref(),
        };
        ResourceMetadata::new(identifier, &document, self.at_root)
            .map_err(|error| faults.add("resource", error.to_string()))
            .ok()
    }

    pub(in crate::resource_server) fn warn(&self) {
        for warning in &self.warnings {
            tracing::warn!(resource = self.resource(), "{warning}");
        }
    }
}
