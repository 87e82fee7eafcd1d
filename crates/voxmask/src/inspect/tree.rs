//! What is in a container, as a tree.

use std::io::Write;

use annotation_mask::cellmap_annotation;
use anstream::stdout;
use anyhow::Result;
use serde_json::{Value, json};
use zarr_source::{TreeArray, TreeKind, TreeNode, ZarrTree};

use super::array::by;
use super::print_json;
use crate::shown::shown;
use crate::table::counted;

/// Prints what is in a container, for people or for programs.
pub(crate) fn print(tree: &ZarrTree, as_json: bool) -> Result<()> {
    if as_json {
        let mut root = node_json(&tree.root);
        root["truncated"] = json!(tree.truncated);
        return print_json(&root);
    }
    let mut lines = vec![(tree.root.path.display().to_string(), describe(&tree.root))];
    add_lines(&tree.root, "", &mut lines);
    for (name, what) in &mut lines {
        (*name, *what) = (shown(name).into_owned(), shown(what).into_owned());
    }
    let width = lines.iter().skip(1).map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut out = stdout();
    for (index, (name, what)) in lines.iter().enumerate() {
        // The root may be a long path, which should not push all others to the right.
        let blanks = if index == 0 { 0 } else { width.saturating_sub(name.chars().count()) };
        writeln!(out, "{}", format!("{name}{}  {what}", " ".repeat(blanks)).trim_end())?;
    }
    if tree.truncated {
        writeln!(out, "\nThere is more; name a group in it to see the rest.")?;
    }
    Ok(())
}

fn add_lines(node: &TreeNode, indent: &str, lines: &mut Vec<(String, String)>) {
    for (index, child) in node.children.iter().enumerate() {
        let is_last = index + 1 == node.children.len();
        let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        lines.push((format!("{indent}{branch}{}", child.name), describe(child)));
        add_lines(child, &format!("{indent}{below}"), lines);
    }
}

/// What a node is, in a few words.
fn describe(node: &TreeNode) -> String {
    let mut words = match &node.kind {
        TreeKind::Array(array) => vec![
            format!("{} {}", by(&array.shape), array.dtype),
            format!("chunks {}", chunks(array)),
            array.format.to_string(),
        ],
        TreeKind::Group { format } => vec![format!("group, {format}")],
        TreeKind::Folder => vec!["folder".to_owned()],
        TreeKind::Broken { error } => vec![format!("cannot be read: {error}")],
        _ => Vec::new(),
    };
    if let TreeKind::Array(TreeArray { stored_bytes: Some(bytes), .. }) = &node.kind {
        words.push(indicatif::HumanBytes(*bytes).to_string());
    }
    words.extend(role(node));
    words.extend(node.not_listed.iter().map(|why| format!("not listed: {why}")));
    words.join(", ")
}

fn chunks(array: &TreeArray) -> String {
    match &array.shard_shape {
        Some(shard) => format!("{} in shards of {}", by(&array.chunk_shape), by(shard)),
        None => by(&array.chunk_shape),
    }
}

/// What a node is for, as its attributes say.
fn role(node: &TreeNode) -> Option<String> {
    let annotation = cellmap_annotation(&node.attrs);
    if let Some(classes) = annotation.and_then(|map| map.get("class_names")?.as_array()) {
        return Some(format!("crop of {}", counted(classes.len() as u64, "class", "classes")));
    }
    if let Some(name) = annotation.and_then(|map| map.get("class_name")?.as_str()) {
        return Some(format!("class {name}"));
    }
    let levels = node.levels.len();
    if levels > 0 {
        return Some(format!("image of {}", counted(levels as u64, "level", "levels")));
    }
    let labels = node.attrs.get("labels").and_then(Value::as_array)?;
    matches!(node.kind, TreeKind::Array(_))
        .then(|| format!("labels of {}", counted(labels.len() as u64, "class", "classes")))
}

fn node_json(node: &TreeNode) -> Value {
    let mut json = json!({
        "name": node.name,
        "path": node.path.display().to_string(),
        "role": role(node),
    });
    match &node.kind {
        TreeKind::Array(array) => {
            json["kind"] = json!("array");
            json["format"] = json!(array.format.to_string());
            json["shape"] = json!(array.shape);
            json["dtype"] = json!(array.dtype.name());
            json["chunk_shape"] = json!(array.chunk_shape);
            json["shard_shape"] = json!(array.shard_shape);
            json["stored_bytes"] = json!(array.stored_bytes);
        }
        TreeKind::Group { format } => {
            json["kind"] = json!("group");
            json["format"] = json!(format.to_string());
        }
        TreeKind::Folder => json["kind"] = json!("folder"),
        TreeKind::Broken { error } => {
            json["kind"] = json!("broken");
            json["error"] = json!(error);
        }
        _ => json["kind"] = json!("other"),
    }
    if !matches!(node.kind, TreeKind::Array(_) | TreeKind::Broken { .. }) {
        json["levels"] = json!(node.levels);
        json["children"] = node.children.iter().map(node_json).collect();
        json["not_listed"] = json!(node.not_listed);
    }
    json
}
