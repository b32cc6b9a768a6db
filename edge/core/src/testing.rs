//! What the tests of sign-in start from: a plan's parts, a signer with a key of its own, and the claims of a user.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use crate::forward::security::API;
use crate::plan::{
    Algorithm, Audiences, Auth, AuthPlan, Cache, ClaimNames, Concurrency, Condition, Cors, HeadLimits, Host,
    Hs256, Issuer, Limit, Log, OnError, Part, Plan, Ports, Previews, Query, RateLimitFields, Route, Service,
    SignIn, Source, Subject, Test, Upstream, Window,
};

/// Unix seconds.
pub(crate) const NOW: u64 = 1_800_000_000;
/// Supabase's address.
pub(crate) const ISSUER: &str = "https://ref.supabase.co/auth/v1";
/// Cognito's.
pub(crate) const COGNITO_ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool";
/// The shared secret of [`SUPABASE`].
pub(crate) const SECRET: &str = "a secret made for this test, of 32 bytes or more";

/// What the origin says.
pub(crate) const CACHE: Cache = Cache {
    name: "obey",
    assign: None,
    stale_while_revalidate: 0,
    stale_if_error: 0,
    shared: false,
    heuristic: false,
    stores_cookies: false,
    passes_authorization: false,
    query: Query::All,
    most_error_seconds: None,
    collapses_data_centre: false,
};

pub(crate) const AUTH: AuthPlan = AuthPlan {
    leeway_seconds: 30,
    max_token_bytes: 8_192,
    max_lifetime_seconds: 86_400,
    forgeries: Window { quota: 3, seconds: 60, burst: None },
    revocations_seconds: 5,
};

const CLAIMS: ClaimNames =
    ClaimNames { user: "sub", role: "role", session: "session_id", aal: "aal", anonymous: "is_anonymous" };

pub(crate) const SUPABASE: Issuer = Issuer {
    name: "supabase",
    line: 1,
    variable: "ISSUER",
    jwks: "/.well-known/jwks.json",
    audience_claim: "aud",
    audiences: Audiences::Listed(&["authenticated"]),
    algorithms: &[Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa],
    hs256: Some(Hs256 { secret: "JWT_HS256_SECRET", until: NOW + 1_000 }),
    roles: &["authenticated"],
    claims: CLAIMS,
    conditions: &[],
    cookie: true,
    jwks_max_age_seconds: 600,
    jwks_stale_seconds: 86_400,
    jwks_cooldown_seconds: 30,
};

pub(crate) const COGNITO: Issuer = Issuer {
    name: "cognito",
    line: 2,
    variable: "COGNITO_ISSUER",
    audience_claim: "client_id",
    audiences: Audiences::Variable("COGNITO_CLIENTS"),
    algorithms: &[Algorithm::Es256],
    hs256: None,
    roles: &[],
    claims: ClaimNames { session: "origin_jti", ..CLAIMS },
    conditions: &[Condition {
        subject: Subject::Claim(&["token_use"]),
        test: Test::OneOf(&[crate::plan::Value::Text("access")]),
    }],
    cookie: false,
    ..SUPABASE
};

/// What stands behind every service.
pub(crate) const BLUE: Upstream = Upstream { name: "blue", variable: "ORIGIN", weight: 1, services: &[] };

/// A plan without routes.
pub(crate) const PLAN: Plan = Plan {
    hosts: &[
        Host { name: "he2.ai", redirect: None, line: 1 },
        Host { name: "api.he2.ai", redirect: None, line: 2 },
        Host { name: "www.he2.ai", redirect: Some("he2.ai"), line: 3 },
    ],
    services: &[Service { name: "backend", port: Some(8000), health: Some("/api/health") }],
    upstreams: &[BLUE],
    routes: &[],
    auth: AUTH,
    issuers: &[SUPABASE],
    previews: None,
    cors: Cors {
        origins: &["https://he2.ai"],
        methods: "GET",
        headers: "Authorization",
        expose: "RateLimit",
        max_age_seconds: 600,
    },
    rate_limit_fields: RateLimitFields::Draft11,
    lock_header: "x-he2-origin-lock",
    request: HeadLimits { target_bytes: 12_288, query_bytes: 9_216, fields: 100, head_bytes: 15_360 },
    access: &[],
    log: Log { ok: 100, cached: 100, preflight: 100 },
    variables: &[],
};

/// Two ranges and a port, of which some are reserved.
pub(crate) const PREVIEWS: Previews = Previews {
    domain: "previews.example",
    ports: &[
        Ports { first: 22, last: 22 },
        Ports { first: 2_279, last: 2_281 },
        Ports { first: 8_080, last: 8_080 },
    ],
    reserved: &crate::preview::RESERVED,
    api: "https://daytona.example/api",
    route: Route { name: "previews", cors: false, limit: None, ..ROUTE },
};

/// A route that matches `/` for everyone.
pub(crate) const ROUTE: Route = Route {
    name: "r",
    line: 7,
    hosts: &["he2.ai", "api.he2.ai"],
    methods: &[],
    pattern: "/",
    segments: &[],
    service: "backend",
    edge: None,
    auth: Auth::Public,
    limit: None,
    cost: 1,
    concurrency: &[],
    event_stream: false,
    cache: None,
    raw_path: false,
    cors: true,
    first_byte_ms: 1_000,
    try_ms: 500,
    tries: 3,
    hedge_ms: None,
    timeouts: None,
    priority: None,
    heartbeat_ms: None,
    max_body_bytes: 1_000,
    wait: None,
    security: Some(API),
    retirement: None,
};

/// One request a minute.
pub(crate) const LIMIT: Limit = Limit {
    name: "api",
    by: &[Part::Caller],
    windows: &[Window { quota: 1, seconds: 60, burst: None }],
    tiers: &[],
    cost_field: None,
    counts_hits: false,
    strict: false,
    on_error: OnError::Allow,
    shadow: false,
    tells_runs: false,
    line: 9,
};

/// Two at once.
pub(crate) const STREAMS: Concurrency = Concurrency {
    name: "streams",
    by: &[Part::Caller],
    most: 2,
    lease_seconds: 60,
    closed_on_error: false,
    shadow: false,
    line: 11,
};

/// A user or an API key.
pub(crate) const ANY_OF: SignIn =
    SignIn { required: true, user: true, api_key: true, sources: &[], grace_seconds: 0, conditions: &[] };
/// A user, if there is one.
pub(crate) const OPTIONAL: SignIn = SignIn { required: false, api_key: false, ..ANY_OF };
/// An `EventSource`.
pub(crate) const STREAM: SignIn = SignIn { sources: &[Source::Query], grace_seconds: 3_600, ..ANY_OF };

/// Signs with ES256, by a key made for it.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub(crate) fn new(kid: &'static str) -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self { kid, pair: EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).unwrap() }
    }

    /// The public half, as a key set has it.
    pub(crate) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({
            "kty": "EC", "crv": "P-256", "kid": self.kid, "alg": "ES256", "use": "sig", "key_ops": ["verify"],
            "x": b64(&point[1..33]), "y": b64(&point[33..]),
        })
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_text(
            &json!({"alg": "ES256", "typ": "JWT", "kid": self.kid}).to_string(),
            &claims.to_string(),
        )
    }

    /// A token of any header and claims, as text.
    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", b64(header.as_bytes()), b64(claims.as_bytes()));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", b64(signature.as_ref()))
    }
}

/// A key set's text.
pub(crate) fn key_set(signers: &[&Signer]) -> String {
    json!({ "keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>() }).to_string()
}

/// A token by the shared secret.
pub(crate) fn hs256(claims: &Value) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let message = format!("{}.{}", b64(header.to_string().as_bytes()), b64(claims.to_string().as_bytes()));
    let mac = hmac_sha256::HMAC::mac(message.as_bytes(), SECRET);
    format!("{message}.{}", b64(&mac))
}

pub(crate) fn b64(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The claims of a user of Supabase.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "authenticated", "exp": NOW + 3_600, "iat": NOW, "sub": "u1", "role": "authenticated",
        "session_id": "s1", "aal": "aal1", "is_anonymous": false,
    })
}

/// The same with some of them changed; null takes one away.
pub(crate) fn with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}
