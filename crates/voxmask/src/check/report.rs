//! What was found, for people and for programs.

use std::io::Write;

use annotation_mask::{CropReport, Finding, LabelCount, LabelReport, Severity};
use anstream::stdout;
use anyhow::Result;
use serde_json::{Value, json};

use crate::check::sources::refusal;
use crate::shown::{json_text, shown};
use crate::table::{self, counted, grouped, table};

/// What was found in one source.
pub(crate) struct Report {
    name: String,
    details: Details,
    findings: Vec<Finding>,
}

/// What was counted.
pub(crate) enum Details {
    Labels(LabelReport),
    Crop(CropReport),
    None,
}

impl Report {
    /// A report with the worst findings first.
    pub(crate) fn new(name: String, details: Details, mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Self { name, details, findings }
    }

    /// The report on a source that cannot be read.
    pub(crate) fn failed(name: String, error: &anyhow::Error) -> Self {
        Self::new(name, Details::None, vec![refusal(error)])
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    fn kind(&self) -> &'static str {
        match self.details {
            Details::Labels(_) => "labels",
            Details::Crop(_) => "crop",
            Details::None => "",
        }
    }

    fn summary(&self) -> String {
        match &self.details {
            Details::Labels(report) => {
                let found = |label: &&LabelCount| label.voxels > 0 && label.id != 0;
                let ids = report.labels.iter().filter(found).count() as u64;
                format!(
                    "labels, {}, {} labelled, {}",
                    counted(report.voxels, "voxel", "voxels"),
                    grouped(report.labelled),
                    counted(ids, "id", "ids")
                )
            }
            Details::Crop(report) => format!(
                "crop of {}, {} each",
                counted(report.classes.len() as u64, "class", "classes"),
                counted(report.voxels, "voxel", "voxels")
            ),
            Details::None => "not checked".to_owned(),
        }
    }

    fn json(&self) -> Result<Value> {
        let counted = match &self.details {
            Details::Labels(report) => serde_json::to_value(report)?,
            Details::Crop(report) => serde_json::to_value(report)?,
            Details::None => json!({}),
        };
        let mut json = json!({"source": self.name, "kind": self.kind()});
        if let (Value::Object(json), Value::Object(counted)) = (&mut json, counted) {
            json.extend(counted);
        }
        json["findings"] = serde_json::to_value(&self.findings)?;
        for severity in [Severity::Error, Severity::Warning, Severity::Info] {
            json[format!("{severity}s")] = json!(self.count(severity));
        }
        Ok(json)
    }
}

/// Prints all reports, and a table of them if there are several.
pub(crate) fn print(reports: &[Report], as_json: bool) -> Result<()> {
    if as_json {
        let sources = reports.iter().map(Report::json).collect::<Result<Vec<_>>>()?;
        let count = |severity| reports.iter().map(|report| report.count(severity)).sum::<usize>();
        let json = json!({
            "sources": sources,
            "errors": count(Severity::Error),
            "warnings": count(Severity::Warning),
            "infos": count(Severity::Info),
        });
        writeln!(stdout(), "{}", json_text(&json)?)?;
        return Ok(());
    }
    for report in reports {
        print_one(report)?;
    }
    if reports.len() > 1 {
        print_table(reports)?;
    }
    Ok(())
}

fn print_one(report: &Report) -> Result<()> {
    let mut out = stdout();
    writeln!(out, "\x1b[1m{}\x1b[0m  {}", shown(&report.name), report.summary())?;
    let width = report.findings.iter().map(|finding| finding.code.len()).max().unwrap_or(0);
    for finding in &report.findings {
        let (colour, word) = match finding.severity {
            Severity::Error => ("\x1b[1;31m", "error  "),
            Severity::Warning => ("\x1b[33m", "warning"),
            Severity::Info => ("", "info   "),
        };
        let subject = if finding.subject.is_empty() || finding.message.contains(&finding.subject) {
            String::new()
        } else {
            format!("{}: ", finding.subject)
        };
        writeln!(
            out,
            "  {colour}{word}\x1b[0m  {:width$}  {}{}",
            finding.code,
            shown(&subject),
            shown(&finding.message)
        )?;
    }
    if report.findings.is_empty() {
        writeln!(out, "  nothing to report")?;
    }
    writeln!(out)?;
    Ok(())
}

fn print_table(reports: &[Report]) -> Result<()> {
    let mut table = table(&["source", "what", "errors", "warnings", "infos"], &[2, 3, 4]);
    for report in reports {
        table.add_row([
            report.name.clone(),
            report.kind().to_owned(),
            report.count(Severity::Error).to_string(),
            report.count(Severity::Warning).to_string(),
            report.count(Severity::Info).to_string(),
        ]);
    }
    let sum = |severity| reports.iter().map(|report| report.count(severity)).sum::<usize>();
    table.add_row([
        format!("{} sources", reports.len()),
        String::new(),
        sum(Severity::Error).to_string(),
        sum(Severity::Warning).to_string(),
        sum(Severity::Info).to_string(),
    ]);
    Ok(table::print(&table)?)
}
