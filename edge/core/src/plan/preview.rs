//! What the plan says of previews.

use super::Route;

/// What runs in sandboxes, shown under host names of their own ([`crate::preview`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Previews {
    /// In lower case: `{port}-{sandbox}` stands before it as one label.
    pub domain: &'static str,
    /// The ports that are shown, unless they are reserved.
    pub ports: &'static [Ports],
    /// Ports that never are, whatever `ports` says: [`crate::preview::RESERVED`] among them.
    pub reserved: &'static [u16],
    /// Daytona's API, without a trailing slash, where the deployment names no other.
    pub api: &'static str,
    /// What limits, logs and explanations take a preview for.
    pub route: Route,
}

/// Ports from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last, no less than the first.
    pub last: u16,
}
