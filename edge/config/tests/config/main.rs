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
/// Who may pass a route.
mod auth;
/// The names of the Worker's variables and secrets.
mod bindings;
/// he2.toml and wrangler.toml, which must not drift.
mod deployment;
/// Networks, sizes, environments and variables.
mod infra;
/// How tokens are checked, and who issues them.
mod issuers;
/// Values of the wrong kind, misspelt or missing.
mod kinds;
/// Windows, modes and refusals.
mod limits;
/// The order of the routes, and the plan as source.
mod order;
/// Hosts, services, origins and caches.
mod policies;
/// Routes.
mod routes;
/// A small valid file, and faults made in it.
mod support;
