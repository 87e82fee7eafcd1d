use geometry::{
    Coordinate, Decimal, GeometryError, PartialCoordinate, Roi, VoxelGrid, VoxelSize, Window,
};

type Question = fn(&GeometryError) -> bool;

/// Every question that can be asked of an error, with its name.
const KINDS: [(&str, Question); 7] = [
    ("dims mismatch", GeometryError::is_dims_mismatch),
    ("overflow", GeometryError::is_overflow),
    ("division by zero", GeometryError::is_division_by_zero),
    ("unbounded", GeometryError::is_unbounded),
    ("not aligned", GeometryError::is_not_aligned),
    ("out of bounds", GeometryError::is_out_of_bounds),
    ("parse", GeometryError::is_parse),
];

#[test]
fn an_error_is_of_the_one_kind_that_says_what_was_wrong() {
    let one = Coordinate::from([1]);
    let grid = VoxelGrid::new([4], VoxelSize::new([4]).unwrap()).unwrap();
    let window = Window::new(&[1], &[1]).unwrap();
    for (error, kind) in [
        (one.checked_add([1, 2]).unwrap_err(), "dims mismatch"),
        (window.contains(&Window::full(&[1, 1]).unwrap()).unwrap_err(), "dims mismatch"),
        (one.checked_add(i64::MAX).unwrap_err(), "overflow"),
        (one.floor_div(0).unwrap_err(), "division by zero"),
        (PartialCoordinate::new(&[None]).unwrap().to_coordinate().unwrap_err(), "unbounded"),
        (grid.window(&Roi::new([5], [4]).unwrap()).unwrap_err(), "not aligned"),
        (grid.window(&Roi::new([0], [4]).unwrap()).unwrap_err(), "out of bounds"),
        (window.relative_to(&[2]).unwrap_err(), "out of bounds"),
        ("one".parse::<Coordinate>().unwrap_err(), "parse"),
        (Coordinate::new(&[]).unwrap_err(), "none of them"),
        (Decimal::from_f64(f64::NAN).unwrap_err(), "none of them"),
    ] {
        let kinds: Vec<_> =
            KINDS.iter().filter(|(_, is_kind)| is_kind(&error)).map(|(name, _)| *name).collect();
        let expected = if kind == "none of them" { vec![] } else { vec![kind] };
        assert_eq!(kinds, expected, "{error}");
    }
}
