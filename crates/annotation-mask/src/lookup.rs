//! From label ids to channels.
//!
//! Each voxel gets a *code*, a small number that says to which channels it belongs; one pass over the
//! labels makes a plane of codes, whatever the number of channels. Up to 16 channels the code is the
//! set of channels as bits; beyond that it is the index of one of the few sets that occur.

use std::collections::HashMap;
use std::ops::{BitOr, Range};

use array_core::{
    Array, ArrayError, Block, DType, Output, Scalar, Stores, set_rows, vectorized, write_rows,
};
use geometry::Window;
use ndarray::{ArrayViewMutD, Axis};

use crate::channel_sets::ChannelSets;
use crate::codes::{CodeType, Codes, Others, codes_for};
use crate::error::MaskError;
use crate::mask::MissingAnnotationsMask;
use crate::planes::{Scratch, fill_foreground, len_of, plane_mut, with_scratch};
use crate::units::{for_each_unit, read_plane};

/// Which channels each label id belongs to, for labels of one type.
#[derive(Debug)]
pub(crate) struct Lookup {
    channels: usize,
    coding: Coding,
}

/// What the codes are.
#[derive(Debug)]
enum Coding {
    /// The set of up to 8 channels, as bits.
    Bits8(Box<dyn Codes<u8>>),
    /// The set of up to 16 channels, as bits.
    Bits16(Box<dyn Codes<u16>>),
    /// The index of a set, and for each set its channels in bytes of 8.
    Sets(Box<dyn Codes<u16>>, Vec<Vec<u8>>),
}

/// Runs the same code with whatever codes there are.
macro_rules! for_codes {
    ($lookup:expr, |$codes:ident| $body:expr) => {
        match &$lookup.coding {
            Coding::Bits8($codes) => $body,
            Coding::Bits16($codes) | Coding::Sets($codes, _) => $body,
        }
    };
}

impl Lookup {
    /// The lookup for labels of type `dtype`.
    ///
    /// # Errors
    ///
    /// [`MaskError::NotLabels`] for floating point numbers; [`MaskError::GroupMalformed`] for more sets of
    /// channels than there are codes.
    pub(crate) fn new(dtype: DType, sets: &ChannelSets) -> Result<Self, MaskError> {
        let byte = |set: &[u8], index: usize| set.get(index).copied().unwrap_or(0);
        let coding = match sets.others.len() {
            0 | 1 => Coding::Bits8(coded(dtype, sets, |set| Ok(byte(set, 0)))?),
            2 => {
                let code = |set: &[u8]| u16::from_le_bytes([byte(set, 0), byte(set, 1)]);
                Coding::Bits16(coded(dtype, sets, |set| Ok(code(set)))?)
            }
            _ => {
                let mut coder = Coder::default();
                let codes = coded(dtype, sets, |set| coder.code(set))?;
                Coding::Sets(codes, coder.sets)
            }
        };
        Ok(Self { channels: sets.channels, coding })
    }

    /// Reads the channels of `window` of `source` into `out`, of shape `[channels, ..window.shape()]`.
    pub(crate) fn read_into<A: Array>(
        &self,
        source: &A,
        window: &Window,
        out: Output<'_>,
    ) -> Result<(), ArrayError> {
        for_codes!(self, |codes| {
            let bytes = size_of_val(&codes.code_of(Scalar::U8(0)));
            let read = |window: &Window, out: Output<'_>| {
                with_scratch(len_of(window.shape()), |plane| {
                    let view = plane_mut(window.shape(), plane);
                    let fill = |block: &Block<'_>, view| codes.fill(block, view);
                    match read_plane(source, window, view, &out, &fill)? {
                        true => self.write_plane(plane, out),
                        false => Ok(()),
                    }
                })
            };
            for_each_unit(window, source.info().blocks(), bytes, out, &read)
        })
    }

    /// Reads the mask of `window` into `mask_out` and its channels into `out`, in one pass over the labels.
    pub(crate) fn read_pair_into<A: Array>(
        &self,
        mask: &MissingAnnotationsMask<A>,
        window: &Window,
        mask_out: Output<'_>,
        out: Output<'_>,
    ) -> Result<(), ArrayError> {
        let source = mask.source();
        for_codes!(self, |codes| {
            let bytes = size_of_val(&codes.code_of(Scalar::U8(0))) + size_of::<u8>();
            let read = |window: &Window, (mask_out, out): (Output<'_>, Output<'_>)| {
                let (shape, len) = (window.shape(), len_of(window.shape()));
                with_scratch(len, |foreground: &mut [u8]| {
                    with_scratch(len, |plane| {
                        let planes = (plane_mut(shape, foreground), plane_mut(shape, plane));
                        let fill = |block: &Block<'_>, (foreground, plane)| {
                            fill_foreground(block, foreground)?;
                            codes.fill(block, plane)
                        };
                        if read_plane(source, window, planes, &out, &fill)? {
                            mask.write_plane(foreground, mask_out)?;
                            self.write_plane(plane, out)?;
                        }
                        Ok(())
                    })
                })
            };
            for_each_unit(window, source.info().blocks(), bytes, (mask_out, out), &read)
        })
    }

    /// Writes the channels of a block of labels, of shape `shape`, to `out`, of shape
    /// `[channels, ..block]`.
    pub(crate) fn write_block(
        &self,
        block: &Block<'_>,
        shape: &[usize],
        out: Output<'_>,
    ) -> Result<(), ArrayError> {
        for_codes!(self, |codes| with_scratch(len_of(shape), |plane| {
            codes.fill(block, plane_mut(shape, plane))?;
            self.write_plane(plane, out)
        }))
    }

    /// Whether a voxel of this value belongs to `channel`.
    pub(crate) fn contains(&self, value: Scalar, channel: usize) -> bool {
        let bit = |byte: u8, bit: usize| (byte >> bit) & 1 == 1;
        match &self.coding {
            Coding::Bits8(codes) => bit(codes.code_of(value), channel),
            Coding::Bits16(codes) => {
                bit(codes.code_of(value).to_le_bytes()[channel / 8], channel % 8)
            }
            Coding::Sets(codes, sets) => {
                bit(sets[usize::from(codes.code_of(value))][channel / 8], channel % 8)
            }
        }
    }

    /// Writes the channels of a plane of codes to `out`; channels without a voxel are left alone where
    /// they are zero already.
    fn write_plane<C: Code>(&self, codes: &[C], out: Output<'_>) -> Result<(), ArrayError> {
        let (zeroed, stores) = (out.is_zeroed(), out.stores());
        let mut out = out.into_view().typed::<u8>()?;
        if let Coding::Sets(_, sets) = &self.coding {
            return with_scratch(codes.len(), |bytes: &mut [u8]| {
                for first in (0..self.channels).step_by(8) {
                    let table: Vec<u8> = sets.iter().map(|set| set[first / 8]).collect();
                    for (byte, &code) in bytes.iter_mut().zip(codes) {
                        *byte = table[code.into()];
                    }
                    let channels = first..self.channels.min(first + 8);
                    write_bits(bytes, channels, &mut out, zeroed, stores);
                }
                Ok(())
            });
        }
        write_bits(codes, 0..self.channels, &mut out, zeroed, stores);
        Ok(())
    }
}

/// The codes of all ids, each made of its set.
fn coded<C: CodeType>(
    dtype: DType,
    sets: &ChannelSets,
    mut code: impl FnMut(&[u8]) -> Result<C, MaskError>,
) -> Result<Box<dyn Codes<C>>, MaskError> {
    let others = code(&sets.others)?;
    let mut coded = Vec::with_capacity(sets.by_id.len());
    for (&id, set) in &sets.by_id {
        coded.push((id, code(set)?));
    }
    codes_for(dtype, &coded, Others { foreground: others, rest: others })
}

/// Writes the channels of which a plane has the bits, beginning with the lowest.
fn write_bits<C: Code>(
    plane: &[C],
    channels: Range<usize>,
    out: &mut ArrayViewMutD<'_, u8>,
    zeroed: bool,
    stores: Stores,
) {
    let any = vectorized(|| plane.iter().fold(C::default(), |any, &code| any | code));
    for (bit, channel) in channels.enumerate() {
        let out = out.index_axis_mut(Axis(0), channel);
        if any.bit(bit) == 1 {
            write_rows(out, plane, stores, |code| code.bit(bit));
        } else if !zeroed {
            set_rows(out, 0, stores);
        }
    }
}

/// A number whose bits are channels.
trait Code: Scratch + Default + BitOr<Output = Self> + Into<usize> + Sync {
    /// One bit: 0 or 1.
    fn bit(self, index: usize) -> u8;
}

impl Code for u8 {
    #[inline]
    fn bit(self, index: usize) -> u8 {
        (self >> index) & 1
    }
}

impl Code for u16 {
    #[inline]
    fn bit(self, index: usize) -> u8 {
        u8::from((self >> index) & 1 == 1)
    }
}

/// Gives each set of channels its code.
#[derive(Default)]
struct Coder {
    sets: Vec<Vec<u8>>,
    known: HashMap<Vec<u8>, u16>,
}

impl Coder {
    fn code(&mut self, set: &[u8]) -> Result<u16, MaskError> {
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

#[cfg(test)]
mod tests {
    use array_core::AnyView;

    use super::*;
    use crate::groups::{Group, Groups};
    use crate::label::LabelId;

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
            let lookup = Lookup::new(DType::U16, &ChannelSets::new(&groups, 0)).unwrap();
            let mut out = ndarray::ArrayD::from_elem(vec![channels, labels.len()], 9);
            let place = Output::new(out.view_mut().into());
            lookup.write_block(&Block::Voxels(view.clone()), &[labels.len()], place).unwrap();
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
