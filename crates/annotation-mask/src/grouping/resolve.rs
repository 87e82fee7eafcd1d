//! From what users write to ids of a label volume, or classes of a crop group.

use std::collections::BTreeSet;

use crate::class_groups::{ClassGroup, ClassGroups};
use crate::class_table::ClassTable;
use crate::error::MaskError;
use crate::grouping::parse::malformed;
use crate::grouping::{Grouping, Member, MemberGroup};
use crate::groups::{Group, Groups};
use crate::label::LabelId;
use crate::labels::LabelList;
use crate::near::{did_you_mean, near_names};

impl Grouping {
    /// The groups for a label volume: names become ids, by the class table and by the long and short
    /// names of the `labels` attribute.
    ///
    /// A composite class becomes its own id and those of all its constituents, with its own id as a
    /// generic one (see [`crate::Rule::Generic`]).
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] for a class that neither knows, with the names nearest to it, and
    /// for one whose ids differ between the two; those of [`Groups::new`].
    pub fn resolve_labels(
        &self,
        table: Option<&ClassTable>,
        labels: Option<&LabelList>,
    ) -> Result<Groups, MaskError> {
        let names = Names { table, labels };
        let groups = self.as_slice().iter().map(|group| names.group(group));
        Groups::new(groups.collect::<Result<_, _>>()?)
    }

    /// The groups for a crop group: ids become names, by the class table.
    ///
    /// `crop_classes` are the classes that the crop has. Without a table any name is taken, as a crop
    /// need not have every class; with one, a name must be in it or in the crop. Generic members have
    /// no part in this: in a crop group it is the array of a composite class that speaks for the
    /// class as a whole.
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] for an id or a name that nothing knows, with the names nearest to
    /// it; those of [`ClassGroups::new`].
    pub fn resolve_classes<S: AsRef<str>>(
        &self,
        table: Option<&ClassTable>,
        crop_classes: &[S],
    ) -> Result<ClassGroups, MaskError> {
        let in_crop = |name: &str| crop_classes.iter().any(|class| class.as_ref() == name);
        let class = |place: &str, member: &Member| match (member, table) {
            (Member::Id(id), None) => {
                let reason = format!(
                    "{id} is a label id, and a crop group has names of classes; a class table \
                     (`id,name,constituent_ids`) says which is which"
                );
                Err(malformed(place, &reason))
            }
            (Member::Id(id), Some(table)) => {
                let class = table.by_id(*id).map(|class| class.name.clone());
                class.ok_or_else(|| {
                    malformed(place, &format!("no class of the class table has the id {id}"))
                })
            }
            (Member::Class(name), Some(table)) if table.class(name).is_none() && !in_crop(name) => {
                let mut near = table.near(name);
                near.extend(near_names(name, crop_classes.iter().map(AsRef::as_ref)));
                let near = did_you_mean(&near);
                let reason = format!(
                    "the class {name:?} is neither in the class table nor in the crop{near}"
                );
                Err(malformed(place, &reason))
            }
            (Member::Class(name), _) => Ok(name.clone()),
        };
        let group = |group: &MemberGroup| {
            let place = format!("group {:?}", group.name);
            let classes: Vec<String> = group
                .members
                .iter()
                .map(|member| class(&place, member))
                .collect::<Result<_, MaskError>>()?;
            Ok(ClassGroup { name: group.name.clone(), classes })
        };
        let groups = self.as_slice().iter().map(group);
        ClassGroups::new(groups.collect::<Result<_, MaskError>>()?)
    }
}

/// What gives names to the ids of a label volume.
struct Names<'a> {
    table: Option<&'a ClassTable>,
    labels: Option<&'a LabelList>,
}

impl Names<'_> {
    fn group(&self, group: &MemberGroup) -> Result<Group, MaskError> {
        let place = format!("group {:?}", group.name);
        let (mut ids, mut generic) = (Vec::new(), Vec::new());
        for member in &group.members {
            match member {
                Member::Id(id) => ids.push(*id),
                Member::Class(name) => {
                    let found = self.ids(&place, name)?;
                    if self.is_composite(name) {
                        generic.push(found[0]);
                    }
                    ids.extend(found);
                }
            }
        }
        for member in &group.generic {
            match member {
                Member::Id(id) => generic.push(*id),
                // The class as a whole, not the classes of which it consists.
                Member::Class(name) => generic.extend(self.ids(&place, name)?.first()),
            }
        }
        Ok(Group::new(group.name.clone(), unique(ids)).with_generic_ids(unique(generic)))
    }

    fn is_composite(&self, name: &str) -> bool {
        let class = self.table.and_then(|table| table.class(name));
        class.is_some_and(crate::class_table::Class::is_composite)
    }

    /// The ids of a class, its own first.
    fn ids(&self, place: &str, name: &str) -> Result<Vec<LabelId>, MaskError> {
        let by_table = self.table.and_then(|table| table.all_ids(name));
        let entries = self.labels.map(LabelList::entries).unwrap_or_default();
        let has_name = |e: &&crate::labels::LabelEntry| e.short_name == name || e.long_name == name;
        let by_labels = unique(entries.iter().filter(has_name).map(|entry| entry.value).collect());
        match by_table {
            Some(ids) => match by_labels.iter().find(|id| !ids.contains(id)) {
                // Whichever won, a channel could silently learn another class.
                Some(id) => {
                    let reason = format!(
                        "the class {name:?} has the ids {ids:?} in the class table, but {id} in \
                         `labels`; list the ids themselves"
                    );
                    Err(malformed(place, &reason))
                }
                None => Ok(ids),
            },
            None if !by_labels.is_empty() => Ok(by_labels),
            None => Err(self.unknown(place, name)),
        }
    }

    fn unknown(&self, place: &str, name: &str) -> MaskError {
        let entries = self.labels.map(LabelList::entries).unwrap_or_default();
        let known = entries.iter().flat_map(|e| [e.short_name.as_str(), e.long_name.as_str()]);
        let mut near = self.table.map(|table| table.near(name)).unwrap_or_default();
        near.extend(near_names(name, known));
        let looked = match (self.table, self.labels) {
            (Some(_), Some(_)) => "is neither in the class table nor in `labels`",
            (Some(_), None) => {
                "is not in the class table, and the labels have no `labels` attribute"
            }
            (None, Some(_)) => "is not in `labels`, and there is no class table",
            (None, None) => "has no id: there is no class table and no `labels` attribute",
        };
        malformed(place, &format!("the class {name:?} {looked}{}", did_you_mean(&near)))
    }
}

/// The ids without those that came before.
fn unique(mut ids: Vec<LabelId>) -> Vec<LabelId> {
    let mut seen = BTreeSet::new();
    ids.retain(|id| seen.insert(*id));
    ids
}
