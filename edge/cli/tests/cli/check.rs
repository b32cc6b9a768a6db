use crate::support::{complained, file, he2, said};

#[test]
fn a_good_file_gets_one_line_with_counts() {
    let (code, text) = said(&he2(&["check"]));
    assert_eq!(code, 0);
    assert!(text.starts_with("he2.toml is good: 3 hosts, 3 services, 2 issuers, "), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn the_file_is_found_upwards() {
    let deep = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_he2"))
        .arg("check")
        .current_dir(deep)
        .output()
        .unwrap();
    assert!(said(&output).1.contains("/he2.toml is good: "));
}

#[test]
fn every_fault_is_printed_with_its_line_and_the_exit_code_is_1() {
    let good = include_str!("../../../../he2.toml");
    let bad = good.replacen("quota = 600,", "quota = 0,", 1).replacen(
        "service = \"backend\"",
        "service = \"bakend\"",
        1,
    );
    let path = file("two-faults.toml", &bad);
    let name = path.to_str().unwrap();
    let (code, text) = said(&he2(&["check", name]));
    let line = |part: &str| bad.lines().position(|line| line.contains(part)).unwrap() + 1;
    let quota = line("quota = 0,");
    let service = line("\"bakend\"");
    let expected = format!(
        "{name}:{quota}: `quota` must be a whole number from 1 to 4294967295, not the number 0\n\
         {name}:{service}: unknown service `bakend`; did you mean `backend`?\n"
    );
    assert_eq!((code, text), (1, expected));
}

#[test]
fn a_command_that_cannot_be_carried_out_is_answered_on_standard_error_with_2() {
    for (arguments, expected) in [
        (&["check", "no/such.toml"][..], "he2: no/such.toml: No such file or directory (os error 2)\n"),
        (&["chek"], "he2: unknown command `chek`; known are `check`, `explain`, `purge`\n"),
        (&["check", "--fix"], "he2: invalid option '--fix'; see `he2 --help`\n"),
        (&["explain", "GET"], "he2: explain needs METHOD and URL, as `explain GET https://he2.ai/`\n"),
        (&["explain", "GET", "he2.ai/"], "he2: the URL must be absolute, as https://he2.ai/api/agents\n"),
        (&["explain", "G T", "https://he2.ai/"], "he2: `G T` is no method\n"),
        (
            &["explain", "GET", "https://he2.ai/", "-H", "A b: c"],
            "he2: -H `A b`: write it as 'Name: value'\n",
        ),
    ] {
        assert_eq!(complained(&he2(arguments)), (2, expected.to_owned()));
    }
}

#[test]
fn help_names_both_commands() {
    let (code, text) = said(&he2(&["--help"]));
    assert_eq!(code, 0);
    assert!(text.contains("he2 check [FILE]") && text.contains("he2 explain METHOD URL"));
    assert_eq!(said(&he2(&[])).1, text);
}
