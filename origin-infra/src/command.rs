//! The commands of `cargo infra`.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use he2_config::Config;

use crate::{File, cost, diagram, files};

const USAGE: &str = "\
cargo infra write          write origin-infra/terraform/ from he2.toml
cargo infra write --from FILE --to FOLDER
                           the same from another file, into a new folder: to look at a setting before it is made
cargo infra check          fail if it is not what he2.toml says
cargo infra print FILE     print one file, as alb.tf
cargo infra cost           what each environment costs in a month, and what would bring it down
cargo infra diagram        the architecture as a Mermaid chart
";

/// Runs a command line, without the program's name.
#[must_use]
pub fn run(arguments: &[String]) -> ExitCode {
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["write"] => load().and_then(|config| write(&config)),
        ["write", "--from", file, "--to", folder] => {
            read(Path::new(file)).and_then(|config| write_new(&config, Path::new(folder)))
        }
        ["check"] => load().and_then(|config| check(&config)),
        ["print", name] => load().and_then(|config| print(&config, name)),
        ["cost"] => load().and_then(|config| cost::report(&config)),
        ["diagram"] => load().map(|config| diagram::mermaid(&config)),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(text) => say(io::stdout(), &text, ExitCode::SUCCESS),
        Err(text) => say(io::stderr(), &text, ExitCode::FAILURE),
    }
}

/// A reader that has gone away is no error.
fn say(mut to: impl io::Write, text: &str, code: ExitCode) -> ExitCode {
    match to.write_all(text.as_bytes()) {
        Ok(()) | Err(_) => code,
    }
}

/// The repository's folder: this is one of its own tools.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folder() -> PathBuf {
    root().join("origin-infra/terraform")
}

fn load() -> Result<Config, String> {
    read(&root().join("he2.toml"))
}

fn read(file: &Path) -> Result<Config, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}\n", file.display()))?;
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or("he2.toml");
    he2_config::parse(name, &text).map_err(|faults| faults.to_string())
}

fn emitted(config: &Config) -> Result<Vec<File>, String> {
    files(config).map_err(|error| error.to_string())
}

/// All is made before anything is written, so a fault leaves the folder as it was.
fn write(config: &Config) -> Result<String, String> {
    let files = emitted(config)?;
    let failed = |error: io::Error| format!("{}: {error}\n", folder().display());
    fs::create_dir_all(folder()).map_err(failed)?;
    for name in foreign(&files).map_err(failed)? {
        fs::remove_file(folder().join(name)).map_err(failed)?;
    }
    put(&files, &folder()).map_err(failed)?;
    Ok(format!("{} files written to origin-infra/terraform/\n", files.len()))
}

/// Only where nothing is yet, so nothing of anybody's is written over.
fn write_new(config: &Config, folder: &Path) -> Result<String, String> {
    let files = emitted(config)?;
    let made = fs::create_dir(folder).and_then(|()| put(&files, folder));
    made.map_err(|error| format!("{}: {error}\n", folder.display()))?;
    Ok(format!("{} files written to {}\n", files.len(), folder.display()))
}

fn put(files: &[File], folder: &Path) -> io::Result<()> {
    files.iter().try_for_each(|file| fs::write(folder.join(&file.name), &file.text))
}

/// Files of an earlier he2.toml that this one does not write.
fn foreign(files: &[File]) -> io::Result<Vec<String>> {
    let names = fs::read_dir(folder())?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let ours = |name: &String| {
        let path = Path::new(name);
        path.extension().is_some_and(|kind| kind == "tf" || kind == "tfvars" || kind == "tfbackend")
    };
    Ok(names.filter(ours).filter(|name| !files.iter().any(|file| file.name == *name)).collect())
}

fn check(config: &Config) -> Result<String, String> {
    let files = emitted(config)?;
    let mut differences = String::new();
    for file in &files {
        let written = fs::read_to_string(folder().join(&file.name)).unwrap_or_default();
        if written != file.text {
            differences += &difference(&file.name, &written, &file.text);
        }
    }
    for name in foreign(&files).unwrap_or_default() {
        differences = differences + &name + ": not from this he2.toml\n";
    }
    match differences.is_empty() {
        true => Ok(format!("origin-infra/terraform/ is current: {} files\n", files.len())),
        false => Err(format!("{differences}run `cargo infra write` and review the change\n")),
    }
}

/// The lines between the first and the last that differ.
fn difference(name: &str, written: &str, emitted: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (written.lines().collect(), emitted.lines().collect());
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let head = old.iter().zip(&new).take_while(same).count();
    let rest = |lines: &[&str]| lines.len().saturating_sub(head);
    let most = rest(&old).min(rest(&new));
    let tail = old.iter().rev().zip(new.iter().rev()).take(most).take_while(same).count();
    let between = |lines: &[&str], sign: char| {
        let count = rest(lines).saturating_sub(tail);
        lines.iter().skip(head).take(count).fold(String::new(), |mut text, line| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{sign}{line}");
            text
        })
    };
    format!("{name}:{}:\n{}{}", head.saturating_add(1), between(&old, '-'), between(&new, '+'))
}

fn print(config: &Config, name: &str) -> Result<String, String> {
    let files = emitted(config)?;
    let names = files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = files.into_iter().find(|file| file.name == name);
    found.map(|file| file.text).ok_or_else(|| format!("no file `{name}`; there are {names}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_there_already_is_left_as_it_is() {
        let config = load().unwrap();
        assert!(write_new(&config, &folder()).unwrap_err().contains("terraform: "));
    }

    #[test]
    fn a_difference_names_its_line_and_shows_only_what_changed() {
        assert_eq!(difference("x.tf", "a\nb\nc\n", "a\nB\nc\n"), "x.tf:2:\n-b\n+B\n");
        assert_eq!(difference("x.tf", "", "a\n"), "x.tf:1:\n+a\n");
        assert_eq!(difference("x.tf", "a\na\n", "a\n"), "x.tf:2:\n-a\n");
    }
}
