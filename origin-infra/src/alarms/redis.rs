//! Alarms about Redis: memory, evictions, CPU, replicas, failover.

use he2_config::Redis;

use super::{Above, Metric, alarm, each, result};
use crate::tf::{Block, Section, locals};

const NODE: Metric = Metric {
    namespace: "AWS/ElastiCache",
    dimensions: "{ CacheClusterId = \"${module.redis.id}-${each.key}\" }",
};

pub(super) fn section(redis: Redis) -> Section {
    Section::new(
        "from he2.toml [infra.redis]: one alarm of each kind per node",
        vec![nodes(redis), memory(), evictions(), cpu(), lag(), failover()],
    )
}

/// How `ElastiCache` numbers them, after the name of the group.
fn nodes(redis: Redis) -> Block {
    let of_group = 1..=redis.nodes;
    let numbers: Vec<String> = match redis.shards {
        None => of_group.map(|node| format!("\"{node:03}\"")).collect(),
        Some(shards) => (1..=shards)
            .flat_map(|shard| of_group.clone().map(move |node| format!("\"{shard:04}-{node:03}\"")))
            .collect(),
    };
    locals().expr("redis_nodes", &format!("toset([{}])", numbers.join(", ")))
}

fn memory() -> Block {
    let when = Above { threshold: "75", of: (5, 5), missing: "notBreaching" };
    let meaning = "Redis is three quarters full; when it is full it refuses new jobs. Take a larger node.";
    node("redis_memory", "memory", meaning, &when, ("DatabaseMemoryUsagePercentage", "Maximum"))
}

fn evictions() -> Block {
    let when = Above { threshold: "0", of: (1, 1), missing: "notBreaching" };
    let meaning = "Redis evicts keys, jobs among them: its maxmemory-policy is not noeviction any more.";
    node("redis_evictions", "evictions", meaning, &when, ("Evictions", "Sum"))
}

fn cpu() -> Block {
    let when = Above { threshold: "80", of: (10, 10), missing: "notBreaching" };
    let meaning = "The one thread of Redis that runs commands is busy for more than 80 %: see its slow log.";
    node("redis_cpu", "cpu", meaning, &when, ("EngineCPUUtilization", "Maximum"))
}

/// A primary has none.
fn lag() -> Block {
    let when = Above { threshold: "5", of: (5, 5), missing: "notBreaching" };
    let meaning = "A replica is more than 5 s behind: what was written since is lost in a failover.";
    node("redis_lag", "lag", meaning, &when, ("ReplicationLag", "Maximum"))
}

/// `ElastiCache` tells of failovers by SNS too, but not to an encrypted topic
/// (docs.aws.amazon.com/AmazonElastiCache/latest/dg/ElastiCacheSNS.html).
fn failover() -> Block {
    let when = Above { threshold: "0", of: (1, 3), missing: "notBreaching" };
    let meaning =
        "A node of Redis became primary, or ceased to be: clients reconnect, the last writes may be lost.";
    alarm(each("redis_failover", "local.redis_nodes"), "redis-${each.key}-failover", meaning, &when)
        .nest(NODE.query("primary", "IsMaster", "Maximum"))
        .nest(result("ABS(DIFF(primary))", "Role changed"))
}

fn node(name: &str, kind: &str, meaning: &str, when: &Above, (metric, statistic): (&str, &str)) -> Block {
    let alarm = alarm(each(name, "local.redis_nodes"), &format!("redis-${{each.key}}-{kind}"), meaning, when);
    NODE.of(alarm, metric, statistic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(nodes: u32, shards: Option<u32>) -> Block {
        super::nodes(Redis { nodes, shards, snapshot_days: 1 })
    }

    #[test]
    fn every_node_has_its_alarms_under_the_number_that_elasticache_gives_it() {
        let set = |list: &str| locals().expr("redis_nodes", &format!("toset([{list}])"));
        assert_eq!(numbers(3, None), set("\"001\", \"002\", \"003\""));
        let sharded = "\"0001-001\", \"0001-002\", \"0002-001\", \"0002-002\"";
        assert_eq!(numbers(2, Some(2)), set(sharded));
    }
}
