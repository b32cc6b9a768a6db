//! What is checked in is what he2.toml says, and `terraform fmt` has nothing to add.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "only tests here")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use he2_config::Config;
use origin_infra::File;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn config() -> Config {
    let text = fs::read_to_string(Path::new(ROOT).join("he2.toml")).unwrap();
    he2_config::parse("he2.toml", &text).unwrap()
}

fn emitted() -> Vec<File> {
    origin_infra::files(&config()).unwrap()
}

#[test]
fn the_chart_in_readme_is_what_he2_toml_says() {
    let readme = fs::read_to_string(Path::new(ROOT).join("origin-infra/README.md")).unwrap();
    let chart = format!("```mermaid\n{}```\n", origin_infra::mermaid(&config()));
    assert!(readme.contains(&chart), "put the output of `cargo infra diagram` into origin-infra/README.md");
}

#[test]
fn the_terraform_in_the_repository_is_what_he2_toml_says() {
    let folder = Path::new(ROOT).join("origin-infra/terraform");
    let written: BTreeMap<_, _> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    let emitted: BTreeMap<_, _> = emitted().into_iter().map(|file| (file.name, file.text)).collect();
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&written), names(&emitted), "run `cargo infra write`");
    for (name, text) in &emitted {
        assert!(written[name] == *text, "{name} is not what he2.toml says: run `cargo infra write`");
    }
}

#[test]
fn the_same_he2_toml_gives_the_same_bytes() {
    assert_eq!(emitted(), emitted());
}

#[test]
fn terraform_fmt_has_nothing_to_add() {
    let command = Command::new("terraform")
        .args(["fmt", "-check", "-diff"])
        .arg(ROOT.to_owned() + "/origin-infra/terraform")
        .output();
    let Ok(output) = command else {
        assert!(env::var("CI").is_err(), "terraform is not installed, and CI must run this test");
        return eprintln!("terraform is not installed: its format is NOT checked");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
