//! The platform as the gateway needs it: what acts, and what passes to and fro. Decides nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use http::{HeaderMap, Method, Response};

use crate::auth::isolate::Isolate;
use crate::auth::keys::{Fetched, Jwk};
use crate::auth::revocation;
use crate::cache::index::Index;
use crate::cache::purge;
use crate::cache::range::Part;
use crate::limit::ledger::{Answer, Ask};
use crate::limit::places;
use crate::plan::{Plan, Timeouts, Upstream};
use crate::stream::Heartbeat;
use crate::telemetry::Telemetry;
use crate::upstream::pick::Origin;

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
    /// What else the platform knows of the connection.
    pub cf: Cf,
    /// Request content.
    pub body: B,
}

/// What Cloudflare says of a request's connection: some of `request.cf`
/// (<https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties>).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cf {
    /// Country of the caller's address (ISO 3166-1 alpha-2), or `T1` for Tor; none where it is not known (`XX`).
    pub country: Option<String>,
    /// Number of the autonomous system that the address is in.
    pub asn: Option<u32>,
    /// The data centre that took the request: an airport's IATA code.
    pub colo: Option<String>,
    /// The protocol by which the request arrived, as `HTTP/2`.
    pub protocol: Option<String>,
}

impl Cf {
    /// Country, autonomous system, data centre and protocol, a line each, empty where the platform says nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut lines = text.split('\n').map(|line| Some(line).filter(|line| !line.is_empty()));
        let mut next = || lines.next().flatten().map(str::to_owned);
        Self {
            country: next().filter(|country| country != "XX"),
            asn: next().and_then(|asn| asn.parse().ok()),
            colo: next(),
            protocol: next(),
        }
    }
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
    /// Content without a declared length is sent as long as it has no more bytes than this; none for as long as the
    /// platform takes it.
    pub max_body_bytes: Option<u32>,
    /// The answer may be kept: it is wanted whole even if the client leaves.
    pub outlives: bool,
    /// Its content stays as the origin encoded it, though it is read on the way.
    pub encoded: bool,
    /// Request content.
    pub body: B,
}

/// Why the origin did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// No response head in time.
    Timeout,
    /// There was more content than may be sent: than so many bytes.
    TooLong(u32),
    /// No connection, or one that broke: the reason, for the log.
    Failed(String),
    /// The client has gone, and the request with it.
    Gone,
}

/// Why content could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// There is more of it than allowed.
    TooLong,
    /// It broke off: the reason, for the log.
    Failed(String),
}

/// What differs between deployments: the Worker's variables and secrets.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `MAINTENANCE`: how many seconds callers are told to stay away, while it is set.
    pub maintenance: Option<u32>,
    /// `DEFAULT_HOST`: the public host that a loopback or workers.dev address stands for. Not in production.
    pub default_host: Option<String>,
    /// `ORIGIN_LOCK`: the secret that the load balancer asks for.
    pub origin_lock: Option<String>,
    /// `IDENTITY_SECRET`: what the identity that the origin is told is signed with.
    pub identity_secret: Option<String>,
    /// Whom it tells what happens.
    pub telemetry: Telemetry,
    /// Those that the plan names ([`crate::plan::Plan::variables`]), where they are set and not empty.
    pub variables: BTreeMap<&'static str, String>,
}

impl Settings {
    /// The value of a variable or secret that the plan names.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The upstreams of a service that this deployment has.
    #[must_use]
    pub fn origins(&self, plan: &Plan, service: &str) -> Vec<Origin> {
        let serves =
            |upstream: &&Upstream| upstream.services.is_empty() || upstream.services.contains(&service);
        let origin = |upstream: &Upstream| {
            let address = self.get(upstream.variable)?.trim_end_matches('/').to_owned();
            Some(Origin { name: upstream.name, weight: upstream.weight, address })
        };
        plan.upstreams.iter().filter(serves).filter_map(origin).collect()
    }
}

/// The platform: everything that acts. One thread, so no `Send`; borrows of what [`Host::isolate`] holds end before
/// awaits. A clone is a handle to the same event.
#[allow(async_fn_in_trait, reason = "Workers run on one thread: no Send bound is wanted on the futures")]
pub trait Host: Clone + 'static {
    /// Content of requests and responses, looked into only by [`Host::read`].
    type Body: 'static;
    /// A verifying key as the platform has it.
    type Key: 'static;

    /// Unix time in milliseconds.
    fn now_ms(&self) -> u64;
    /// Random bytes for ids; zeros where the platform has none to give.
    fn random(&self) -> [u8; 24];
    /// The deployment's settings.
    fn settings(&self) -> &Settings;
    /// What the isolate remembers between requests.
    fn isolate(&self) -> &Isolate<Self::Key>;
    /// Content of the gateway's own making.
    fn text(&self, text: String) -> Self::Body;
    /// Content that was read, again.
    fn bytes(&self, bytes: Vec<u8>) -> Self::Body;
    /// No content.
    fn empty(&self) -> Self::Body;
    /// The same content once more; none of what can be read only once.
    fn again(&self, body: &Self::Body) -> Option<Self::Body>;
    /// Content that nobody wants: its sender need not go on.
    fn discard(&self, body: Self::Body);
    /// Lets this many milliseconds pass.
    async fn pause(&self, ms: u32);
    /// What `work` gives within so many milliseconds; afterwards it is dropped.
    async fn within<T>(&self, ms: u32, work: impl Future<Output = T>) -> Option<T>;
    /// Does work that the answer does not wait for.
    fn background(&self, work: impl Future<Output = ()> + 'static);

    /// Asks an issuer for its key set, at this address.
    async fn fetch_keys(&self, url: &str) -> Result<Fetched, String>;
    /// The key set that isolates of this data centre share, as it was fetched from this address.
    async fn shared_keys(&self, url: &str) -> Option<Fetched>;
    /// Shares a key set with them.
    async fn share_keys(&self, url: &str, fetched: &Fetched);
    /// Makes a key ready for use.
    async fn import(&self, jwk: &Jwk) -> Result<Self::Key, String>;
    /// Whether `signature` is the key's over `message`. For [`Jwk::Ec`] it is r and s, 32 bytes each (RFC 7518 §3.4).
    async fn verify(&self, key: &Self::Key, message: &[u8], signature: &[u8]) -> bool;

    /// Reads content to its end, if there are no more than `most` bytes of it.
    async fn read(&self, body: Self::Body, most: u32) -> Result<Vec<u8>, ReadError>;
    /// The same event stream, kept alive where a heartbeat is given, which ends in good order as soon as `over` is;
    /// `over` is dropped when the stream ends first.
    fn events(
        &self,
        body: Self::Body,
        heartbeat: Option<Heartbeat>,
        over: impl Future<Output = ()> + 'static,
    ) -> Self::Body;

    /// The same content, of an answer that was asked for as [`Outgoing::encoded`], broken off where it takes longer.
    /// `length` is the one that the origin has declared, in bytes; `request_id` is for the log.
    fn limit_time(
        &self,
        body: Self::Body,
        length: Option<u64>,
        timeouts: Timeouts,
        request_id: &str,
    ) -> Self::Body;

    /// Asks the Durable Object that holds the revocations.
    async fn revocations(&self, ask: &revocation::Ask) -> Result<revocation::Answer, String>;
    /// Whether the delivery of a webhook with this name was acknowledged by the origin.
    async fn is_acknowledged(&self, delivery: &str) -> Result<bool, String>;
    /// Remembers for so many seconds that it was.
    async fn acknowledge(&self, delivery: &str, seconds: u32) -> Result<(), String>;
    /// Asks the Durable Object of a limit's key ([`crate::limit::shard`]).
    async fn limit(&self, key: &str, ask: &Ask) -> Result<Answer, String>;
    /// Asks the Durable Object of a concurrency's key ([`crate::limit::shard`]).
    async fn places(&self, key: &str, ask: &places::Ask) -> Result<places::Answer, String>;
    /// Asks the Durable Object that holds the purges.
    async fn purges(&self, ask: &purge::Ask) -> Result<purge::Answer, String>;
    /// The record that is stored under a key.
    async fn index(&self, key: &str) -> Option<Index>;
    /// Stores a record under a key.
    async fn put_index(&self, key: &str, index: &Index);
    /// Stored content, or exactly this part of it; none where the storage has not got it, or cannot cut it.
    async fn content(&self, name: &str, part: Part) -> Option<Self::Body>;
    /// Stores content under a name while it goes on to the caller: what the caller gets, and the length of the content
    /// once it is stored whole; none if it never is. `length` is the one that the origin has declared, in bytes.
    fn keep(
        &self,
        name: String,
        length: Option<u64>,
        body: Self::Body,
    ) -> (Self::Body, impl Future<Output = Option<u64>> + 'static);
    /// Stores content that no caller waits for; its length likewise.
    fn save(
        &self,
        name: String,
        length: Option<u64>,
        body: Self::Body,
    ) -> impl Future<Output = Option<u64>> + 'static;
    /// Sends a request to an upstream; a GET without its content. Redirects are not followed, and one that is dropped
    /// before it is done is broken off.
    async fn send(&self, request: Outgoing<Self::Body>) -> Result<Response<Self::Body>, SendError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_platform_does_not_know_of_a_connection_is_nothing() {
        let text = |text: &str| Some(text.to_owned());
        let known = Cf { country: text("DE"), asn: Some(3_320), colo: text("FRA"), protocol: text("HTTP/2") };
        assert_eq!(Cf::parse("DE\n3320\nFRA\nHTTP/2"), known);
        assert_eq!(Cf::parse("XX\n\nFRA\n"), Cf { colo: text("FRA"), ..Cf::default() });
        assert_eq!(Cf::parse(""), Cf::default());
    }
}
