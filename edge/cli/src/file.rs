//! he2.toml: where it is, and what is in it.

use std::path::{Path, PathBuf};

use he2_config::Config;

use crate::Failure;

/// The configuration in `given`, or in the nearest he2.toml upwards from the current directory.
pub(crate) fn load(given: Option<&Path>) -> Result<(String, Config), Failure> {
    let path = given.map_or_else(nearest, |path| Ok(path.to_owned()))?;
    let name = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
    match he2_config::parse(&name, &text) {
        Ok(config) => Ok((name, config)),
        Err(faults) => Err(Failure::Faults(faults.to_string())),
    }
}

/// Named relative to the current directory where it lies in it, as editors expect of a fault's place.
fn nearest() -> Result<PathBuf, Failure> {
    let here = std::env::current_dir().map_err(|error| Failure::Usage(error.to_string()))?;
    let found = here.ancestors().map(|directory| directory.join("he2.toml")).find(|path| path.is_file());
    let found = found.ok_or_else(|| Failure::Usage("no he2.toml here or above; name one".to_owned()))?;
    Ok(found.strip_prefix(&here).map(Path::to_owned).unwrap_or(found))
}
