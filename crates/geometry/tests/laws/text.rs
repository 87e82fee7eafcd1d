use geometry::{Coordinate, Decimal, PartialCoordinate, Roi, VoxelGrid, VoxelSize, Window};
use proptest::prelude::*;

use crate::strategies::{config, small_parts, two_extreme_coordinates};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn coordinates_read_back_from_text_and_data((coordinate, _) in two_extreme_coordinates()) {
        prop_assert_eq!(coordinate.to_string().parse(), Ok(coordinate));
        let json = serde_json::to_string(&coordinate).unwrap();
        prop_assert_eq!(serde_json::from_str::<Vec<i64>>(&json).unwrap(), coordinate.to_vec());
        prop_assert_eq!(serde_json::from_str::<Coordinate>(&json).unwrap(), coordinate);
    }

    #[test]
    fn regions_read_back_from_text_and_data(parts in (1_usize..=6).prop_flat_map(small_parts)) {
        let roi = parts.roi();
        let text = roi.to_string();
        prop_assert_eq!(text.parse(), Ok(roi));
        let (bounds, _) = text.split_once(" (").unwrap();
        prop_assert_eq!(bounds.parse(), Ok(roi));
        prop_assert_eq!(bounds.trim_matches(['[', ']']).replace(' ', "").parse(), Ok(roi));
        let json = serde_json::to_string(&roi).unwrap();
        prop_assert_eq!(serde_json::from_str::<Roi>(&json).unwrap(), roi);
    }
}

#[test]
fn the_text_forms_are_those_that_users_know() {
    let roi = Roi::from_parts(
        PartialCoordinate::new(&[Some(12), None]).unwrap(),
        PartialCoordinate::new(&[Some(21), None]).unwrap(),
    )
    .unwrap();
    assert_eq!(roi.to_string(), "[12:33, :] (21, inf)");
    assert_eq!(format!("{roi:?}"), "Roi((12, None), (21, None))");
    assert_eq!(serde_json::to_string(&roi).unwrap(), r#"{"offset":[12,null],"shape":[21,null]}"#);
    assert_eq!(format!("{:?}", Roi::new([5], [0]).unwrap()), "Roi((5,), (0,))");
    assert_eq!(Coordinate::from([5]).to_string(), "(5)");
    assert_eq!("(5,)".parse(), Ok(Coordinate::from([5])));
    assert_eq!("1, 2".parse(), Ok(Coordinate::from([1, 2])));
}

#[test]
fn values_in_the_messages_of_tests_say_what_they_are() {
    let size = VoxelSize::new([8, 4]).unwrap();
    let origin = Coordinate::from([0, 0]);
    let roi = Roi::new([0, 0], [16, 8]).unwrap();
    let mut blocks = roi.blocks(&size, &origin).unwrap();
    blocks.next();
    for (debugged, text) in [
        (format!("{origin:?}"), "Coordinate(0, 0)"),
        (
            format!("{:?}", PartialCoordinate::new(&[None, Some(8)]).unwrap()),
            "PartialCoordinate(None, 8)",
        ),
        (format!("{size:?}"), "VoxelSize(8, 4)"),
        (format!("{:?}", Window::new(&[1, 2], &[2, 10]).unwrap()), "Window[1:3, 2:12]"),
        (format!("{:?}", "-1.31".parse::<Decimal>().unwrap()), "Decimal(-1.31)"),
        (format!("{blocks:?}"), "RoiBlocks { remaining: Some(3), .. }"),
        (
            format!("{:?}", Window::full(&[4]).unwrap().blocks(&[2]).unwrap()),
            "WindowBlocks { remaining: Some(2), .. }",
        ),
        (
            VoxelGrid::new([1, 200], size).unwrap().to_string(),
            "voxels of (8, 4) from the corner (1, 200)",
        ),
    ] {
        assert_eq!(debugged, text);
    }
}

#[test]
fn slices_select_the_voxels_of_a_region() {
    let parts = |entries: &[Option<i64>]| PartialCoordinate::new(entries).unwrap();
    let roi =
        Roi::from_parts(parts(&[Some(12), None, Some(-5)]), parts(&[Some(21), None, Some(0)]));
    // What is empty selects nothing, also of an array that has voxels there.
    assert_eq!(roi.unwrap().to_slices(), [(Some(12), Some(33)), (None, None), (None, Some(0))]);
}

#[test]
fn malformed_text_is_an_error_that_repeats_it() {
    for text in [
        "",
        "()",
        "(1",
        "1)",
        "(1, , 2)",
        "(1.5)",
        "(None)",
        "(1, 2, 3, 4, 5, 6, 7)",
        "(9223372036854775808)",
    ] {
        let error = text.parse::<Coordinate>().unwrap_err();
        assert!(error.is_parse() && error.to_string().contains(text), "{text}: {error}");
    }
    for text in [
        "",
        "[]",
        "[1:2",
        "1:2]",
        "[1:2] (3)",
        "[1:2] (1, 1)",
        "[1:]",
        "[:2]",
        "[1]",
        "[a:b]",
        "[empty ROI]",
        "[1:2] x",
        "[1:2,] (1)",
        "1:2:3",
    ] {
        assert!(text.parse::<Roi>().unwrap_err().is_parse(), "{text}");
    }
    assert!("[2:1]".parse::<Roi>().is_err());
    assert!("[-9223372036854775808:9223372036854775807]".parse::<Roi>().unwrap_err().is_overflow());
}

#[test]
fn malformed_data_is_refused() {
    assert!(serde_json::from_str::<Coordinate>("[]").is_err());
    assert!(serde_json::from_str::<Coordinate>("[1.5]").is_err());
    assert!(serde_json::from_str::<VoxelSize>("[4, 0]").is_err());
    assert!(serde_json::from_str::<Roi>(r#"{"offset":[1],"shape":[-1]}"#).is_err());
    assert!(serde_json::from_str::<Roi>(r#"{"offset":[1],"shape":[1, 2]}"#).is_err());
    assert!(serde_json::from_str::<Roi>(r#"{"offset":[null],"shape":[0]}"#).is_err());
}
