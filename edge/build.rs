//! he2.toml -> `OUT_DIR/plan.rs`: the plan as Rust statics, so the Worker parses nothing. A fault in he2.toml is a
//! build error with its line. `HE2_TOML` names another description (an absolute path), for a Worker under test.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let named = env::var("HE2_TOML").unwrap_or_else(|_| "../he2.toml".to_owned());
    let file = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(named);
    println!("cargo::rerun-if-env-changed=HE2_TOML");
    println!("cargo::rerun-if-changed={}", file.display());
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    match he2_config::parse(&file.file_name().unwrap_or_default().to_string_lossy(), &text) {
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
