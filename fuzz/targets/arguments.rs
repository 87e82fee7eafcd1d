//! The command line, one argument in each line.

#![no_main]

// The command's own code, which is part of a binary.
#[path = "../../crates/voxmask/src/args.rs"]
#[expect(dead_code, reason = "what runs the commands is not here")]
mod args;

use clap::Parser;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let arguments = std::iter::once("voxmask").chain(text.lines());
    match args::Cli::try_parse_from(arguments) {
        Ok(cli) => {
            let _ = cli.command.overwrites();
            assert!(!format!("{cli:?}").is_empty());
        }
        Err(error) => assert!(!error.render().ansi().to_string().is_empty()),
    }
});
