//! Holds this project's answers against recorded ones.

mod attrs;
mod crops;
mod geometry;
mod labels;
mod npy;
mod report;

use std::path::Path;

use anyhow::bail;

use report::Rule;

/// Runs every file of a folder of recorded answers, and prints how many are equal, how many differ by
/// which rule, and every difference without a rule.
///
/// # Errors
///
/// If a file is missing or broken, or a difference is not explained.
pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    let reports = [
        (geometry::run(&folder.join("geometry.jsonl"))?, geometry::RULES),
        (attrs::run(&folder.join("attrs.jsonl"))?, attrs::RULES),
        (labels::run(&folder.join("labels.jsonl"))?, labels::RULES),
        (crops::run(folder)?, crops::RULES),
    ];
    let mut unexplained = 0;
    for (report, _) in &reports {
        println!("{report}");
        unexplained += report.unexplained.len();
    }
    println!("Rules, with the number of answers that differ by each:\n");
    for (report, rules) in &reports {
        for (Rule { name, reason }, count) in report.table(rules) {
            println!("{count:>6}  {name}\n        {reason}");
        }
    }
    let sum = |of: fn(&report::Report) -> usize| reports.iter().map(|(r, _)| of(r)).sum::<usize>();
    println!(
        "\n{} answers: {} equal, {} differ by a rule, {unexplained} unexplained",
        sum(|report| report.total),
        sum(|report| report.equal),
        sum(report::Report::num_named),
    );
    if unexplained > 0 {
        bail!("{unexplained} differences are not explained");
    }
    Ok(())
}
