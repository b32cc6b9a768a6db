//! `cargo infra cost`: what an environment costs in a month, beside what the architecture's design allowed for.
//!
//! Prices are list prices from a dated file in the repository, use is assumed there too: this tells orders of
//! magnitude and the effect of a setting, not a bill. Leaves out taxes, support, traffic to users and the outside
//! parties that have no range in the design.

mod advice;
mod components;
mod prices;

use std::fmt::Write as _;

use he2_config::{Config, Environment};

use advice::Advice;
use components::{self as cost, Range};
use prices::Prices;

/// What the design allows for all of its components together.
const DESIGN_TOTAL: (u32, u32) = (225, 515);

/// One component.
struct Line {
    name: &'static str,
    range: Range,
    /// What the design allows; none for what it does not name.
    design: Option<(u32, u32)>,
    advice: Vec<Advice>,
}

/// All environments, one after the other.
pub(crate) fn report(config: &Config) -> Result<String, String> {
    let prices = prices::read()?;
    let region = config.infra().region;
    if region != prices.region {
        return Err(format!(
            "prices.json has the prices of {}, not of {region}; put those there\n",
            prices.region
        ));
    }
    let each = config.infra().environments.iter().map(|environment| one(config, environment, &prices));
    Ok(each.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

fn one(config: &Config, at: &Environment, prices: &Prices) -> Result<String, String> {
    let lines = lines(config, at, prices)?;
    let (named, others): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|line| line.design.is_some());
    let (design, rest) = (total(&named), total(&others));
    let all = design.plus(rest);
    let mut text = format!(
        "{}: USD a month at {}.\nLow: least tasks, a quiet month; high: most tasks, a busy one.\n\n\
         {:<28}{:>6}{:>7}   design\n",
        at.name,
        prices::age()?,
        "",
        "low",
        "high"
    );
    text.extend(named.iter().map(|line| row(line.name, line.range, line.design)));
    text += &row("what the design names", design, Some(DESIGN_TOTAL));
    text.extend(others.iter().map(|line| row(line.name, line.range, None)));
    text += &row("all", all, None);
    let _ = writeln!(text, "{:<28}{:>13}", "budget", at.budget_usd);
    let (least, most) = cost::vcpus(config.services(), at);
    let _ =
        writeln!(text, "{:<28}{least:>6}{most:>7}   twice that while all services deploy", "Fargate vCPUs");
    text.extend(lines.iter().filter(|line| is_above(line)).map(explained));
    if all.high > f64::from(at.budget_usd) {
        text += &over_budget(all.high, at.budget_usd, lines);
    }
    Ok(text)
}

fn lines(config: &Config, at: &Environment, prices: &Prices) -> Result<Vec<Line>, String> {
    let infra = config.infra();
    let redis = cost::redis(infra, at.redis_node, prices)
        .ok_or_else(|| format!("prices.json has no price of {}; add it\n", at.redis_node))?;
    let named = |name, range, design, advice| Line { name, range, design: Some(design), advice };
    let other = |name, range, advice| Line { name, range, design: None, advice };
    let ecs = cost::ecs(config.services(), infra.architecture, at, prices);
    Ok(vec![
        named("ECS", ecs, (100, 200), advice::ecs(config, at, prices)),
        named("Redis", redis, (50, 100), advice::redis(config, at, prices)),
        named("ALB", cost::load_balancer(infra, prices), (20, 30), Vec::new()),
        named("ECR", cost::registry(prices), (5, 15), Vec::new()),
        named(
            "Cloudflare",
            cost::cloudflare(infra, at, prices),
            (0, 20),
            advice::cloudflare(config, at, prices),
        ),
        named("Daytona", cost::daytona(prices), (50, 150), Vec::new()),
        other("NAT", cost::nat(infra, at.nat, prices), advice::nat(config, at, prices)),
        other("WAF", cost::firewall(prices), Vec::new()),
        other("CloudWatch", cost::watch(prices), Vec::new()),
        other("Secrets Manager, KMS", cost::secrets(config, prices), Vec::new()),
    ])
}

fn total(lines: &[&Line]) -> Range {
    lines.iter().map(|line| line.range).fold(Range::default(), Range::plus)
}

fn row(name: &str, range: Range, design: Option<(u32, u32)>) -> String {
    let beside = design.map_or_else(String::new, |(low, high)| {
        let above = if range.high > f64::from(high) { "   above" } else { "" };
        format!("   {low}-{high}{above}")
    });
    format!("{name:<28}{:>6.0}{:>7.0}{beside}\n", range.low, range.high)
}

fn is_above(line: &Line) -> bool {
    line.design.is_some_and(|(_, high)| line.range.high > f64::from(high))
}

fn explained(line: &Line) -> String {
    let (_, high) = line.design.unwrap_or_default();
    let text = format!(
        "\n{} can go {:.0} above its range. What brings it down:\n",
        line.name,
        line.range.high - f64::from(high)
    );
    line.advice.iter().fold(text, |text, advice| text + &saving(advice))
}

fn over_budget(high: f64, budget: u32, lines: Vec<Line>) -> String {
    let text = format!(
        "\nA busy month can go {:.0} above the budget. Beside the above:\n",
        high - f64::from(budget)
    );
    let others = lines.into_iter().filter(|line| !is_above(line)).flat_map(|line| line.advice);
    let others = advice::best_first(others.collect());
    others.iter().fold(text, |text, advice| text + &saving(advice))
}

fn saving(advice: &Advice) -> String {
    format!("{:>6.0}  {}\n", -advice.saves, advice.change)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(edits: &[(&str, &str)]) -> Config {
        let text = include_str!("../../he2.toml").to_owned();
        let text = edits.iter().fold(text, |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        he2_config::parse("he2.toml", &text).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn line(config: &Config, name: &str) -> Range {
        let prices = prices::read().unwrap();
        let lines = lines(config, &config.infra().environments[0], &prices).unwrap();
        lines.iter().find(|line| line.name == name).unwrap().range
    }

    fn near(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 0.01
    }

    #[test]
    fn tasks_cost_their_cpu_and_memory_by_the_hour() {
        let one = config(&[(
            "min_tasks = 2\nmax_tasks = 4\nspot = true",
            "min_tasks = 1\nmax_tasks = 1\nspot = true",
        )]);
        let two = config(&[(
            "min_tasks = 2\nmax_tasks = 4\nspot = true",
            "min_tasks = 2\nmax_tasks = 2\nspot = false",
        )]);
        let frontend = (0.5 * 0.04048 + 0.004_445) * 730.0;
        assert!(near(line(&two, "ECS").low - line(&one, "ECS").low, frontend));
    }

    #[test]
    fn the_tasks_need_so_much_of_the_accounts_quota() {
        let config = config(&[]);
        let (least, most) = cost::vcpus(config.services(), &config.infra().environments[0]);
        assert!(near(least, 5.0) && near(most, 12.0), "{least} to {most}");
    }

    #[test]
    fn the_first_task_is_not_discounted() {
        let spot = config(&[]);
        let not = config(&[("spot = true", "spot = false")]);
        let frontend = (0.5 * 0.04048 + 0.004_445) * 730.0;
        let discount = prices::read().unwrap().fargate.spot_discount;
        assert!(near(line(&not, "ECS").high - line(&spot, "ECS").high, 3.0 * frontend * discount));
    }

    #[test]
    fn a_staging_of_single_tasks_costs_the_same_low_and_high() {
        let config = config(&[]);
        let staging = config.infra().environments.iter().find(|at| at.name == "staging").unwrap();
        let prices = prices::read().unwrap();
        let ecs = cost::ecs(config.services(), config.infra().architecture, staging, &prices);
        assert!(near(ecs.low, ecs.high) && ecs.high < line(&config, "ECS").low);
    }

    #[test]
    fn what_exceeds_the_design_is_named_with_the_settings_that_bring_it_down() {
        let text = report(&config(&[("max_tasks = 6", "max_tasks = 40")])).unwrap();
        let (_, advice) = text.split_once("ECS can go ").unwrap();
        for setting in ["architecture = \"arm64\"", "[service.workers] max_tasks = 2", "nat = \"single\""] {
            assert!(advice.contains(setting), "{setting} in {advice}");
        }
        assert!(text.contains("A busy month can go "));
    }

    #[test]
    fn what_is_set_already_is_not_advised() {
        let text = report(&config(&[
            ("architecture = \"x86_64\"", "architecture = \"arm64\""),
            ("nat = \"per-zone\"", "nat = \"single\""),
        ]));
        let text = text.unwrap();
        assert!(!text.contains("arm64") && !text.contains("nat = "), "{text}");
    }

    #[test]
    fn workers_are_never_advised_to_use_spot() {
        let text = report(&config(&[("max_tasks = 6", "max_tasks = 40")])).unwrap();
        assert!(!text.contains("[service.workers] spot"), "{text}");
    }

    #[test]
    fn the_least_of_production_is_within_the_design_and_its_budget() {
        let config = config(&[]);
        let prices = prices::read().unwrap();
        let lines = lines(&config, &config.infra().environments[0], &prices).unwrap();
        for line in &lines {
            assert!(line.design.is_none_or(|(_, high)| line.range.low <= f64::from(high)), "{}", line.name);
        }
        assert!(total(&lines.iter().collect::<Vec<_>>()).low <= 515.0);
    }

    #[test]
    fn a_node_or_a_region_without_prices_is_an_error() {
        let node = report(&config(&[("cache.t4g.small", "cache.x9.huge")]));
        assert_eq!(node.unwrap_err(), "prices.json has no price of cache.x9.huge; add it\n");
        let region = report(&config(&[("us-east-1", "eu-west-1")]));
        assert!(region.unwrap_err().contains("not of eu-west-1"));
    }
}
