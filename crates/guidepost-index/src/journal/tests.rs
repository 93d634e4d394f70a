use guidepost_text::HashEmbedder;

use super::*;

/// The weightless model under a name of its own.
struct Named(&'static str);

impl Embed for Named {
    fn fingerprint(&self) -> &str {
        self.0
    }

    fn dimensions(&self) -> usize {
        2
    }

    fn max_tokens(&self) -> usize {
        HashEmbedder.max_tokens()
    }

    fn count_tokens(&self, texts: &[&str]) -> Vec<usize> {
        HashEmbedder.count_tokens(texts)
    }

    fn embed(
        &self,
        _: &[&str],
        _: guidepost_text::TextRole,
        _: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, guidepost_text::EmbedError> {
        Ok(Vec::new())
    }
}

fn records() -> Vec<Record> {
    let record = |key: &str, x: f32, codes: Option<Vec<u64>>| Record {
        key: key.to_owned(),
        vector: Embedding::from_unit(vec![x, -x]),
        codes,
    };
    vec![
        record("a", 0.5, Some(vec![1, u64::MAX])),
        record("bb", 0.25, None),
        record("c", 0.125, Some(vec![])),
    ]
}

/// The journal, and what it has of the records.
fn read(index: &Path, model: &'static str, wants: bool) -> (Journal, Vec<Record>) {
    let mut journal = Journal::open(index, &Named(model)).expect("it can be read");
    let keys: Vec<String> = records().into_iter().map(|record| record.key).collect();
    let stored = if wants { keys } else { Vec::new() };
    let found = stored.iter().filter_map(|key| journal.find(key, false)).collect();
    (journal, found)
}

fn written() -> (tempfile::TempDir, Vec<u8>) {
    let index = tempfile::tempdir().expect("a temporary folder");
    let (mut journal, found) = read(index.path(), "model", true);
    assert_eq!(found, []);
    journal.append(records()[..2].iter());
    journal.append(records()[2..].iter());
    assert_eq!((journal.appended(), journal.refusal()), (3, None));
    let bytes = fs::read(index.path().join(NAME)).expect("it was written");
    (index, bytes)
}

#[test]
fn what_was_appended_is_found_and_more_is_appended() {
    let (index, _) = written();
    let (mut journal, found) = read(index.path(), "model", true);
    assert_eq!(found, records());
    let more = Record { key: "d".to_owned(), ..records().remove(0) };
    journal.append([&more].into_iter());
    let (mut journal, found) = read(index.path(), "model", true);
    assert_eq!((found, journal.find("d", true)), (records(), Some(more)));
    // Only with codes where they are wanted, and the record that has them.
    assert_eq!(journal.find("bb", true), None);
    let coded = Record { codes: Some(vec![7]), ..records().remove(1) };
    journal.append([&coded, &records()[1]].into_iter());
    let (mut journal, _) = read(index.path(), "model", true);
    assert_eq!((journal.find("bb", true), journal.find("nowhere", false)), (Some(coded), None));
}

#[test]
fn a_torn_tail_is_cut_off_wherever_it_is_torn() {
    let (index, whole) = written();
    let path = index.path().join(NAME);
    let header = whole.iter().position(|&byte| byte == b'\n').expect("a line") + 1;
    let mut ends = vec![header];
    records().iter().for_each(|record| ends.push(ends[ends.len() - 1] + super::encode(record).len()));
    for length in header..whole.len() {
        fs::write(&path, &whole[..length]).expect("writable");
        let sound = ends.iter().filter(|&&end| end <= length).count() - 1;
        let (mut journal, found) = read(index.path(), "model", true);
        assert_eq!(found, records()[..sound], "cut at {length}");
        journal.append(records()[sound..].iter());
        assert_eq!(fs::read(&path).expect("it is there"), whole, "cut at {length}");
    }
}

#[test]
fn a_flipped_bit_never_makes_a_wrong_record() {
    let (index, whole) = written();
    let path = index.path().join(NAME);
    let header = whole.iter().position(|&byte| byte == b'\n').expect("a line") + 1;
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            fs::write(&path, &damaged).expect("writable");
            let (_, found) = read(index.path(), "model", true);
            assert!(records().starts_with(&found), "byte {at}, bit {bit}: {found:?}");
            assert!(at < header || found.len() < 3, "byte {at}, bit {bit} was not noticed");
        }
    }
}

#[test]
fn one_of_another_model_is_removed() {
    let (index, _) = written();
    assert_eq!(read(index.path(), "another", true).1, []);
    assert!(!index.path().join(NAME).exists());
}

#[test]
fn what_other_updates_left_outlives_a_commit_for_a_week() {
    for (wants, days, stays) in [(true, 0, false), (false, 0, true), (false, 6, true), (false, 8, false)] {
        let (index, whole) = written();
        let (mut journal, _) = read(index.path(), "model", wants);
        journal.append(records().iter());
        journal.header.started -= days * 24 * 60 * 60;
        journal.finish();
        let left = fs::read(index.path().join(NAME)).ok();
        assert_eq!(left, stays.then_some(whole), "{wants} {days}");
    }
}
