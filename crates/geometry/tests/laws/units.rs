use geometry::{Coordinate, Decimal, LengthUnit, Roi, VoxelSize, WorldUnit};
use proptest::{collection::vec, prelude::*};

use crate::strategies::{config, extreme, small_parts};

/// A decimal with its exact value in steps of 10^-9.
fn decimal() -> impl Strategy<Value = (Decimal, i128)> {
    (prop_oneof![-1_000_000_i64..1_000_000, any::<i64>()], 0_u32..=9).prop_map(
        |(mantissa, scale)| {
            let unit = WorldUnit::new(LengthUnit::Unknown, u8::try_from(scale).unwrap()).unwrap();
            (unit.to_decimal(mantissa), i128::from(mantissa) * 10_i128.pow(9 - scale))
        },
    )
}

fn known_unit() -> impl Strategy<Value = WorldUnit> {
    (prop::sample::select(LengthUnit::ALL), 0_u8..=18)
        .prop_map(|(unit, exponent)| WorldUnit::new(unit, exponent).unwrap())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn decimals_compute_like_their_steps((left, left_steps) in decimal(), (right, right_steps) in decimal(), factor in any::<i32>()) {
        let decimal = |steps: i128| format!("{steps}e-9").parse::<Decimal>();
        prop_assert_eq!(left.checked_add(right), decimal(left_steps + right_steps));
        prop_assert_eq!(left.checked_sub(right), decimal(left_steps - right_steps));
        prop_assert_eq!(left.checked_mul(factor.into()), decimal(left_steps * i128::from(factor)));
        prop_assert_eq!(left.checked_neg(), decimal(-left_steps));
        prop_assert_eq!(left.half()?.checked_mul(2), Ok(left));
        prop_assert_eq!(left.cmp(&right), left_steps.cmp(&right_steps));
        prop_assert_eq!(left < right, left_steps < right_steps);
        prop_assert_eq!(left == right, left_steps == right_steps);
        prop_assert_eq!(left.is_positive(), left_steps > 0);
    }

    #[test]
    fn decimals_read_back_from_text_and_data((decimal, _) in decimal()) {
        prop_assert_eq!(decimal.to_string().parse(), Ok(decimal));
        let json = serde_json::to_string(&decimal).unwrap();
        let number = json.trim_matches('"');
        prop_assert_eq!(number.parse(), Ok(decimal), "{} stands for the same number", json);
        prop_assert_eq!(serde_json::from_str::<Decimal>(&json).unwrap(), decimal);
        prop_assert!(json == number || number.len() > 15, "{} is text only because no float keeps it", json);
    }

    #[test]
    fn a_typed_decimal_survives_a_float(mantissa in -99_999_999_999_i64..=99_999_999_999, scale in 0_u8..=3) {
        let typed = WorldUnit::new(LengthUnit::Unknown, scale)?.to_decimal(mantissa);
        prop_assert_eq!(Decimal::from_f64(typed.to_f64()), Ok(typed));
    }

    #[test]
    fn float_arithmetic_leaves_no_trace(hundredths in 1_i64..100_000, count in 1_i64..1000) {
        let exact = WorldUnit::new(LengthUnit::Unknown, 2)?.to_decimal(hundredths * count);
        let voxel = hundredths as f64 / 100.0;
        prop_assert_eq!(Decimal::from_f64(voxel * count as f64), Ok(exact));
        let sum: f64 = (0..count).map(|_| voxel).sum();
        prop_assert_eq!(Decimal::from_f64(sum), Ok(exact));
        prop_assert_eq!(Decimal::from_f64(-sum), exact.checked_neg());
    }

    #[test]
    fn what_a_float_recovers_to_is_within_a_relative_billionth(value in any::<f64>()) {
        if let Ok(decimal) = Decimal::from_f64(value) {
            prop_assert!((decimal.to_f64() - value).abs() <= value.abs() * 1.000_001e-9);
        }
    }

    #[test]
    fn the_fitted_unit_is_the_coarsest_in_which_all_values_are_integers(values in vec((-100_000_i64..100_000, 0_u8..4), 1..6)) {
        let decimals: Vec<_> = values.iter()
            .map(|(mantissa, scale)| WorldUnit::new(LengthUnit::Nanometer, *scale).unwrap().to_decimal(*mantissa))
            .collect();
        let fitted = WorldUnit::fit(LengthUnit::Nanometer, &decimals)?;
        let exact = |exponent| {
            let unit = WorldUnit::new(LengthUnit::Nanometer, exponent).unwrap();
            decimals.iter().all(|decimal| unit.to_integer(*decimal).is_ok())
        };
        prop_assert_eq!((0..=4).find(|exponent| exact(*exponent)), Some(fitted.exponent()));
        for decimal in decimals {
            prop_assert_eq!(fitted.to_decimal(fitted.to_integer(decimal)?), decimal);
        }
    }

    #[test]
    fn conversion_there_and_back_is_exact(value in prop_oneof![-10_000_i64..10_000, extreme()], from in known_unit(), to in known_unit()) {
        let coordinate = Coordinate::from([value]);
        if let Ok(converted) = from.convert_coordinate(&coordinate, &to) {
            prop_assert_eq!(to.convert_coordinate(&converted, &from), Ok(coordinate));
        }
        let finest = WorldUnit::finest(&from, &to)?;
        for unit in [from, to] {
            match unit.convert_coordinate(&coordinate, &finest) {
                Ok(fine) => prop_assert_eq!(finest.convert_coordinate(&fine, &unit), Ok(coordinate)),
                Err(error) => prop_assert!(error.is_overflow()),
            }
        }
    }

    #[test]
    fn regions_read_back_from_declared_units(parts in (1_usize..=3).prop_flat_map(small_parts), exponent in 0_u8..4, known in any::<bool>()) {
        let unit = WorldUnit::new(if known { LengthUnit::Micrometer } else { LengthUnit::Unknown }, exponent)?;
        let roi = parts.roi();
        prop_assert_eq!(unit.parse_roi(&unit.format_roi(&roi)), Ok(roi));
    }

    #[test]
    fn units_read_back_from_data(unit in known_unit()) {
        let json = serde_json::to_string(&unit).unwrap();
        prop_assert_eq!(serde_json::from_str::<WorldUnit>(&json).unwrap(), unit);
    }
}

#[test]
fn positions_in_published_crops_are_exact_hundredths() {
    for (value, text) in [
        (9106.289999999999, "9106.29"),
        (7119.849999999999, "7119.85"),
        (13282.289999999999, "13282.29"),
        (23138.530000000002, "23138.53"),
        (25863.329999999998, "25863.33"),
        (10635.890000000001, "10635.89"),
        (37369.350000000006, "37369.35"),
        (24531.659999999996, "24531.66"),
        (28612.859999999997, "28612.86"),
        (16473.239999999998, "16473.24"),
        (26795.13, "26795.13"),
        (400012.0, "400012"),
        (5.24, "5.24"),
        (2.62, "2.62"),
        (3.36, "3.36"),
        (2.0, "2"),
    ] {
        assert_eq!(Decimal::from_f64(value).unwrap().to_string(), text);
    }
}

#[test]
fn the_corner_of_a_voxel_is_half_a_voxel_before_its_centre() {
    let centre = Decimal::from_f64(13282.289999999999).unwrap();
    let voxel = Decimal::from_f64(2.62).unwrap();
    assert_eq!(centre.checked_sub(voxel.half().unwrap()).unwrap().to_string(), "13280.98");
    assert_eq!(Decimal::from(-1).half().unwrap().to_string(), "-0.5");
}

#[test]
fn decimal_text_is_read_exactly() {
    for (text, printed) in [
        ("13282.29", "13282.29"),
        ("1e3", "1000"),
        ("1.50E-2", "0.015"),
        ("+4.0", "4"),
        ("-.5", "-0.5"),
        ("-0", "0"),
        ("5.", "5"),
        ("0.1000000000000000055", "0.1000000000000000055"),
        ("170141183460469231731687303715884105727", "170141183460469231731687303715884105727"),
    ] {
        match text.parse::<Decimal>() {
            Ok(decimal) => assert_eq!(decimal.to_string(), printed),
            Err(error) => assert!(error.is_overflow() && text.len() > 20, "{text}: {error}"),
        }
    }
    for text in [
        "",
        ".",
        "-",
        "+-1",
        "--1",
        "1e",
        "e3",
        "1.2.3",
        "1,5",
        "nan",
        "inf",
        "0x10",
        "1 000",
        "1e99999999999",
    ] {
        assert!(text.parse::<Decimal>().unwrap_err().is_parse(), "{text}");
    }
    for text in ["1e-19", "1e400", "1e2000000000", "1e-2147483648"] {
        assert!(text.parse::<Decimal>().unwrap_err().is_overflow(), "{text}");
    }
}

#[test]
fn decimals_in_data_are_plain_numbers() {
    for (text, json) in [("2.62", "2.62"), ("400", "400"), ("-1.31", "-1.31"), ("0", "0")] {
        assert_eq!(serde_json::to_string(&text.parse::<Decimal>().unwrap()).unwrap(), json);
    }
    assert_eq!(
        serde_json::from_str::<Decimal>("13282.289999999999").unwrap().to_string(),
        "13282.29"
    );
    assert_eq!(
        serde_json::from_str::<Decimal>("18446744073709551615").unwrap().to_string(),
        "18446744073709551615"
    );
    assert!(serde_json::from_str::<Decimal>("1.3333333333333333").is_err());
    assert_eq!(
        serde_json::to_string(&"-792832470607870.3".parse::<Decimal>().unwrap()).unwrap(),
        r#""-792832470607870.3""#,
        "a float of it has too many digits to be told from noise"
    );
}

#[test]
fn integers_keep_the_declared_unit() {
    let unit =
        WorldUnit::fit(LengthUnit::Nanometer, &[Decimal::from(8), Decimal::from(-40)]).unwrap();
    assert_eq!(unit, WorldUnit::whole(LengthUnit::Nanometer));
    assert_eq!(unit.to_string(), "nm");
    assert_eq!(WorldUnit::default().to_string(), "unknown world unit");
    assert_eq!(
        WorldUnit::new(LengthUnit::Unknown, 2).unwrap().to_string(),
        "0.01 of an unknown world unit"
    );
}

#[test]
fn what_does_not_fit_a_unit_says_so() {
    let unit = WorldUnit::new(LengthUnit::Nanometer, 2).unwrap();
    let error = unit.to_integer("2.625".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "2.625 is not a multiple of the world unit 0.01 nm");
    assert!(unit.to_integer(Decimal::from(i64::MAX)).unwrap_err().is_overflow());
    assert!(
        WorldUnit::fit(LengthUnit::Nanometer, &[Decimal::from(i64::MAX), "0.1".parse().unwrap()])
            .is_err()
    );
    assert!(WorldUnit::new(LengthUnit::Nanometer, 19).is_err());
    let unknown = WorldUnit::whole(LengthUnit::Unknown);
    assert_eq!(
        unit.convert_coordinate(&Coordinate::from([1]), &unknown).unwrap_err().to_string(),
        "cannot convert between 0.01 nm and unknown world unit"
    );
    assert!(unknown.parse_length("4 nm").is_err());
    assert_eq!(unknown.parse_length("4").unwrap(), Decimal::from(4));
}

#[test]
fn a_unit_that_is_not_known_stays_so() {
    let unit = WorldUnit::new(LengthUnit::Unknown, 2).unwrap();
    let json = serde_json::to_string(&unit).unwrap();
    assert_eq!(json, r#"{"unit":"unknown","exponent":2}"#);
    assert_eq!(serde_json::from_str::<WorldUnit>(&json).unwrap(), unit);
    assert_eq!("unknown".parse(), Ok(LengthUnit::Unknown));
    assert!("pixel".parse::<LengthUnit>().unwrap_err().is_parse());
    assert!(serde_json::from_str::<WorldUnit>(r#"{"unit":"nanometer","exponent":19}"#).is_err());
    assert_eq!(WorldUnit::finest(&unit, &WorldUnit::default()), Ok(unit));
}

#[test]
fn what_is_no_number_is_said_to_be_none() {
    let error = serde_json::from_str::<Decimal>("[1]").unwrap_err().to_string();
    assert!(error.contains("expected a decimal number"), "{error}");
    assert_eq!(serde_json::from_str::<Decimal>("-40").unwrap(), Decimal::from(-40));
}

#[test]
fn lengths_are_read_in_any_unit() {
    let unit = WorldUnit::whole(LengthUnit::Nanometer);
    for (text, nanometers) in [
        ("13282.29 nm", "13282.29"),
        ("2.62", "2.62"),
        ("1.5um", "1500"),
        ("1e3 Å", "100"),
        ("-2 nanometers", "-2"),
        ("0.001 mm", "1000"),
    ] {
        assert_eq!(unit.parse_length(text).unwrap().to_string(), nanometers, "{text}");
    }
    for text in ["", "nm", "4 s", "4 4", "1.2.3 nm", "4 nm nm"] {
        assert!(unit.parse_length(text).unwrap_err().is_parse(), "{text}");
    }
}

#[test]
fn a_unit_stands_at_the_end_or_at_every_number() {
    let unit = WorldUnit::whole(LengthUnit::Nanometer);
    let roi = Roi::new([1000, 0], [500, 2000]).unwrap();
    for text in [
        "1000:1500,0:2000",
        "[1000:1500, 0:2000] nm",
        "[1:1.5, 0:2] um",
        "1:1.5, 0:2 um",
        "1um:1500nm, 0nm:2um",
        " [ 1000 : 1500 , 0 : 2000 ] ",
    ] {
        assert_eq!(unit.parse_roi(text), Ok(roi), "{text}");
    }
    for text in [
        "1 um:1500, 0:2000",
        "1um:1.5um, 0:2um",
        "[1um:2um] nm",
        "[1:2] s",
        "1:2:3",
        "[1:2",
        "a:b",
        "",
        "[0:1] (1)",
    ] {
        assert!(unit.parse_roi(text).unwrap_err().is_parse(), "{text}");
    }
    assert!(unit.parse_roi("0:0.5").is_err());
    assert_eq!(unit.parse_roi(":, 0:1"), "[:, 0:1]".parse());
}

#[test]
fn voxel_sizes_and_regions_convert_exactly() {
    let hundredths = WorldUnit::new(LengthUnit::Nanometer, 2).unwrap();
    let angstroms = WorldUnit::new(LengthUnit::Angstrom, 1).unwrap();
    let voxel_size = VoxelSize::new([262, 200]).unwrap();
    assert_eq!(hundredths.convert_voxel_size(&voxel_size, &angstroms), Ok(voxel_size));
    let roi: Roi = "[0:200, :]".parse().unwrap();
    let whole = WorldUnit::whole(LengthUnit::Nanometer);
    assert_eq!(hundredths.convert_roi(&roi, &whole), "[0:2, :]".parse());
    assert!(
        whole
            .convert_roi(&Roi::new([i64::MAX], [0]).unwrap(), &hundredths)
            .unwrap_err()
            .is_overflow()
    );
    let yotta = WorldUnit::whole(LengthUnit::Yottameter);
    let finest = WorldUnit::new(LengthUnit::Yoctometer, 18).unwrap();
    assert_eq!(
        yotta.convert_coordinate(&Coordinate::from([0]), &finest),
        Ok(Coordinate::from([0]))
    );
    assert!(yotta.convert_coordinate(&Coordinate::from([1]), &finest).is_err());
    assert!(finest.convert_coordinate(&Coordinate::from([1]), &yotta).is_err());
}

#[test]
fn nothing_is_not_positive_and_a_unit_is_what_was_declared() {
    let signs =
        ["0.00", "0.01", "-0.01"].map(|text| text.parse::<Decimal>().unwrap().is_positive());
    assert_eq!(signs, [false, true, false]);
    let unit = WorldUnit::new(LengthUnit::Angstrom, 3).unwrap();
    assert_eq!((unit.unit(), unit.exponent()), (LengthUnit::Angstrom, 3));
}
