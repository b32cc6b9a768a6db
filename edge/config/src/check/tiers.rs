//! Callers with windows of their own: by a claim of the user, or by how the API key begins.

use edge_core::plan::{Auth, NO_TIER, Part, SignIn, Tier, TierOf};

use super::parts::{Naming, knows_users};
use super::text::{check_name, check_twice};
use super::{condition, limits};
use crate::fault::Report;
use crate::leak;
use crate::read::{Given, Lined};
use crate::written::limit as written;

/// All that follows `pk_` in a key's public half.
const PUBLIC: usize = 32;
/// How much of what follows `he-` may stand in the file: the 36 characters are secret together.
const SHOWN: usize = 12;

/// The tiers that hold.
pub(super) fn check(
    tiers: &Given<Vec<written::Tier>>,
    by: Option<&[Part]>,
    report: &Report,
) -> Option<&'static [Tier]> {
    let Some(tiers) = tiers.good() else { return tiers.is_absent().then_some(&[]) };
    check_apart(tiers.line, by, report);
    if tiers.value.is_empty() {
        report.add(tiers.line, "`tiers` is empty; give one, or leave it out");
    }
    let names: Vec<Lined<String>> = tiers.value.iter().filter_map(|tier| tier.name.clone()).collect();
    check_twice("tier", &names, report);
    let checked: Vec<Option<Tier>> = tiers.value.iter().map(|tier| checked(tier, report)).collect();
    let checked: Vec<Tier> = checked.into_iter().collect::<Option<_>>()?;
    check_reach(&tiers.value, &checked, report);
    Some(leak::list(checked))
}

/// Where callers of two tiers shared a counter, the permits of one would be spent by the other.
fn check_apart(line: u32, by: Option<&[Part]>, report: &Report) {
    let apart = |part: &Part| matches!(part, Part::Caller | Part::Session);
    if by.is_some_and(|by| !by.iter().any(apart)) {
        report.add(line, "`tiers` need callers that count apart; add \"caller\" to `by`");
    }
}

fn checked(tier: &written::Tier, report: &Report) -> Option<Tier> {
    let of = of(tier, report);
    let name = tier.name.as_ref()?;
    check_name(name, report);
    if name.value == NO_TIER {
        report.add(name.line, format!("`{NO_TIER}` is what callers of no tier are called; rename the tier"));
    }
    let windows = limits::windows("tier", name, &tier.windows, report);
    Some(Tier { name: leak::text(&name.value), of: of?, windows: windows? })
}

/// Who is of it: one of the two.
fn of(tier: &written::Tier, report: &Report) -> Option<TierOf> {
    match (&tier.test, &tier.api_key_prefix) {
        (_, Given::Faulty) => None,
        (Some(test), Given::Absent) => condition::claim(test, report).map(TierOf::User),
        (None, Given::Good(prefix)) => Some(TierOf::ApiKey(beginning(prefix, report))),
        (Some(_), Given::Good(_)) => {
            report.add(tier.line, "a tier is by a `claim` or by `api_key_prefix`; remove one");
            None
        }
        (None, Given::Absent) => {
            report.add(
                tier.line,
                "a tier needs to say whose it is; give it a `claim` with a test, or `api_key_prefix`",
            );
            None
        }
    }
}

fn beginning(prefix: &Lined<String>, report: &Report) -> &'static str {
    if !begins_keys(&prefix.value) {
        let text = format!(
            "api_key_prefix `{}`: give how API keys begin: `pk_` with up to {PUBLIC} letters and digits, or `he-` with up \
             to {SHOWN} of those, `-` and `_`",
            prefix.value
        );
        report.add(prefix.line, text);
    }
    leak::text(&prefix.value)
}

/// The forms are those of [`edge_core::auth::credential`].
fn begins_keys(prefix: &str) -> bool {
    let begins = |start: &str, most: usize, more: &[u8]| {
        let is_one = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
        match prefix.strip_prefix(start) {
            Some(rest) => rest.len() <= most && rest.bytes().all(is_one),
            None => !prefix.is_empty() && start.starts_with(prefix),
        }
    };
    begins("pk_", PUBLIC, b"") || begins("he-", SHOWN, b"-_")
}

/// The first that a caller is of holds: one after it that takes no others is for nobody.
fn check_reach(written: &[written::Tier], tiers: &[Tier], report: &Report) {
    for (index, (tier, lines)) in tiers.iter().zip(written).enumerate() {
        let before = tiers.iter().take(index).find(|before| covers(&before.of, &tier.of));
        if let Some(before) = before {
            let text = format!(
                "tier `{}` is for nobody: tier `{}` before it takes all of its callers; change the order, or remove \
                 one",
                tier.name, before.name
            );
            report.add(lines.line, text);
        }
    }
}

fn covers(one: &TierOf, other: &TierOf) -> bool {
    match (one, other) {
        (TierOf::ApiKey(short), TierOf::ApiKey(long)) => long.starts_with(short),
        (one, other) => one == other,
    }
}

/// Notes tiers that no caller of the route can be of.
pub(super) fn check_route(naming: &Naming<'_>, tiers: &[Tier], report: &Report) {
    let takes_keys = matches!(naming.auth, Auth::SignIn(SignIn { api_key: true, .. }));
    if tiers.iter().any(|tier| matches!(tier.of, TierOf::User(_))) && !knows_users(naming.auth) {
        naming.note("has tiers of users, and this route knows none; name another", report);
    }
    if tiers.iter().any(|tier| matches!(tier.of, TierOf::ApiKey(_))) && !takes_keys {
        naming.note("has tiers of API keys, and this route takes none; name another", report);
    }
}
