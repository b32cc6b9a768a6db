//! An explanation on paper: for people, and as JSON for programs. Secrets are hidden in both.

use std::fmt::Write;

use edge_core::host::Outgoing;
use serde_json::{Value, json};

use super::steps::{Step, class, steps};
use super::{Seen, redact};

/// For people.
pub(super) fn text(seen: &Seen) -> String {
    let mut text = format!("{}\n", asked(seen));
    for step in steps(seen) {
        let place = step.line.map(|line| format!("  [{}:{line}]", seen.file)).unwrap_or_default();
        line(&mut text, step.name, &format!("{}{place}", step.says));
    }
    match &seen.reached.sent {
        Some(sent) => forward(&mut text, sent, seen.record.upstream.unwrap_or_default()),
        None => answer(&mut text, seen),
    }
    text
}

/// For programs.
pub(super) fn json(seen: &Seen) -> String {
    let route = seen.record.matched.map(|route| {
        json!({
            "name": route.name,
            "line": route.line,
            "pattern": route.pattern,
            "service": route.service,
            "auth": class(route.auth),
        })
    });
    let value = json!({
        "request": asked(seen),
        "file": seen.file,
        "steps": steps(seen).iter().map(step).collect::<Vec<_>>(),
        "route": route,
        "caller": seen.record.caller,
        "fault": seen.record.fault,
        "upstream": seen.record.upstream,
        "forward": seen.reached.sent.as_ref().map(forwarded),
        "answer": seen.reached.sent.is_none().then(|| answered(seen)),
    });
    format!("{value:#}\n")
}

fn asked(seen: &Seen) -> String {
    let target = &seen.target;
    let query = target.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}://{}{}{query}", target.scheme, target.host, target.path);
    format!("{} {}", seen.method, redact::url(&url))
}

fn line(text: &mut String, name: &str, says: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "  {name:<8} {says}");
}

fn forward(text: &mut String, sent: &Outgoing<String>, upstream: &str) {
    let wait = sent.first_byte_ms / 1000;
    line(
        text,
        "forward",
        &format!(
            "{} {}, answer within {wait} s, by upstream {upstream}",
            sent.method,
            redact::url(&sent.url)
        ),
    );
    fields(text, &redact::fields(&sent.headers));
}

fn answer(text: &mut String, seen: &Seen) {
    line(text, "answer", &seen.response.status().to_string());
    fields(text, &redact::fields(seen.response.headers()));
    if !seen.response.body().is_empty() {
        line(text, "", seen.response.body());
    }
}

fn fields(text: &mut String, fields: &[(String, String)]) {
    for (name, value) in fields {
        line(text, "", &format!("{name}: {value}"));
    }
}

fn step(step: &Step) -> Value {
    json!({ "step": step.name, "says": step.says, "line": step.line })
}

fn forwarded(sent: &Outgoing<String>) -> Value {
    json!({
        "method": sent.method.as_str(),
        "url": redact::url(&sent.url),
        "headers": redact::fields(&sent.headers),
        "first_byte_seconds": sent.first_byte_ms / 1000,
    })
}

fn answered(seen: &Seen) -> Value {
    let body: Value = serde_json::from_str(seen.response.body()).unwrap_or(Value::Null);
    json!({
        "status": seen.response.status().as_u16(),
        "headers": redact::fields(seen.response.headers()),
        "body": body,
    })
}
