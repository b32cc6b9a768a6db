//! Routes whose callers are told by their own credentials, or not at all.

use edge_core::plan::{Auth, Condition, SignIn, Source, Subject, Test, Value};

use super::condition::{self, check_roles, one_of};
use super::text::{check_known, check_range, check_texts};
use crate::fault::Report;
use crate::leak;
use crate::read::{Given, Lined};
use crate::written::issuer::Issuer;
use crate::written::route_auth::{Callers, Class};

const SOURCES: [(&str, Source); 2] = [("query", Source::Query), ("cookie", Source::Cookie)];
/// The longest that an expired token may be taken: longer than any agent's run.
const LONGEST_GRACE_SECONDS: u32 = 86400;
const API_KEY: SignIn =
    SignIn { required: true, user: false, api_key: true, sources: &[], grace_seconds: 0, conditions: &[] };

pub(super) fn check(callers: &Callers, issuers: &[Issuer], report: &Report) -> Auth {
    let (required, api_key) = match callers.class.value {
        Class::Public => return without_user(Auth::Public, callers, report),
        Class::Blocked => return without_user(Auth::Blocked, callers, report),
        Class::ApiKey => return without_user(Auth::SignIn(API_KEY), callers, report),
        Class::Optional => (false, false),
        Class::User => (true, false),
        Class::AnyOf => (true, true),
    };
    let sources = sources(&callers.sources, issuers, report);
    Auth::SignIn(SignIn {
        required,
        user: true,
        api_key,
        sources,
        grace_seconds: grace(&callers.grace, sources, report),
        conditions: leak::list(conditions(callers, report)),
    })
}

fn without_user(auth: Auth, callers: &Callers, report: &Report) -> Auth {
    let class = callers.class.value.name();
    let keys = [
        ("sources", line(&callers.sources)),
        ("grace_seconds", line(&callers.grace)),
        ("aal", line(&callers.aal)),
        ("anonymous", line(&callers.anonymous)),
        ("roles", line(&callers.roles)),
        ("claims", line(&callers.claims)),
    ];
    for (key, line) in keys.into_iter().filter_map(|(key, line)| Some((key, line?))) {
        report.add(line, format!("`{key}` is for users' tokens, and auth `{class}` takes none; remove it"));
    }
    auth
}

fn line<T>(given: &Given<T>) -> Option<u32> {
    given.good().map(|given| given.line)
}

fn sources(names: &Given<Vec<Lined<String>>>, issuers: &[Issuer], report: &Report) -> &'static [Source] {
    let Some(names) = names.good() else { return &[] };
    check_texts("sources", names.line, &names.value, report);
    check_known("source", &names.value, &SOURCES.map(|(name, _)| name), report);
    let has_cookie = |issuer: &Issuer| issuer.cookie.good().is_some_and(|cookie| cookie.value);
    for name in names.value.iter().filter(|name| name.value == "cookie" && !issuers.iter().any(has_cookie)) {
        report.add(
            name.line,
            "no issuer keeps its session in a cookie; give one `cookie = true`, or remove it",
        );
    }
    let source = |name: &Lined<String>| SOURCES.into_iter().find(|(known, _)| *known == name.value);
    leak::list(names.value.iter().filter_map(source).map(|(_, source)| source).collect())
}

fn grace(seconds: &Given<u32>, sources: &[Source], report: &Report) -> u32 {
    let Some(seconds) = seconds.good() else { return 0 };
    check_range("grace_seconds", Some(seconds), &(1..=LONGEST_GRACE_SECONDS), report);
    if !sources.contains(&Source::Query) {
        let text = "`grace_seconds` is for streams, which reconnect with the token of their URL; add the source \
                    \"query\", or remove it";
        report.add(seconds.line, text);
    }
    seconds.value
}

fn conditions(callers: &Callers, report: &Report) -> Vec<Condition> {
    let mut conditions = Vec::new();
    if let Some(aal) = callers.aal.good() {
        check_texts("aal", aal.line, &aal.value.0, report);
        conditions.push(one_of(Subject::Aal, &aal.value.0));
    }
    conditions.extend(callers.anonymous.good().map(|anonymous| signed_up(anonymous, report)));
    if let Some(roles) = callers.roles.good() {
        check_roles(roles.line, &roles.value, report);
        conditions.push(one_of(Subject::Role, &roles.value));
    }
    conditions.extend(condition::claims("claims", callers.claims.good(), report));
    conditions
}

/// `true` could be taken for "anonymous users too", which is what no condition says.
fn signed_up(anonymous: &Lined<bool>, report: &Report) -> Condition {
    if anonymous.value {
        report.add(anonymous.line, "`anonymous` can only be false; leave it out to take anonymous users too");
    }
    Condition { subject: Subject::Anonymous, test: Test::OneOf(&[Value::Bool(false)]) }
}
