//! Metadata documents that are large, deep or no JSON.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;

use super::case::{Case, Command, Expected};
use super::containers::{cube, file, raw, v2, v3, write, write_as};

/// The documents that there may be, and where a reader of one finds what it does not expect.
const DOCUMENTS: [&str; 3] = ["zarr.json", ".zattrs", "attributes.json"];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        attribute("100 MB of attributes in one text", ["\"", &"a".repeat(100), "\""], 1_000_000),
        attribute("100 MB of attributes in numbers", ["[", &"0,".repeat(50), "0]"], 1_000_000),
        attribute("60 MB of attributes in numbers", ["[", &"0,".repeat(50), "0]"], 600_000),
        attribute("60 MB of attributes in objects", ["[", &"{\"a\":0},".repeat(10), "0]"], 750_000),
        attribute("60 MB of attributes in lists", ["[", &"[],".repeat(10), "0]"], 2_000_000),
        attribute("60 MB of attributes in keys", ["{", "\"k#\":0,", "\"last\":0}"], 4_000_000),
    ];
    for name in DOCUMENTS {
        for (what, open, close) in [("lists", "[", "]"), ("objects", "{\"a\":", "}")] {
            let (open, close) = (open.repeat(100_000), close.repeat(100_000));
            cases.push(broken(name, &format!("100 000 {what} in one another"), move || {
                format!("{{\"a\": {open}0{close}}}")
            }));
        }
        cases.push(broken(name, "numbers beyond all floats", || "{\"a\": 1e400}".to_owned()));
        cases.push(broken(name, "a text without an end", || "{\"a\": \"".to_owned()));
        cases.push(broken(name, "zeros", || "\0".repeat(1000)));
        cases.push(broken(name, "no UTF-8", || "{\"\u{0}\": \"\u{1}\"".to_owned()));
    }
    cases.push(
        Case::usable("keys that come twice", |folder| {
            let text = v3(&cube(), &cube(), &raw()).to_string();
            let text = text.replacen('{', "{\"shape\":[1],", 1);
            file(folder, "crop.zarr/s0/zarr.json", text.as_bytes())?;
            Ok(PathBuf::from("crop.zarr/s0"))
        })
        // Nothing is stored that could be known.
        .without(&[Command::Sample]),
    );
    cases.push(Case::unusable("a voxel size of 1e400", &["zarr.json"], |folder| {
        let text = v3(&cube(), &cube(), &raw()).to_string();
        let text = text.replacen("\"voxel_size\":[8,8,8]", "\"voxel_size\":[1e400,8,8]", 1);
        file(folder, "crop.zarr/s0/zarr.json", text.as_bytes())?;
        Ok(PathBuf::from("crop.zarr/s0"))
    }));
    cases.push(Case::unusable("a voxel size of 1e300", &["voxel_size"], |folder| {
        let mut document = v3(&cube(), &cube(), &raw());
        document["attributes"]["voxel_size"] = json!([1e300, 8, 8]);
        write(folder, &document, &[])
    }));
    cases.push(Case::new("20 000 labels", Expected::Either, Expected::Either, |folder| {
        let mut document = v3(&cube(), &cube(), &raw());
        let entry = document["attributes"]["labels"][0].clone();
        let entries = (0..20_000).map(|value| {
            let mut entry = entry.clone();
            entry["value"] = json!(value);
            entry
        });
        document["attributes"]["labels"] = entries.collect();
        write(folder, &document, &[])
    }));
    cases
}

/// An array with an attribute that is too much: a part of it again and again, with its number.
fn attribute(name: &str, [begin, part, end]: [&str; 3], times: usize) -> Case {
    let (begin, part, end) = (begin.to_owned(), part.to_owned(), end.to_owned());
    Case::unusable(name, &["zarr.json"], move |folder| {
        let mut document = v3(&cube(), &cube(), &raw());
        document["attributes"]["note"] = json!("NOTE");
        let document = document.to_string();
        let (before, behind) = document.split_once("\"NOTE\"").context("where the note is")?;
        // Piece by piece: what this process takes, its children seem to take.
        let mut file = BufWriter::new(File::create(file(folder, "crop.zarr/s0/zarr.json", &[])?)?);
        write!(file, "{before}{begin}")?;
        for number in 0..times {
            file.write_all(part.replace('#', &number.to_string()).as_bytes())?;
        }
        write!(file, "{end}{behind}")?;
        file.flush()?;
        Ok(PathBuf::from("crop.zarr/s0"))
    })
}

/// An array with a document, its own or that of its attributes, that is none.
fn broken(name: &'static str, what: &str, text: impl Fn() -> String + 'static) -> Case {
    let names: &'static [&'static str] = match name {
        "zarr.json" => &["zarr.json"],
        ".zattrs" => &[".zattrs"],
        _ => &["attributes.json"],
    };
    Case::unusable(format!("{name}: {what}"), names, move |folder| {
        if name == ".zattrs" {
            let document = v2(&cube(), &cube(), &json!(null));
            return write_as(folder, ".zarray", &document, &[(name, text().as_bytes())]);
        }
        file(folder, PathBuf::from("crop.zarr/s0").join(name), text().as_bytes())?;
        Ok(PathBuf::from("crop.zarr/s0"))
    })
}
