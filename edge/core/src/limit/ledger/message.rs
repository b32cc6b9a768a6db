//! What isolates and operators ask the Durable Object of a key, and what it answers: the contract, as JSON.

use serde::{Deserialize, Serialize};

use crate::limit::window::{Standing, Window};

/// A question. `Look`, `Reset` and `Raise` are operators'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// May a request pass?
    Take(Take),
    /// These leases are over. Answered with [`Answer::Standing`].
    Return(Vec<Returned>),
    /// A request that has passed cost more than was known. It is charged as far as there is room.
    Charge {
        /// The windows of its key.
        windows: Vec<Window>,
        /// Permits that it cost besides.
        permits: u32,
        /// Leases that the isolate gives up.
        returned: Vec<Returned>,
    },
    /// How does the key stand in these windows?
    Look(Vec<Window>),
    /// Nothing is charged any more. What is out stays out; a raise stays.
    Reset,
    /// Greater quotas from now on until a time; lesser ones, and a window that a later plan adds, are not raised.
    Raise {
        /// The key's windows, as planned.
        windows: Vec<Window>,
        /// How far.
        by: By,
        /// Unix milliseconds. One that is past ends a raise.
        until_ms: u64,
    },
}

/// A request's question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// The windows of its key.
    pub windows: Vec<Window>,
    /// Permits that the request costs: 1 or more.
    pub cost: u32,
    /// Permits that the isolate has use for, the request's included; up to `cost`: nothing is to be lent.
    pub want: u32,
    /// Leases that the isolate gives up.
    pub returned: Vec<Returned>,
}

/// A lease that its isolate spends no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// [`Lease::name`].
    pub name: u64,
    /// Permits that it has spent.
    pub spent: u32,
}

/// How far quotas are raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// To so many hundredths of the plan's.
    Percent(u32),
    /// To these, in the order of the windows; a burst grows in proportion.
    Quotas(Vec<u32>),
}

impl By {
    /// The quota to which the window at this place is raised; 0: to none.
    pub(super) fn quota(&self, at: usize, window: Window) -> u32 {
        match self {
            Self::Percent(percent) => {
                let raised = u64::from(window.quota).saturating_mul((*percent).into()) / 100;
                u32::try_from(raised).unwrap_or(u32::MAX)
            }
            Self::Quotas(quotas) => quotas.get(at).copied().unwrap_or_default(),
        }
    }
}

/// The answer to an [`Ask`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Ask::Take`].
    Taken(Verdict),
    /// To all others: how the key stands.
    Standing {
        /// What is left besides what is out.
        windows: Vec<Standing>,
        /// Permits that are lent.
        out: u32,
    },
}

/// The answer to a [`Take`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The request may pass and is charged.
    Granted {
        /// Permits for requests to come.
        lease: Option<Lease>,
        /// What is left besides what is out.
        windows: Vec<Standing>,
    },
    /// It may not, and nothing is charged.
    Refused {
        /// When it can pass, if nobody calls meanwhile: 1 or more. Of what costs more than a window holds: the
        /// longest window's length.
        retry_in_ms: u64,
        /// For how long the isolate may refuse requests of this cost or more without asking.
        recheck_in_ms: u64,
        /// What is left besides what is out.
        windows: Vec<Standing>,
    },
}

/// Permits that an isolate may spend on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its name at the object.
    pub name: u64,
    /// How many.
    pub permits: u32,
    /// For how long, counted from before the isolate asked.
    pub life_ms: u64,
    /// Whether any window goes on after it, so that what it leaves is still of use to somebody.
    pub outlived: bool,
}
