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
/// How many requests may be under way at once.
mod concurrency;
/// How long the content of requests may be.
mod content;
/// he2.toml and wrangler.toml, which must not drift.
mod deployment;
/// Routes without a service, and the log.
mod edges;
/// Heads of requests and answers.
mod heads;
/// Networks, sizes, environments and variables.
mod infra;
/// How tokens are checked, and who issues them.
mod issuers;
/// Values of the wrong kind, misspelt or missing.
mod kinds;
/// Windows, modes, costs that the origin names, and refusals.
mod limits;
/// The order of the routes, and the plan as source.
mod order;
/// By what limits and concurrencies count.
mod parts;
/// Hosts, services, origins and caches.
mod policies;
/// Where sandboxes are shown, and which of their ports.
mod previews;
/// Costs, and event streams.
mod route_limits;
/// Routes.
mod routes;
/// How event streams are kept alive.
mod streams;
/// A small valid file, and faults made in it.
mod support;
/// Callers with windows of their own.
mod tiers;
/// How long the content of answers may take.
mod timeouts;
/// Several origins, and how routes make use of them.
mod upstreams;
/// How long callers may let the origin wait.
mod waits;
