//! Random patches in which enough is known.

mod bounds;
mod cells;
mod count;
mod index;
mod options;
mod random;
mod table;
mod threshold;
mod valid;
mod weights;

use array_core::{Array, ArrayError, ArrayExt};
use geometry::{Roi, Window};

pub use self::options::SamplerOptions;

use self::count::count_known;
use self::index::Index;
use self::options::Plan;
use self::random::Random;
use crate::error::MaskError;

/// Draws patches of a mask in which enough is known, each equally likely.
///
/// A *position* is a place where a whole patch lies in the mask, aligned to its voxels. It is *valid* if at
/// least a share `min_known` of the values of the patch, over the channels that count and all voxels, is 1.
/// Every draw takes one of all valid positions of the mask with the same probability, independently of the
/// draws before; the share is compared exactly, in integers.
///
/// Making a sampler reads the mask once, to count the known values in cells of a grid (an eighth of the
/// patch wide) of which bounds follow for all patches that begin in one cell. Where these leave something
/// open, draws look at the cell itself, once, which reads little more voxels than the patch has: give it a
/// mask with a cache of blocks if reading is slow. For `min_known` 0, nothing is read.
///
/// Memory is limited by `max_bytes`: half of it for 25 bytes for each cell (6.6 MB for 512^3 voxels in
/// patches of 64^3; cells become larger if there is too little), the other half for the valid positions of
/// cells that were looked at, one bit for each position, which are counted again if there is no place for
/// them. While reading, there are up to 32 MiB of counts, and one block of the mask for each thread.
///
/// The same seed and options give the same patches on every machine, whatever the number of threads.
///
/// ```
/// use annotation_mask::{SamplerOptions, ValidSampler};
/// use array_core::{ArrayExt, ArrayInfo, DType, MemoryArray};
/// use geometry::{Coordinate, Roi, VoxelGrid, VoxelSize};
///
/// let grid = VoxelGrid::new(Coordinate::from([100]), VoxelSize::new(Coordinate::from([4]))?)?;
/// let info = ArrayInfo::new(DType::U8, &["c", "x"], &[2, 6], grid)?;
/// let known = ndarray::array![[0_u8, 0, 0, 1, 1, 0], [0, 0, 0, 1, 0, 0]].into_dyn();
/// let mask = MemoryArray::new(info, known)?;
///
/// // Three of the four values of a patch of two voxels are 1 at one place only.
/// let options = SamplerOptions { min_known: 0.75, seed: 7, ..SamplerOptions::new(&[2]) };
/// let mut sampler = ValidSampler::new(&mask, &options)?;
/// let patch = sampler.draw()?;
/// assert_eq!(patch, Roi::new([112], [8])?);
/// assert_eq!(mask.read(&patch)?.shape(), [2, 2]);
/// assert_eq!((sampler.num_valid()?, sampler.num_positions()), (1, 5));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ValidSampler<A> {
    mask: A,
    plan: Plan,
    random: Random,
    // None if all positions are valid.
    index: Option<Index>,
}

impl<A: Array> ValidSampler<A> {
    /// A sampler of the patches of `mask`: uint8 zeros and ones, one channel axis before the spatial ones.
    ///
    /// # Errors
    ///
    /// [`MaskError::NotMask`] if it is none; [`MaskError::SamplerOption`] if an option does not fit it;
    /// [`MaskError::NothingValid`] if no position is valid; [`MaskError::Array`] if the mask cannot be read.
    pub fn new(mask: A, options: &SamplerOptions) -> Result<Self, MaskError> {
        let plan = Plan::new(mask.info(), options)?;
        let index = match plan.threshold {
            0 => None,
            _ => {
                let whole = Window::full(mask.info().spatial_shape()).map_err(ArrayError::from)?;
                mask.info().blocks().check_count(&whole)?;
                Some(Index::new(&mask, &plan, options)?)
            }
        };
        Ok(Self { mask, plan, random: Random::new(options.seed), index })
    }

    /// The mask whose patches are drawn.
    pub fn mask(&self) -> &A {
        &self.mask
    }

    /// The extent of a patch along each spatial axis, in voxels.
    pub fn patch_shape(&self) -> &[usize] {
        &self.plan.patch
    }

    /// The indices of the channels that count.
    pub fn channels(&self) -> &[usize] {
        &self.plan.channels
    }

    /// The number of all positions, valid or not.
    pub fn num_positions(&self) -> u128 {
        self.plan.positions
    }

    /// The number of valid positions.
    ///
    /// Looks at all cells of which it is not known yet, which may take several times as long as reading the
    /// mask. Later draws do without that; they are others than without this call, as likely as before.
    ///
    /// # Errors
    ///
    /// [`MaskError::Array`] if the mask cannot be read.
    pub fn num_valid(&mut self) -> Result<u128, MaskError> {
        match &mut self.index {
            Some(index) => Ok(index.count(&self.mask, &self.plan)?.into()),
            None => Ok(self.plan.positions),
        }
    }

    /// Draws a patch, as a region in world units.
    ///
    /// # Errors
    ///
    /// [`MaskError::Array`] if the mask cannot be read.
    pub fn draw(&mut self) -> Result<Roi, MaskError> {
        let start = match &mut self.index {
            Some(index) => index.draw(&self.mask, &self.plan, &mut self.random)?,
            None => self.any_start(),
        };
        let window = Window::new(&start, &self.plan.patch).map_err(ArrayError::from)?;
        Ok(self.mask.info().grid().roi(&window).map_err(ArrayError::from)?)
    }

    /// Draws `count` patches, the same as so many calls of [`ValidSampler::draw`]; some may be the same.
    ///
    /// # Errors
    ///
    /// Those of [`ValidSampler::draw`].
    pub fn draw_many(&mut self, count: usize) -> Result<Vec<Roi>, MaskError> {
        (0..count).map(|_| self.draw()).collect()
    }

    /// How many values of a patch are known, over the channels that count, and of how many.
    ///
    /// # Errors
    ///
    /// [`MaskError::Array`] if `patch` (world units) is no region of the mask, has another shape than the
    /// patches, or cannot be read.
    pub fn known_values(&self, patch: &Roi) -> Result<(u64, u64), MaskError> {
        let window = self.mask.slices(patch)?;
        if window.shape() != self.plan.patch {
            let (expected, found) = (self.plan.patch.clone(), window.shape().to_vec());
            return Err(ArrayError::ShapeMismatch { expected, found }.into());
        }
        let one_bin = vec![1; window.dims()];
        let known = count_known(&self.mask, &self.plan.channels, &window, &one_bin, &|_, _| 0)?;
        Ok((known.values().iter().sum(), self.plan.values))
    }

    /// Any position of the mask.
    fn any_start(&mut self) -> Vec<usize> {
        let axes = self.mask.info().spatial_shape().iter().zip(&self.plan.patch);
        let start = |(voxels, patch): (&usize, &usize)| {
            let start = self.random.below((voxels - patch) as u64 + 1);
            usize::try_from(start).expect("it is no larger than the mask")
        };
        axes.map(start).collect()
    }
}
