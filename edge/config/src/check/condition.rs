//! What must hold of a token: tests of claims, and the short forms of routes.

use edge_core::plan::{Condition, Subject, Test, Value};

use super::text::check_texts;
use crate::fault::Report;
use crate::leak;
use crate::read::Lined;
use crate::written::condition::ClaimTest;

/// Roles that are no user: `anon` is everyone and `service_role` a machine with all rights.
const NO_USERS: [&str; 2] = ["anon", "service_role"];
/// The claim that its user writes.
const USER_METADATA: &str = "user_metadata";

/// The tests that hold, as conditions. `key` is how faults call the list.
pub(super) fn claims(key: &str, tests: Option<&Lined<Vec<ClaimTest>>>, report: &Report) -> Vec<Condition> {
    let Some(tests) = tests else { return Vec::new() };
    if tests.value.is_empty() {
        report.add(tests.line, format!("`{key}` is empty; give a test, or leave it out"));
    }
    tests.value.iter().filter_map(|test| claim(test, report)).collect()
}

/// The test that holds, as a condition.
pub(super) fn claim(written: &ClaimTest, report: &Report) -> Option<Condition> {
    let path = written.claim.as_ref().and_then(|claim| path(claim, report));
    let test = test(written, report);
    Some(Condition { subject: Subject::Claim(path?), test: test? })
}

/// The names on the way to a claim.
pub(super) fn path(claim: &Lined<String>, report: &Report) -> Option<&'static [&'static str]> {
    let names: Vec<&str> = claim.value.split('.').collect();
    let fault = match names.as_slice() {
        [USER_METADATA, ..] => "is written by its user and proves nothing; use `app_metadata`",
        names if names.contains(&"") => "has an empty name; write it as `app_metadata.plan`",
        names => return Some(leak::list(names.iter().map(|name| leak::text(name)).collect())),
    };
    report.add(claim.line, format!("claim `{}` {fault}", claim.value));
    None
}

/// A test is one of the three.
fn test(written: &ClaimTest, report: &Report) -> Option<Test> {
    let ClaimTest { line, equals, one_of, contains, .. } = written;
    let absent = [equals.is_absent(), one_of.is_absent(), contains.is_absent()];
    let given = absent.into_iter().filter(|absent| !absent).count();
    if given != 1 {
        let text = format!("the test of a claim has {given} of `equals`, `one_of` and `contains`; give one");
        report.add(*line, text);
        return None;
    }
    let equals =
        equals.good().map(|equals| Test::OneOf(values("equals", std::slice::from_ref(equals), report)));
    let one_of =
        || one_of.good().map(|one_of| Test::OneOf(list("one_of", one_of.line, &one_of.value, report)));
    let contains = || {
        let contains = contains.good()?;
        Some(Test::Contains(list("contains", contains.line, &contains.value.0, report)))
    };
    equals.or_else(one_of).or_else(contains)
}

fn list(key: &str, line: u32, items: &[Lined<Value>], report: &Report) -> &'static [Value] {
    if items.is_empty() {
        report.add(line, format!("`{key}` is empty; name at least one"));
    }
    values(key, items, report)
}

fn values(key: &str, items: &[Lined<Value>], report: &Report) -> &'static [Value] {
    for item in items.iter().filter(|item| item.value == Value::Text("")) {
        report.add(item.line, format!("`{key}` holds an empty string; remove it"));
    }
    leak::list(items.iter().map(|item| item.value).collect())
}

/// One of these texts.
pub(super) fn one_of(subject: Subject, items: &[Lined<String>]) -> Condition {
    let values = items.iter().map(|item| Value::Text(leak::text(&item.value))).collect();
    Condition { subject, test: Test::OneOf(leak::list(values)) }
}

/// Roles of users: of an issuer, or of a route.
pub(super) fn check_roles(line: u32, roles: &[Lined<String>], report: &Report) {
    check_texts("roles", line, roles, report);
    for role in roles.iter().filter(|role| NO_USERS.contains(&role.value.as_str())) {
        report.add(role.line, format!("role `{}` is never a signed-in user; remove it", role.value));
    }
}
