//! The check of a crop group.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use array_core::{Array, ArrayError, Block, fold_blocks};
use geometry::Window;
use serde::Serialize;

use crate::check::class::{of_a_class, states};
use crate::check::values::ValueCounts;
use crate::crop_group::states::{ABSENT, PRESENT, States, UNKNOWN, read_states};
use crate::crop_group::{CropClass, CropGroup};
use crate::encoding::ClassState;
use crate::error::MaskError;
use crate::finding::{Finding, Severity, voxels};
use crate::label::LabelId;
use crate::planes::{count_ones, len_of, with_scratch};

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
            let beside = listed.flat_map(|&v| [v.saturating_sub(1), v, v.saturating_add(1)]);
            beside.chain(class.annotation.census.keys().copied()).collect()
        });
        Self { crop, composites: composites(crop), always: always.collect() }
    }

    fn count(&self) -> Result<Counted, MaskError> {
        let info = self.crop.info();
        let whole = Window::full(info.spatial_shape()).map_err(ArrayError::from)?;
        info.blocks().check_count(&whole)?;
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
