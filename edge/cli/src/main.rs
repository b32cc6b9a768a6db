//! The gateway's command line: `check` he2.toml and `explain` what a request would meet, both offline; `purge` what a
//! deployed gateway has stored.
//!
//! Decides nothing of its own: faults come from he2-config, decisions from edge-core, which is the Worker's
//! code.

mod args;
mod check;
mod explain;
mod file;
mod purge;

use std::io::Write;
use std::process::ExitCode;

use args::Command;

/// What a command has to say, and whether all was well.
type Said = Result<String, Failure>;

/// Why a command did not do its work.
enum Failure {
    /// he2.toml has faults: for standard output, as a linter's.
    Faults(String),
    /// The command cannot be carried out as given.
    Usage(String),
}

fn main() -> ExitCode {
    match args::parse(lexopt::Parser::from_env()).and_then(run) {
        Ok(text) => say(std::io::stdout(), &text, 0),
        Err(Failure::Faults(text)) => say(std::io::stdout(), &text, 1),
        Err(Failure::Usage(text)) => say(std::io::stderr(), &format!("he2: {text}\n"), 2),
    }
}

fn run(command: Command) -> Said {
    match command {
        Command::Help => Ok(args::HELP.to_owned()),
        Command::Check { file } => check::run(file.as_deref()),
        Command::Explain(asked) => explain::run(&asked),
        Command::Purge(asked) => purge::run(&asked),
    }
}

/// A reader that has gone away (`| head`) is no error.
fn say(mut to: impl Write, text: &str, code: u8) -> ExitCode {
    match to.write_all(text.as_bytes()) {
        Ok(()) | Err(_) => ExitCode::from(code),
    }
}
