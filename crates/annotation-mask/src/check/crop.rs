//! The check of a crop group.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use array_core::{Array, ArrayError, Block, fold_blocks};
use geometry::Window;
use serde::Serialize;

use crate::check::values::ValueCounts;
use crate::crop_group::states::{ABSENT, PRESENT, States, UNKNOWN, read_states};
use crate::crop_group::{CropClass, CropGroup};
use crate::encoding::{AnnotationType, ClassState};
use crate::error::MaskError;
use crate::finding::{Finding, Severity, id_value, voxels};
use crate::label::LabelId;
use crate::planes::{count_ones, len_of, with_scratch};

/// Of values that there may be thousands of, so many are listed.
const MOST_LISTED: usize = 20;

/// What the check of a crop group found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CropReport {
    /// The voxels of each class array.
    pub voxels: u64,
    /// The classes that have an array, in the order of the crop.
    pub classes: Vec<ClassReport>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

/// One class, as its voxels have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassReport {
    /// The name of the class.
    pub name: String,
    /// `semantic_segmentation` or `instance_segmentation`.
    pub annotation_type: &'static str,
    /// The voxels where it is known to be.
    pub present: u64,
    /// The voxels where it is known not to be.
    pub absent: u64,
    /// The voxels where nothing is known.
    pub unknown: u64,
    /// The number of different values that mean present: of an instance array, its objects. None if
    /// there are too many to count.
    pub objects: Option<u64>,
}

/// Checks a crop group, in one pass over the voxels of all classes together.
///
/// The codes of the findings are those of [`CropGroup::findings`] (`no-class-list`,
/// `listed-without-array`, `listed-twice`, `array-not-listed`, `encodings-differ`, `encoding-on-group`,
/// `no-present-value`, `class-name-differs`, `class-not-in-table`, `absent-beyond-dtype`), and
/// `unexplained-value`, `complement-count-differs`, `census-differs`, `unknown-is-object`,
/// `unknown-everywhere`, `single-valued`, `composite-contradicted` and `no-voxels`.
///
/// # Errors
///
/// [`MaskError::Array`] if the voxels of a class cannot be read; the error names the class.
pub fn check_crop<A: Array>(crop: &CropGroup<A>) -> Result<CropReport, MaskError> {
    let check = Check::new(crop);
    let counted = check.count()?;
    let mut findings = crop.findings().to_vec();
    let mut classes = Vec::new();
    for (class, counts) in crop.classes().iter().zip(&counted.classes) {
        let states = states(class, counts);
        findings.extend(of_a_class(class, counts, &states));
        classes.push(report(class, counts, &states));
    }
    findings.extend(check.contradictions(&counted));
    let total = counted.classes.first().map_or(0, ValueCounts::voxels);
    if total == 0 {
        let shape = crop.info().shape();
        let message = format!("the crop has no voxels: its shape is {shape:?}");
        findings.push(Finding::new(Severity::Warning, "no-voxels", "", message));
    }
    findings.sort_by_key(|finding| Reverse(finding.severity));
    Ok(CropReport { voxels: total, classes, findings })
}

/// A composite class with an array, and the classes with arrays of which it consists.
struct Composite {
    class: usize,
    parts: Vec<usize>,
}

/// What one pass counts.
#[derive(Default)]
struct Counted {
    classes: Vec<ValueCounts>,
    /// For each composite, the voxels where it is absent but some part is present; then the same for
    /// each part alone.
    contradictions: Vec<(u64, Vec<u64>)>,
}

struct Check<'a, A> {
    crop: &'a CropGroup<A>,
    composites: Vec<Composite>,
    /// For each class, the values that are counted however many others there are.
    always: Vec<BTreeSet<LabelId>>,
}

impl<'a, A: Array> Check<'a, A> {
    fn new(crop: &'a CropGroup<A>) -> Self {
        let always = crop.classes().iter().map(|class| {
            let listed = class.annotation.encoding.states().keys();
            let beside = listed.flat_map(|&value| [value - 1, value, value + 1]);
            beside.chain(class.annotation.census.keys().copied()).collect()
        });
        Self { crop, composites: composites(crop), always: always.collect() }
    }

    fn count(&self) -> Result<Counted, MaskError> {
        let info = self.crop.info();
        let whole = Window::full(info.spatial_shape()).map_err(ArrayError::from)?;
        let work = |window: &Window, ()| self.count_block(window);
        let merge = |one: Counted, two: Counted| {
            let classes = one.classes.into_iter().zip(two.classes).zip(&self.always);
            let contradictions = one.contradictions.into_iter().zip(two.contradictions);
            Counted {
                classes: classes.map(|((one, two), always)| one.merged(two, always)).collect(),
                contradictions: contradictions
                    .map(|((any, parts), (more, others))| {
                        let parts = parts.iter().zip(others).map(|(one, two)| one + two);
                        (any + more, parts.collect())
                    })
                    .collect(),
            }
        };
        let counted = fold_blocks(&whole, info.blocks(), (), &work, &merge)?;
        Ok(counted.unwrap_or_else(|| Counted {
            classes: vec![ValueCounts::default(); self.crop.classes().len()],
            contradictions: self.composites.iter().map(|c| (0, vec![0; c.parts.len()])).collect(),
        }))
    }

    /// Reads each class once, for its values and for the classes that are compared with it.
    fn count_block(&self, window: &Window) -> Result<Counted, ArrayError> {
        let voxels = len_of(window.shape());
        let compared: BTreeSet<usize> = self
            .composites
            .iter()
            .flat_map(|composite| composite.parts.iter().copied().chain([composite.class]))
            .collect();
        let slots: BTreeMap<usize, usize> = compared.into_iter().zip(0..).collect();
        let bytes = voxels.saturating_mul(slots.len().saturating_add(1));
        with_scratch(bytes, |buffer: &mut [u8]| {
            let (any, planes) = buffer.split_at_mut(voxels);
            let mut states = vec![States::Constant(UNKNOWN); slots.len()];
            let mut classes = Vec::with_capacity(self.crop.classes().len());
            for (index, class) in self.crop.classes().iter().enumerate() {
                let mut counts = ValueCounts::default();
                let slot = slots.get(&index).copied();
                let mut read = |block: Block<'_>| {
                    counts = ValueCounts::of_block(&block, window.shape(), &self.always[index])?;
                    if let Some(slot) = slot {
                        let plane = &mut planes[slot * voxels..(slot + 1) * voxels];
                        states[slot] = read_states(&block, &class.annotation.encoding, plane)?;
                    }
                    Ok(())
                };
                class.array.visit(window, &mut read).map_err(|error| {
                    ArrayError::source(format!("reading class {:?}", class.name), error)
                })?;
                classes.push(counts);
            }
            let can_be = |class: usize, state: u8| match states[slots[&class]] {
                States::Constant(constant) => constant == state,
                States::Plane => true,
            };
            let can_differ = |composite: &Composite, part: usize| {
                can_be(composite.class, ABSENT) && can_be(part, PRESENT)
            };
            // A constant has no plane; to compare voxels, it needs one.
            for composite in &self.composites {
                for &part in composite.parts.iter().filter(|part| can_differ(composite, **part)) {
                    for slot in [slots[&composite.class], slots[&part]] {
                        if let States::Constant(state) = states[slot] {
                            planes[slot * voxels..(slot + 1) * voxels].fill(state);
                        }
                    }
                }
            }
            let plane = |class: usize| {
                let slot = slots[&class];
                &planes[slot * voxels..(slot + 1) * voxels]
            };
            let contradictions = self.composites.iter().map(|composite| {
                let own = plane(composite.class);
                any.fill(0);
                let parts = composite.parts.iter().map(|&part| {
                    if !can_differ(composite, part) {
                        return 0;
                    }
                    let mut count = 0;
                    for ((any, own), part) in any.iter_mut().zip(own).zip(plane(part)) {
                        let wrong = u8::from(*own == ABSENT && *part == PRESENT);
                        *any |= wrong;
                        count += u64::from(wrong);
                    }
                    count
                });
                let parts = parts.collect();
                (count_ones(any), parts)
            });
            let contradictions = contradictions.collect();
            Ok(Counted { classes, contradictions })
        })
    }

    /// Composite classes that are absent where their own constituents are present.
    fn contradictions(&self, counted: &Counted) -> Vec<Finding> {
        let classes = self.crop.classes();
        let mut findings = Vec::new();
        for (composite, (any, parts)) in self.composites.iter().zip(&counted.contradictions) {
            if *any == 0 {
                continue;
            }
            let name = &classes[composite.class].name;
            let wrong = composite.parts.iter().zip(parts).filter(|(_, count)| **count > 0);
            let wrong: BTreeMap<&str, u64> =
                wrong.map(|(&part, &count)| (classes[part].name.as_str(), count)).collect();
            let list: Vec<String> =
                wrong.iter().map(|(part, count)| format!("{part}: {count}")).collect();
            let message = format!(
                "class {name:?} is absent at {} where classes of which it consists are present ({}); \
                 its channel follows its own array",
                voxels(*any),
                list.join(", ")
            );
            let mut finding =
                Finding::new(Severity::Warning, "composite-contradicted", name, message)
                    .with("voxels", *any);
            for (part, count) in wrong {
                finding = finding.with(part, count);
            }
            findings.push(finding);
        }
        findings
    }
}

/// The composite classes that can be compared with constituents.
fn composites<A: Array>(crop: &CropGroup<A>) -> Vec<Composite> {
    let Some(table) = crop.table() else { return Vec::new() };
    let mut composites = Vec::new();
    for (class, own) in crop.classes().iter().enumerate() {
        let ids = table.all_ids(&own.name).unwrap_or_default();
        let parts = ids.into_iter().skip(1).filter_map(|id| {
            let part = table.by_id(id)?;
            crop.classes().iter().position(|class| part.is_called(&class.name))
        });
        let parts: Vec<usize> = parts.collect();
        if !parts.is_empty() {
            composites.push(Composite { class, parts });
        }
    }
    composites
}

/// How many voxels of a class are in each state.
fn states<A>(class: &CropClass<A>, counts: &ValueCounts) -> BTreeMap<ClassState, u64> {
    let encoding = &class.annotation.encoding;
    let mut states: BTreeMap<ClassState, u64> = ClassState::ALL.map(|state| (state, 0)).into();
    let mut add = |state, count| *states.entry(state).or_insert(0) += count;
    counts.iter().for_each(|(value, count)| add(encoding.state_of(value), count));
    // Listed values are always counted, so that what was not counted is not listed.
    add(encoding.others(), counts.uncounted());
    states
}

fn report<A>(
    class: &CropClass<A>,
    counts: &ValueCounts,
    states: &BTreeMap<ClassState, u64>,
) -> ClassReport {
    let encoding = &class.annotation.encoding;
    let objects =
        counts.iter().filter(|(value, _)| encoding.state_of(*value) == ClassState::Present);
    let objects = objects.count() as u64;
    ClassReport {
        name: class.name.clone(),
        annotation_type: encoding.annotation_type().name(),
        present: states[&ClassState::Present],
        absent: states[&ClassState::Absent],
        unknown: states[&ClassState::Unknown],
        objects: counts.is_complete().then_some(objects),
    }
}

/// What one class array and its metadata say of each other.
fn of_a_class<A>(
    class: &CropClass<A>,
    counts: &ValueCounts,
    states: &BTreeMap<ClassState, u64>,
) -> Vec<Finding> {
    let name = &class.name;
    let annotation = &class.annotation;
    let mut findings = Vec::new();
    findings.extend(unexplained(class, counts));
    for (state, &declared) in &annotation.complement_counts {
        let found = states[state];
        if declared != found {
            let message = format!(
                "class {name:?}: the metadata count {} {state}, the data have {found}",
                voxels(declared)
            );
            let finding =
                Finding::new(Severity::Warning, "complement-count-differs", name, message);
            let finding = finding.with("state", state.name()).with("declared", declared);
            findings.push(finding.with("voxels", found));
        }
    }
    findings.extend(census(class, counts));
    findings.extend(unknown_is_object(class, counts));
    let total = counts.voxels();
    if total > 0 && states[&ClassState::Unknown] == total {
        let message = format!("class {name:?} has an array in which nothing is known");
        findings.push(Finding::new(Severity::Warning, "unknown-everywhere", name, message));
    } else if let Some(value) = counts.single() {
        let state = annotation.encoding.state_of(value);
        let message = format!("class {name:?} is {state} everywhere: all voxels are {value}");
        let finding = Finding::new(Severity::Info, "single-valued", name, message);
        findings.push(finding.with("value", id_value(value)).with("state", state.name()));
    }
    findings
}

/// Values of a semantic array that its encoding does not list.
fn unexplained<A>(class: &CropClass<A>, counts: &ValueCounts) -> Option<Finding> {
    let (name, encoding) = (&class.name, &class.annotation.encoding);
    let wrong: Vec<(LabelId, u64)> =
        counts.iter().filter(|(value, _)| !encoding.explains(*value)).collect();
    let uncounted = if encoding.others() == ClassState::Present { 0 } else { counts.uncounted() };
    let sum = wrong.iter().map(|(_, count)| count).sum::<u64>() + uncounted;
    if sum == 0 {
        return None;
    }
    let values: Vec<String> =
        wrong.iter().take(MOST_LISTED).map(|(value, _)| value.to_string()).collect();
    let more = if wrong.len() > MOST_LISTED || uncounted > 0 { ", …" } else { "" };
    let message = format!(
        "class {name:?}: {} have values that its encoding ({encoding}) does not explain ({}{more}); \
         they are taken as unknown",
        voxels(sum),
        values.join(", ")
    );
    let listed = wrong.iter().take(MOST_LISTED).map(|(value, _)| id_value(*value));
    Some(
        Finding::new(Severity::Error, "unexplained-value", name, message)
            .with("voxels", sum)
            .with("found", listed.collect::<serde_json::Value>()),
    )
}

/// Values of which the census of the draft metadata says another number.
fn census<A>(class: &CropClass<A>, counts: &ValueCounts) -> Option<Finding> {
    let name = &class.name;
    let census = &class.annotation.census;
    let differ = census.iter().filter(|(value, declared)| counts.of(**value) != **declared);
    let differ: Vec<String> = differ
        .take(MOST_LISTED)
        .map(|(&value, declared)| format!("{value}: {declared} and {}", counts.of(value)))
        .collect();
    if differ.is_empty() {
        return None;
    }
    let message = format!(
        "class {name:?}: the census and the data differ in the voxels of a value ({})",
        differ.join(", ")
    );
    Some(Finding::new(Severity::Warning, "census-differs", name, message))
}

/// The value for unknown that, by the look of the values around it, is an object.
///
/// Object ids are counted up. Where they were counted past the value that means unknown, that value may
/// be an object like the others, and the metadata cannot tell.
fn unknown_is_object<A>(class: &CropClass<A>, counts: &ValueCounts) -> Vec<Finding> {
    let encoding = &class.annotation.encoding;
    if encoding.annotation_type() != AnnotationType::Instance {
        return Vec::new();
    }
    let unknown = encoding.values_of(ClassState::Unknown);
    unknown.filter_map(|unknown| looks_like_an_object(class, counts, unknown)).collect()
}

fn looks_like_an_object<A>(
    class: &CropClass<A>,
    counts: &ValueCounts,
    unknown: LabelId,
) -> Option<Finding> {
    let (name, annotation) = (&class.name, &class.annotation);
    let is_object = |value: LabelId| annotation.encoding.state_of(value) == ClassState::Present;
    let objects = counts.iter().map(|(value, _)| value).filter(|&value| is_object(value));
    let (below, beyond): (Vec<LabelId>, Vec<LabelId>) = objects.partition(|value| *value < unknown);
    let highest = counts.range().map(|(_, high)| high).filter(|&high| high > unknown);
    // With more ids than were counted, the highest still says that there are some.
    let goes_on = highest.is_some_and(is_object);
    let is_on_both_sides = !below.is_empty() && (goes_on || !beyond.is_empty());
    let reaches = below.last() == Some(&(unknown - 1));
    if counts.of(unknown) == 0 || !(is_on_both_sides || reaches) {
        return None;
    }
    let count = voxels(counts.of(unknown));
    let around = [unknown - 1, unknown + 1].into_iter();
    let around: Vec<String> = around
        .filter(|&value| is_object(value) && counts.of(value) > 0)
        .map(|value| format!("{value} ({})", voxels(counts.of(value))))
        .collect();
    let beside = match around.as_slice() {
        [] => String::new(),
        around => format!("; beside it occur {}", around.join(" and ")),
    };
    let beyond_text = match highest {
        Some(highest) if is_on_both_sides => format!("{} beyond it, up to {highest}", beyond.len()),
        _ => "none beyond it".to_owned(),
    };
    let declared = match annotation.complement_counts.get(&ClassState::Unknown) {
        Some(0) => "; the metadata count no unknown voxel, so that it is an object",
        _ => "",
    };
    let message = format!(
        "class {name:?}: {unknown} means unknown, and {count} have it, but {} object ids lie below it \
         and {beyond_text}{beside}{declared}; if it is an object, its voxels are masked without need",
        below.len()
    );
    let severity = if is_on_both_sides { Severity::Error } else { Severity::Warning };
    let finding = Finding::new(severity, "unknown-is-object", name, message)
        .with("unknown", id_value(unknown))
        .with("voxels", counts.of(unknown))
        .with("objects_below", below.len())
        .with("objects_beyond", beyond.len());
    Some(match highest {
        Some(highest) => finding.with("highest", id_value(highest)),
        None => finding,
    })
}
