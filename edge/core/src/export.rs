//! What waits to be sent to somebody who collects it: bounded, in batches, one at a time.
//!
//! It may be lost, and is counted when it is: nobody's request waits for it. There is no timer in an isolate that has
//! nothing to do, so what waits is sent when the next request asks; an isolate that goes takes it along, uncounted.
//! When a try failed follows OTLP (<https://opentelemetry.io/docs/specs/otlp/#failures-1>).

use std::collections::VecDeque;

use http::{HeaderMap, StatusCode};

use crate::retry_after;

/// So many make a batch.
pub const BATCH: usize = 64;
/// So many wait; the oldest make room.
pub const MOST: usize = 512;
/// A batch is sent before it is full when the oldest has waited so long (ms).
pub const AGE_MS: u64 = 10_000;
/// A flight of which nothing was heard is lost after so long (ms): the platform ends work in the background after 30 s
/// (<https://developers.cloudflare.com/workers/platform/limits/>).
pub const FLIGHT_MS: u64 = 30_000;
/// The first pause after a failure, which doubles with each further one (ms).
const PAUSE_MS: u64 = 1_000;
/// The longest of them.
const LONGEST_PAUSE_MS: u64 = 60_000;

/// What waits, and what is under way.
#[derive(Debug)]
pub struct Buffer<T> {
    waiting: VecDeque<T>,
    /// Since when the oldest that waits does so (Unix ms).
    since_ms: u64,
    flight: Option<Flight>,
    flights: u64,
    /// Failures in a row, and until when that means a pause (Unix ms).
    failures: u32,
    rests_until: u64,
    lost: u64,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    left_ms: u64,
    len: usize,
}

/// What is to be sent now; [`Buffer::landed`] has to hear how that went.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch<T> {
    number: u64,
    /// The oldest first.
    pub items: Vec<T>,
}

/// How sending went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    /// It is there; or it was refused for good, and would be again.
    Done {
        /// Whether it is there.
        arrived: bool,
    },
    /// It may be sent again, after so many milliseconds if somebody said so.
    Again(Option<u64>),
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        let waiting = VecDeque::new();
        Self { waiting, since_ms: 0, flight: None, flights: 0, failures: 0, rests_until: 0, lost: 0 }
    }
}

impl<T> Buffer<T> {
    /// Puts something in at `now_ms` (Unix).
    pub fn push(&mut self, item: T, now_ms: u64) {
        if self.waiting.is_empty() {
            self.since_ms = now_ms;
        }
        self.waiting.push_back(item);
        self.make_room();
    }

    /// The next batch, if it is time for one and none is under way.
    pub fn take(&mut self, now_ms: u64) -> Option<Batch<T>> {
        self.give_up(now_ms);
        let aged = now_ms.saturating_sub(self.since_ms) >= AGE_MS && !self.waiting.is_empty();
        let due = aged || self.waiting.len() >= BATCH;
        if !due || self.flight.is_some() || now_ms < self.rests_until {
            return None;
        }
        let items: Vec<T> = self.waiting.drain(..self.waiting.len().min(BATCH)).collect();
        // What stays has waited less; how much less is not worth a time for each.
        self.since_ms = now_ms;
        self.flights = self.flights.saturating_add(1);
        self.flight = Some(Flight { number: self.flights, left_ms: now_ms, len: items.len() });
        Some(Batch { number: self.flights, items })
    }

    /// Hears how sending a batch went. One that was given up already changes nothing.
    pub fn landed(&mut self, batch: Batch<T>, landing: Landing, now_ms: u64) {
        if self.flight.take_if(|flight| flight.number == batch.number).is_none() {
            return;
        }
        match landing {
            Landing::Done { arrived } => {
                self.failures = 0;
                self.lose(if arrived { 0 } else { batch.items.len() });
            }
            Landing::Again(asked_ms) => {
                self.rest(asked_ms, now_ms);
                batch.items.into_iter().rev().for_each(|item| self.waiting.push_front(item));
                self.make_room();
            }
        }
    }

    /// How many were lost since this was last asked.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    fn give_up(&mut self, now_ms: u64) {
        let overdue = |flight: &mut Flight| now_ms.saturating_sub(flight.left_ms) > FLIGHT_MS;
        if let Some(flight) = self.flight.take_if(overdue) {
            self.lose(flight.len);
            self.rest(None, now_ms);
        }
    }

    fn rest(&mut self, asked_ms: Option<u64>, now_ms: u64) {
        let doubled = PAUSE_MS.saturating_mul(1_u64.checked_shl(self.failures).unwrap_or(u64::MAX));
        self.failures = self.failures.saturating_add(1);
        self.rests_until = now_ms.saturating_add(asked_ms.unwrap_or(doubled.min(LONGEST_PAUSE_MS)));
    }

    fn make_room(&mut self) {
        let over = self.waiting.len().saturating_sub(MOST);
        self.waiting.drain(..over);
        self.lose(over);
    }

    fn lose(&mut self, items: usize) {
        self.lost = self.lost.saturating_add(items.try_into().unwrap_or(u64::MAX));
    }
}

impl Landing {
    /// What a collector's answer means. No answer at all is [`Landing::Again`] with nothing.
    #[must_use]
    pub fn of(status: StatusCode, headers: &HeaderMap, now_ms: u64) -> Self {
        match status.as_u16() {
            429 | 502 | 503 | 504 => Self::Again(retry_after::wait_ms(headers, now_ms)),
            _ => Self::Done { arrived: status.is_success() },
        }
    }
}

#[cfg(test)]
mod tests;
