use geometry::{Coordinate, PartialCoordinate, Roi, Snap, VoxelSize};
use proptest::{collection::vec, prelude::*};

use crate::strategies::{
    Parts, bounded_parts, config, coordinate, extreme, points, small_parts, two_small_parts,
};

/// The largest multiple of `size` (away from `corner`) up to `bound`, found by walking.
fn walk_down(mut bound: i64, corner: i64, size: i64) -> i64 {
    while (bound - corner).rem_euclid(size) != 0 {
        bound -= 1;
    }
    bound
}

fn exact_interval(begin: i128, end: i128) -> Option<(i64, i64)> {
    let length = i64::try_from(end - begin).ok().filter(|length| *length >= 0)?;
    i64::try_from(end).ok()?;
    Some((i64::try_from(begin).ok()?, length))
}

fn extreme_parts() -> impl Strategy<Value = Parts> {
    (extreme(), extreme()).prop_map(|(left, right)| {
        let (begin, end) = (left.min(right), left.max(right));
        let length = end.checked_sub(begin).unwrap_or(i64::MAX);
        Parts(vec![Some((begin, length))])
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_region_contains_exactly_the_points_between_its_bounds(parts in (1_usize..=2).prop_flat_map(small_parts)) {
        let roi = parts.roi();
        let mut count = 0;
        for point in points(roi.dims()) {
            let inside = parts.holds(&point);
            count += u64::from(inside);
            prop_assert_eq!(roi.contains(Coordinate::new(&point)?), Ok(inside));
        }
        prop_assert_eq!(roi.is_empty(), count == 0);
        if roi.is_unbounded() {
            prop_assert!(roi.size().unwrap_err().is_unbounded());
        } else {
            prop_assert_eq!(roi.size(), Ok(count));
        }
    }

    #[test]
    fn the_intersection_holds_exactly_the_common_points((left, right) in two_small_parts()) {
        let common = left.roi().intersect(&right.roi())?;
        let mut any = false;
        for point in points(common.dims()) {
            let expected = left.holds(&point) && right.holds(&point);
            any |= expected;
            prop_assert_eq!(common.contains(Coordinate::new(&point)?), Ok(expected));
        }
        prop_assert_eq!(left.roi().intersects(&right.roi()), Ok(any));
        prop_assert_eq!(common.is_empty(), !any);
        prop_assert!(left.roi().contains_roi(&common)? && right.roi().contains_roi(&common)?);
    }

    #[test]
    fn a_region_contains_another_if_it_contains_all_its_points((left, right) in two_small_parts()) {
        let all = points(left.0.len()).iter().filter(|point| right.holds(point)).all(|point| left.holds(point));
        prop_assert_eq!(left.roi().contains_roi(&right.roi()), Ok(all));
    }

    #[test]
    fn the_union_is_the_smallest_region_that_contains_both((left, right) in two_small_parts()) {
        let (left, right) = (left.roi(), right.roi());
        let union = left.union(&right)?;
        prop_assert!(union.contains_roi(&left)? && union.contains_roi(&right)?);
        if left.is_empty() || right.is_empty() {
            prop_assert!(union == left || union == right);
            return Ok(());
        }
        prop_assert_eq!(union.is_unbounded(), left.is_unbounded() || right.is_unbounded());
        for axis in 0..union.dims() {
            let mut one = vec![0; union.dims()];
            one[axis] = 1;
            let (one, none) = (Coordinate::new(&one)?, Coordinate::zeros(union.dims())?);
            if union.partial_begin()[axis].is_some() {
                for smaller in [union.grow(-one, none)?, union.grow(none, -one)?] {
                    prop_assert!(!smaller.contains_roi(&left)? || !smaller.contains_roi(&right)?);
                }
            }
        }
    }

    #[test]
    fn a_shift_moves_every_point(parts in bounded_parts(2), by in coordinate(2, -9_i64..9)) {
        let (roi, shifted) = (parts.roi(), parts.roi().shift(by)?);
        for point in points(2) {
            let point = Coordinate::new(&point)?;
            prop_assert_eq!(shifted.contains(point + by), roi.contains(point));
        }
        prop_assert_eq!(shifted.checked_sub(by), Ok(roi));
    }

    #[test]
    fn growing_moves_both_bounds_outwards(parts in bounded_parts(1), lower in -6_i64..6, upper in -6_i64..6) {
        let Some((begin, length)) = parts.0[0] else { unreachable!() };
        let grown = parts.roi().grow(lower, upper);
        match exact_interval((begin - lower).into(), (begin + length + upper).into()) {
            Some((begin, length)) => prop_assert_eq!(grown, Roi::new([begin], [length])),
            None => prop_assert!(grown.is_err()),
        }
    }

    #[test]
    fn snapping_moves_each_bound_to_the_border_that_its_mode_says(
        begin in -40_i64..40, length in 0_i64..40, size in 1_i64..20,
    ) {
        let (roi, end) = (Roi::new([begin], [length])?, begin + length);
        let voxel_size = VoxelSize::new([size])?;
        let down = |bound| walk_down(bound, 0, size);
        let up = |bound: i64| -down(-bound);
        let nearest = |bound: i64| if up(bound) - bound < bound - down(bound) { up(bound) } else { down(bound) };
        prop_assert_eq!(roi.snap_to_grid(&voxel_size, Snap::Grow)?, Roi::from_bounds([down(begin)], [up(end)])?);
        prop_assert_eq!(
            roi.snap_to_grid(&voxel_size, Snap::Shrink)?,
            Roi::from_bounds([up(begin)], [down(end).max(up(begin))])?
        );
        prop_assert_eq!(roi.snap_to_grid(&voxel_size, Snap::Closest)?, Roi::from_bounds([nearest(begin)], [nearest(end)])?);
    }

    #[test]
    fn scaling_by_a_voxel_size_and_back_changes_nothing(parts in (1_usize..=2).prop_flat_map(small_parts), size in 1_i64..50) {
        let scaled = parts.roi().checked_mul(size)?;
        prop_assert_eq!(scaled.checked_div(size), Ok(parts.roi()));
        prop_assert_eq!(scaled.floor_div(size), Ok(parts.roi()));
        prop_assert!(scaled.checked_rem(size)?.is_empty() || scaled.is_unbounded());
    }

    #[test]
    fn the_center_is_the_middle_rounded_down(begin in extreme(), length in extreme()) {
        if let Ok(roi) = Roi::new([begin], [length]) {
            let middle = (2 * i128::from(begin) + i128::from(length)).div_euclid(2);
            prop_assert_eq!(roi.center()?, Coordinate::from([middle as i64]));
        }
    }

    #[test]
    fn a_region_exists_if_and_only_if_its_bounds_fit(begin in extreme(), length in extreme()) {
        let fits = length >= 0 && begin.checked_add(length).is_some();
        let roi = Roi::new([begin], [length]);
        prop_assert_eq!(roi.is_ok(), fits);
        if let Ok(roi) = roi {
            prop_assert_eq!(roi.end()?, Coordinate::from([begin + length]));
            prop_assert_eq!(roi.shape()?, Coordinate::from([length]));
        }
    }

    #[test]
    fn extreme_regions_give_the_exact_answer_or_an_error(
        left in extreme_parts(), right in extreme_parts(), amount in extreme(), size in 1_i64..,
    ) {
        let (Ok(left), Ok(right)) = (left.try_roi(), right.try_roi()) else { return Ok(()) };
        let bounds = |roi: Roi| (i128::from(roi.begin().unwrap()[0]), i128::from(roi.end().unwrap()[0]));
        let check = |ours: Result<Roi, _>, (begin, end): (i128, i128)| match exact_interval(begin, end) {
            Some((begin, length)) => ours == Roi::new([begin], [length]),
            None => ours.is_err(),
        };
        let ((left_begin, left_end), (right_begin, right_end)) = (bounds(left), bounds(right));
        let wide = i128::from(amount);

        let begin = left_begin.max(right_begin);
        prop_assert!(check(left.intersect(&right), (begin, left_end.min(right_end).max(begin))));
        if !left.is_empty() && !right.is_empty() {
            prop_assert!(check(left.union(&right), (left_begin.min(right_begin), left_end.max(right_end))));
        }
        prop_assert!(check(left.shift(amount), (left_begin + wide, left_end + wide)));
        prop_assert!(check(left.checked_sub(amount), (left_begin - wide, left_end - wide)));
        prop_assert!(check(left.grow(amount, 0), (left_begin - wide, left_end)));
        prop_assert!(check(left.grow(0, amount), (left_begin, left_end + wide)));
        let step = i128::from(size);
        let (down, up) = (left_begin.div_euclid(step) * step, -((-left_end).div_euclid(step)) * step);
        prop_assert!(check(left.snap_to_grid(&VoxelSize::new([size])?, Snap::Grow), (down, up)));
    }

    #[test]
    fn blocks_cover_a_region_exactly_once_and_follow_the_grid(
        parts in (1_usize..=2).prop_flat_map(bounded_parts),
        sizes in vec(1_i64..6, 2),
        origins in vec(-9_i64..9, 2),
    ) {
        let roi = parts.roi();
        let (size, origin) = (&sizes[..roi.dims()], &origins[..roi.dims()]);
        let walk = roi.blocks(&VoxelSize::new(Coordinate::new(size)?)?, &Coordinate::new(origin)?)?;
        let blocks: Vec<_> = walk.clone().collect();
        let mut walk = walk;
        for remaining in (0..=blocks.len()).rev() {
            prop_assert_eq!(walk.size_hint(), (remaining, Some(remaining)));
            walk.next();
        }
        for point in points(roi.dims()) {
            let point = Coordinate::new(&point)?;
            let times = blocks.iter().filter(|block| block.contains(point).unwrap()).count();
            prop_assert_eq!(times, usize::from(roi.contains(point)?));
        }
        let cells: Vec<_> = blocks.iter().map(|block| {
            let cell = |bound: Coordinate| -> Vec<i64> {
                (0..roi.dims()).map(|axis| (bound[axis] - origin[axis]).div_euclid(size[axis])).collect()
            };
            (cell(block.begin().unwrap()), cell(block.end().unwrap() - 1))
        }).collect();
        prop_assert!(cells.iter().all(|(first, last)| first == last), "a block lies in one cell");
        prop_assert!(cells.is_sorted(), "the last axis runs fastest");
        prop_assert!(!blocks.iter().any(Roi::is_empty));
    }
}

#[test]
fn blocks_of_the_largest_regions_are_made_one_at_a_time() {
    let everything = Roi::from_bounds([i64::MIN; 6], [-1; 6]).unwrap();
    let unit = VoxelSize::new([1; 6]).unwrap();
    let mut blocks = everything.blocks(&unit, &Coordinate::from([i64::MAX; 6])).unwrap();
    assert_eq!(blocks.size_hint(), (usize::MAX, None));
    assert_eq!(blocks.next(), Roi::new([i64::MIN; 6], [1; 6]).ok());
    let last = Roi::from_bounds([i64::MAX - 3], [i64::MAX]).unwrap();
    let one =
        last.blocks(&VoxelSize::new([i64::MAX]).unwrap(), &Coordinate::from([i64::MIN])).unwrap();
    assert_eq!(
        one.collect::<Vec<_>>(),
        [
            Roi::from_bounds([i64::MAX - 3], [i64::MAX - 1]).unwrap(),
            Roi::from_bounds([i64::MAX - 1], [i64::MAX]).unwrap(),
        ]
    );
    assert!(
        Roi::unbounded(1)
            .unwrap()
            .blocks(&VoxelSize::new([1]).unwrap(), &Coordinate::from([0]))
            .is_err()
    );
}

#[test]
fn an_empty_region_keeps_its_place() {
    let empty = Roi::new([7, 7], [0, 5]).unwrap();
    let crop = Roi::new([100, 100], [50, 50]).unwrap();
    assert_eq!(empty.begin().unwrap(), Coordinate::from([7, 7]));
    assert!(crop.contains_roi(&empty).unwrap());
    assert!(empty.contains_roi(&empty).unwrap());
    assert!(!empty.intersects(&empty).unwrap());
    assert!(!Roi::unbounded(2).unwrap().intersects(&empty).unwrap());
    assert_eq!(crop.union(&empty).unwrap(), crop);
    assert_eq!(empty.union(&crop).unwrap(), crop);
    assert_eq!(
        crop.intersect(&Roi::new([0, 120], [10, 10]).unwrap()).unwrap(),
        Roi::new([100, 120], [0, 10]).unwrap()
    );
}

#[test]
fn regions_with_different_dims_do_not_combine() {
    let (one, two) = (Roi::new([0], [1]).unwrap(), Roi::new([0, 0], [0, 1]).unwrap());
    for (left, right) in [(one, two), (two, one)] {
        let point = right.begin().unwrap();
        for error in [
            left.intersect(&right).unwrap_err(),
            left.union(&right).unwrap_err(),
            left.intersects(&right).unwrap_err(),
            left.contains_roi(&right).unwrap_err(),
            left.contains(point).unwrap_err(),
            left.shift(point).unwrap_err(),
            left.grow(point, 0).unwrap_err(),
            left.checked_mul(point).unwrap_err(),
            left.snap_to_grid(&VoxelSize::new(point + 1).unwrap(), Snap::Grow).unwrap_err(),
            left.blocks(&VoxelSize::new(point + 1).unwrap(), &point).unwrap_err(),
            Roi::new(left.begin().unwrap(), point).unwrap_err(),
        ] {
            assert!(error.is_dims_mismatch(), "{error}");
        }
    }
}

#[test]
fn a_point_without_a_number_stands_for_the_whole_axis() {
    let point = PartialCoordinate::new(&[None, Some(3)]).unwrap();
    let column: Roi = "[:, 0:5]".parse().unwrap();
    assert!(column.contains(point).unwrap());
    assert!(!Roi::new([0, 0], [5, 5]).unwrap().contains(point).unwrap());
    assert!(!column.contains(point.checked_add(2).unwrap()).unwrap());
}

#[test]
fn an_axis_with_a_size_but_no_offset_is_refused() {
    let offset = PartialCoordinate::new(&[Some(0), None]).unwrap();
    let error = Roi::from_parts(offset, Coordinate::from([4, 4])).unwrap_err();
    assert_eq!(error.to_string(), "axis 1 has the size 4 but no offset");
    let unbounded =
        Roi::from_parts(Coordinate::from([4]), PartialCoordinate::new(&[None]).unwrap());
    assert_eq!(unbounded, Roi::unbounded(1), "without a size, the offset says nothing");
}

#[test]
fn an_amount_without_a_number_makes_a_region_unbounded() {
    let roi = Roi::new([i64::MAX, 0], [0, 5]).unwrap();
    let nothing = PartialCoordinate::new(&[None, Some(0)]).unwrap();
    assert_eq!(roi.grow(nothing, 8), "[:, 0:13]".parse());
    assert!(roi.grow(i64::MIN, nothing).unwrap_err().is_overflow());
    assert_eq!(roi.grow([i64::MIN, 1], nothing), "[:, -1:5]".parse());
}

#[test]
fn the_size_of_a_huge_region_is_an_error() {
    assert!(Roi::new([0; 3], [i64::MAX; 3]).unwrap().size().unwrap_err().is_overflow());
    assert_eq!(Roi::new([0; 3], [i64::MAX, i64::MAX, 0]).unwrap().size(), Ok(0));
    assert_eq!(Roi::new([0, 0], [i64::MAX, 2]).unwrap().size(), Ok(u64::MAX - 1));
}
