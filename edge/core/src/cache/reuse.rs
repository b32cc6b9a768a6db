//! What is stored is good for what (RFC 9111 §4).

use http::HeaderMap;

use super::control::Control;
use super::index::{Index, Variant};

/// What becomes of a request, by what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse<'a> {
    /// It is answered with this response.
    Serve(Serve<'a>),
    /// The origin is asked.
    Ask {
        /// Why.
        why: Why,
        /// The response that the request selects, which the origin may confirm, or fail to replace.
        selected: Option<&'a Variant>,
    },
}

/// A response that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serve<'a> {
    /// Which.
    pub variant: &'a Variant,
    /// Its age in seconds, for `Age`.
    pub age: u64,
    /// What is left of its life in seconds, for `Cache-Status`; below zero where it is stale.
    pub ttl: i64,
    /// By whose permission it is served stale, if it is.
    pub stale: Option<Stale>,
}

/// What permits a stale answer (§4.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// `stale-while-revalidate`: a new one is fetched meanwhile.
    WhileRevalidate,
    /// `stale-if-error`: the origin fails.
    IfError,
    /// The client's `max-stale`.
    MaxStale,
}

/// Why the origin is asked, in the words of RFC 9211 §2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing is stored for the URL.
    UriMiss,
    /// Nothing that the request selects.
    VaryMiss,
    /// What is stored must not be used without the origin's word.
    Stale,
    /// The request wants the origin's word, or a younger response.
    Request,
}

impl<'a> Serve<'a> {
    /// A stored response at this time (Unix ms).
    #[must_use]
    pub fn of(variant: &'a Variant, stale: Option<Stale>, now_ms: u64) -> Self {
        let age = variant.age(now_ms);
        let ttl = variant.terms.life.cast_signed().saturating_sub(age.cast_signed());
        Self { variant, age, ttl, stale }
    }
}

/// What becomes of a request with these fields, at this time (Unix ms).
#[must_use]
pub fn reuse<'a>(index: &'a Index, asked: &HeaderMap, now_ms: u64) -> Reuse<'a> {
    let Some(variant) = index.select(asked) else {
        let why = if index.variants.is_empty() { Why::UriMiss } else { Why::VaryMiss };
        return Reuse::Ask { why, selected: None };
    };
    match judge(&Serve::of(variant, None, now_ms), &Control::of(asked)) {
        Ok(stale) => Reuse::Serve(Serve::of(variant, stale, now_ms)),
        Err(why) => Reuse::Ask { why, selected: Some(variant) },
    }
}

/// Whether it may be served, and by what permission where it is stale.
fn judge(serve: &Serve<'_>, wants: &Control) -> Result<Option<Stale>, Why> {
    let (terms, past) = (serve.variant.terms, serve.ttl.saturating_neg().max(0).unsigned_abs());
    // Where the route assigned its life, a client cannot make the origin answer more often.
    let wishes = !terms.assigned;
    let wants_newer = wants.no_cache
        || wants.max_age.is_some_and(|most| serve.age > most)
        || wants.min_fresh.is_some_and(|least| serve.ttl < least.cast_signed());
    match () {
        () if terms.always_validate => Err(Why::Stale),
        () if wishes && wants_newer => Err(Why::Request),
        () if serve.ttl > 0 => Ok(None),
        () if terms.never_stale => Err(Why::Stale),
        () if wishes && wants.max_stale.is_some_and(|most| past <= most) => Ok(Some(Stale::MaxStale)),
        () if past < terms.while_revalidate => Ok(Some(Stale::WhileRevalidate)),
        () => Err(Why::Stale),
    }
}

/// The response that may be served while the origin fails (RFC 5861 §4): one whose time of grace is not over.
#[must_use]
pub fn instead_of_error(selected: Option<&Variant>, now_ms: u64) -> Option<Serve<'_>> {
    let serve = Serve::of(selected?, Some(Stale::IfError), now_ms);
    let past = serve.ttl.saturating_neg().max(0).unsigned_abs();
    (!serve.variant.terms.always_validate && past < serve.variant.terms.if_error).then_some(serve)
}

/// Whether a request wants its answer unstored (§5.2.1.5): that is no word of the origin's.
#[must_use]
pub fn no_store(asked: &HeaderMap) -> bool {
    Control::of(asked).no_store
}

/// Whether a request wants nothing but a stored response (§5.2.1.7).
#[must_use]
pub fn only_if_cached(asked: &HeaderMap) -> bool {
    Control::of(asked).only_if_cached
}
