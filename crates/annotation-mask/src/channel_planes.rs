//! The voxels of each channel of a window.

use ndarray::{ArrayD, ArrayViewD, Axis};

use crate::planes::{len_of, plane};

/// The voxels of each channel in one window, of which those of several channels may be the same memory, and
/// those of a masked channel none.
#[derive(Clone, Debug)]
pub struct ChannelPlanes<'a> {
    shape: Vec<usize>,
    // As many voxels as the shape has, each.
    planes: Vec<Option<&'a [u8]>>,
}

impl<'a> ChannelPlanes<'a> {
    /// Planes of a window of shape `shape`; none where all voxels are 0.
    pub(crate) fn new(shape: &[usize], planes: Vec<Option<&'a [u8]>>) -> Self {
        Self { shape: shape.to_vec(), planes }
    }

    /// The planes of a buffer of shape `[channels, ..shape]`.
    pub(crate) fn of_buffer(shape: &[usize], channels: usize, buffer: &'a [u8]) -> Self {
        let voxels = len_of(shape);
        let plane = |channel: usize| Some(&buffer[channel * voxels..(channel + 1) * voxels]);
        Self::new(shape, (0..channels).map(plane).collect())
    }

    /// The number of channels.
    #[must_use]
    pub fn num_channels(&self) -> usize {
        self.planes.len()
    }

    /// The voxels of a channel, of the shape of the window; none if all of them are 0.
    ///
    /// # Panics
    ///
    /// If there is no such channel.
    #[must_use]
    pub fn channel(&self, channel: usize) -> Option<ArrayViewD<'a, u8>> {
        self.planes[channel].map(|voxels| plane(&self.shape, voxels))
    }

    /// All channels, of shape `[channels, ..window.shape()]`.
    #[must_use]
    pub fn to_array(&self) -> ArrayD<u8> {
        let mut array = ArrayD::zeros([&[self.planes.len()], &self.shape[..]].concat());
        for (mut place, voxels) in array.axis_iter_mut(Axis(0)).zip(&self.planes) {
            if let Some(voxels) = voxels {
                place.assign(&plane(&self.shape, voxels));
            }
        }
        array
    }
}
