//! Which routes take a cache policy.

use edge_core::plan::{Auth, Cache, SignIn, Source};

/// Why a policy does not go with a class: one caller's answer would reach another, or nothing would be stored.
pub(crate) fn misfit(auth: Auth, event_stream: bool, cache: Cache) -> Option<&'static str> {
    match auth {
        auth if event_stream || takes_query(auth) => Some("a stream is one caller's; remove `cache`"),
        Auth::Webhook(_) => Some("a webhook's answer is its sender's; remove `cache`"),
        Auth::Admin(_) => Some("operators see live answers only; remove `cache`"),
        Auth::Blocked => Some("a blocked route has no answer to store; remove `cache`"),
        Auth::Public if cache.shared => {
            Some("`shared` is for routes that check the caller; use a policy without it")
        }
        auth if auth != Auth::Public && cache.passes_authorization => {
            Some("`authorization` is for public routes: here the gateway checks it; use a policy without it")
        }
        Auth::SignIn(SignIn { required: true, .. }) if !cache.shared => Some(
            "every caller here is known, so it stores nothing; use one with `shared = true`, or remove `cache`",
        ),
        _ => None,
    }
}

/// Whether browsers come with an `EventSource`: nothing else needs its token in the query.
pub(super) fn takes_query(auth: Auth) -> bool {
    matches!(auth, Auth::SignIn(SignIn { sources, .. }) if sources.contains(&Source::Query))
}
