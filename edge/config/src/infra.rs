//! What stands behind the edge, checked: the data that the Terraform is written from.
//!
//! Decides the types; the rules are in `check::infra` and beside it. What a container needs is in
//! [`crate::Service`].

use std::fmt;
use std::net::Ipv4Addr;

/// The infrastructure of all environments. What differs between them is in [`Infra::environments`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Infra {
    /// First part of every resource's name.
    pub name: &'static str,
    /// AWS region.
    pub region: &'static str,
    /// Availability zones of the region, at least two.
    pub zones: Vec<&'static str>,
    /// Processor of the images.
    pub architecture: Architecture,
    /// How long logs are kept, in days; one of the periods that `CloudWatch` knows.
    pub retention_days: u32,
    /// `OWNER/NAME`, whose workflows may release.
    pub github_repository: &'static str,
    /// The VPC and its subnets.
    pub network: Network,
    /// The ALB.
    pub load_balancer: LoadBalancer,
    /// The replication group.
    pub redis: Redis,
    /// What is set in the zone; none for a zone that is managed by hand.
    pub cloudflare: Option<Cloudflare>,
    /// Parties outside AWS, by their sections.
    pub parties: Vec<Party>,
    /// By their sections, at least one.
    pub environments: Vec<Environment>,
}

/// Processor architecture, as ECS names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Intel and AMD.
    X86_64,
    /// Graviton: a fifth cheaper, for images that are built for it.
    Arm64,
}

/// IPv4 networks. Each tier has one subnet per zone, in the order of the zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The VPC.
    pub cidr: Cidr,
    /// Load balancer and NAT.
    pub public: Vec<Cidr>,
    /// Tasks.
    pub private: Vec<Cidr>,
    /// Redis.
    pub redis: Vec<Cidr>,
    /// Ports on which tasks may reach the internet.
    pub egress_ports: Vec<u16>,
}

/// An IPv4 network without host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cidr {
    /// First address.
    pub address: Ipv4Addr,
    /// Length of the prefix, at most 32.
    pub prefix: u8,
}

/// The load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Above what the gateway waits for on any route, and below every server's keep-alive.
    pub idle_timeout_seconds: u32,
    /// Whether the edge must show a client certificate.
    pub mutual_tls: bool,
}

/// Redis, the workers' broker and the app's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redis {
    /// Nodes of the group, or of each shard: one primary and its replicas.
    pub nodes: u32,
    /// Shards of cluster mode; none: cluster mode is off.
    pub shards: Option<u32>,
    /// How many daily snapshots are kept.
    pub snapshot_days: u32,
}

/// What is set in the Cloudflare zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloudflare {
    /// The zone's id, of 32 hexadecimal digits.
    pub zone_id: &'static str,
    /// ISO 3166-1 codes of the countries that are refused.
    pub blocked_countries: Vec<&'static str>,
    /// Requests of one address in ten seconds, above which it is refused.
    pub requests_per_10_seconds: u32,
}

/// A party outside AWS that services talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Its name, for people.
    pub name: &'static str,
    /// The services that use it.
    pub services: Vec<&'static str>,
}

/// What differs between environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name, as of its files and in its resources' names.
    pub name: &'static str,
    /// S3 bucket of its Terraform state.
    pub state_bucket: &'static str,
    /// Host name of the load balancer, which the gateway forwards to.
    pub origin: &'static str,
    /// Where users find the gateway, without a slash at the end.
    pub public_url: &'static str,
    /// How tasks reach the internet.
    pub nat: Nat,
    /// Node type of Redis.
    pub redis_node: &'static str,
    /// The most tasks that any service may have here; none: as the services say.
    pub max_tasks: Option<u32>,
    /// Whether the load balancer, and what holds data, can be destroyed only after this was taken away.
    pub deletion_protection: bool,
    /// Whether the settings of the whole zone are this environment's. At most one environment has them.
    pub zone_settings: bool,
    /// Monthly costs above which it alarms.
    pub budget_usd: u32,
    /// Where alarms go.
    pub alarm_email: &'static str,
}

/// NAT gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// One for all zones: cheaper, and gone with its zone.
    Single,
    /// One in each zone.
    PerZone,
}

/// A plain variable of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its value, in pieces.
    pub value: Vec<Part>,
}

/// A piece of a variable's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// As it is.
    Text(&'static str),
    /// `{environment}`: the environment's name.
    Environment,
    /// `{region}`: the region.
    Region,
    /// `{redis_host}`: the primary's address.
    RedisHost,
    /// `{public_url}`: [`Environment::public_url`].
    PublicUrl,
}

impl Infra {
    /// All subnets.
    pub fn subnets(&self) -> impl Iterator<Item = Cidr> {
        let network = &self.network;
        network.public.iter().chain(&network.private).chain(&network.redis).copied()
    }
}

impl Cidr {
    /// Whether all of `other` lies in it.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.prefix <= other.prefix && self.network(other.address) == self.address
    }

    /// Whether they share an address. Two networks do only when one holds the other.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The network of this size that `address` is in.
    pub(crate) fn network(self, address: Ipv4Addr) -> Ipv4Addr {
        let host_bits = 32_u32.saturating_sub(u32::from(self.prefix));
        let mask = u32::MAX.checked_shl(host_bits).unwrap_or_default();
        Ipv4Addr::from_bits(address.to_bits() & mask)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Environment {
    /// How many of `tasks` it has: never more than its most.
    #[must_use]
    pub fn tasks(&self, tasks: u32) -> u32 {
        self.max_tasks.map_or(tasks, |most| tasks.min(most))
    }
}
