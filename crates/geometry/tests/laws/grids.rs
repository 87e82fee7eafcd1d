use geometry::{Coordinate, GeometryError, Roi, Snap, VoxelGrid, VoxelSize, Window};
use proptest::{collection::vec, prelude::*};

use crate::strategies::{config, coordinate, extreme};

fn grid() -> impl Strategy<Value = VoxelGrid> {
    (1_usize..=3)
        .prop_flat_map(|dims| (coordinate(dims, -50_i64..50), coordinate(dims, 1_i64..12)))
        .prop_map(|(offset, voxel_size)| {
            VoxelGrid::new(offset, VoxelSize::new(voxel_size).unwrap()).unwrap()
        })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_window_comes_back_from_the_world(grid in grid(), start in vec(0_usize..100, 3), shape in vec(0_usize..100, 3)) {
        let window = Window::new(&start[..grid.dims()], &shape[..grid.dims()])?;
        let roi = grid.roi(&window)?;
        prop_assert_eq!(grid.window(&roi), Ok(window));
        prop_assert_eq!(grid.array_roi(window.stop())?.contains_roi(&roi), Ok(true));
    }

    #[test]
    fn a_region_is_aligned_if_both_bounds_are_whole_voxels_from_the_corner(
        corner in -50_i64..50, size in 1_i64..12, begin in -100_i64..100, length in 0_i64..50,
    ) {
        let grid = VoxelGrid::new([corner], VoxelSize::new([size])?)?;
        let roi = Roi::new([begin], [length])?;
        let border = |bound: i64| (-400..400).find(|index| corner + index * size == bound);
        match (border(begin), border(begin + length)) {
            (Some(first), Some(stop)) => {
                prop_assert_eq!(grid.voxels(&roi), Roi::from_bounds([first], [stop]));
                prop_assert_eq!(grid.window(&roi).is_ok(), first >= 0);
            }
            _ => prop_assert!(grid.voxels(&roi).unwrap_err().is_not_aligned()),
        }
    }

    #[test]
    fn a_snapped_region_is_aligned_to_the_grids_own_corner(
        corner in -50_i64..50, size in 1_i64..12, begin in -100_i64..100, length in 0_i64..50,
    ) {
        let grid = VoxelGrid::new([corner], VoxelSize::new([size])?)?;
        let roi = Roi::new([begin], [length])?;
        for mode in [Snap::Grow, Snap::Shrink, Snap::Closest] {
            let snapped = grid.snap(&roi, mode)?;
            prop_assert!(grid.voxels(&snapped).is_ok());
            let from_zero = roi.shift(-corner)?.snap_to_grid(grid.voxel_size(), mode)?.shift(corner)?;
            prop_assert_eq!(snapped, from_zero);
        }
        prop_assert!(grid.snap(&roi, Snap::Grow)?.contains_roi(&roi)?);
        prop_assert!(roi.contains_roi(&grid.snap(&roi, Snap::Shrink)?)?);
    }

    #[test]
    fn extreme_grids_answer_exactly_or_with_an_error(
        corner in extreme(), size in 1_i64.., begin in extreme(), start in any::<usize>(), length in any::<usize>(),
    ) {
        let grid = VoxelGrid::new([corner], VoxelSize::new([size])?)?;
        let roi = Roi::new([begin], [0])?;
        let distance = i128::from(begin) - i128::from(corner);
        if let Ok(voxels) = grid.voxels(&roi) {
            prop_assert_eq!(i128::from(voxels.begin()?[0]) * i128::from(size), distance);
        } else {
            prop_assert!(distance % i128::from(size) != 0 || i64::try_from(distance / i128::from(size)).is_err());
        }
        if let Ok(window) = Window::new(&[start], &[length]) {
            let begin = i128::from(corner) + start as i128 * i128::from(size);
            let end = begin + length as i128 * i128::from(size);
            match grid.roi(&window) {
                Ok(roi) => prop_assert_eq!((i128::from(roi.begin()?[0]), i128::from(roi.end()?[0])), (begin, end)),
                Err(error) => prop_assert!(error.is_overflow()),
            }
        }
        let _ = grid.snap(&roi, Snap::Closest);
    }
}

#[test]
fn errors_name_the_region_and_the_grid() {
    let grid = VoxelGrid::new([1, 200], VoxelSize::new([8, 4]).unwrap()).unwrap();
    let unaligned = grid.window(&Roi::new([8, 208], [16, 40]).unwrap()).unwrap_err();
    assert_eq!(
        unaligned.to_string(),
        "[8:24, 208:248] (16, 40) is not aligned to voxels of (8, 4) from the corner (1, 200)"
    );
    let before = grid.window(&Roi::new([-7, 200], [8, 4]).unwrap()).unwrap_err();
    assert!(before.is_out_of_bounds());
    assert_eq!(
        before.to_string(),
        "[-7:1, 200:204] (8, 4) begins before the first voxel at (1, 200)"
    );
    assert!(grid.window(&Roi::unbounded(2).unwrap()).unwrap_err().is_unbounded());
    assert_eq!(grid.voxels(&Roi::unbounded(2).unwrap()), Roi::unbounded(2));
    assert!(grid.window(&Roi::new([1], [8]).unwrap()).unwrap_err().is_dims_mismatch());
    assert!(grid.array_roi(&[1, 2, 3]).unwrap_err().is_dims_mismatch());
    assert!(VoxelGrid::new([0], VoxelSize::new([1, 1]).unwrap()).unwrap_err().is_dims_mismatch());
    let voxel_size = VoxelSize::new(Coordinate::from([8, -4])).unwrap_err();
    assert!(matches!(voxel_size, GeometryError::NotPositive { .. }));
}
