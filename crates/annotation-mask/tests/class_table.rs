//! Class tables: every form in which they come, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use annotation_mask::{ClassTable, LabelId};

/// The classes of a few lines, in the four forms of the public tables.
const FORMS: [&str; 4] = [
    "id,name,docs_name,long_name,kind,constituent_ids,tested,instance_challenge,semantic_challenge\n\
     20,ne_mem,ne_mem,nuclear envelope membrane,atomic,,1,0,1\n\
     21,ne_lum,ne_lum,nuclear envelope lumen,atomic,,1,0,1\n\
     28,nucpl,nucpl,nucleoplasm,atomic,,1,0,1\n\
     52,ne,ne,nuclear envelope,group,20 21,1,0,1\n\
     37,nuc,nuc,nucleus,group,52 28 21,1,1,1\n",
    "ne_mem,20,\"\"\nne_lum,21,\"\"\nnucpl,28,\"\"\nne,52,\"20,21\"\nnuc,37,\"52,28,21\"\n",
    "field_name,class_id,ids included,long_name,challenge\n\
     ne_mem,20,,nuclear envelope membrane,False\n\
     ne_lum,21,,nuclear envelope lumen,False\n\
     nucpl,28,,nucleoplasm,False\n\
     ne,52,20-21,nuclear envelope,False\n\
     nuc,37,52-28-21,nucleus,True\n",
    "field_name,class_id,ids included,long_name,instance_challenge,semantic_challenge\n\
     ne_mem,20,,nuclear envelope membrane,False,True\n\
     ne_lum,21,,nuclear envelope lumen,False,True\n\
     nucpl,28,,nucleoplasm,False,True\n\
     ne,52,20-21,nuclear envelope,False,True\n\
     nuc,37,52-28-21,nucleus,True,True\n",
];

fn names(table: &ClassTable, class: &str) -> Vec<String> {
    table.constituents(class).iter().map(|class| class.name.clone()).collect()
}

fn check(table: &ClassTable) {
    let listed: Vec<(&str, LabelId)> =
        table.classes().iter().map(|class| (class.name.as_str(), class.id)).collect();
    let expected = [("ne_mem", 20), ("ne_lum", 21), ("nucpl", 28), ("ne", 52), ("nuc", 37)];
    assert_eq!(listed, expected);
    assert_eq!(table.class("nuc").unwrap().constituent_ids, [52, 28, 21]);
    assert!(table.class("nuc").unwrap().is_composite());
    assert!(!table.by_id(28).unwrap().is_composite());
    // Through the composite class between, and each once although 21 is listed twice.
    assert_eq!(names(table, "nuc"), ["ne_mem", "ne_lum", "nucpl"]);
    assert_eq!(names(table, "ne"), ["ne_mem", "ne_lum"]);
    assert_eq!(names(table, "nucpl"), [""; 0]);
    assert_eq!(names(table, "nothing"), [""; 0]);
}

#[test]
fn all_four_public_forms_give_the_same_classes() {
    for text in FORMS {
        check(&ClassTable::from_csv(text).unwrap());
    }
    let long = |text| ClassTable::from_csv(text).unwrap().class("nuc").unwrap().long_name.clone();
    assert_eq!(FORMS.map(long)[0].as_deref(), Some("nucleus"));
    assert_eq!(FORMS.map(long)[1], None);
    assert_eq!(FORMS.map(long)[3].as_deref(), Some("nucleus"));
}

#[test]
fn spellings_of_editors_and_spreadsheets_are_tolerated() {
    for text in FORMS {
        check(&ClassTable::from_csv(&format!("\u{feff}{text}")).unwrap());
        check(&ClassTable::from_csv(&text.replace('\n', "\r\n")).unwrap());
        check(&ClassTable::from_csv(&format!("\n\n{}\n  \n", text.replace('\n', "\n\n"))).unwrap());
        check(&ClassTable::from_csv(text.trim_end()).unwrap());
    }
    check(&ClassTable::from_csv(&FORMS[0].replace(',', " , ")).unwrap());
    check(&ClassTable::from_csv(&FORMS[0].replace(',', "\t")).unwrap());
    check(&ClassTable::from_csv(&FORMS[2].replace(',', ";")).unwrap());
    for ids in ["52;28;21", "\"[52, 28, 21]\"", "[52 28 21]", " 52  28 21 ", "\"52, 28,21,\""] {
        let text = FORMS[1].replace("\"52,28,21\"", ids);
        check(&ClassTable::from_csv(&text).unwrap());
    }
}

#[test]
fn what_separates_ids_does_not_separate_columns() {
    for between in [";", "\t"] {
        let text = format!("ne,52,20{between}21\nne_mem,20,\nne_lum,21,\n");
        let table = ClassTable::from_csv(&text).unwrap();
        assert_eq!(table.class("ne").unwrap().constituent_ids, [20, 21]);
    }
}

#[test]
fn a_name_has_4096_letters_at_most() {
    let table = |letters| ClassTable::from_csv(&format!("{},1,\n", "a".repeat(letters)));
    assert_eq!(table(4096).unwrap().classes()[0].name.len(), 4096);
    let error = table(4097).unwrap_err().to_string();
    assert!(error.contains("line 1") && error.contains("4097 bytes, at most 4096"), "{error}");
}

#[test]
fn columns_may_stand_in_any_order_and_case() {
    let text = "Constituent_IDs,kind,NAME,ID\n,a,ne_mem,20\n,a,ne_lum,21\n,a,nucpl,28\n\
                20 21,g,ne,52\n52 28 21,g,nuc,37\n";
    check(&ClassTable::from_csv(text).unwrap());
}

#[test]
fn a_class_has_two_spellings_if_the_table_says_so() {
    let text = "id,name,docs_name,constituent_ids\n67,chloroplast_mem,chlor_mem,\n\
                70,chloroplast,chlor,67\n";
    let table = ClassTable::from_csv(text).unwrap();
    assert_eq!(table.class("chlor_mem"), table.class("chloroplast_mem"));
    assert_eq!(table.class("chlor_mem").unwrap().id, 67);
    assert_eq!(names(&table, "chlor"), ["chloroplast_mem"]);
}

#[test]
fn what_does_not_fit_is_refused_with_line_and_column() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["there is no class"]),
        ("id,name,constituent_ids\n", &["there is no class"]),
        ("\n\na,1,\nb,2,\na,3,\n", &["line 5", "column name", "\"a\" is a class on line 3"]),
        ("a,1,\nb,2,\nc,2,\n", &["line 3", "column id", "2 is the id of \"b\" on line 2"]),
        ("a,1,\nb,2,\"1,7\"\n", &["line 2", "column constituents", "no class has the id 7"]),
        ("a,1,1\n", &["line 1", "\"a\" contains itself"]),
        ("x,9,\na,1,2\nb,2,3\nc,3,\"9,1\"\n", &["contains itself, directly or by"]),
        ("a,1,\nb,two,\n", &["line 2", "column id", "\"two\" is no label id"]),
        ("a,1,\nb,-2,\n", &["line 2", "column id", "\"-2\""]),
        ("a,1,\nb,18446744073709551616,\n", &["line 2", "column id"]),
        ("a,1,\n,2,\n", &["line 2", "column name", "empty"]),
        ("a,1,\nb,2,1 x\n", &["line 2", "column constituents", "\"x\" in \"1 x\""]),
        ("a,1,\nb,2,\nc,3,1,2\n", &["line 3", "4 columns, expected 3", "quotes"]),
        ("id,label,constituent_ids\n1,a,\n", &["line 1", "column name", "field_name", "\"label\""]),
        ("class_name,class_id,parent\na,1,\n", &["line 1", "ids included", "\"parent\""]),
        (
            "id,name,ids,Class_ID\n1,a,,2\n",
            &["line 1", "column id", "more than one", "id, Class_ID"],
        ),
        ("alpha,beta,gamma\n", &["line 1", "column id", "class_id"]),
        (
            "id,name,docs_name,constituent_ids\n1,a,b,\n2,b,c,\n",
            &["line 3", "column name", "\"b\" is a class on line 2"],
        ),
    ];
    for (text, parts) in cases {
        let error = ClassTable::from_csv(text).unwrap_err().to_string();
        assert!(error.starts_with("class table"), "{text:?}: {error}");
        for part in *parts {
            assert!(error.contains(part), "{text:?}: {part:?} is not in {error}");
        }
    }
}

#[test]
fn the_message_about_a_file_that_is_no_table_stays_short() {
    for text in [
        "x".repeat(100_000) + &",y".repeat(1000),
        "x".repeat(20) + &",y".repeat(1000),
        "id,".repeat(100_000),
        format!("a,1,\n{},2,\n", "b".repeat(100_000)),
        format!("a,1,\nb,{},\n", "2".repeat(100_000)),
        format!("a,1,\nb,2,{}\n", "x".repeat(100_000)),
    ] {
        let error = ClassTable::from_csv(&text).unwrap_err().to_string();
        assert!(error.len() < 500, "{} bytes", error.len());
    }
}

#[test]
fn only_a_class_that_contains_itself_is_blamed_for_it() {
    // `outer` contains the ring but is not in it, and comes first.
    let text = "outer,1,2\nring,2,3\nback,3,2\n";
    let error = ClassTable::from_csv(text).unwrap_err().to_string();
    assert!(error.contains("\"ring\"") || error.contains("\"back\""), "{error}");
}

#[test]
fn a_table_may_nest_as_deep_as_it_likes() {
    let deep: String =
        (1..20_000).fold("c0,0,\n".to_owned(), |text, n| text + &format!("c{n},{n},{}\n", n - 1));
    let table = ClassTable::from_csv(&deep).unwrap();
    assert_eq!(names(&table, "c19999"), ["c0"]);
}
