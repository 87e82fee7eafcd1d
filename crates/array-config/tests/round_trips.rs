//! What is written in any format is read back.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use annotation_mask::Rule;
use array_config::{
    ArrayConfig, BinarizeConfig, ConcatConfig, ConstantConfig, CropConfig, CropGroupConfig,
    CropGroupPart, GroupConfig, GroupMember, GroupsConfig, LogicalOrConfig, MaskConfig, Numbers,
    OnesConfig, ResampleConfig, SumConfig, Translation, ZarrConfig,
};
use array_core::{DType, Downsampling};
use geometry::{Decimal, LengthUnit};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;

/// Texts with what the formats quote.
fn text() -> impl Strategy<Value = String> {
    "[ -~é\n]{0,9}"
}

fn decimals() -> impl Strategy<Value = Vec<Decimal>> {
    let decimal = (-100_000..100_000_i64, -4..3_i32)
        .prop_map(|(digits, power)| Decimal::from(digits).times_power_of_ten(power).unwrap());
    vec(decimal, 1..4)
}

fn numbers() -> impl Strategy<Value = Numbers> {
    select(vec![Numbers::Declared, Numbers::Dacapo])
}

fn members(class_names: bool) -> impl Strategy<Value = Vec<GroupMember>> {
    let id = any::<i64>().prop_map(|id| GroupMember::Id(id.into()));
    if class_names {
        vec(prop_oneof![id, text().prop_map(GroupMember::Class)], 0..4).boxed()
    } else {
        vec(id, 0..4).boxed()
    }
}

fn groups(class_names: bool) -> impl Strategy<Value = GroupsConfig> {
    let group = (text(), members(class_names), members(class_names))
        .prop_map(|(name, ids, generic_ids)| GroupConfig { name, ids, generic_ids });
    prop_oneof![vec(group, 1..4).prop_map(GroupsConfig::List), text().prop_map(GroupsConfig::File)]
}

fn scale() -> impl Strategy<Value = Option<String>> {
    of(select(vec!["s1", "8nm", "5.24x4x4 nm"]).prop_map(str::to_owned))
}

fn zarr() -> impl Strategy<Value = ArrayConfig> {
    let lists = (of(decimals()), of(decimals()), of(vec(text(), 0..4)), of(decimals()));
    let units = (
        of(select(vec![LengthUnit::Nanometer, LengthUnit::Angstrom, LengthUnit::Meter])),
        of(select(vec![Translation::Corner, Translation::Centre])),
        any::<bool>(),
        numbers(),
    );
    (text(), of(text()), scale(), lists, units).prop_map(|(path, dataset, scale, lists, units)| {
        let (voxel_size, offset, axes, snap_to_grid) = lists;
        let (unit, translation, unit_voxels, numbers) = units;
        ArrayConfig::Zarr(ZarrConfig {
            path,
            dataset,
            scale,
            voxel_size,
            offset,
            axes,
            unit,
            translation,
            unit_voxels,
            snap_to_grid,
            numbers,
        })
    })
}

fn crop_group() -> impl Strategy<Value = ArrayConfig> {
    let what = select(vec![CropGroupPart::Mask, CropGroupPart::Target]);
    (text(), of(text()), scale(), what, of(text()), of(groups(true))).prop_map(
        |(path, dataset, scale, what, classes, groups)| {
            ArrayConfig::CropGroup(CropGroupConfig { path, dataset, scale, what, classes, groups })
        },
    )
}

fn config() -> impl Strategy<Value = ArrayConfig> {
    prop_oneof![zarr(), crop_group()].prop_recursive(5, 24, 3, |inner| {
        let source = inner.clone().prop_map(Box::new);
        let sources = vec(inner, 1..3);
        let rois = select(vec!["[0:8.5, 16:32] nm", "[:, -4:4]", "0:1um"]);
        let ids = vec(any::<i64>().prop_map(i128::from), 0..3);
        let factors = || of(vec(1..100_usize, 0..4));
        prop_oneof![
            (rois, numbers(), source.clone()).prop_map(|(roi, numbers, source)| {
                ArrayConfig::Crop(CropConfig { roi: roi.to_owned(), numbers, source })
            }),
            (select(Rule::ALL.to_vec()), any::<bool>(), ids, groups(false), source.clone())
                .prop_map(|(rule, require_labels, generic_ids, groups, source)| {
                    ArrayConfig::Mask(MaskConfig {
                        rule,
                        require_labels,
                        generic_ids,
                        groups,
                        source,
                    })
                }),
            (any::<i64>(), groups(false), source.clone()).prop_map(
                |(background, groups, source)| {
                    ArrayConfig::Binarize(BinarizeConfig {
                        background: background.into(),
                        groups,
                        source,
                    })
                }
            ),
            source.clone().prop_map(|source| ArrayConfig::Ones(OnesConfig { source })),
            (any::<i64>(), of(select(DType::ALL.to_vec())), source.clone()).prop_map(
                |(value, dtype, source)| {
                    ArrayConfig::Constant(ConstantConfig { value: value.into(), dtype, source })
                }
            ),
            (of(vec(text(), 0..3)), sources.clone())
                .prop_map(|(names, sources)| ArrayConfig::Concat(ConcatConfig { names, sources })),
            sources.prop_map(|sources| ArrayConfig::Sum(SumConfig { sources })),
            source.clone().prop_map(|source| ArrayConfig::LogicalOr(LogicalOrConfig { source })),
            (factors(), factors(), select(Downsampling::ALL.to_vec()), any::<bool>(), source)
                .prop_map(|(upsample, downsample, method, align_to_world, source)| {
                    ArrayConfig::Resample(ResampleConfig {
                        upsample,
                        downsample,
                        method,
                        align_to_world,
                        source,
                    })
                }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_config_is_read_back_from_every_format(config in config()) {
        let json = serde_json::to_string(&config).unwrap();
        prop_assert_eq!(&ArrayConfig::from_json(&json).unwrap(), &config, "{}", json);
        prop_assert_eq!(&serde_json::from_str::<ArrayConfig>(&json).unwrap(), &config);
        let toml = toml::to_string(&config).unwrap();
        prop_assert_eq!(&ArrayConfig::from_toml(&toml).unwrap(), &config, "{}", toml);
        let yaml = serde_saphyr::to_string(&config).unwrap();
        match ArrayConfig::from_yaml(&yaml) {
            Ok(found) => prop_assert_eq!(&found, &config, "{}", yaml),
            Err(error) => prop_assert!(false, "{}: {}", error, yaml),
        }
    }

    #[test]
    fn a_text_with_a_piece_missing_is_a_config_or_an_error(
        config in config(), from in any::<prop::sample::Index>(), len in 0..12_usize,
    ) {
        let without = |text: String| {
            let letters: Vec<char> = text.chars().collect();
            let from = from.index(letters.len() + 1);
            let rest = letters.iter().skip(from + len);
            letters.iter().take(from).chain(rest).collect::<String>()
        };
        let json = without(serde_json::to_string(&config).unwrap());
        let toml = without(toml::to_string(&config).unwrap());
        let yaml = without(serde_saphyr::to_string(&config).unwrap());
        let found = [
            ArrayConfig::from_json(&json),
            ArrayConfig::from_toml(&toml),
            ArrayConfig::from_yaml(&yaml),
        ];
        for found in found {
            // What is still a config can be written, and nothing can be built of no files.
            match found {
                Ok(found) => {
                    prop_assert!(serde_json::to_string(&found).is_ok());
                    prop_assert!(found.build("/no-such-folder".as_ref()).is_err());
                }
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}

#[test]
fn the_three_formats_say_the_same() {
    let toml = r#"
        kind = "mask"
        rule = "generic"
        generic_ids = [37]
        groups = [["mito", [3, 4, 5]], {name = "nucleus", ids = [20, 37]}]

        [source]
        kind = "crop"
        roi = {offset = [13282.29, 0], shape = [2.62, 400]}
        source = {kind = "zarr", path = "crop.zarr", voxel_size = [2.62, 2]}
    "#;
    let json = r#"{
        "kind": "mask", "rule": "generic", "generic_ids": [37],
        "groups": {"mito": [3, 4, 5], "nucleus": [20, 37]},
        "source": {
            "kind": "crop", "roi": "[13282.29:13284.91, 0:400]",
            "source": {"kind": "zarr", "path": "crop.zarr", "voxel_size": ["2.62", 2.0], "dataset": null}
        }
    }"#;
    let yaml = "
kind: mask
rule: generic
generic_ids: [37]
groups:
  mito: [3, 4, 5]
  nucleus:
  - 20
  - 37
source:
  kind: crop
  roi:
    - [13282.29, 0]
    - [2.62, 400]
  source: {kind: zarr, path: crop.zarr, voxel_size: [2.62, 2]}
";
    let config = ArrayConfig::from_toml(toml).unwrap();
    assert_eq!(ArrayConfig::from_json(json).unwrap(), config);
    assert_eq!(ArrayConfig::from_yaml(yaml).unwrap(), config);
    let ArrayConfig::Mask(mask) = &config else { panic!("{config:?}") };
    let ArrayConfig::Crop(crop) = &*mask.source else { panic!("{config:?}") };
    assert_eq!(crop.roi, "[13282.29:13284.91, 0:400]");
}
