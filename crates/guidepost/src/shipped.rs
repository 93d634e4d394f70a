//! The guides that ship, and questions about them, inside the binary: an installed program needs no checkout.

use guidepost_index::ShippedGuide;
use include_dir::{Dir, include_dir};

static CORPUS: Dir = include_dir!("$CARGO_MANIFEST_DIR/../../corpus");

/// Every guide of `corpus/`, in the order of their names.
pub(crate) fn guides() -> Vec<ShippedGuide> {
    let is_guide = |file: &&include_dir::File| {
        let name = file.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.ends_with(".md") && name != "README.md"
    };
    let guide = |file: &'static include_dir::File| {
        Some(ShippedGuide { path: file.path().to_str()?, bytes: file.contents() })
    };
    let mut guides: Vec<ShippedGuide> = CORPUS.files().filter(is_guide).filter_map(guide).collect();
    guides.sort_by_key(|guide| guide.path);
    guides
}

/// The questions of `corpus/questions.jsonl`, in its order.
pub(crate) fn questions() -> Vec<String> {
    let lines = CORPUS.get_file("questions.jsonl").and_then(include_dir::File::contents_utf8);
    let question = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        line["question"].as_str().map(str::to_owned)
    };
    lines.unwrap_or_default().lines().filter_map(question).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_question() {
        let lines = include_str!("../../../corpus/questions.jsonl").lines().count();
        assert_eq!(questions().len(), lines);
    }
}
