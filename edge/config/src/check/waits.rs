//! How long callers may let the origin wait.

use edge_core::plan::Wait;

use crate::fault::Report;
use crate::leak;
use crate::read::Lined;
use crate::written::Route;

/// The wait of a route whose answer may take `first_byte_seconds` to begin.
pub(super) fn check(route: &Route, first_byte_seconds: u32, report: &Report) -> Option<Wait> {
    let wait = route.wait.good()?;
    if route.service.is_absent() {
        report.add(wait.line, "nobody waits for a service here; remove `wait`");
    }
    let (parameter, events) = (wait.value.parameter.as_ref(), wait.value.events.good());
    for name in parameter.into_iter().chain(events) {
        check_parameter(name, report);
    }
    let most = wait.value.most.as_ref()?;
    if most.value >= first_byte_seconds {
        let text = format!(
            "most_seconds {}: the route's answer must begin within {first_byte_seconds} s; give less, or a longer \
             `first_byte_seconds`",
            most.value
        );
        report.add(most.line, text);
    }
    Some(Wait {
        parameter: leak::text(&parameter?.value),
        most_seconds: most.value,
        events: events.map(|events| leak::text(&events.value)),
    })
}

/// It is written into queries as it stands.
fn check_parameter(name: &Lined<String>, report: &Report) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.value.is_empty() || !name.value.bytes().all(is_plain) {
        report.add(name.line, format!("parameter `{}`: use letters, digits, `-`, `_` and `.`", name.value));
    }
}
