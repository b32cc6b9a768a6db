//! How the time to find a route grows with their number: `he2-bench-growth FILE NUMBER…` adds routes to a description
//! until there are so many, and prints for each number the nanoseconds of a look-up, as JSON: of a route in the middle
//! of the table, of its last one, and of a path that none takes.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;
use std::{env, error, fs};

use edge_core::plan::Plan;
use edge_core::route;

const HOST: &str = "api.he2.ai";
const LOOKUPS: u32 = 20_000;
const ROUNDS: usize = 9;

fn main() -> Result<(), Box<dyn error::Error>> {
    let mut args = env::args().skip(1);
    let text = fs::read_to_string(args.next().ok_or("which description?")?)?;
    for number in args {
        let number: usize = number.parse()?;
        let plan = plan(&text, number)?;
        let paths = [path(number / 2), path(number - 1), "/nowhere/at/all".to_owned()];
        let [middle, last, none] = paths.map(|path| look_up(plan, &path));
        println!(r#"{{"routes":{number},"middle":{middle:.0},"last":{last:.0},"none":{none:.0}}}"#);
    }
    Ok(())
}

/// The description with so many routes more; it lives as long as the program, as the Worker's does.
fn plan(text: &str, routes: usize) -> Result<&'static Plan, Box<dyn error::Error>> {
    let mut text = text.to_owned();
    for at in 0..routes {
        write!(
            text,
            "[[route]]\nname = \"grown-{at}\"\nhosts = [\"{HOST}\"]\npaths = [\"{}\"]\nservice = \"backend\"\nauth = \"any_of\"\n",
            path(at).replace("/7/", "/{id}/")
        )?;
    }
    let config = he2_config::parse("he2.toml", &text).map_err(|faults| faults.to_string())?;
    Ok(Box::leak(Box::new(config.plan())))
}

/// As applications have them: a few areas, in each resources with their actions.
fn path(at: usize) -> String {
    format!("/api/area-{}/7/resource-{at}", at % 20)
}

/// Nanoseconds of a look-up: the median of rounds.
fn look_up(plan: &'static Plan, path: &str) -> f64 {
    let mut rounds = [0.0; ROUNDS];
    for round in &mut rounds {
        let began = Instant::now();
        for _ in 0..LOOKUPS {
            black_box(route::find(plan, HOST, "GET", black_box(path)));
        }
        *round = began.elapsed().as_secs_f64() * 1e9 / f64::from(LOOKUPS);
    }
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}
