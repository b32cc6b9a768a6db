//! Which directives count for this cache.

use http::HeaderMap;

use super::control::Control;

/// The response's directives.
pub(super) fn control(headers: &HeaderMap) -> Control {
    Control::of(headers)
}
