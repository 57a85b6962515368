//! `attrium agreement`, of columns of one table and of two tables.

use std::fs;

use serde_json::Value;

use crate::cohort::{COHORT, STUDIES, scratch};
use crate::program::attrium;

#[test]
fn two_columns_of_one_table_are_two_readers() {
    let labels = COHORT.labels.to_str().unwrap();
    let text = attrium(["agreement", "--a", labels]).ok();
    assert!(text.contains("grade") && text.contains("reader2"), "{text}");
    let json = attrium(["agreement", "--a", labels, "-o", "json"]).ok();
    let pairs: Value = serde_json::from_str(&json).unwrap();
    let pair = &pairs[0];
    assert_eq!(
        (&pair["a"], &pair["b"]),
        (&"grade".into(), &"reader2".into())
    );
    assert_eq!(pair["studies"], STUDIES);
    let kappa = pair["kappa"].as_f64().unwrap();
    assert!((-1.0..=1.0).contains(&kappa), "{pair}");
}

#[test]
fn readers_of_two_tables_are_compared_on_the_studies_of_both() {
    let folder = scratch("agreement");
    let (a, b) = (folder.join("a.csv"), folder.join("b.csv"));
    fs::write(&a, "study,grade\n1,0\n2,1\n3,2\n4,3\n5,3\n").unwrap();
    fs::write(&b, "grade;study\n3;5\n0;1\n1;2\n3;3\n").unwrap();
    let (a, b) = (a.to_str().unwrap(), b.to_str().unwrap());
    let json = attrium(["agreement", "--a", a, "--b", b, "--output", "json"]).ok();
    let pairs: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(pairs.as_array().map(Vec::len), Some(1));
    assert_eq!(pairs[0]["studies"], 4);
    // Three of four agree, where 4 of 16 would by chance.
    let kappa = pairs[0]["kappa"].as_f64().unwrap();
    assert!(
        (kappa - (12.0 - 4.0) / (16.0 - 4.0)).abs() < 1e-12,
        "{kappa}"
    );
}

#[test]
fn a_table_without_the_column_or_with_another_value_is_refused() {
    let folder = scratch("agreement-refused");
    let table = folder.join("a.csv");
    let path = table.to_str().unwrap();
    fs::write(&table, "study,grade\n1,0\n").unwrap();
    let columns = ["agreement", "--a", path];
    attrium(columns).fails_with(42, &["a.csv", "\"reader2\" is there 0 times"]);
    let one = ["agreement", "--a", path, "--columns", "grade"];
    attrium(one).fails_with(43, &["agrees with nobody"]);
    fs::write(&table, "study,grade,reader2\n1,0,high\n").unwrap();
    attrium(columns).fails_with(42, &["line 2, column reader2", "Perugini grade"]);
}
