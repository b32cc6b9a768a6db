//! Every decision of the gateway, and nothing that acts.
//!
//! Read [`gateway`] first: one request, top to bottom. Each step is a module that takes plain data, with `now`
//! as an argument, and returns an enum that names what to do next and why.
//!
//! Not here, on purpose: the platform (`worker`, `js-sys`), clocks, randomness, I/O, and request or response
//! bodies, which pass through as an opaque type. They sit behind [`host::Host`].

#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")
)]

pub mod access;
pub mod auth;
pub mod cache;
pub mod cors;
pub mod export;
pub mod fault;
pub mod fields;
pub mod forward;
pub mod gateway;
pub mod headers;
pub mod host;
pub mod limit;
pub mod maintenance;
pub mod metrics;
pub mod otlp;
pub mod path;
pub mod plan;
pub mod poll;
pub mod preview;
pub mod ready;
pub mod record;
pub mod retry_after;
pub mod route;
pub mod sample;
pub mod sentry;
pub mod stream;
pub mod target;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod trace;
pub mod upstream;
pub mod wait;
