//! What a route asks of limits: which it falls under, what it costs, and whether an event stream comes back after a
//! refusal.

use std::ops::RangeInclusive;

use edge_core::plan::{Auth, Concurrency, Limit};

use super::parts::Naming;
use super::policies::takes_query;
use super::routes::{Names, Pattern};
use super::text::{check_items, check_range, check_reference};
use super::tiers;
use crate::fault::Report;
use crate::leak;
use crate::read::Lined;
use crate::written;

/// What a request may cost.
const COSTS: RangeInclusive<u32> = 1..=1000;

/// What is known of the route.
pub(super) struct Limited<'w> {
    pub(super) route: &'w written::Route,
    pub(super) auth: Option<Auth>,
    pub(super) patterns: &'w [Pattern],
    pub(super) names: &'w Names<'w>,
    pub(super) report: &'w Report,
}

/// Whether the route says that it is an event stream.
pub(super) fn is_event_stream(route: &written::Route) -> bool {
    route.event_stream.good().is_some_and(|stream| stream.value)
}

impl Limited<'_> {
    pub(super) fn limit(&self) -> Option<Limit> {
        let name = self.route.limit.good()?;
        let written = self.names.written.limits.iter().map(|limit| limit.name.value.as_str());
        check_reference("limit", name, written.collect(), self.report);
        let naming = self.naming("limit", name);
        let limit = self.names.limits.iter().find(|known| known.name == name.value).copied()?;
        if let Some(naming) = naming {
            naming.check(limit.by, self.report);
            tiers::check_route(&naming, limit.tiers, self.report);
        }
        Some(limit)
    }

    /// What a request takes; `limit` is the one that it falls under.
    pub(super) fn cost(&self, limit: Option<&Limit>) -> u32 {
        let Some(cost) = self.route.cost.good() else { return 1 };
        check_range("cost", Some(cost), &COSTS, self.report);
        if self.route.limit.is_absent() {
            let text = "`cost` is what a request takes of its limit, and it has none; give it a `limit`, or remove it";
            self.report.add(cost.line, text);
        }
        if let Some(limit) = limit {
            self.check_passes(cost, limit);
        }
        cost.value
    }

    fn check_passes(&self, cost: &Lined<u32>, limit: &Limit) {
        let Some(most) = capacity(limit).filter(|most| cost.value > *most) else { return };
        let text = format!(
            "cost {}: limit `{}` never has room for more than {most} at once; give at most that",
            cost.value, limit.name
        );
        self.report.add(cost.line, text);
    }

    pub(super) fn concurrency(&self) -> &'static [Concurrency] {
        let Some(list) = self.route.concurrency.good() else { return &[] };
        check_items("concurrency", list.line, &list.value, self.report);
        if !self.route.edge.is_absent() {
            self.report.add(list.line, "what the edge answers itself holds no place; remove `concurrency`");
        }
        leak::list(list.value.iter().filter_map(|name| self.place(name)).collect())
    }

    fn place(&self, name: &Lined<String>) -> Option<Concurrency> {
        let written = &self.names.written.concurrencies;
        let known = written.iter().map(|concurrency| concurrency.name.value.as_str());
        check_reference("concurrency", name, known.collect(), self.report);
        let naming = self.naming("concurrency", name);
        let found = self.names.concurrencies.iter().find(|known| known.name == name.value).copied()?;
        if let Some(naming) = naming {
            naming.check(found.by, self.report);
        }
        Some(found)
    }

    /// The route as the one that names it; `None` where it may name none, which is reported.
    fn naming<'w>(&'w self, what: &'static str, name: &'w Lined<String>) -> Option<Naming<'w>> {
        let auth = self.auth?;
        if let Some((reason, or)) = unlimited(auth, is_event_stream(self.route)) {
            self.report.add(name.line, format!("no {what} on {reason}; {or}remove `{what}`"));
            return None;
        }
        Some(Naming { what, name, route: self.route, auth, patterns: self.patterns })
    }

    /// Whether refusals are made so that an `EventSource` comes back.
    pub(super) fn event_stream(&self, methods: Option<&[&str]>) -> bool {
        let Some(stream) = self.route.event_stream.good().filter(|stream| stream.value) else { return false };
        let for_programs = matches!(self.auth, Some(Auth::Blocked | Auth::Admin(_) | Auth::Webhook(_)));
        if for_programs || !self.route.edge.is_absent() {
            self.report.add(stream.line, "no browser reads an event stream here; remove `event_stream`");
        } else if methods.is_some_and(|methods| methods != ["GET"]) {
            let text = "an event stream is asked for with GET; give the route methods = [\"GET\"], or remove \
                        `event_stream`";
            self.report.add(stream.line, text);
        }
        true
    }
}

/// Why a route is never limited, which would break the caller, and what would make it one that may be.
fn unlimited(auth: Auth, event_stream: bool) -> Option<(&'static str, &'static str)> {
    match auth {
        Auth::Webhook(_) => Some(("a webhook: its sender gives up on one that is refused", "")),
        Auth::Blocked => Some(("a blocked route", "")),
        auth if takes_query(auth) && !event_stream => {
            Some(("a stream: browsers never reconnect after a refusal", "say `event_stream = true`, or "))
        }
        _ => None,
    }
}

/// The most that one request can take: no window has room for more, of the limit or of a tier.
fn capacity(limit: &Limit) -> Option<u32> {
    let tiers = limit.tiers.iter().flat_map(|tier| tier.windows);
    let windows = limit.windows.iter().chain(tiers);
    windows.map(|window| window.burst.unwrap_or(window.quota)).min()
}
