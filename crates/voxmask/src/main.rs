//! `voxmask`: exact training masks from labels and annotation metadata, on the command line.

mod args;
mod check;
mod contents;
mod demo;
mod files;
mod inspect;
mod mask;
mod neuroglancer;
mod preview;
mod progress;
mod report;
mod sample;
mod serve;
mod shown;
mod signals;
mod source;
mod table;
mod truth;
mod values;

use std::process::ExitCode;

use clap::Parser;
use tracing::level_filters::LevelFilter;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let level = match (cli.quiet, cli.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(anstream::stderr)
        .without_time()
        .with_target(false)
        .init();
    if let Some(bytes) = cli.memory {
        array_core::set_memory_limit(bytes);
    }
    let result = signals::keep_running_at_file_limits().and_then(|()| match &cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Mask(args) => mask::run(args),
        Command::Preview(args) => preview::run(args),
        Command::Sample(args) => sample::run(args),
        Command::Check(args) => check::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Neuroglancer(args) => neuroglancer::run(args),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report::print_error(&error, cli.command.overwrites());
            ExitCode::from(if error.is::<args::UsageError>() { 2 } else { 1 })
        }
    }
}

/// Whether whoever read our output has gone, as in `voxmask inspect … | head`.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    // Only our own output is a pipe: the errors of sources are wrapped in their own types.
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
