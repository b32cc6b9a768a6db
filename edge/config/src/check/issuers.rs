//! Who issues tokens.

use edge_core::plan::{Algorithm, Audiences, ClaimNames, Hs256, Issuer};

use super::condition::{self, check_roles};
use super::dates::end_of;
use super::text::{check_list, check_name, check_texts, is_authority, leaked};
use crate::fault::Report;
use crate::read::{Given, Lined};
use crate::written::Texts;
use crate::written::issuer as written;
use crate::{leak, suggest};

/// What a key set may verify.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa];
/// Where Supabase and Cognito have theirs, below the issuer's address.
const JWKS: &str = "/.well-known/jwks.json";
/// Least time between two fetches for an unknown key: one may take 5 s.
const LEAST_COOLDOWN_SECONDS: u32 = 6;

/// The issuers that hold, in the order of the file.
pub(crate) fn check(issuers: &[written::Issuer], report: &Report) -> Vec<Issuer> {
    if issuers.is_empty() {
        report.add(1, "no [issuer.NAME]; add one for who signs users in");
    }
    issuers.iter().filter_map(|issuer| checked(issuer, report)).collect()
}

fn checked(issuer: &written::Issuer, report: &Report) -> Option<Issuer> {
    check_name(&issuer.name, report);
    check_keys(issuer, report);
    let roles = issuer.roles.good();
    if let Some(roles) = roles {
        check_roles(roles.line, &roles.value, report);
    }
    let jwks = jwks(&issuer.jwks, report);
    let audience_claim = claim("audience_claim", &issuer.audience_claim, "aud", report);
    let audiences = issuer.audiences.as_ref().and_then(|audiences| self::audiences(audiences, report));
    let algorithms = algorithms(&issuer.algorithms, report);
    let hs256 = issuer.hs256.good().and_then(|hs256| self::hs256(&hs256.value, report));
    let claims = claim_names(issuer.claims.good().map(|claims| &claims.value), report);
    let conditions = condition::claims("require", issuer.require.good(), report);
    Some(Issuer {
        name: leak::text(&issuer.name.value),
        line: issuer.name.line,
        variable: leak::text(&issuer.variable.as_ref()?.value),
        jwks,
        audience_claim,
        audiences: audiences?,
        algorithms: algorithms?,
        hs256,
        roles: roles.map_or(&[], |roles| leaked(&roles.value)),
        claims,
        conditions: leak::list(conditions),
        cookie: issuer.cookie.good().is_some_and(|cookie| cookie.value),
        jwks_max_age_seconds: issuer.jwks_max_age.as_ref()?.value,
        jwks_stale_seconds: issuer.jwks_stale.as_ref()?.value,
        jwks_cooldown_seconds: issuer.jwks_cooldown.as_ref()?.value,
    })
}

fn audiences(audiences: &Lined<written::Audiences>, report: &Report) -> Option<Audiences> {
    match &audiences.value {
        written::Audiences::Listed(items) => {
            check_texts("audiences", audiences.line, items, report);
            Some(Audiences::Listed(leaked(items)))
        }
        written::Audiences::Variable(name) => Some(Audiences::Variable(leak::text(&name.as_ref()?.value))),
    }
}

fn algorithms(names: &Texts, report: &Report) -> Option<&'static [Algorithm]> {
    check_list("algorithms", names, report);
    let checked = |name: &Lined<String>| {
        let known = ALGORITHMS.into_iter().find(|known| known.name() == name.value);
        known.or_else(|| unknown_algorithm(name, report))
    };
    Some(leak::list(names.as_ref()?.value.iter().filter_map(checked).collect()))
}

fn unknown_algorithm(name: &Lined<String>, report: &Report) -> Option<Algorithm> {
    let repair = match name.value.as_str() {
        // Among the algorithms of a key set, a public key could pass for the secret (RFC 8725 §3.1).
        "HS256" => "it is signed with a shared secret; remove it and give `hs256 = { secret, until }`".into(),
        other => suggest::hint(other, ALGORITHMS.map(Algorithm::name)),
    };
    report.add(name.line, format!("unknown algorithm `{}` of a key set; {repair}", name.value));
    None
}

fn hs256(hs256: &written::Hs256, report: &Report) -> Option<Hs256> {
    let until = hs256.until.as_ref()?;
    let end = end_of(until.value);
    if end.is_none() {
        report.add(until.line, format!("until {}: there is no such day after 1970", until.value));
    }
    Some(Hs256 { secret: leak::text(&hs256.secret.as_ref()?.value), until: end? })
}

fn claim_names(names: Option<&written::ClaimNames>, report: &Report) -> ClaimNames {
    let name = |name: fn(&written::ClaimNames) -> &Given<String>, key, default| {
        names.map_or(default, |names| claim(key, name(names), default, report))
    };
    ClaimNames {
        user: name(|names| &names.user, "user", "sub"),
        role: name(|names| &names.role, "role", "role"),
        session: name(|names| &names.session, "session", "session_id"),
        aal: name(|names| &names.aal, "aal", "aal"),
        anonymous: name(|names| &names.anonymous, "anonymous", "is_anonymous"),
    }
}

/// The name of a claim, where none is given this one.
fn claim(key: &str, name: &Given<String>, default: &'static str, report: &Report) -> &'static str {
    let Some(name) = name.good() else { return default };
    if name.value.is_empty() {
        report.add(name.line, format!("`{key}` is empty; name the claim, or leave it out for `{default}`"));
    }
    leak::text(&name.value)
}

fn jwks(place: &Given<String>, report: &Report) -> &'static str {
    let Some(place) = place.good() else { return JWKS };
    if !is_path(&place.value) && !place.value.strip_prefix("https://").is_some_and(is_address) {
        let text = format!(
            "jwks `{}`: write a path below the issuer's address, as `{JWKS}`, or an address with https",
            place.value
        );
        report.add(place.line, text);
    }
    leak::text(&place.value)
}

fn is_path(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\');
    text.starts_with('/') && !text.contains("//") && text.bytes().all(is_plain)
}

/// What follows `https://`: the host and a path.
fn is_address(text: &str) -> bool {
    let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    is_authority(authority, "443") && is_path(path)
}

fn check_keys(issuer: &written::Issuer, report: &Report) {
    let max_age = issuer.jwks_max_age.as_ref().map_or(0, |max_age| max_age.value);
    if let Some(stale) = issuer.jwks_stale.as_ref().filter(|stale| stale.value < max_age) {
        let text = format!(
            "jwks_stale_seconds {} is less than jwks_max_age_seconds {max_age}; give at least {max_age}",
            stale.value
        );
        report.add(stale.line, text);
    }
    let cooldown = issuer.jwks_cooldown.as_ref();
    if let Some(cooldown) = cooldown.filter(|cooldown| cooldown.value < LEAST_COOLDOWN_SECONDS) {
        let text = format!(
            "jwks_cooldown_seconds {}: one fetch of the keys may take 5 s; give at least {LEAST_COOLDOWN_SECONDS}",
            cooldown.value
        );
        report.add(cooldown.line, text);
    }
}
