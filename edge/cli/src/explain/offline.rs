//! A platform that does nothing and writes down what it was asked: empty cache, willing limiter, silent
//! origin.

use std::cell::RefCell;

use edge_core::auth::{ADMIN_KEY, keys};
use edge_core::cache::Stored;
use edge_core::host::{Host, Outgoing, SendError, Settings};
use edge_core::limit::{self, Ask, State, Verdict};
use http::Response;

use crate::Failure;
use crate::args::Asked;

/// Stands for the Worker's variable.
pub(super) const ORIGIN: &str = "ORIGIN";

pub(super) struct Offline {
    now_ms: u64,
    settings: Settings,
    store: RefCell<keys::Store>,
    jwks: Result<String, String>,
    asked: RefCell<Option<String>>,
    sent: RefCell<Option<Outgoing<String>>>,
}

impl Offline {
    pub(super) fn new(asked: &Asked, now_ms: u64) -> Result<Self, Failure> {
        let settings = Settings {
            origin: ORIGIN.to_owned(),
            issuer: asked.issuer.clone().unwrap_or_default(),
            origin_lock: Some("secret".to_owned()),
            // A secret of the deployment: whatever was given is taken for right, and `steps` says so.
            admin_key: edge_core::headers::single(&asked.headers, ADMIN_KEY).map(str::to_owned),
            hs256_secret: std::env::var("JWT_HS256_SECRET").ok(),
            ..Settings::default()
        };
        let jwks = match &asked.jwks {
            None => Err("no key set here; name one by --jwks FILE".to_owned()),
            Some(path) => Ok(std::fs::read_to_string(path)
                .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?),
        };
        let (asked, sent) = (RefCell::default(), RefCell::default());
        Ok(Self { now_ms, settings, store: RefCell::default(), jwks, asked, sent })
    }

    pub(super) fn into_seen(self) -> (Option<String>, Option<Outgoing<String>>) {
        (self.asked.into_inner(), self.sent.into_inner())
    }
}

impl Host for Offline {
    type Body = String;

    fn now_ms(&self) -> u64 {
        self.now_ms
    }

    fn random(&self) -> [u8; 24] {
        [0; 24]
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn key_store(&self) -> &RefCell<keys::Store> {
        &self.store
    }

    fn text(&self, text: String) -> String {
        text
    }

    fn empty(&self) -> String {
        String::new()
    }

    async fn pause(&self, _: u32) {}

    async fn fetch_keys(&self) -> Result<keys::Fetched, String> {
        self.jwks.clone().map(|json| keys::Fetched { json, max_age: None })
    }

    async fn take(&self, object: &str, ask: &Ask) -> Result<Verdict, String> {
        self.asked.replace(Some(object.to_owned()));
        Ok(limit::take(&State::default(), ask, self.now_ms).1)
    }

    async fn cached(&self, _: &str) -> Option<(Stored, String)> {
        None
    }

    fn store(&self, _: &str, _: &Stored, body: String) -> String {
        body
    }

    fn forget(&self, _: &str) {}

    async fn send(&self, request: Outgoing<String>) -> Result<Response<String>, SendError> {
        self.sent.replace(Some(request));
        Ok(Response::new(String::new()))
    }
}
