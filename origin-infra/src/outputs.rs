//! What whoever applied it needs next.

use he2_config::Config;

use crate::tf::{Block, Section, output};

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    vec![Section::new(
        "for the operator and for releases: where images go, where the edge finds the load balancer",
        outputs(config),
    )]
}

fn outputs(config: &Config) -> Vec<Block> {
    let certificate = (
        "certificate_validation",
        "aws_acm_certificate.main.domain_validation_options",
        "Records that prove the certificate's name, for a zone that is kept by hand",
    );
    let certificate = config.infra().cloudflare.is_none().then_some(certificate);
    let all = [
        (
            "image_repositories",
            "zipmap(keys(module.ecr), values(module.ecr)[*].repository_url)",
            "Where each image is pushed",
        ),
        ("load_balancer", "aws_lb.main.dns_name", "What the origin's host name points to"),
        ("cluster", "aws_ecs_cluster.main.name", "Of the services"),
        ("redis_host", "module.redis.endpoint", "Primary of Redis"),
        ("nat_addresses", "module.vpc.nat_public_ips", "Whence parties outside see the tasks"),
    ];
    all.into_iter().chain(certificate).map(|(name, value, text)| one(name, value, text)).collect()
}

fn one(name: &str, value: &str, description: &str) -> Block {
    output(name).text("description", description).expr("value", value)
}
