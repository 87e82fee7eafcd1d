//! What is in a container, in the words of a message.

use array_config::is_crop;
use zarr_source::{TreeKind, TreeNode, ZarrTree};

/// How many arrays a message names.
const MAX_NAMED: usize = 12;

/// The crops and arrays in a group, for a message.
pub(crate) fn named_inside(tree: &ZarrTree) -> String {
    let mut names = Vec::new();
    collect_names(&tree.root, "", &mut names);
    if names.is_empty() {
        return "there are no arrays in it".to_owned();
    }
    let more = names.len().saturating_sub(MAX_NAMED);
    names.truncate(MAX_NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("in it are {}{rest}", names.join(", "))
}

fn collect_names(node: &TreeNode, above: &str, names: &mut Vec<String>) {
    for child in &node.children {
        let path =
            if above.is_empty() { child.name.clone() } else { format!("{above}/{}", child.name) };
        if is_crop(&child.attrs) {
            names.push(format!("the crop {path}"));
        } else if matches!(child.kind, TreeKind::Array(_)) || !child.levels.is_empty() {
            names.push(path);
        } else {
            collect_names(child, &path, names);
        }
    }
}
