//! Who talks to Redis.

use he2_config::{Config, Part, Service};

/// Of Redis.
pub(crate) const REDIS_PORT: u16 = 6379;

/// The services that are told where Redis is.
pub(crate) fn services(config: &Config) -> impl Iterator<Item = &Service> {
    let is_told = |service: &&Service| {
        service.variables.iter().any(|variable| variable.value.contains(&Part::RedisHost))
    };
    config.services().iter().filter(is_told)
}
