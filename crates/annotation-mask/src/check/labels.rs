//! The check of a label volume.

use std::collections::{BTreeMap, BTreeSet};

use array_core::{Array, ArrayError, fold_blocks};
use geometry::Window;
use serde::Serialize;

use crate::check::values::{MAX_VALUES, ValueCounts};
use crate::error::MaskError;
use crate::finding::{Finding, Severity, id_value, id_values, voxels};
use crate::groups::Groups;
use crate::label::LabelId;
use crate::labels::{LabelEntry, LabelList};
use crate::rule::Rule;

/// Of findings that there may be thousands of, so many are listed one by one.
const MOST_LISTED: usize = 20;

/// What the check of a label volume found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelReport {
    /// All voxels.
    pub voxels: u64,
    /// The voxels with a label above 0: those that a kept channel may learn from.
    pub labelled: u64,
    /// Each id that is in the data, in `labels`, or both, in ascending order.
    pub labels: Vec<LabelCount>,
    /// What each rule costs, if there are groups.
    pub rules: Vec<RuleCost>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

/// One label id, as the metadata and as the voxels have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabelCount {
    /// The id.
    pub id: LabelId,
    /// The short name, if `labels` has the id.
    pub name: Option<String>,
    /// `dense`, `sparse` or `empty`, if `labels` has the id.
    pub annotated: Option<&'static str>,
    /// The number of voxels that the metadata declare.
    pub declared: Option<u64>,
    /// The number of voxels that have the id.
    pub voxels: u64,
}

/// What a rule costs on a crop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleCost {
    /// The rule.
    pub rule: Rule,
    /// All channels.
    pub channels: usize,
    /// The names of the channels that it masks.
    pub masked: Vec<String>,
    /// The labelled voxels in the masked channels together: what training will not see.
    pub voxels: u64,
}

/// Checks a label volume against its `labels` attribute, in one pass over its voxels.
///
/// With `groups`, also what each [`Rule`] costs, and whether the ids of the groups can occur. The codes
/// of the findings are `not-labels`, `has-channels`, `labels-malformed`, `no-labels`, `no-voxels`,
/// `unnamed-id`, `annotated-without-voxels`, `absent-with-voxels`, `missing-with-voxels`,
/// `not-annotated`, `rule-cost`, `count-differs`, `duplicate-label`, `label-beyond-dtype`,
/// `group-id-beyond-dtype`, `group-id-not-listed`, `negative-label`, `single-valued` and
/// `too-many-ids`.
///
/// # Errors
///
/// [`MaskError::Array`] if the voxels cannot be read.
pub fn check_labels(array: &dyn Array, groups: Option<&Groups>) -> Result<LabelReport, MaskError> {
    let info = array.info();
    let mut findings = Vec::new();
    if !info.dtype().is_integer() {
        findings.push(Finding::refused("", &MaskError::NotLabels { dtype: info.dtype() }));
    }
    if info.channel_dims() > 0 {
        let axes = &info.axes()[..info.channel_dims()];
        let message = format!("the labels have the channel axes {axes:?}; masks need none");
        findings.push(Finding::new(Severity::Error, "has-channels", "", message));
    }
    let list = match LabelList::from_attrs(info.attrs()) {
        Ok(list) => list,
        Err(error) => {
            findings.push(Finding::refused("", &error));
            Some(LabelList::default())
        }
    };
    if !findings.iter().any(|finding| matches!(finding.code, "not-labels" | "has-channels")) {
        let check = Check { array, groups, list: list.as_ref(), findings };
        return check.run();
    }
    Ok(LabelReport { voxels: 0, labelled: 0, labels: Vec::new(), rules: Vec::new(), findings })
}

struct Check<'a> {
    array: &'a dyn Array,
    groups: Option<&'a Groups>,
    /// None if there is no attribute.
    list: Option<&'a LabelList>,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn run(mut self) -> Result<LabelReport, MaskError> {
        let counts = self.count()?;
        let labelled = counts.positive();
        self.check_values(&counts);
        self.check_list(&counts);
        let rules = self.check_groups(labelled);
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Ok(LabelReport {
            voxels: counts.voxels(),
            labelled,
            labels: self.labels(&counts),
            rules,
            findings: self.findings,
        })
    }

    fn entries(&self) -> &[LabelEntry] {
        self.list.map(LabelList::entries).unwrap_or_default()
    }

    /// Whether there is a `labels` attribute that cannot be read.
    fn is_malformed(&self) -> bool {
        self.findings.iter().any(|finding| finding.code == "labels-malformed")
    }

    fn find(&mut self, severity: Severity, code: &'static str, subject: &str, message: String) {
        self.findings.push(Finding::new(severity, code, subject, message));
    }

    fn count(&self) -> Result<ValueCounts, MaskError> {
        let info = self.array.info();
        // What the metadata name is counted exactly, however many other ids there are.
        let of_groups = self.groups.iter().flat_map(|groups| groups.as_slice());
        let always: BTreeSet<LabelId> = self
            .entries()
            .iter()
            .map(|entry| entry.value)
            .chain(of_groups.flat_map(|group| group.ids.iter().copied()))
            .collect();
        let whole = Window::full(info.spatial_shape()).map_err(ArrayError::from)?;
        info.blocks().check_count(&whole)?;
        let work = |window: &Window, ()| {
            let mut counts = ValueCounts::default();
            self.array.visit(window, &mut |block| {
                counts = ValueCounts::of_block(&block, window.shape(), &always)?;
                Ok(())
            })?;
            Ok::<_, ArrayError>(counts)
        };
        let merge = |one: ValueCounts, two| one.merged(two, &always);
        Ok(fold_blocks(&whole, info.blocks(), (), &work, &merge)?.unwrap_or_default())
    }

    /// What the voxels say without any metadata.
    fn check_values(&mut self, counts: &ValueCounts) {
        if counts.voxels() == 0 {
            let shape = self.array.info().shape();
            let message = format!("the volume has no voxels: its shape is {shape:?}");
            self.find(Severity::Warning, "no-voxels", "", message);
        }
        if let Some(value) = counts.single() {
            let what = if value > 0 { "labelled" } else { "nothing is known anywhere" };
            let message = format!("all {} have the value {value}: {what}", voxels(counts.voxels()));
            let finding = Finding::new(Severity::Warning, "single-valued", "", message);
            self.findings.push(finding.with("value", id_value(value)));
        }
        if let Some((lowest, _)) = counts.range().filter(|(lowest, _)| *lowest < 0) {
            let message = format!(
                "{} have a negative label, down to {lowest}; the mask takes them as unknown",
                voxels(counts.negative())
            );
            let finding = Finding::new(Severity::Warning, "negative-label", "", message);
            let finding = finding.with("voxels", counts.negative());
            self.findings.push(finding.with("lowest", id_value(lowest)));
        }
        if !counts.is_complete() {
            let message = format!(
                "more than {MAX_VALUES} different ids: {} have others, which were not counted one by \
                 one",
                voxels(counts.uncounted())
            );
            let finding = Finding::new(Severity::Info, "too-many-ids", "", message);
            self.findings.push(finding.with("voxels", counts.uncounted()));
        }
    }

    /// What `labels` says, against the voxels.
    fn check_list(&mut self, counts: &ValueCounts) {
        let Some(list) = self.list else {
            let message = "no `labels` attribute: it is not known what was annotated, and every \
                           labelled voxel is trusted";
            self.find(Severity::Warning, "no-labels", "", message.to_owned());
            return;
        };
        self.check_duplicates(list);
        let range = self.array.info().dtype().integer_range().unwrap_or((0, 0));
        for entry in unique(list) {
            self.check_entry(entry, counts.of(entry.value), list.missing(), range);
        }
        let named: BTreeSet<LabelId> = list.entries().iter().map(|entry| entry.value).collect();
        let unnamed: Vec<(LabelId, u64)> =
            counts.iter().filter(|(id, _)| *id > 0 && !named.contains(id)).collect();
        if self.is_malformed() {
            return;
        }
        for &(id, count) in unnamed.iter().take(MOST_LISTED) {
            let message =
                format!("{} have the label {id}, which `labels` does not name", voxels(count));
            let finding = Finding::new(Severity::Warning, "unnamed-id", id.to_string(), message);
            self.findings.push(finding.with("id", id_value(id)).with("voxels", count));
        }
        if let Some(rest @ [_, ..]) = unnamed.get(MOST_LISTED..) {
            let sum: u64 = rest.iter().map(|(_, count)| count).sum();
            let message = format!(
                "{} more ids, of {}, are not named by `labels` either",
                rest.len(),
                voxels(sum)
            );
            let finding = Finding::new(Severity::Warning, "unnamed-id", "", message);
            self.findings.push(finding.with("ids", rest.len()).with("voxels", sum));
        }
    }

    fn check_duplicates(&mut self, list: &LabelList) {
        let mut by_id: BTreeMap<LabelId, Vec<&LabelEntry>> = BTreeMap::new();
        for entry in list.entries() {
            by_id.entry(entry.value).or_default().push(entry);
        }
        for (id, entries) in by_id.iter().filter(|(_, entries)| entries.len() > 1) {
            let first = entries[0];
            let state = |entry: &LabelEntry| (entry.present, entry.annotation);
            let what = if entries.iter().any(|entry| state(entry) != state(first)) {
                "and its entries differ; it counts as missing if any of them says so"
            } else {
                "with the same state each time"
            };
            let message = format!("`labels` lists the id {id} {} times, {what}", entries.len());
            let finding =
                Finding::new(Severity::Warning, "duplicate-label", id.to_string(), message);
            self.findings.push(finding.with("id", id_value(*id)).with("entries", entries.len()));
        }
    }

    fn check_entry(
        &mut self,
        entry: &LabelEntry,
        count: u64,
        missing: &BTreeSet<LabelId>,
        range: (LabelId, LabelId),
    ) {
        let (id, name) = (entry.value, &entry.short_name);
        let annotated = entry.annotation.name();
        let found = voxels(count);
        let mut find = |severity, code, message: String| {
            let finding = Finding::new(severity, code, id.to_string(), message);
            let finding = finding.with("id", id_value(id)).with("name", name.as_str());
            self.findings.push(finding.with("voxels", count));
        };
        if !(range.0..=range.1).contains(&id) {
            let dtype = self.array.info().dtype();
            let message = format!("{name:?}: labels of type {dtype} never have the id {id}");
            find(Severity::Warning, "label-beyond-dtype", message);
        }
        if missing.contains(&id) {
            let message = format!("{name:?} ({id}) is in the crop but was not annotated");
            find(Severity::Warning, "not-annotated", message);
            if count > 0 {
                let message =
                    format!("{name:?} ({id}) is said not to be annotated, but {found} have it");
                find(Severity::Warning, "missing-with-voxels", message);
            }
        } else if entry.present && count == 0 {
            let message = format!(
                "{name:?} ({id}) is said to be in the crop and annotated ({annotated}), but no voxel \
                 has it; its channel learns that it is nowhere"
            );
            find(Severity::Warning, "annotated-without-voxels", message);
        }
        if !entry.present && count > 0 {
            let message =
                format!("{name:?} ({id}) is said not to be in the crop, but {found} have it");
            find(Severity::Warning, "absent-with-voxels", message);
        }
        if let Some(declared) = entry.count.filter(|declared| *declared != count) {
            let message = format!(
                "{name:?} ({id}): the metadata count {}, the data have {found}",
                voxels(declared)
            );
            find(Severity::Warning, "count-differs", message);
            if let Some(finding) = self.findings.last_mut() {
                finding.values.insert("declared".to_owned(), declared.into());
            }
        }
    }

    /// What the groups cost, and which of their ids mean nothing here.
    fn check_groups(&mut self, labelled: u64) -> Vec<RuleCost> {
        let Some(groups) = self.groups else { return Vec::new() };
        let dtype = self.array.info().dtype();
        for (group, id) in groups.ids_beyond(dtype) {
            let message = format!("group {group:?}: labels of type {dtype} never have the id {id}");
            let finding = Finding::new(Severity::Warning, "group-id-beyond-dtype", group, message);
            self.findings.push(finding.with("id", id_value(id)));
        }
        // Where nothing can be read, no rule has a cost that could be told.
        let Some(list) = self.list.filter(|_| !self.is_malformed()) else { return Vec::new() };
        let listed: BTreeSet<LabelId> = list.entries().iter().map(|entry| entry.value).collect();
        for group in groups.as_slice() {
            let unlisted: BTreeSet<LabelId> =
                group.ids.iter().copied().filter(|id| !listed.contains(id)).collect();
            if unlisted.is_empty() {
                continue;
            }
            let ids: Vec<String> = unlisted.iter().map(ToString::to_string).collect();
            let message = format!(
                "group {:?}: `labels` does not say whether {} was annotated; no rule masks the \
                 channel for it",
                group.name,
                ids.join(", ")
            );
            let finding =
                Finding::new(Severity::Warning, "group-id-not-listed", &*group.name, message);
            self.findings.push(finding.with("ids", id_values(&unlisted)));
        }
        let cost = |rule: Rule| {
            let decide = |group| rule.decide(group, list.missing());
            let masked: Vec<String> = groups
                .as_slice()
                .iter()
                .map(decide)
                .filter(|decision| !decision.kept)
                .map(|decision| decision.name)
                .collect();
            let voxels = labelled.saturating_mul(masked.len() as u64);
            RuleCost { rule, channels: groups.len(), masked, voxels }
        };
        let costs: Vec<RuleCost> = Rule::ALL.into_iter().map(cost).collect();
        // Rules that mask the same channels are one finding.
        for same in costs.chunk_by(|one, two| one.masked == two.masked) {
            let cost = &same[0];
            if cost.masked.is_empty() {
                continue;
            }
            let rules: Vec<&str> = same.iter().map(|cost| cost.rule.name()).collect();
            let rules = rules.join(", ");
            let message = format!(
                "{rules}: masked are {} of {} channels ({}), {} that training will not see",
                cost.masked.len(),
                cost.channels,
                cost.masked.join(", "),
                voxels(cost.voxels)
            );
            let finding = Finding::new(Severity::Info, "rule-cost", rules, message);
            let finding = finding.with("masked", cost.masked.clone());
            self.findings.push(finding.with("channels", cost.channels).with("voxels", cost.voxels));
        }
        costs
    }

    fn labels(&self, counts: &ValueCounts) -> Vec<LabelCount> {
        let mut labels: BTreeMap<LabelId, LabelCount> = counts
            .iter()
            .map(|(id, voxels)| {
                (id, LabelCount { id, name: None, annotated: None, declared: None, voxels })
            })
            .collect();
        for entry in self.list.into_iter().flat_map(unique) {
            labels.insert(
                entry.value,
                LabelCount {
                    id: entry.value,
                    name: Some(entry.short_name.clone()),
                    annotated: Some(entry.annotation.name()),
                    declared: entry.count,
                    voxels: counts.of(entry.value),
                },
            );
        }
        labels.into_values().collect()
    }
}

/// The first entry of each id.
fn unique(list: &LabelList) -> impl Iterator<Item = &LabelEntry> {
    let mut seen = BTreeSet::new();
    list.entries().iter().filter(move |entry| seen.insert(entry.value))
}
