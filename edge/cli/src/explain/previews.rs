//! A preview's way in words.

use edge_core::fault::Fault;
use edge_core::preview::Closed;

use super::Seen;
use super::steps::{Outcome, refused};

/// The port and the sandbox that the host name means.
pub(super) fn meant(seen: &Seen) -> Outcome {
    let (port, sandbox) = (seen.record.port.unwrap_or_default(), seen.record.sandbox.as_deref());
    let says = format!("port {port} of the sandbox {}", sandbox.unwrap_or_default());
    match seen.record.refused {
        Some(Fault::Preview(Closed::Port) | Fault::Denied(_)) => Err(format!("{says}, {}", refused(seen))),
        _ => Ok(says),
    }
}

/// The path as the sandbox gets it.
pub(super) fn path(seen: &Seen) -> Outcome {
    match seen.record.refused {
        Some(Fault::Path(_) | Fault::Loop) => Err(refused(seen)),
        _ => Ok(seen.record.path.clone()),
    }
}

/// What Daytona would be asked.
pub(super) fn asked(seen: &Seen) -> Outcome {
    match seen.reached.sent {
        Some(_) => Ok("taken to be public and to run; Daytona would be asked, and for the token".to_owned()),
        None => Err(refused(seen)),
    }
}
