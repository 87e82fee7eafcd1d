//! Regions, lengths and units as people type them, and regions in JSON.

#![no_main]

use fuzz::tell;
use geometry::{Decimal, LengthUnit, PartialCoordinate, Roi, WorldUnit};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match text.parse::<Roi>() {
        Ok(roi) => assert_eq!(roi.to_string().parse(), Ok(roi), "as text"),
        Err(error) => tell(&error),
    }
    if let Ok(roi) = serde_json::from_str::<Roi>(text) {
        let written = serde_json::to_string(&roi).expect("a region has a form in JSON");
        assert_eq!(serde_json::from_str::<Roi>(&written).ok(), Some(roi), "as JSON");
    }
    match text.parse::<PartialCoordinate>() {
        Ok(coordinate) => assert_eq!(coordinate.to_string().parse(), Ok(coordinate)),
        Err(error) => tell(&error),
    }
    match text.parse::<Decimal>() {
        Ok(decimal) => {
            assert_eq!(decimal.to_string().parse(), Ok(decimal));
            if let Err(error) = Decimal::from_f64(decimal.to_f64()) {
                tell(&error);
            }
        }
        Err(error) => tell(&error),
    }
    if let Some(unit) = LengthUnit::parse(text) {
        assert_eq!(LengthUnit::parse(unit.name()), Some(unit));
    }
    for (unit, exponent) in
        [(LengthUnit::Nanometer, 0), (LengthUnit::Nanometer, 2), (LengthUnit::Unknown, 3)]
    {
        let unit = WorldUnit::new(unit, exponent).expect("such units exist");
        if let Err(error) = unit.parse_length(text) {
            tell(&error);
        }
        match unit.parse_roi(text) {
            Ok(roi) => assert_eq!(unit.parse_roi(&unit.format_roi(&roi)), Ok(roi), "in {unit}"),
            Err(error) => tell(&error),
        }
    }
});
