//! The recorded answers of the original that the project carries: every difference has a rule.

use std::process::Command;

#[test]
fn the_recorded_answers_are_equal_or_differ_by_a_rule() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("conform").output();
    let output = output.expect("the command starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains(" 0 unexplained"), "{text}");
}

#[test]
fn a_wrong_answer_fails() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for name in ["attrs.jsonl", "labels.jsonl", "manifest.json"] {
        std::fs::copy(golden.join(name), folder.path().join(name)).expect("a copy");
    }
    let wrong = r#"{"op":"coord.add","a":{"c":[1]},"args":[2],"r":{"c":[4]}}"#;
    std::fs::write(folder.path().join("geometry.jsonl"), wrong).expect("a file");
    for part in ["crops", "expected"] {
        link(&golden.join(part), &folder.path().join(part));
    }
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["conform", "--golden"])
        .arg(folder.path())
        .output()
        .expect("the command starts");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 answers, 0 equal, 0 named, 1 unexplained"), "{text}");
}

#[cfg(unix)]
fn link(from: &std::path::Path, to: &std::path::Path) {
    std::os::unix::fs::symlink(from, to).expect("a link");
}

#[cfg(windows)]
fn link(from: &std::path::Path, to: &std::path::Path) {
    std::os::windows::fs::symlink_dir(from, to).expect("a link");
}
