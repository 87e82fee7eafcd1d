//! Recorded `Coordinate` and `Roi` operations: one JSON object per line.

mod evaluate;
mod rules;
mod vector;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::Context;

use super::report::{Report, Verdict};
pub(crate) use rules::RULES;
use vector::{Expected, Vector};

/// Evaluates every line of a `geometry.jsonl` and compares the answers.
///
/// # Errors
///
/// If the file cannot be read. A different answer is no error, but part of the report, and so is a
/// line of another form.
pub(crate) fn run(path: &Path) -> anyhow::Result<Report> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut report = Report::new(path.display().to_string());
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("reading {}", path.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let place = || format!("line {} of {}", index + 1, path.display());
        let verdict = Vector::parse(&line).and_then(|vector| compare(&vector, &line));
        report.add(
            verdict.unwrap_or_else(|error| Verdict::Unexplained(format!("{}: {error:#}", place()))),
        );
    }
    Ok(report)
}

fn compare(vector: &Vector, line: &str) -> anyhow::Result<Verdict> {
    let ours = evaluate::evaluate(vector)?;
    let equal = match (&vector.expected, &ours) {
        (Expected::Value(expected), Ok(ours)) => expected == ours,
        (Expected::Error(class), Err(refusal)) => refusal.corresponds_to(class),
        _ => false,
    };
    if equal {
        return Ok(Verdict::Equal);
    }
    Ok(match rules::explain(vector, &ours) {
        Some(rule) => Verdict::Named(rule),
        None => {
            let ours = match ours {
                Ok(value) => value.to_string(),
                Err(refusal) => format!("the error \"{refusal}\""),
            };
            Verdict::Unexplained(format!("{line} but we answer {ours}"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(line: &str) -> Verdict {
        compare(&Vector::parse(line).expect("a vector"), line).expect("an answer")
    }

    #[test]
    fn the_same_answer_is_equal() {
        assert_eq!(
            verdict(r#"{"op":"coord.add","a":{"c":[1,null]},"args":[2],"r":{"c":[3,null]}}"#),
            Verdict::Equal
        );
        assert_eq!(
            verdict(
                r#"{"op":"coord.add","a":{"c":[1]},"args":[{"c":[1,2]}],"e":"AssertionError"}"#
            ),
            Verdict::Equal
        );
    }

    #[test]
    fn another_answer_without_a_reason_is_unexplained() {
        for line in [
            r#"{"op":"coord.add","a":{"c":[1]},"args":[2],"r":{"c":[4]}}"#,
            r#"{"op":"coord.add","a":{"c":[1]},"args":[2],"e":"AssertionError"}"#,
            r#"{"op":"coord.mod","a":{"c":[1]},"args":[0],"e":"AssertionError"}"#,
            r#"{"op":"roi.shift","a":{"o":[1],"s":[2]},"args":[1],"r":{"o":[2],"s":[-2]}}"#,
        ] {
            assert!(matches!(verdict(line), Verdict::Unexplained(_)), "{line}");
        }
    }

    #[test]
    fn a_deliberate_difference_has_a_rule() {
        for (line, rule) in [
            (
                r#"{"op":"roi.union","a":{"o":[null],"s":[2]},"args":[{"o":[0],"s":[1]}],"r":{"o":[null],"s":[null]}}"#,
                "axis_without_place_refused",
            ),
            (r#"{"op":"coord.add","a":{"c":[1]},"args":[2.5],"r":{"c":[3]}}"#, "fraction_refused"),
            (
                r#"{"op":"roi.intersect","a":{"o":[0],"s":[2]},"args":[{"o":[5],"s":[1]}],"r":{"o":[null],"s":[0]}}"#,
                "empty_keeps_its_place",
            ),
        ] {
            assert_eq!(verdict(line), Verdict::Named(rule), "{line}");
        }
    }
}
