//! From label ids to channels.
//!
//! Each voxel gets a *code*, a small number that says to which channels it belongs; one pass over the
//! labels makes a plane of codes, whatever the number of channels. Up to 16 channels the code is the
//! set of channels as bits; beyond that it is the index of one of the few sets that occur.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use array_core::{AnyView, ArrayError, DType, Scalar, fill_rows};
use ndarray::{ArrayView1, ArrayViewD, ArrayViewMutD, Axis};

use crate::error::MaskError;
use crate::groups::Groups;
use crate::label::{Label, LabelId};
use crate::planes::{copy_plane, fill_plane, len_of, not_labels, with_scratch};

/// Up to this many channels, a code is a set of bits.
const BIT_CHANNELS: usize = 16;

/// Ids below this are looked up in a table with one entry for each id.
const TABLE_LEN: usize = 4096;

/// Which channels each label id belongs to, for labels of one type.
#[derive(Debug)]
pub(crate) struct Lookup {
    channels: usize,
    codes: Box<dyn Codes>,
    // For each code, its channels in bytes of 8; empty if codes are bits.
    sets: Vec<Vec<u8>>,
}

impl Lookup {
    /// The lookup for `groups`; a group without ids has every label but `background`.
    pub(crate) fn new(
        dtype: DType,
        groups: &Groups,
        background: LabelId,
    ) -> Result<Self, MaskError> {
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
        let mut coder = Coder::new(channels);
        let default = coder.code(&others)?;
        let mut coded = Vec::with_capacity(by_id.len());
        for (id, set) in by_id {
            coded.push((id, coder.code(&set)?));
        }
        Ok(Self { channels, codes: codes_for(dtype, &coded, default)?, sets: coder.sets })
    }

    /// Writes the channels of a block of labels to `out`, of shape `[channels, ..block]`.
    ///
    /// Where `zeroed` says that `out` holds zeros, channels without a voxel are left untouched.
    pub(crate) fn write(
        &self,
        labels: &AnyView<'_>,
        out: &mut ArrayViewMutD<'_, u8>,
        zeroed: bool,
    ) -> Result<(), ArrayError> {
        with_scratch(len_of(labels.shape()), |codes: &mut [u16]| {
            self.codes.fill(labels, codes)?;
            self.for_each_channel(codes, |channel, plane| {
                let out = out.index_axis_mut(Axis(0), channel);
                match plane {
                    None if zeroed => {}
                    None => fill_rows(out, 0),
                    Some(Plane::Bits(codes, shift)) => {
                        copy_plane(codes, out, |code| low_bit(code >> shift));
                    }
                    Some(Plane::Bytes(bytes, shift)) => {
                        copy_plane(bytes, out, |byte| (byte >> shift) & 1);
                    }
                }
            })
        })
    }

    /// Whether a voxel of this value belongs to `channel`.
    pub(crate) fn contains(&self, value: Scalar, channel: usize) -> bool {
        let code = self.codes.code_of(value);
        match self.sets.get(usize::from(code)) {
            Some(set) => (set[channel / 8] >> (channel % 8)) & 1 == 1,
            None => (code >> channel) & 1 == 1,
        }
    }

    /// Calls `visit` with the plane in which each channel has a bit; none where it has no voxel.
    fn for_each_channel(
        &self,
        codes: &[u16],
        mut visit: impl FnMut(usize, Option<Plane<'_>>),
    ) -> Result<(), ArrayError> {
        if self.sets.is_empty() {
            let any = codes.iter().fold(0, |any, code| any | code);
            for channel in 0..self.channels {
                let present = (any >> channel) & 1 == 1;
                visit(channel, present.then_some(Plane::Bits(codes, channel)));
            }
            return Ok(());
        }
        with_scratch(codes.len(), |bytes: &mut [u8]| {
            for first in (0..self.channels).step_by(8) {
                let table: Vec<u8> = self.sets.iter().map(|set| set[first / 8]).collect();
                let mut any = 0;
                for (byte, &code) in bytes.iter_mut().zip(codes) {
                    *byte = table[usize::from(code)];
                    any |= *byte;
                }
                for channel in first..self.channels.min(first + 8) {
                    let present = (any >> (channel - first)) & 1 == 1;
                    visit(channel, present.then_some(Plane::Bytes(bytes, channel - first)));
                }
            }
            Ok(())
        })
    }
}

/// A plane in which one bit belongs to a channel, and the place of the bit.
enum Plane<'a> {
    Bits(&'a [u16], usize),
    Bytes(&'a [u8], usize),
}

fn low_bit(code: u16) -> u8 {
    u8::from(code & 1 == 1)
}

/// Gives each set of channels its code.
struct Coder {
    bits: bool,
    sets: Vec<Vec<u8>>,
    known: HashMap<Vec<u8>, u16>,
}

impl Coder {
    fn new(channels: usize) -> Self {
        Self { bits: channels <= BIT_CHANNELS, sets: Vec::new(), known: HashMap::new() }
    }

    fn code(&mut self, set: &[u8]) -> Result<u16, MaskError> {
        if self.bits {
            let byte = |index: usize| u16::from(set.get(index).copied().unwrap_or(0));
            return Ok(byte(0) | byte(1) << 8);
        }
        if let Some(&code) = self.known.get(set) {
            return Ok(code);
        }
        let code = u16::try_from(self.sets.len()).map_err(|_| MaskError::GroupMalformed {
            place: "groups".to_owned(),
            reason: "the ids belong to more than 65536 different sets of channels".to_owned(),
        })?;
        self.sets.push(set.to_vec());
        self.known.insert(set.to_vec(), code);
        Ok(code)
    }
}

/// The codes of labels of one type, behind the type.
trait Codes: Debug + Send + Sync {
    fn fill(&self, labels: &AnyView<'_>, codes: &mut [u16]) -> Result<(), ArrayError>;
    fn code_of(&self, value: Scalar) -> u16;
}

fn codes_for(
    dtype: DType,
    coded: &[(LabelId, u16)],
    default: u16,
) -> Result<Box<dyn Codes>, MaskError> {
    Ok(match dtype {
        DType::Bool => Box::new(TypedCodes::<bool>::new(coded, default)),
        DType::U8 => Box::new(TypedCodes::<u8>::new(coded, default)),
        DType::U16 => Box::new(TypedCodes::<u16>::new(coded, default)),
        DType::U32 => Box::new(TypedCodes::<u32>::new(coded, default)),
        DType::U64 => Box::new(TypedCodes::<u64>::new(coded, default)),
        DType::I8 => Box::new(TypedCodes::<i8>::new(coded, default)),
        DType::I16 => Box::new(TypedCodes::<i16>::new(coded, default)),
        DType::I32 => Box::new(TypedCodes::<i32>::new(coded, default)),
        DType::I64 => Box::new(TypedCodes::<i64>::new(coded, default)),
        DType::F32 | DType::F64 => return Err(MaskError::NotLabels { dtype }),
    })
}

/// A table for small ids, a sorted list for the others.
#[derive(Debug)]
struct TypedCodes<T> {
    table: Vec<u16>,
    sorted: Vec<(T, u16)>,
    default: u16,
}

impl<T: Label + Debug> TypedCodes<T> {
    fn new(coded: &[(LabelId, u16)], default: u16) -> Self {
        let mut table = Vec::new();
        let mut sorted = Vec::new();
        for &(id, code) in coded {
            let Some(label) = T::from_id(id) else { continue };
            match label.to_index().filter(|&index| index < TABLE_LEN) {
                Some(index) => {
                    if table.len() <= index {
                        table.resize(index + 1, default);
                    }
                    table[index] = code;
                }
                None => sorted.push((label, code)),
            }
        }
        sorted.sort_unstable_by_key(|&(label, _)| label);
        Self { table, sorted, default }
    }

    #[inline]
    fn code(&self, label: T) -> u16 {
        if let Some(&code) = label.to_index().and_then(|index| self.table.get(index)) {
            return code;
        }
        if self.sorted.is_empty() {
            return self.default;
        }
        match self.sorted.binary_search_by_key(&label, |&(key, _)| key) {
            Ok(found) => self.sorted[found].1,
            Err(_) => self.default,
        }
    }

    /// Labels come in runs: a row is often of one label, and if not, a voxel is mostly like the last.
    fn fill_row(&self, row: ArrayView1<'_, T>, codes: &mut [u16]) {
        let Some(&first) = row.first() else { return };
        let mut last = (first, self.code(first));
        let mut mark = |(out, &label): (&mut u16, &T)| {
            if label != last.0 {
                last = (label, self.code(label));
            }
            *out = last.1;
        };
        match row.as_slice() {
            Some(row) if row.iter().all(|&label| label == first) => codes.fill(last.1),
            Some(row) => codes.iter_mut().zip(row).for_each(&mut mark),
            None => codes.iter_mut().zip(row).for_each(&mut mark),
        }
    }
}

impl<T: Label + Debug> Codes for TypedCodes<T> {
    fn fill(&self, labels: &AnyView<'_>, codes: &mut [u16]) -> Result<(), ArrayError> {
        let labels: ArrayViewD<'_, T> = labels.typed().map_err(|_| not_labels(labels))?;
        fill_plane(labels, codes, |row, codes| self.fill_row(row, codes));
        Ok(())
    }

    fn code_of(&self, value: Scalar) -> u16 {
        value.get::<T>().map_or(self.default, |label| self.code(label))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::Group;

    /// Channel `c` holds the ids that are multiples of `c + 1`, so that sets overlap.
    fn multiples(channels: usize, ids: LabelId) -> Groups {
        let group = |c: usize| {
            let step = LabelId::try_from(c).unwrap() + 1;
            Group::new(format!("g{c}"), (0..ids).filter(|id| id % step == 0).collect::<Vec<_>>())
        };
        Groups::new((0..channels).map(group).collect()).unwrap()
    }

    #[test]
    fn every_number_of_channels_gives_the_sets_of_its_groups() {
        let labels: Vec<u16> = (0..200).flat_map(|id| [id, id, id % 7]).collect();
        let view = ndarray::Array1::from(labels.clone()).into_dyn();
        let view = AnyView::from(view.view());
        for channels in [0, 1, 3, 8, 9, 15, 16, 17, 31, 63, 64, 65, 128, 300] {
            let groups = multiples(channels, 120);
            let lookup = Lookup::new(DType::U16, &groups, 0).unwrap();
            let mut out = ndarray::ArrayD::from_elem(vec![channels, labels.len()], 9);
            lookup.write(&view, &mut out.view_mut(), false).unwrap();
            for (channel, group) in groups.as_slice().iter().enumerate() {
                let expected: Vec<u8> =
                    labels.iter().map(|&l| u8::from(group.ids.contains(&l.into()))).collect();
                let found: Vec<u8> = out.index_axis(Axis(0), channel).iter().copied().collect();
                assert_eq!(found, expected, "channel {channel} of {channels}");
                assert_eq!(lookup.contains(Scalar::U16(12), channel), group.ids.contains(&12));
            }
        }
    }
}
