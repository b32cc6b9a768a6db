//! The command `he2`, run as people run it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "only tests here"
)]

/// `he2 check`.
mod check;
/// `he2 explain`.
mod explain;
/// What an explanation says of limits and places.
mod limits;
/// Sandboxes that are shown, explained.
mod previews;
/// `he2 purge`.
mod purge;
/// Each reason for a refusal, explained.
mod refusals;
/// The routes of the app, each explained.
mod routes;
/// Running the command, and signing in.
mod support;
