//! What he2.toml may say, by its faults; and what the real one says, by the routes of the app.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "only tests here"
)]

/// The routes of the app against the real file.
mod app_routes;
/// he2.toml and wrangler.toml, which must not drift.
mod deployment;
/// Networks, sizes, environments and variables.
mod infra;
/// Values of the wrong kind, misspelt or missing.
mod kinds;
/// The order of the routes, and the plan as source.
mod order;
/// Hosts, services, tokens, origins, limits and caches.
mod policies;
/// Routes.
mod routes;
/// A small valid file, and faults made in it.
mod support;
