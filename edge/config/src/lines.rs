//! Where he2.toml says what the plan holds without its line. For explanations: the gateway never asks.

use std::collections::BTreeMap;

use crate::written::{self, Written};

/// Lines of he2.toml behind the steps of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Of the origins that may call from a browser.
    pub origins: Option<u32>,
    /// By the name of the route.
    routes: BTreeMap<String, RouteLines>,
}

/// What one route says, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteLines {
    /// Line of its `auth`.
    pub auth: u32,
    /// Name and line of its cache policy.
    pub cache: Option<(String, u32)>,
}

impl Lines {
    pub(crate) fn of(written: &Written) -> Self {
        let routes = written.routes.iter().flatten();
        let lines = |route: &written::Route| {
            Some((route.name.as_ref()?.value.clone(), lines(route, &written.caches)?))
        };
        let origins = written.cors.as_ref().and_then(|cors| cors.origins.as_ref());
        Self { origins: origins.map(|origins| origins.line), routes: routes.filter_map(lines).collect() }
    }

    /// Those of the route with this name.
    #[must_use]
    pub fn route(&self, name: &str) -> Option<&RouteLines> {
        self.routes.get(name)
    }
}

fn lines(route: &written::Route, caches: &[written::Cache]) -> Option<RouteLines> {
    let named = route.cache.good();
    let cache = named.and_then(|named| caches.iter().find(|cache| cache.name.value == named.value));
    let cache = cache.map(|cache| (cache.name.value.clone(), cache.name.line));
    Some(RouteLines { auth: route.auth.as_ref()?.line, cache })
}
