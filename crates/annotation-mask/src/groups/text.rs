//! Grouping lists of ids alone as text.

use serde_json::Value;

use crate::error::MaskError;
use crate::grouping::{Grouping, Member};
use crate::groups::{Group, Groups, has_64_bits};
use crate::label::LabelId;

impl Groups {
    /// Reads TOML: one `[[group]]` table with `name`, `ids` and, if wanted, `generic_ids` for each
    /// channel.
    ///
    /// ```
    /// use annotation_mask::Groups;
    ///
    /// let groups = Groups::from_toml(
    ///     r#"
    ///     [[group]]
    ///     name = "nucleus"
    ///     ids = [20, 24, 37]
    ///     generic_ids = [37]
    ///     "#,
    /// )?;
    /// assert_eq!(groups.names(), ["nucleus"]);
    /// # Ok::<_, annotation_mask::MaskError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Grouping::from_toml`] and [`Groups::new`]; [`MaskError::GroupMalformed`] for the
    /// name of a class, which only [`Grouping::resolve_labels`] can look up.
    pub fn from_toml(text: &str) -> Result<Self, MaskError> {
        Self::of_ids(&Grouping::from_toml(text)?)
    }

    /// Reads JSON in any form of [`Grouping::from_json`].
    ///
    /// # Errors
    ///
    /// Those of [`Groups::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, MaskError> {
        Self::of_ids(&Grouping::from_json(text)?)
    }

    /// Reads a JSON value in any form of [`Grouping::from_json`].
    ///
    /// # Errors
    ///
    /// Those of [`Groups::from_toml`].
    pub fn from_value(value: &Value) -> Result<Self, MaskError> {
        Self::of_ids(&Grouping::from_value(value)?)
    }

    /// Reads one group from `name=1,2,3`; `name=` has no ids.
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] if it has another form.
    pub fn parse_group(text: &str) -> Result<Group, MaskError> {
        let group = Grouping::parse_group(text)?;
        let ids = ids(&format!("group {text:?}"), &group.members)?;
        Ok(Group::new(group.name, ids))
    }

    /// Reads label ids from `1,2,3`; nothing gives no ids.
    ///
    /// # Errors
    ///
    /// [`MaskError::GroupMalformed`] for what is not an integer of 64 bits.
    pub fn parse_ids(text: &str) -> Result<Vec<LabelId>, MaskError> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let ids = text.split(',').map(|id| {
            let parsed = id.trim().parse().ok().filter(|&id| has_64_bits(id));
            parsed.ok_or_else(|| MaskError::GroupMalformed {
                place: format!("ids {text:?}"),
                reason: format!("{id:?} is no integer of 64 bits"),
            })
        });
        ids.collect()
    }

    fn of_ids(grouping: &Grouping) -> Result<Self, MaskError> {
        let group = |(index, group): (usize, &crate::grouping::MemberGroup)| {
            let place = format!("group {index}");
            Ok(Group::new(group.name.clone(), ids(&place, &group.members)?)
                .with_generic_ids(ids(&place, &group.generic)?))
        };
        let groups = grouping.as_slice().iter().enumerate().map(group);
        Self::new(groups.collect::<Result<_, MaskError>>()?)
    }
}

/// The members of a group, all of which must be ids.
fn ids(place: &str, members: &[Member]) -> Result<Vec<LabelId>, MaskError> {
    let id = |member: &Member| match member {
        Member::Id(id) => Ok(*id),
        Member::Class(_) => Err(MaskError::GroupMalformed {
            place: place.to_owned(),
            reason: format!("{member} is no integer of 64 bits"),
        }),
    };
    members.iter().map(id).collect()
}
