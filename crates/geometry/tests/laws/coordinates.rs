use geometry::{Coordinate, GeometryError, PartialCoordinate};
use proptest::prelude::*;

use crate::strategies::{config, coordinate, extreme, two_extreme_coordinates};

type Operation = fn(Coordinate, Coordinate) -> Result<Coordinate, GeometryError>;
type Model = fn(i128, i128) -> Option<i128>;

/// Each method, and the same in 128 bits with Euclidean division only.
const OPERATIONS: [(&str, Operation, Model); 9] = [
    ("add", |left, right| left.checked_add(right), |left, right| Some(left + right)),
    ("sub", |left, right| left.checked_sub(right), |left, right| Some(left - right)),
    ("mul", |left, right| left.checked_mul(right), |left, right| Some(left * right)),
    (
        "div",
        |left, right| left.checked_div(right),
        |left, right| {
            let size = left.abs().checked_div_euclid(right.abs())?;
            Some(if (left < 0) == (right < 0) { size } else { -size })
        },
    ),
    ("floor_div", |left, right| left.floor_div(right), floor),
    ("ceil_div", |left, right| left.ceil_div(right), |left, right| Some(-floor(-left, right)?)),
    (
        "round_div",
        |left, right| left.round_div(right),
        |left, right| {
            let below = floor(left, right)?;
            // Nearer to the quotient above: 2 * (quotient - below) > 1.
            let rest = left - below * right;
            Some(if 2 * rest.abs() > right.abs() { below + 1 } else { below })
        },
    ),
    (
        "rem",
        |left, right| left.checked_rem(right),
        |left, right| Some(left - floor(left, right)? * right),
    ),
    (
        "pow",
        |left, right| left.checked_pow(right),
        |left, right| match (left, right) {
            (0, ..0) => None,
            (0 | 1, 0..) | (1, _) => Some(if right == 0 { 1 } else { left }),
            (-1, _) => Some(if right.rem_euclid(2) == 0 { 1 } else { -1 }),
            (_, ..0) => Some(0),
            _ => Some(
                (0..right.min(70))
                    .try_fold(1_i128, |power, _| power.checked_mul(left))
                    .unwrap_or(i128::MAX),
            ),
        },
    ),
];

fn floor(left: i128, right: i128) -> Option<i128> {
    let (left, right) = if right < 0 { (-left, -right) } else { (left, right) };
    left.checked_div_euclid(right)
}

/// What a method must return, given the exact answers.
fn expected(
    left: Coordinate,
    right: Coordinate,
    model: Model,
) -> Result<Option<Vec<i64>>, std::num::TryFromIntError> {
    let exact: Option<Vec<i128>> = left
        .iter()
        .zip(right.iter())
        .map(|(left, right)| model((*left).into(), (*right).into()))
        .collect();
    exact.map(|exact| exact.into_iter().map(i64::try_from).collect()).transpose()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn arithmetic_is_exact_or_an_error_that_says_why((left, right) in two_extreme_coordinates()) {
        for (name, operation, model) in OPERATIONS {
            let ours = operation(left, right);
            match expected(left, right, model) {
                Ok(Some(exact)) => prop_assert_eq!(ours, Coordinate::new(&exact), "{}", name),
                _ => {
                    let error = ours.unwrap_err();
                    prop_assert!(error.is_overflow() || error.is_division_by_zero(), "{}: {}", name, error);
                }
            }
        }
    }

    #[test]
    fn a_number_acts_like_a_coordinate_of_it(left in coordinate(3, extreme()), value in extreme()) {
        let splat = Coordinate::splat(3, value).unwrap();
        prop_assert_eq!(left.checked_add(value), left.checked_add(splat));
        prop_assert_eq!(left.checked_mul(value), left.checked_mul(splat));
        prop_assert_eq!(left.floor_div(value), left.floor_div(splat));
        prop_assert_eq!(left.checked_pow(value), left.checked_pow(splat));
    }

    #[test]
    fn a_missing_number_stays_missing_and_leaves_the_other_axes_alone(
        (left, right) in two_extreme_coordinates(),
        left_missing in any::<u8>(),
        right_missing in any::<u8>(),
    ) {
        let hide = |coordinate: Coordinate, missing: u8| {
            let entries = coordinate.iter().enumerate().map(|(axis, entry)| (missing >> axis & 1 == 0).then_some(*entry));
            PartialCoordinate::new(&entries.collect::<Vec<_>>()).unwrap()
        };
        let difference = hide(left, left_missing).checked_sub(hide(right, right_missing));
        let exact: Vec<_> = left.iter().zip(right.iter()).enumerate().map(|(axis, (left, right))| {
            ((left_missing | right_missing) >> axis & 1 == 0).then(|| i128::from(*left) - i128::from(*right))
        }).collect();
        let narrowed: Result<Vec<_>, _> = exact.into_iter().map(|entry| entry.map(i64::try_from).transpose()).collect();
        match narrowed {
            Ok(exact) => prop_assert_eq!(difference, PartialCoordinate::new(&exact)),
            Err(_) => prop_assert!(difference.unwrap_err().is_overflow()),
        }
    }

    #[test]
    fn a_multiple_leaves_no_rest(factor in -1000_i64..1000, size in 1_i64..1000, rest in 0_i64..1000) {
        let coordinate = Coordinate::from([factor * size + rest % size]);
        prop_assert_eq!(coordinate.is_multiple_of([size]), Ok(rest % size == 0));
    }

    #[test]
    fn order_is_reading_order((left, right) in two_extreme_coordinates()) {
        prop_assert_eq!(left.cmp(&right), left.to_vec().cmp(&right.to_vec()));
        prop_assert_eq!(left < right, left.to_vec() < right.to_vec());
        prop_assert_eq!(left <= right, left.to_vec() <= right.to_vec());
    }
}

#[test]
fn signs_change_axis_by_axis() {
    let coordinate = Coordinate::from([-7, 0, 7]);
    assert_eq!(coordinate.checked_neg(), Ok(Coordinate::from([7, 0, -7])));
    assert_eq!(coordinate.checked_abs(), Ok(Coordinate::from([7, 0, 7])));
    let smallest = Coordinate::from([0, i64::MIN]);
    for error in [smallest.checked_neg().unwrap_err(), smallest.checked_abs().unwrap_err()] {
        assert!(error.is_overflow(), "{error}");
    }
    let bound = PartialCoordinate::new(&[None, Some(-3)]).unwrap();
    assert_eq!(bound.checked_abs(), PartialCoordinate::new(&[None, Some(3)]));
}

#[test]
fn what_is_a_multiple_needs_a_number_along_every_axis() {
    let bound = PartialCoordinate::from([-80, 12]);
    assert_eq!(bound.is_multiple_of([40, 4]), Ok(true));
    assert_eq!(bound.is_multiple_of([40, 5]), Ok(false));
    assert!(bound.is_multiple_of(0).unwrap_err().is_division_by_zero());
    let unbounded = PartialCoordinate::new(&[Some(-80), None]).unwrap();
    assert_eq!(unbounded.is_multiple_of(40), Err(GeometryError::Unbounded { axis: 1 }));
}

#[test]
fn different_dims_do_not_combine() {
    let (two, three) = (Coordinate::from([1, 2]), Coordinate::from([1, 2, 3]));
    for (name, operation, _) in OPERATIONS {
        assert!(operation(two, three).unwrap_err().is_dims_mismatch(), "{name}");
        assert!(operation(three, two).unwrap_err().is_dims_mismatch(), "{name}");
    }
    assert_ne!(Coordinate::from([1, 0]), Coordinate::from([1]));
}

#[test]
fn a_coordinate_has_one_to_six_axes() {
    assert!(Coordinate::new(&[]).is_err());
    assert!(Coordinate::new(&[0; 7]).is_err());
    assert!(Coordinate::zeros(7).is_err());
    assert_eq!(Coordinate::zeros(6).unwrap(), Coordinate::from([0; 6]));
    assert!(Coordinate::from([1]).squeeze(0).is_err());
    assert!(Coordinate::from([1, 2]).squeeze(2).is_err());
    assert_eq!(Coordinate::from([1, 2, 3]).squeeze(1), Ok(Coordinate::from([1, 3])));
}

#[test]
#[should_panic(expected = "9223372036854775807 + 1 does not fit into 64 bits")]
fn operators_panic_with_the_reason() {
    let _ = Coordinate::from([i64::MAX]) + 1;
}

#[test]
fn powers_of_zero_and_one_have_any_exponent() {
    let base = Coordinate::from([0, 1, -1, -1]);
    let pow = |exponent: i64| base.checked_pow(exponent).map(|power| power.as_slice().to_vec());
    assert_eq!(pow(1 << 40), Ok(vec![0, 1, 1, 1]));
    assert_eq!(pow((1 << 40) + 1), Ok(vec![0, 1, -1, -1]));
    assert_eq!(pow(0), Ok(vec![1; 4]));
    assert!(pow(-1).unwrap_err().is_division_by_zero());
}

#[test]
fn a_coordinate_is_walked_in_the_order_of_its_axes() {
    let mut seen = Vec::new();
    for entry in &Coordinate::from([3, 1, 2]) {
        seen.push(*entry);
    }
    assert_eq!(seen, [3, 1, 2]);
}
