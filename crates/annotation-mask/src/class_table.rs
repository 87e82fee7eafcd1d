//! Class tables: the ids of classes, and of which other classes a class consists.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::error::MaskError;
use crate::label::LabelId;
use crate::near::near_names;

mod read;

/// One class of a [`ClassTable`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The label id.
    pub id: LabelId,
    /// The name, as crops and groups write it.
    pub name: String,
    /// A second spelling of the name, if the table has one.
    pub other_name: Option<String>,
    /// The name in words, if the table has one.
    pub long_name: Option<String>,
    /// The ids of the classes of which it consists, as the table lists them; none for an atomic class.
    pub constituent_ids: Vec<LabelId>,
}

impl Class {
    /// Whether the class consists of others.
    #[must_use]
    pub fn is_composite(&self) -> bool {
        !self.constituent_ids.is_empty()
    }

    /// Whether this is the name of the class, in either spelling.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.other_name.as_deref() == Some(name)
    }
}

/// The classes that a user knows, with their ids and constituents.
///
/// voxmask has no table of its own: ids mean what the table of the user says.
///
/// ```
/// use annotation_mask::ClassTable;
///
/// let table = ClassTable::from_csv("mito_mem,3,\nmito_lum,4,\nmito,50,\"3,4\"\n")?;
/// let parts: Vec<&str> = table.constituents("mito").iter().map(|c| c.name.as_str()).collect();
/// assert_eq!(parts, ["mito_mem", "mito_lum"]);
/// # Ok::<_, annotation_mask::MaskError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassTable {
    // Invariant: ids and names (in both spellings) are unique; constituents are in the table, and no
    // class contains itself.
    classes: Vec<Class>,
    by_name: HashMap<String, usize>,
    by_id: BTreeMap<LabelId, usize>,
    // For each class its place in an order in which constituents come before what they make.
    ranks: Vec<usize>,
}

impl ClassTable {
    /// Reads CSV, in any of the forms in which such tables are found.
    ///
    /// The first line may name the columns, in any order: the id is `id` or `class_id`, the name
    /// `name`, `field_name` or `class_name`, its second spelling `docs_name`, the name in words
    /// `long_name`, the constituents `constituent_ids` or `ids included`; other columns are passed
    /// over. Without names, the columns are name, id and constituents. Constituents are ids between
    /// blanks, commas, semicolons or hyphens, with or without brackets.
    ///
    /// # Errors
    ///
    /// [`MaskError::ClassTableMalformed`] with the line and the column: a column that is missing, a
    /// value that is no id, an id or name that stands twice, a constituent that is not in the table,
    /// a class that contains itself.
    pub fn from_csv(text: &str) -> Result<Self, MaskError> {
        Self::checked(read::rows(text)?)
    }

    /// Checks the classes, each with the line that it stands on.
    fn checked(rows: Vec<(u64, Class)>) -> Result<Self, MaskError> {
        let malformed = |line: u64, column: &str, reason: String| {
            Err(MaskError::ClassTableMalformed {
                line: Some(line),
                column: Some(column.to_owned()),
                reason,
            })
        };
        let mut by_name: HashMap<String, usize> = HashMap::new();
        let mut by_id: BTreeMap<LabelId, usize> = BTreeMap::new();
        for (index, (line, class)) in rows.iter().enumerate() {
            if let Some(other) = by_id.insert(class.id, index) {
                let (first, other) = &rows[other];
                let reason = format!("{} is the id of {:?} on line {first}", class.id, other.name);
                return malformed(*line, "id", reason);
            }
            let spellings: BTreeSet<&String> =
                std::iter::once(&class.name).chain(&class.other_name).collect();
            for name in spellings {
                if let Some(other) = by_name.insert(name.clone(), index) {
                    let reason = format!("{name:?} is a class on line {} already", rows[other].0);
                    return malformed(*line, "name", reason);
                }
            }
        }
        for (line, class) in &rows {
            if let Some(id) = class.constituent_ids.iter().find(|id| !by_id.contains_key(id)) {
                let reason = format!("no class has the id {id}, which {:?} contains", class.name);
                return malformed(*line, "constituents", reason);
            }
        }
        let classes: Vec<Class> = rows.iter().map(|(_, class)| class.clone()).collect();
        let ranks = ranks(&classes, &by_id).map_err(|index| {
            let (line, class) = &rows[index];
            MaskError::ClassTableMalformed {
                line: Some(*line),
                column: Some("constituents".to_owned()),
                reason: format!(
                    "{:?} contains itself, directly or by its constituents",
                    class.name
                ),
            }
        })?;
        Ok(Self { classes, by_name, by_id, ranks })
    }

    /// The classes, in the order of the table.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The class of this name, in either spelling.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&Class> {
        self.index_of(name).map(|index| &self.classes[index])
    }

    /// The class of this id.
    #[must_use]
    pub fn by_id(&self, id: LabelId) -> Option<&Class> {
        self.by_id.get(&id).map(|&index| &self.classes[index])
    }

    /// The atomic classes of which a class consists, through all composite classes between, each
    /// once; none for an atomic class, and for a name that is not in the table.
    #[must_use]
    pub fn constituents(&self, name: &str) -> Vec<&Class> {
        let Some(index) = self.index_of(name) else { return Vec::new() };
        let mut seen = BTreeSet::new();
        let mut atoms = Vec::new();
        // A stack in reverse, so that classes come out in the order in which they are listed.
        let mut open: Vec<usize> = self.direct(index).rev().collect();
        while let Some(next) = open.pop() {
            if !seen.insert(next) {
                continue;
            }
            if self.classes[next].is_composite() {
                open.extend(self.direct(next).rev());
            } else {
                atoms.push(&self.classes[next]);
            }
        }
        atoms
    }

    /// The ids of a class: its own, then those of all classes of which it consists, composite ones
    /// between too; none for a name that is not in the table.
    pub(crate) fn all_ids(&self, name: &str) -> Option<Vec<LabelId>> {
        let mut order = vec![self.index_of(name)?];
        let mut seen: BTreeSet<usize> = order.iter().copied().collect();
        let mut next = 0;
        while let Some(&index) = order.get(next) {
            order.extend(self.direct(index).filter(|constituent| seen.insert(*constituent)));
            next += 1;
        }
        Some(order.into_iter().map(|index| self.classes[index].id).collect())
    }

    /// Names of the table that a reader may have meant by one that is not in it.
    pub(crate) fn near(&self, name: &str) -> Vec<&str> {
        let in_words =
            |class: &&Class| class.long_name.as_ref().is_some_and(|n| n.eq_ignore_ascii_case(name));
        let in_words = self.classes.iter().filter(in_words).map(|class| class.name.as_str());
        in_words.chain(near_names(name, self.by_name.keys().map(String::as_str))).collect()
    }

    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The classes that a class lists as its constituents, by index.
    pub(crate) fn direct(&self, index: usize) -> impl DoubleEndedIterator<Item = usize> {
        self.classes[index].constituent_ids.iter().map(|id| self.by_id[id])
    }

    /// A number that is larger for a class than for each of its constituents.
    pub(crate) fn rank(&self, index: usize) -> usize {
        self.ranks[index]
    }
}

/// Puts constituents before what they make; the index of a class that contains itself if there is none
/// such order.
///
/// By counting, not by recursion: the table of a user may nest as deep as it likes.
fn ranks(classes: &[Class], by_id: &BTreeMap<LabelId, usize>) -> Result<Vec<usize>, usize> {
    let mut parents: Vec<Vec<usize>> = vec![Vec::new(); classes.len()];
    let mut open: Vec<usize> = vec![0; classes.len()];
    for (index, class) in classes.iter().enumerate() {
        for id in &class.constituent_ids {
            parents[by_id[id]].push(index);
            open[index] += 1;
        }
    }
    let mut ready: Vec<usize> = (0..classes.len()).filter(|&index| open[index] == 0).collect();
    let mut ranks = vec![0; classes.len()];
    let mut placed = 0;
    while let Some(index) = ready.pop() {
        ranks[index] = placed;
        placed += 1;
        for &parent in &parents[index] {
            open[parent] -= 1;
            if open[parent] == 0 {
                ready.push(parent);
            }
        }
    }
    if placed == classes.len() {
        return Ok(ranks);
    }
    // What is left also holds classes that only contain one that contains itself. Going down from any
    // of them, by constituents that are left, must come round to a class that does.
    let mut index = open.iter().position(|&count| count > 0).expect("a class was not placed");
    let mut seen = BTreeSet::new();
    while seen.insert(index) {
        let left = classes[index].constituent_ids.iter().map(|id| by_id[id]);
        index = left
            .into_iter()
            .find(|&constituent| open[constituent] > 0)
            .expect("a class is left only if one of its constituents is");
    }
    Err(index)
}
