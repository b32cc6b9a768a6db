//! he2.toml -> `OUT_DIR/plan.rs`: the plan as Rust statics, so the Worker parses nothing. A fault in he2.toml is a
//! build error with its line.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let file = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../he2.toml");
    println!("cargo::rerun-if-changed={}", file.display());
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    match he2_config::parse("he2.toml", &text) {
        Ok(config) => {
            let plan = he2_config::emit(&config.plan());
            let source = format!("pub(crate) static PLAN: edge_core::plan::Plan = {plan};\n");
            fs::write(Path::new(&env::var("OUT_DIR")?).join("plan.rs"), source)?;
        }
        Err(faults) => {
            for fault in faults.to_string().lines() {
                println!("cargo::error={fault}");
            }
        }
    }
    Ok(())
}
