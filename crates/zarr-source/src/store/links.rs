//! Links between folders, through which a search could go in circles.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::Container;

/// The folders that a search has been in.
///
/// A link may lead out of its container, and is followed: volumes are often spread over disks so. Where it leads
/// to a folder in which the search has been, it is not: links in a circle would never end, and two in each of
/// some folders would lead to more places than anybody can look into.
#[derive(Default)]
pub(crate) struct Links {
    /// Where each folder really lies.
    real: HashMap<PathBuf, PathBuf>,
    entered: HashSet<PathBuf>,
}

impl Links {
    /// Whether the search goes into a folder, which then counts as entered.
    pub(crate) fn enters(&mut self, container: &Container, folder: &Path) -> bool {
        if !container.is_folder() {
            return true;
        }
        let is_link = folder.is_symlink();
        let parent = folder.parent().and_then(|parent| self.real.get(parent));
        let real = match parent.zip(folder.file_name()) {
            Some((parent, name)) if !is_link => parent.join(name),
            _ => match fs::canonicalize(folder) {
                Ok(real) => real,
                // What is wrong with it is told when it is listed.
                Err(_) => return true,
            },
        };
        let is_new = self.entered.insert(real.clone());
        self.real.insert(folder.to_owned(), real);
        is_new || !is_link
    }
}
