//! What each class is, voxel by voxel: the inner loops over the voxels of one block.
//!
//! The state of a class at a voxel is a byte: bit 0 says present, bit 1 absent, neither unknown. The
//! three-valued OR is then `(x | y) & 1 | (x & y) & 2`, for many voxels at a time.

use array_core::{AnyView, Array, ArrayError, Block, Scalar, for_each_row_pair};
use geometry::Window;
use ndarray::ArrayView1;

use crate::crop_group::CropGroup;
use crate::crop_group::plan::Plan;
use crate::encoding::{ClassState, Encoding};
use crate::label::{Label, for_label_view};
use crate::planes::{not_labels, plane_mut};

/// Bit 0: present.
pub(crate) const PRESENT: u8 = 1;
/// Bit 1: absent.
pub(crate) const ABSENT: u8 = 2;
/// No bit: unknown.
pub(crate) const UNKNOWN: u8 = 0;

/// The states of all voxels of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum States {
    /// Every voxel has this state.
    Constant(u8),
    /// They are in the plane that belongs to whatever has them.
    Plane,
}

/// The planes of a block, cut out of one buffer: one for each node of a plan, and a spare one.
pub(super) struct Planes<'a> {
    nodes: Vec<&'a mut [u8]>,
    spare: &'a mut [u8],
}

impl<'a> Planes<'a> {
    /// The number of planes that a plan needs: none for a class that is unknown everywhere.
    pub(super) fn count(plan: &Plan) -> usize {
        plan.nodes.iter().filter(|node| node.can_be_known).count().saturating_add(1)
    }

    /// Cuts a buffer of [`Planes::count`] times `voxels` bytes.
    pub(super) fn new(plan: &Plan, buffer: &'a mut [u8], voxels: usize) -> Self {
        // A block without voxels has planes without bytes, which cannot be cut.
        let mut planes = buffer.chunks_exact_mut(voxels.max(1));
        let mut next = |is_used: bool| match is_used {
            true => planes.next().unwrap_or_default(),
            false => <&mut [u8]>::default(),
        };
        let nodes = plan.nodes.iter().map(|node| next(node.can_be_known)).collect();
        Self { nodes, spare: next(true) }
    }
}

/// The states of every class of a plan in one block.
pub(super) struct Evaluated<'p, 'a> {
    plan: &'p Plan,
    states: Vec<States>,
    planes: Planes<'a>,
}

impl<'p, 'a> Evaluated<'p, 'a> {
    /// Reads the class arrays in `window`, each once, and only those that something depends on.
    pub(super) fn new<A: Array>(
        crop: &CropGroup<A>,
        plan: &'p Plan,
        window: &Window,
        mut planes: Planes<'a>,
    ) -> Result<Self, ArrayError> {
        let mut states = vec![States::Constant(UNKNOWN); plan.nodes.len()];
        let mut needed = vec![false; plan.nodes.len()];
        for &node in plan.channels.iter().flatten() {
            needed[node] = true;
        }
        // From composite classes down: where the array of one leaves nothing open, its constituents are
        // not asked.
        for (index, node) in plan.nodes.iter().enumerate().rev() {
            if !needed[index] || !node.can_be_known {
                continue;
            }
            if let Some(array) = node.array {
                let class = &crop.classes()[array];
                let plane = &mut *planes.nodes[index];
                let mut read = |block: Block<'_>| {
                    states[index] = read_states(&block, &class.annotation.encoding, plane)?;
                    Ok(())
                };
                class.array.visit(window, &mut read).map_err(|error| {
                    ArrayError::source(format!("reading class {:?}", class.name), error)
                })?;
            }
            if has_unknown(states[index], planes.nodes[index]) {
                node.constituents.iter().for_each(|&part| needed[part] = true);
            }
        }
        // And up again.
        for (index, node) in plan.nodes.iter().enumerate() {
            let open =
                needed[index] && node.constituents.iter().any(|&p| plan.nodes[p].can_be_known);
            if !open || !has_unknown(states[index], planes.nodes[index]) {
                continue;
            }
            let Planes { nodes, spare } = &mut planes;
            let parts = any_of(&node.constituents, &states, nodes, spare);
            states[index] = fill_unknown(states[index], nodes[index], parts, spare);
        }
        Ok(Self { plan, states, planes })
    }

    /// Calls `visit` with the states of each channel, in their order: a constant, or a plane.
    pub(super) fn for_each_channel(&mut self, mut visit: impl FnMut(usize, States, &[u8])) {
        for (channel, members) in self.plan.channels.iter().enumerate() {
            match members.as_slice() {
                [one] => visit(channel, self.states[*one], self.planes.nodes[*one]),
                members => {
                    let Planes { nodes, spare } = &mut self.planes;
                    let states = any_of(members, &self.states, nodes, spare);
                    visit(channel, states, spare);
                }
            }
        }
    }
}

/// The OR of several classes; its plane, if it needs one, is `out`.
fn any_of(members: &[usize], states: &[States], planes: &[&mut [u8]], out: &mut [u8]) -> States {
    let mut sum = States::Constant(ABSENT);
    for &member in members {
        sum = match (sum, states[member]) {
            (States::Constant(PRESENT), _) | (_, States::Constant(PRESENT)) => {
                return States::Constant(PRESENT);
            }
            (States::Constant(one), States::Constant(two)) => States::Constant(or(one, two)),
            (States::Constant(one), States::Plane) => {
                out.iter_mut().zip(&*planes[member]).for_each(|(out, &two)| *out = or(one, two));
                States::Plane
            }
            (States::Plane, States::Constant(two)) => {
                out.iter_mut().for_each(|out| *out = or(*out, two));
                States::Plane
            }
            (States::Plane, States::Plane) => {
                out.iter_mut().zip(&*planes[member]).for_each(|(out, &two)| *out = or(*out, two));
                States::Plane
            }
        };
    }
    sum
}

/// The states of a class whose constituents speak where it is unknown itself.
fn fill_unknown(own: States, plane: &mut [u8], parts: States, parts_plane: &[u8]) -> States {
    match (own, parts) {
        (States::Constant(UNKNOWN), States::Constant(parts)) => States::Constant(parts),
        (States::Constant(UNKNOWN), States::Plane) => {
            plane.copy_from_slice(parts_plane);
            States::Plane
        }
        (States::Constant(own), _) => States::Constant(own),
        (States::Plane, States::Constant(parts)) => {
            plane.iter_mut().for_each(|own| *own = or_else(*own, parts));
            States::Plane
        }
        (States::Plane, States::Plane) => {
            let pairs = plane.iter_mut().zip(parts_plane);
            pairs.for_each(|(own, &parts)| *own = or_else(*own, parts));
            States::Plane
        }
    }
}

#[inline]
const fn or(one: u8, two: u8) -> u8 {
    ((one | two) & PRESENT) | (one & two & ABSENT)
}

#[inline]
fn or_else(own: u8, parts: u8) -> u8 {
    if own == UNKNOWN { parts } else { own }
}

fn has_unknown(states: States, plane: &[u8]) -> bool {
    match states {
        States::Constant(state) => state == UNKNOWN,
        States::Plane => plane.contains(&UNKNOWN),
    }
}

/// The byte of a state.
const fn byte(state: ClassState) -> u8 {
    match state {
        ClassState::Present => PRESENT,
        ClassState::Absent => ABSENT,
        ClassState::Unknown => UNKNOWN,
    }
}

/// Writes the state of each voxel of a block to `plane`, unless all have the same.
pub(crate) fn read_states(
    block: &Block<'_>,
    encoding: &Encoding,
    plane: &mut [u8],
) -> Result<States, ArrayError> {
    match block {
        Block::Constant(value) => Ok(States::Constant(state_of(*value, encoding))),
        Block::Voxels(labels) => {
            fill_states(labels, encoding, plane)?;
            // Class arrays are mostly empty: what is constant saves all the work behind it.
            Ok(match plane.first() {
                Some(first) if plane.iter().all(|state| state == first) => States::Constant(*first),
                _ => States::Plane,
            })
        }
    }
}

fn state_of(value: Scalar, encoding: &Encoding) -> u8 {
    // A crop group refuses arrays of floating point numbers.
    value.to_integer().map_or(UNKNOWN, |value| byte(encoding.state_of(value)))
}

fn fill_states(
    labels: &AnyView<'_>,
    encoding: &Encoding,
    plane: &mut [u8],
) -> Result<(), ArrayError> {
    fn coded<T: Label>(encoding: &Encoding) -> Vec<(T, u8)> {
        let states = encoding.states().iter();
        states.filter_map(|(&value, &state)| Some((T::from_id(value)?, byte(state)))).collect()
    }
    fn write<T: Label>(row: ArrayView1<'_, T>, coded: &[(T, u8)], others: u8, plane: &mut [u8]) {
        plane.fill(others);
        // Value by value, not voxel by voxel: each pass is one comparison for many voxels at a time.
        for &(value, state) in coded {
            let mark =
                |(out, label): (&mut u8, &T)| *out = if *label == value { state } else { *out };
            match row.as_slice() {
                Some(row) => plane.iter_mut().zip(row).for_each(mark),
                None => plane.iter_mut().zip(row).for_each(mark),
            }
        }
    }
    let others = byte(encoding.others());
    for_label_view!(
        labels,
        |labels| {
            let coded = coded(encoding);
            let plane = plane_mut(labels.shape(), plane);
            for_each_row_pair(labels.view(), plane, &mut |row, plane| {
                write(row, &coded, others, plane);
            });
        },
        return Err(not_labels(labels))
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_obey_the_truth_table_of_the_states() {
        for one in ClassState::ALL {
            for two in ClassState::ALL {
                assert_eq!(or(byte(one), byte(two)), byte(one.or(two)), "{one} or {two}");
                assert_eq!(or_else(byte(one), byte(two)), byte(one.or_else(two)));
            }
        }
    }
}
