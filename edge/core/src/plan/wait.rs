//! How long a caller may let the origin wait.

/// A long poll: the origin waits before it answers, as long as a parameter of the query says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Wait {
    /// The parameter, in seconds.
    pub parameter: &'static str,
    /// The origin is never asked to wait longer, nor where the caller says nothing (seconds).
    pub most_seconds: u32,
    /// The parameter that asks for events instead, where it is true: they may last.
    pub events: Option<&'static str>,
}
