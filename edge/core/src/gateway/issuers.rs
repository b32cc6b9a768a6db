//! Asking for an issuer's keys: the isolates of this data centre first, then the issuer itself.

use crate::auth::keys::{self, Fetched, Key, Why};
use crate::host::Host;
use crate::plan::{Issuer, Plan};

/// Fetches a key set in the background; what comes of it is in the isolate's store. The fetch has begun when this
/// returns, so that no other request begins one.
pub(super) fn fetch<H: Host>(host: &H, plan: &'static Plan, place: usize, why: Why) {
    let (Some(store), Some(issuer)) = (host.isolate().keys.get(place), plan.issuers.get(place)) else {
        return;
    };
    store.borrow_mut().begin(&why, host.now_ms());
    let worker = host.clone();
    host.background(async move {
        if let Err(error) = run(&worker, issuer, place, &why).await
            && let Some(store) = worker.isolate().keys.get(place)
        {
            store.borrow_mut().fail(error, worker.now_ms());
        }
    });
}

async fn run<H: Host>(host: &H, issuer: &Issuer, place: usize, why: &Why) -> Result<(), String> {
    let address = host.settings().get(issuer.variable).ok_or("the issuer is off")?;
    let url = key_set_url(address, issuer.jwks);
    let held = host.isolate().keys.get(place).and_then(|store| store.borrow().fetched_ms());
    let shared =
        host.shared_keys(&url).await.filter(|shared| held.is_none_or(|held| shared.fetched_ms > held));
    let old = match shared {
        Some(shared) if suffices(&shared, why, issuer, host.now_ms()) => {
            return install(host, place, shared).await;
        }
        other => other,
    };
    match host.fetch_keys(&url).await {
        Ok(fetched) => {
            install(host, place, fetched.clone()).await?;
            host.share_keys(&url, &fetched).await;
            Ok(())
        }
        Err(error) => {
            if let Some(old) = old.filter(|old| old.is_usable(issuer, host.now_ms())) {
                install(host, place, old).await?;
            }
            Err(error)
        }
    }
}

fn key_set_url(address: &str, jwks: &str) -> String {
    match jwks.starts_with('/') {
        true => format!("{}{jwks}", address.trim_end_matches('/')),
        false => jwks.to_owned(),
    }
}

/// Whether a set that others fetched makes asking the issuer needless.
fn suffices(shared: &Fetched, why: &Why, issuer: &Issuer, now: u64) -> bool {
    let has = |kid: &Option<String>| {
        keys::parse(&shared.json).is_ok_and(|keys| keys.iter().any(|key| key.kid == *kid))
    };
    shared.is_fresh(issuer, now)
        && match why {
            Why::UnknownKid(kid) => has(kid),
            Why::First | Why::Expired => true,
        }
}

/// Puts a set to use. Tokens that were verified by keys of another one are verified again: their keys are new objects.
async fn install<H: Host>(host: &H, place: usize, fetched: Fetched) -> Result<(), String> {
    let Some(store) = host.isolate().keys.get(place) else { return Ok(()) };
    if store.borrow().holds(&fetched.json) {
        store.borrow_mut().renew(fetched, host.now_ms());
        return Ok(());
    }
    let mut imported = Vec::new();
    for key in keys::parse(&fetched.json)? {
        // A key that the platform cannot read is as good as not published.
        if let Ok(material) = host.import(&key.jwk).await {
            imported.push(Key { kid: key.kid, algorithm: key.algorithm, material });
        }
    }
    store.borrow_mut().replace(fetched, imported, host.now_ms());
    Ok(())
}
