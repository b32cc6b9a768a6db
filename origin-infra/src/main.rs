//! `cargo infra`: writes the Terraform, checks that it is current, prints parts of it.

use std::env::args;
use std::process::ExitCode;

fn main() -> ExitCode {
    origin_infra::run(&args().skip(1).collect::<Vec<_>>())
}
