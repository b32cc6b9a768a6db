//! What the plan says of callers: who may pass a route, who issues tokens, and how they are checked.

use super::Window;

/// Who may pass a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Auth {
    /// Everyone; credentials in `Authorization` are dropped, so that nobody behind can mistake them for checked.
    Public,
    /// Callers by their own credentials.
    SignIn(SignIn),
    /// Operators.
    Admin(Admin),
    /// Senders of webhooks.
    Webhook(Webhook),
    /// Nobody: 404, as if it were not there.
    Blocked,
}

/// Which credentials make a caller known, and what must hold of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct SignIn {
    /// Without a credential the request is refused; else its caller is anonymous. A bad one is refused either way.
    pub required: bool,
    /// A user's token is taken.
    pub user: bool,
    /// An API key is taken; the origin checks its secret.
    pub api_key: bool,
    /// Where a token may stand besides the `Authorization` field.
    pub sources: &'static [Source],
    /// A token is taken this long after its expiry, in seconds: an `EventSource` reconnects with the URL it began with.
    pub grace_seconds: u32,
    /// What must hold of a user; all of it.
    pub conditions: &'static [Condition],
}

/// Where a token may stand besides the `Authorization` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Source {
    /// `?token=`: `EventSource` cannot send header fields.
    Query,
    /// Supabase's session cookie, of the issuers that have one.
    Cookie,
}

/// Something that must hold of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Condition {
    /// What is looked at.
    pub subject: Subject,
    /// What it must be.
    pub test: Test,
}

/// The part of a token that a condition looks at. The first three are under the names that the issuer gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Subject {
    /// Authenticator assurance level.
    Aal,
    /// Whether the user signed in without an identity; a token that does not say is not anonymous.
    Anonymous,
    /// The role.
    Role,
    /// The claim at this path: members of nested objects.
    Claim(&'static [&'static str]),
}

/// What a claim must be. A claim that is not there passes no test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Test {
    /// One of these.
    OneOf(&'static [Value]),
    /// An array with one of these in it, or a string of words between spaces (as `scope`) with one of them.
    Contains(&'static [Value]),
}

/// A claim's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Value {
    /// A string.
    Text(&'static str),
    /// An integer.
    Number(i64),
    /// `true` or `false`.
    Bool(bool),
}

/// A shared key in `X-Admin-Api-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Admin {
    /// The Worker secret that holds it.
    pub secret: &'static str,
    /// Addresses that may use it; empty for all.
    pub networks: &'static [Network],
}

/// A block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Network {
    /// The first address; an IPv4 one is mapped into IPv6 (RFC 4291 §2.5.5.2).
    pub address: u128,
    /// Length of the prefix in bits, of 128.
    pub prefix: u8,
}

/// A webhook whose sender proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Webhook {
    /// How.
    pub scheme: Scheme,
    /// The Worker secret that the sender has too. Several, between spaces, while it is rotated.
    pub secret: &'static str,
    /// How far the signature's time may be from now, in seconds.
    pub tolerance_seconds: u32,
    /// A longer body is refused unread, in bytes.
    pub max_body_bytes: u32,
}

/// How a webhook's sender proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Scheme {
    /// `Stripe-Signature`. Source: <https://docs.stripe.com/webhooks>.
    Stripe,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`. Source: <https://www.standardwebhooks.com>.
    Standard,
    /// The secret itself in this field (lower case).
    Shared(&'static str),
}

/// How tokens are checked, whoever issued them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct AuthPlan {
    /// Clock difference forgiven in `exp`, `nbf` and `iat`, in seconds; at most 60.
    pub leeway_seconds: u32,
    /// A longer token is refused unread, in bytes.
    pub max_token_bytes: u32,
    /// A token good for longer than this (`exp` less `iat`) is refused, in seconds: revocations are kept as long.
    pub max_lifetime_seconds: u32,
    /// Bad signatures, and API keys that the origin refuses, that one address may send to one isolate; then its new
    /// credentials are refused unseen.
    pub forgeries: Window,
    /// An isolate asks for revocations when what it knows is older than this, in seconds.
    pub revocations_seconds: u32,
}

/// One issuer of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Issuer {
    /// Its name in he2.toml.
    pub name: &'static str,
    /// Line in he2.toml.
    pub line: u32,
    /// The Worker variable that holds its address, which is its tokens' `iss`; where it is not set, the issuer is off.
    pub variable: &'static str,
    /// Its key set: a path below its address, or an address.
    pub jwks: &'static str,
    /// The claim that names the audience: `aud`, or what the issuer has instead.
    pub audience_claim: &'static str,
    /// One of these must be in it.
    pub audiences: Audiences,
    /// Taken by the issuer's key set.
    pub algorithms: &'static [Algorithm],
    /// Tokens signed with a shared secret, as long as they are still taken.
    pub hs256: Option<Hs256>,
    /// Values of `role` that are a signed-in user; empty where the issuer knows no roles.
    pub roles: &'static [&'static str],
    /// What its claims are called.
    pub claims: ClaimNames,
    /// What every token of it must say; all of it.
    pub conditions: &'static [Condition],
    /// Whether it is Supabase, whose clients keep the session in a cookie named after the issuer's host.
    pub cookie: bool,
    /// Key sets are fetched again after this long at the latest, in seconds.
    pub jwks_max_age_seconds: u32,
    /// A key set is used this long after its last good fetch while the issuer is down, in seconds.
    pub jwks_stale_seconds: u32,
    /// An unknown `kid` causes at most one fetch in this time, in seconds.
    pub jwks_cooldown_seconds: u32,
}

/// Where an issuer's audiences stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Audiences {
    /// In he2.toml.
    Listed(&'static [&'static str]),
    /// In this Worker variable, between spaces: they differ between deployments.
    Variable(&'static str),
}

/// The names of an issuer's claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct ClaimNames {
    /// The user's id.
    pub user: &'static str,
    /// The role.
    pub role: &'static str,
    /// The session's id.
    pub session: &'static str,
    /// Authenticator assurance level.
    pub aal: &'static str,
    /// `true` for a user without an identity.
    pub anonymous: &'static str,
}

/// A shared signing secret, on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Hs256 {
    /// The Worker secret that holds it; where it is not set, no token by it is taken.
    pub secret: &'static str,
    /// Tokens by it are refused from then on, in Unix seconds.
    pub until: u64,
}

/// How a token may be signed (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256.
    Hs256,
}

impl Algorithm {
    /// Its JOSE name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }
}
