//! The origins of a service: which one is asked, how often, and when not at all.
//!
//! All of it is what one isolate has seen; nothing is asked of anybody else, so isolates come to know a failure one by
//! one. A bound here, the retry budget's above all, is a bound per isolate.
//!
//! | module | decides |
//! |---|---|
//! | [`outcome`] | what a try says of its upstream |
//! | [`pick`] | which upstream a request goes to, and where it goes next |
//! | [`breaker`] | whether an upstream is left alone |
//! | [`health`] | how well an upstream has done of late |
//! | [`shed`] | whether an upstream has room for a request of a class ([`adaptive`]: for how many) |
//! | [`retry`] | whether a try that failed is repeated |
//! | [`budget`] | how many retries there may be at all |
//! | [`pool`] | calls these in their order: the one thing that the gateway uses |
//! | [`recent`], [`backoff`] | counting and waiting, for those above |
//!
//! Left out: probes of its own making (health is known from requests only), and what happens to content after the
//! response head.

pub mod adaptive;
pub mod backoff;
pub mod breaker;
pub mod budget;
pub mod health;
pub mod outcome;
pub mod pick;
pub mod pool;
pub mod recent;
pub mod retry;
pub mod shed;

#[cfg(test)]
mod chaos;
