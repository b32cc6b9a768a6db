//! Faults that should never happen, told to Sentry; and the pages' own reports, passed on to it.

pub mod dsn;
pub mod envelope;
pub mod limits;
pub mod tunnel;
