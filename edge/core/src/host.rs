//! The platform as the gateway needs it: what acts, and what passes to and fro. Decides nothing.

use std::cell::RefCell;
use std::net::IpAddr;

use http::{HeaderMap, Method, Response};

use crate::auth::keys;
use crate::cache::Stored;
use crate::limit::{Ask, Verdict};

/// A request as it arrived. The body is whatever the platform has for it.
#[derive(Debug)]
pub struct Request<B> {
    /// Request method.
    pub method: Method,
    /// `http` or `https`.
    pub scheme: String,
    /// Host name, without port.
    pub host: String,
    /// Path, as it arrived.
    pub path: String,
    /// Query string without `?`.
    pub query: Option<String>,
    /// Request fields.
    pub headers: HeaderMap,
    /// The caller's address as the platform saw it.
    pub ip: Option<IpAddr>,
    /// Request content.
    pub body: B,
}

/// A request for the origin.
#[derive(Debug)]
pub struct Outgoing<B> {
    /// Request method.
    pub method: Method,
    /// Absolute URL at the origin.
    pub url: String,
    /// Request fields, complete but for `Host`.
    pub headers: HeaderMap,
    /// Time until the response head, in milliseconds.
    pub first_byte_ms: u32,
    /// Request content.
    pub body: B,
}

/// Why the origin did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// No response head in time.
    Timeout,
    /// No connection, or one that broke: the reason, for the log.
    Failed(String),
}

/// What differs between deployments: the Worker's variables and secrets.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `ORIGIN`: scheme and authority of the load balancer, without a trailing slash.
    pub origin: String,
    /// `ISSUER`: the tokens' `iss`; its key set is at `/.well-known/jwks.json` below it.
    pub issuer: String,
    /// `DEFAULT_HOST`: the public host that a loopback or workers.dev address stands for. Not in production.
    pub default_host: Option<String>,
    /// `ORIGIN_LOCK`: the secret that the load balancer asks for.
    pub origin_lock: Option<String>,
    /// `ADMIN_API_KEY`: the operators' key.
    pub admin_key: Option<String>,
    /// `JWT_HS256_SECRET`: only while a project still signs with it.
    pub hs256_secret: Option<String>,
}

/// The platform: everything that acts. One thread, so no `Send`; borrows of [`Host::key_store`] end before awaits.
#[allow(async_fn_in_trait, reason = "Workers run on one thread: no Send bound is wanted on the futures")]
pub trait Host {
    /// Content of requests and responses, never looked into here.
    type Body;

    /// Unix time in milliseconds.
    fn now_ms(&self) -> u64;
    /// Random bytes for ids.
    fn random(&self) -> [u8; 24];
    /// The deployment's settings.
    fn settings(&self) -> &Settings;
    /// The isolate's key store.
    fn key_store(&self) -> &RefCell<keys::Store>;
    /// Content of the gateway's own making.
    fn text(&self, text: String) -> Self::Body;
    /// No content.
    fn empty(&self) -> Self::Body;
    /// Lets this many milliseconds pass.
    async fn pause(&self, ms: u32);
    /// Asks the issuer for its key set.
    async fn fetch_keys(&self) -> Result<keys::Fetched, String>;
    /// Asks the Durable Object of this name.
    async fn take(&self, object: &str, ask: &Ask) -> Result<Verdict, String>;
    /// What is stored under a key.
    async fn cached(&self, key: &str) -> Option<(Stored, Self::Body)>;
    /// Stores a response in the background, and gives its content back for the caller.
    fn store(&self, key: &str, head: &Stored, body: Self::Body) -> Self::Body;
    /// Forgets what is stored under a key, in the background.
    fn forget(&self, key: &str);
    /// Sends a request to the origin. Redirects are not followed.
    async fn send(&self, request: Outgoing<Self::Body>) -> Result<Response<Self::Body>, SendError>;
}
