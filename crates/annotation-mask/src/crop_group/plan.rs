//! Which class arrays make which channels: worked out once, from metadata alone.

use std::collections::{BTreeMap, BTreeSet};

use array_core::Array;

use crate::class_groups::{ClassGroup, ClassGroups};
use crate::crop_group::CropGroup;
use crate::ground_truth::ChannelSummary;

/// A class that some channel needs.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    /// The index of its array in the crop.
    pub(super) array: Option<usize>,
    /// The nodes of its constituents, all before this one.
    pub(super) constituents: Vec<usize>,
    /// Whether some voxel may be present, or absent, as far as metadata tell.
    pub(super) can_be_known: bool,
    pub(super) can_be_absent: bool,
}

/// The classes and channels of a read.
#[derive(Debug)]
pub(super) struct Plan {
    /// Constituents before what they make.
    pub(super) nodes: Vec<Node>,
    /// For each channel, the nodes of which it is the OR.
    pub(super) channels: Vec<Vec<usize>>,
}

/// A class by its place in the table; by name if it is only in the crop, or nowhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Named(String),
    /// The rank before the index, so that constituents come first in the order of keys.
    InTable(usize, usize),
}

impl Plan {
    pub(super) fn new<A: Array>(crop: &CropGroup<A>, groups: &ClassGroups) -> Self {
        let table = crop.table();
        let in_table = |index: usize| Key::InTable(table.map_or(0, |t| t.rank(index)), index);
        let key = |name: &str| match table.and_then(|table| table.index_of(name)) {
            Some(index) => in_table(index),
            None => Key::Named(name.to_owned()),
        };
        let constituents = |key: &Key| match (key, table) {
            (Key::InTable(_, index), Some(table)) => table.direct(*index).map(in_table).collect(),
            _ => Vec::new(),
        };
        let names = groups.as_slice().iter().flat_map(|group| &group.classes);
        let mut open: Vec<Key> = names.map(|name| key(name)).collect();
        let mut needed = BTreeSet::new();
        while let Some(next) = open.pop() {
            if needed.insert(next.clone()) {
                open.extend(constituents(&next));
            }
        }
        let places: BTreeMap<&Key, usize> = needed.iter().zip(0..).collect();
        let mut nodes: Vec<Node> = Vec::with_capacity(needed.len());
        for key in &needed {
            let name = match (key, table) {
                (Key::InTable(_, index), Some(table)) => table.classes()[*index].name.clone(),
                (Key::Named(name), _) => name.clone(),
                (Key::InTable(..), None) => unreachable!("only a table gives such keys"),
            };
            let array = crop.index_of(&name);
            let parts: Vec<usize> = constituents(key).iter().map(|key| places[key]).collect();
            let known = parts.iter().any(|&part| nodes[part].can_be_known);
            let absent = !parts.is_empty() && parts.iter().all(|&part| nodes[part].can_be_absent);
            nodes.push(Node {
                name,
                array,
                constituents: parts,
                can_be_known: array.is_some() || known,
                can_be_absent: array.is_some() || absent,
            });
        }
        let channel = |group: &ClassGroup| {
            let members: BTreeSet<usize> =
                group.classes.iter().map(|name| places[&key(name)]).collect();
            members.into_iter().collect()
        };
        let channels = groups.as_slice().iter().map(channel).collect();
        Self { nodes, channels }
    }

    /// Whether some voxel of a channel may be known, as far as metadata tell.
    pub(super) fn can_be_known(&self, channel: usize) -> bool {
        self.channels[channel].iter().any(|&node| self.nodes[node].can_be_known)
    }

    pub(super) fn keeps_nothing(&self) -> bool {
        !(0..self.channels.len()).any(|channel| self.can_be_known(channel))
    }

    pub(super) fn summaries(&self, groups: &ClassGroups) -> Vec<ChannelSummary> {
        let summary = |(channel, group): (usize, &ClassGroup)| {
            let members = &self.channels[channel];
            let kept = self.can_be_known(channel);
            let is_missing = |node: &&usize| !self.nodes[**node].can_be_known;
            let name = |node: &usize| self.nodes[*node].name.clone();
            let missing: Vec<String> = members.iter().filter(is_missing).map(name).collect();
            let unsure: Vec<String> =
                members.iter().filter(|&&node| !self.nodes[node].can_be_absent).map(name).collect();
            let why = match (kept, unsure.as_slice()) {
                (false, [one]) => format!("{one} is not in the crop"),
                (false, more) => format!("{} are not in the crop", more.join(", ")),
                (true, []) => String::new(),
                (true, unsure) => {
                    format!("never known to be absent: nothing says where {} is not", list(unsure))
                }
            };
            ChannelSummary {
                name: group.name.clone(),
                members: group.classes.clone(),
                kept,
                missing,
                why,
            }
        };
        groups.as_slice().iter().enumerate().map(summary).collect()
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}
