//! What is stored under a key: the heads of its responses, each with the name of its content.
//!
//! The record is written after the content has arrived whole. So a name in it stands for whole content, or for content
//! that the storage has dropped since; never for a part.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::terms::Terms;
use super::vary::{self, Selecting};

/// Variants kept under a key.
const MOST: usize = 16;

/// The record under a key. Its JSON is the stored layout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// What was asked for up to then (Unix ms) was made invalid (RFC 9111 §4.4), though its content may yet arrive.
    pub invalid_ms: u64,
    /// Newest first.
    pub variants: Vec<Variant>,
}

/// One stored response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// The name of its content; no two have the same.
    pub body: String,
    /// Response status.
    pub status: u16,
    /// Response fields, as the origin sent them (RFC 9111 §3.1).
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub headers: HeaderMap,
    /// The request's fields that select it (§4.1).
    pub selecting: Selecting,
    /// When the origin was asked for its content, in Unix milliseconds.
    pub content_ms: u64,
    /// When the origin was asked for it, or whether it still holds, in Unix milliseconds.
    pub requested_ms: u64,
    /// When its head arrived, in Unix milliseconds.
    pub received_ms: u64,
    /// Its age then, in seconds (§4.2.3).
    pub age: u64,
    /// How long it may be used.
    pub terms: Terms,
    /// Bytes of content.
    pub length: u64,
    /// Its tags and groups.
    pub tags: Vec<String>,
}

impl Index {
    /// The response that a request selects: the newest that matches, else one in the language that it likes best.
    #[must_use]
    pub fn select(&self, asked: &HeaderMap) -> Option<&Variant> {
        let mut variants = self.variants.iter();
        let exact = variants.clone().find(|variant| vary::matches(&variant.selecting, asked));
        exact.or_else(|| variants.find(|variant| vary::speaks(&variant.headers, &variant.selecting, asked)))
    }

    /// With a new response, in place of those that the same request selects; none where it was made invalid while it
    /// arrived. One that varies shows that the URL's answers do, so one that does not is no longer selected (§4.1).
    #[must_use]
    pub fn with(&self, variant: Variant, asked: &HeaderMap) -> Option<Self> {
        if variant.requested_ms <= self.invalid_ms {
            return None;
        }
        let stays = |held: &&Variant| {
            !vary::matches(&held.selecting, asked)
                && (variant.selecting.is_empty() || !held.selecting.is_empty())
        };
        let others = self.variants.iter().filter(stays).take(MOST.saturating_sub(1)).cloned();
        let variants = others.collect::<Vec<_>>();
        let variants = std::iter::once(variant).chain(variants).collect();
        Some(Self { invalid_ms: self.invalid_ms, variants })
    }

    /// With nothing left of what was asked for until now.
    #[must_use]
    pub fn invalid(now_ms: u64) -> Self {
        Self { invalid_ms: now_ms, variants: Vec::new() }
    }
}

impl Variant {
    /// Its age in seconds (§4.2.3).
    #[must_use]
    pub fn age(&self, now_ms: u64) -> u64 {
        self.age.saturating_add(now_ms.saturating_sub(self.received_ms) / 1_000)
    }
}

fn write<S: Serializer>(headers: &HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    serializer.collect_seq(headers.iter().map(|(name, value)| (name.as_str(), text(value))))
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderMap, D::Error> {
    let pairs = Vec::<(String, String)>::deserialize(deserializer)?;
    let pair = |(name, value): (String, String)| {
        Ok((
            name.parse::<HeaderName>().map_err(D::Error::custom)?,
            HeaderValue::from_maybe_shared(value.into_bytes()).map_err(D::Error::custom)?,
        ))
    };
    pairs.into_iter().map(pair).collect()
}
