//! Redis: enough nodes to fail over, and cluster mode only with an app that can use it.

use crate::fault::Report;
use crate::infra::Redis;
use crate::read::Given;
use crate::{suggest, written};

/// A node group of `ElastiCache` has at most five replicas.
const MOST_NODES: u32 = 6;
/// The most daily snapshots that `ElastiCache` keeps.
const MOST_SNAPSHOTS: u32 = 35;

pub(super) fn check(written: &written::infra::Redis, report: &Report) -> Option<Redis> {
    let nodes = written.nodes.as_ref()?;
    if !(2..=MOST_NODES).contains(&nodes.value) {
        let text = format!(
            "{} Redis nodes: failover needs 2, and one primary takes at most {} replicas",
            nodes.value,
            MOST_NODES.saturating_sub(1)
        );
        report.add(nodes.line, text);
    }
    let snapshot_days = written.snapshot_days.as_ref()?;
    if snapshot_days.value > MOST_SNAPSHOTS {
        report.add(snapshot_days.line, format!("snapshot_days: ElastiCache keeps at most {MOST_SNAPSHOTS}"));
    }
    check_broker(written, report);
    let cluster_mode = written.cluster_mode.as_ref().is_some_and(|mode| mode.value);
    let shards = written.shards.good().filter(|_| cluster_mode).map(|shards| shards.value);
    Some(Redis { nodes: nodes.value, shards, snapshot_days: snapshot_days.value })
}

/// Whether cluster mode, the number of shards and the broker go together.
fn check_broker(written: &written::infra::Redis, report: &Report) {
    let (Some(mode), Some(broker)) = (&written.cluster_mode, &written.broker) else { return };
    let known = ["dramatiq", "cluster-aware"];
    if !known.contains(&broker.value.as_str()) {
        let hint = suggest::hint(&broker.value, known);
        report.add(broker.line, format!("unknown broker `{}`; {hint}", broker.value));
    } else if mode.value && broker.value == "dramatiq" {
        report.add(
            mode.line,
            "cluster_mode does not go with Dramatiq: its Lua script names one key and touches others, which lie in \
             other slots, so Redis answers CROSSSLOT or MOVED and no job runs. Set it to false, or give the app a \
             cluster client and the namespace `{dramatiq}`, and say broker = \"cluster-aware\"",
        );
    }
    match (mode.value, &written.shards) {
        (false, Given::Good(shards)) => {
            report.add(
                shards.line,
                "`shards` goes with cluster_mode only; remove it or set cluster_mode = true",
            );
        }
        (true, Given::Absent) => report.add(mode.line, "cluster_mode needs `shards`; give their number"),
        _ => {}
    }
}
