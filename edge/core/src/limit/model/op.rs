//! What can happen.

use proptest::prelude::*;

use crate::limit::ledger::SLACK_MS;
use crate::limit::window::Window;

#[derive(Debug, Clone)]
pub(super) enum Op {
    Wait(u64),
    /// Requests whose questions travel until `Deliver`.
    Request {
        isolate: usize,
        cost: u32,
        strict: bool,
    },
    /// Requests whose questions are answered at once.
    Call {
        isolate: usize,
        cost: u32,
        times: usize,
    },
    /// The origin says what a request cost besides.
    Charge {
        isolate: usize,
        permits: u32,
    },
    Deliver {
        at: usize,
        doubled: bool,
    },
    Lose {
        at: usize,
    },
    Farewells {
        isolate: usize,
    },
    Crash {
        isolate: usize,
    },
    Forward {
        isolate: usize,
        ms: u64,
    },
    BackUnseen {
        isolate: usize,
        ms: u64,
    },
    BackSeen {
        isolate: usize,
        ms: u64,
    },
    ObjectBack {
        ms: u64,
    },
    Evict,
    Reset,
}

pub(super) fn windows() -> impl Strategy<Value = Vec<Window>> {
    let window = |quota, seconds, burst| Window { quota, seconds, burst };
    prop::sample::select(vec![
        vec![window(60, 10, None)],
        vec![window(200, 60, None)],
        vec![window(40, 2, None), window(100, 20, None), window(300, 3_600, None)],
        vec![window(7, 1, Some(40))],
        vec![window(300, 60, Some(90)), window(120, 30, None)],
    ])
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let at = || 0_usize..3;
    let cost = || prop_oneof![4 => Just(1_u32), 1 => 2_u32..6];
    prop_oneof![
        8 => prop_oneof![3 => 0_u64..400, 2 => 0_u64..4_000, 1 => 4_000_u64..70_000].prop_map(Op::Wait),
        8 => (at(), cost(), prop::bool::weighted(0.1)).prop_map(|(isolate, cost, strict)| Op::Request { isolate, cost, strict }),
        16 => (at(), cost(), 1_usize..30).prop_map(|(isolate, cost, times)| Op::Call { isolate, cost, times }),
        4 => (at(), 1_u32..40).prop_map(|(isolate, permits)| Op::Charge { isolate, permits }),
        10 => (0_usize..8, prop::bool::weighted(0.2)).prop_map(|(at, doubled)| Op::Deliver { at, doubled }),
        1 => (0_usize..8).prop_map(|at| Op::Lose { at }),
        4 => at().prop_map(|isolate| Op::Farewells { isolate }),
        1 => at().prop_map(|isolate| Op::Crash { isolate }),
        1 => (at(), 0_u64..5_000).prop_map(|(isolate, ms)| Op::Forward { isolate, ms }),
        2 => (at(), 0_u64..SLACK_MS).prop_map(|(isolate, ms)| Op::BackUnseen { isolate, ms }),
        1 => (at(), 1_u64..5_000).prop_map(|(isolate, ms)| Op::BackSeen { isolate, ms }),
        1 => (0_u64..5_000).prop_map(|ms| Op::ObjectBack { ms }),
        2 => Just(Op::Evict),
        1 => Just(Op::Reset),
    ]
}
