//! Which channels each label id belongs to.

use std::collections::BTreeMap;

use crate::groups::Groups;
use crate::label::LabelId;

/// For each label id, the set of channels that it belongs to, as bytes of 8 channels, the first one lowest.
#[derive(Clone, Debug)]
pub(crate) struct ChannelSets {
    pub(crate) channels: usize,
    pub(crate) by_id: BTreeMap<LabelId, Vec<u8>>,
    /// The set of all ids that are not listed.
    pub(crate) others: Vec<u8>,
}

impl ChannelSets {
    /// The sets for `groups`; a group without ids has every label but `background`.
    pub(crate) fn new(groups: &Groups, background: LabelId) -> Self {
        let channels = groups.len();
        let bytes = channels.div_ceil(8);
        let mut others = vec![0_u8; bytes];
        let mut by_id: BTreeMap<LabelId, Vec<u8>> = BTreeMap::new();
        let all = groups.as_slice().iter().enumerate();
        for (channel, _) in all.clone().filter(|(_, group)| group.ids.is_empty()) {
            others[channel / 8] |= 1 << (channel % 8);
        }
        // Only there do the channels without ids miss a label.
        by_id.insert(background, vec![0; bytes]);
        for (channel, group) in all {
            for &id in &group.ids {
                by_id.entry(id).or_insert_with(|| others.clone())[channel / 8] |=
                    1 << (channel % 8);
            }
        }
        Self { channels, by_id, others }
    }

    /// No channels: all that is left of a label is whether it is one.
    pub(crate) fn none() -> Self {
        Self { channels: 0, by_id: BTreeMap::new(), others: Vec::new() }
    }

    /// The sets with other ids in their place, `others` empty.
    pub(crate) fn renumbered(&self, by_id: BTreeMap<LabelId, Vec<u8>>) -> Self {
        let others = vec![0; self.others.len()];
        Self { channels: self.channels, by_id, others }
    }
}
