//! The infrastructure underneath the app, from he2.toml: so far the list of services.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use he2_config::{Config, Service};

fn main() -> ExitCode {
    match load(std::env::args().nth(1).as_deref().unwrap_or("he2.toml")) {
        Ok(config) => say(std::io::stdout(), &table(&config), ExitCode::SUCCESS),
        Err(faults) => say(std::io::stderr(), &faults, ExitCode::FAILURE),
    }
}

/// A reader that has gone away is no error.
fn say(mut to: impl Write, text: &str, code: ExitCode) -> ExitCode {
    match to.write_all(text.as_bytes()) {
        Ok(()) | Err(_) => code,
    }
}

fn load(file: &str) -> Result<Config, String> {
    let text = std::fs::read_to_string(Path::new(file)).map_err(|error| format!("{file}: {error}\n"))?;
    he2_config::parse(file, &text).map_err(|faults| faults.to_string())
}

/// One line per service, under a heading.
fn table(config: &Config) -> String {
    let heading = row(["service", "port", "cpu", "memory", "health"].map(str::to_owned));
    config.services().iter().map(|service| row(cells(service))).fold(heading, |table, row| table + &row)
}

fn cells(service: &Service) -> [String; 5] {
    let port = service.port.map_or_else(|| "-".to_owned(), |port| port.to_string());
    let health = service.health.unwrap_or("-").to_owned();
    [service.name.to_owned(), port, service.cpu.to_string(), service.memory.to_string(), health]
}

fn row([name, port, cpu, memory, health]: [String; 5]) -> String {
    format!("{name:<10} {port:>5} {cpu:>6} {memory:>7}  {health}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_of_the_file_is_listed_with_its_size() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../he2.toml");
        let expected = "\
service     port    cpu  memory  health
frontend    3000    512    1024  /auth
backend     8000   1024    2048  /api/health
workers        -   1024    2048  -
";
        assert_eq!(table(&load(file).unwrap()), expected);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        assert!(load("no/such.toml").unwrap_err().starts_with("no/such.toml: "));
    }
}
