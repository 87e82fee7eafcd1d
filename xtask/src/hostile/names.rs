//! Names that do harm where they are used or printed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::case::{Case, Expected};
use super::containers::{cube, file, raw, v3};

/// Sets the title of a terminal window, and hides what was printed before.
const ESCAPE: &str = "a\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[1;1Hb";

pub(super) fn cases() -> Vec<Case> {
    let names = [
        ("escape sequences", ESCAPE),
        ("an 8-bit escape sequence", "a\u{9b}2Jb"),
        ("line ends", "a\nerror: all is lost\r\nb"),
        ("spaces", "a  b "),
        ("letters of all kinds", "äöü-細胞-🧫"),
        ("letters that turn the text around", "a\u{202e}rraz.b"),
        ("a leading dash", "--help"),
    ];
    let mut cases = Vec::new();
    for (what, name) in names {
        cases.push(Case::inspected(
            format!("a name with {what}"),
            Expected::Success,
            move |folder| {
                array(folder, &Path::new("crop.zarr").join(name))?;
                fs::write(folder.join("crop.zarr/zarr.json"), group(&Value::Null))?;
                Ok(PathBuf::from("crop.zarr"))
            },
        ));
        cases.push(Case::unreadable(
            format!("a broken array under a name with {what}"),
            &["corrupt"],
            move |folder| {
                let place = Path::new("crop.zarr").join(name);
                array(folder, &place)?;
                file(folder, place.join("c/0/0/0"), b"short")?;
                Ok(place)
            },
        ));
        cases.push(Case::new(
            format!("attributes with {what}"),
            Expected::Either,
            Expected::Either,
            move |folder| {
                let mut document = v3(&cube(), &cube(), &raw());
                document["attributes"]["labels"][0]["name"] = json!({"long": name, "short": name});
                document["attributes"]["axis_names"] = json!([name, "y", "x"]);
                document["attributes"]["units"] = json!([name, "nm", "nm"]);
                let place = PathBuf::from("crop.zarr/s0");
                file(folder, place.join("zarr.json"), document.to_string().as_bytes())?;
                Ok(place)
            },
        ));
    }
    cases.push(Case::inspected("a name that is no UTF-8", Expected::Success, |folder| {
        let name = OsStr::from_bytes(b"a\xff\xfeb");
        array(folder, &Path::new("crop.zarr").join(name))?;
        fs::write(folder.join("crop.zarr/zarr.json"), group(&Value::Null))?;
        Ok(PathBuf::from("crop.zarr"))
    }));
    cases.push(Case::unusable("a place that is no UTF-8", &["not Unicode"], |folder| {
        let place = Path::new("crop.zarr").join(OsStr::from_bytes(b"a\xff\xfeb"));
        array(folder, &place)?;
        Ok(place)
    }));
    for (what, path) in [
        ("leads out of its group", "../../secret"),
        ("begins at the root", "/etc"),
        ("has a NUL", "s0\u{0}"),
        ("has an escape sequence", ESCAPE),
    ] {
        cases.push(Case::new(
            format!("a scale level whose path {what}"),
            Expected::Either,
            Expected::Either,
            move |folder| {
                array(folder, Path::new("secret"))?;
                array(folder, Path::new("crop.zarr/labels/s0"))?;
                let multiscales = json!([{"version": "0.4", "axes": [
                    {"name": "z", "type": "space"}, {"name": "y", "type": "space"},
                    {"name": "x", "type": "space"}], "datasets": [{"path": path,
                    "coordinateTransformations": [{"type": "scale", "scale": [8, 8, 8]}]}]}]);
                let text = group(&json!({"multiscales": multiscales}));
                file(folder, "crop.zarr/labels/zarr.json", text.as_bytes())?;
                Ok(PathBuf::from("crop.zarr/labels"))
            },
        ));
    }
    cases
}

/// A group with these attributes, as text.
fn group(attributes: &Value) -> String {
    json!({"zarr_format": 3, "node_type": "group", "attributes": attributes}).to_string()
}

fn array(folder: &Path, place: &Path) -> anyhow::Result<()> {
    let document = v3(&cube(), &cube(), &raw()).to_string();
    file(folder, place.join("zarr.json"), document.as_bytes())?;
    Ok(())
}
