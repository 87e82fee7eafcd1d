//! `voxmask inspect`: what an array, a crop or a container is, and what was annotated in it.

mod array;
mod crop;
mod tree;

use std::io::Write;

use anstream::stdout;
use anyhow::Result;
use serde_json::Value;

use crate::args::InspectArgs;
use crate::shown::{json_text, shown};
use crate::source::{self, Source};

pub(crate) fn run(args: &InspectArgs) -> Result<()> {
    match source::open(&args.source)? {
        Source::Labels(array) => array::print(&array, args.json),
        Source::Crop(opened) => crop::print(&opened, args.json),
        Source::Tree(tree) => tree::print(&tree, args.json),
        Source::Config(array, _) => crop::print_virtual(&*array, None, args.json),
        Source::Channels(channels, _) => {
            crop::print_virtual(&*channels.labels, Some(&channels), args.json)
        }
    }
}

fn print_json(value: &Value) -> Result<()> {
    writeln!(stdout(), "{}", json_text(value)?)?;
    Ok(())
}

/// Prints facts, one in each line.
fn print_rows(rows: &[(&str, String)]) -> Result<()> {
    let mut out = stdout();
    for (name, value) in rows {
        writeln!(out, "{name:>11}  {}", shown(value))?;
    }
    Ok(())
}
