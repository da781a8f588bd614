//! What clients have asked for, in the words of RBAC.

use std::fmt;

use hyper::Method;

use super::request::Target;
use super::resource::Resource;

/// A verb on a resource, as a rule of RBAC allows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Asked {
    /// The verb, such as `list`.
    pub verb: &'static str,
    /// The group. Empty for the core group.
    pub group: &'static str,
    /// The resource, such as `services`.
    pub resource: &'static str,
    /// The subresource, such as `status`. Empty for the object itself.
    pub subresource: &'static str,
}

impl Asked {
    pub(super) fn of(method: &Method, target: &Target, watch: bool) -> Self {
        let verb = match *method {
            Method::GET if target.name.is_some() => "get",
            Method::GET if watch => "watch",
            Method::GET => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ => "unknown",
        };
        let subresource = if target.is_status { "status" } else { "" };
        let Resource { group, plural: resource, .. } = *target.resource;
        Self { verb, group, resource, subresource }
    }
}

impl fmt::Display for Asked {
    /// Prints as `list services`, `patch nodes/status` or `list endpointslices.discovery.k8s.io`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, group, resource, subresource } = self;
        write!(f, "{verb} {resource}")?;
        if !subresource.is_empty() {
            write!(f, "/{subresource}")?;
        }
        match *group {
            "" => Ok(()),
            _ => write!(f, ".{group}"),
        }
    }
}
