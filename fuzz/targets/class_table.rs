//! Tables of classes.

#![no_main]

use annotation_mask::{ClassTable, Grouping, Member, MemberGroup};
use fuzz::tell;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let table = match ClassTable::from_csv(text) {
        Ok(table) => table,
        Err(error) => return tell(&error),
    };
    let mut groups = Vec::new();
    for class in table.classes() {
        assert_eq!(table.by_id(class.id), Some(class));
        assert!(table.class(&class.name).is_some());
        assert!(table.constituents(&class.name).iter().all(|atom| !atom.is_composite()));
        groups.push(MemberGroup {
            name: class.name.clone(),
            members: vec![Member::Class(class.name.clone())],
            generic: Vec::new(),
        });
    }
    // A name that is a little wrong, for the suggestions.
    let unknown = table.classes().last().map(|class| format!("{}?", class.name));
    let member = Member::Class(unknown.unwrap_or_else(|| "mito".to_owned()));
    let wrong =
        MemberGroup { name: "wrong".to_owned(), members: vec![member], generic: Vec::new() };
    for grouping in [Grouping::from(groups), Grouping::from(vec![wrong])] {
        if let Err(error) = grouping.resolve_labels(Some(&table), None) {
            tell(&error);
        }
        if let Err(error) = grouping.resolve_classes(Some(&table), &["mito"]) {
            tell(&error);
        }
    }
});
