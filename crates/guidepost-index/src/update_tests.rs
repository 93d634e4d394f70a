//! Any sequence of updates leaves an index that answers as one that was built at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use guidepost_text::{Embed, EmbedError, Embedding, HashEmbedder, TextRole, TokenVectors};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::{Clause, LateInteraction, Request, Rows, Snapshot, Update, analyze, update, verify};

/// Guides to begin with, and sections of each: more rows than an update writes anew without asking.
const GUIDES: usize = 24;
const SECTIONS: usize = 100;

const SUBJECTS: [&str; 10] =
    ["looms", "dyes", "wool", "C++", "linen", "spindles", "Kubernetes", "madder", "felt", "shuttles"];

/// A guide whose text follows from a number.
fn guide(seed: usize, sections: usize) -> String {
    let subject = |at: usize| SUBJECTS[(seed * 7 + at * at + at / 3) % SUBJECTS.len()];
    let section = |at: usize| {
        let (first, second) = (subject(at), subject(at + 1));
        format!(
            "## {first} {at}\n\nEvery {first} of year {} needs {second}, said the Guild of Weavers (GOW) {}. Weaver {} {}.\n\n",
            1500 + (seed * 31 + at) % 400,
            "and waited ".repeat((seed + at) % 5),
            (seed * 13 + at * 17) % 97,
            "wove ".repeat(60 + (seed + at) % 20),
        )
    };
    format!("# Guide {}\n\n{}", seed % 40, (0..sections).map(section).collect::<String>())
}

/// Something that happens to the folder of guides.
#[derive(Debug, Clone)]
enum Change {
    Write(usize, usize, usize),
    Remove(usize),
    Rename(usize, usize),
    Touch(usize),
}

fn changes() -> impl Strategy<Value = Vec<Vec<Change>>> {
    let guide = 0..GUIDES + 6;
    let change = prop_oneof![
        4 => (guide.clone(), 0usize..200, 0usize..60).prop_map(|(at, seed, sections)| Change::Write(at, seed, sections)),
        2 => guide.clone().prop_map(Change::Remove),
        1 => (guide.clone(), guide.clone()).prop_map(|(from, to)| Change::Rename(from, to)),
        1 => guide.prop_map(Change::Touch),
    ];
    prop::collection::vec(prop::collection::vec(change, 1..5), 1..9)
}

fn path(folder: &Path, at: usize) -> PathBuf {
    folder.join(format!("guide-{at:02}.md"))
}

fn apply(folder: &Path, change: &Change) {
    // What cannot be done (no such guide) changes nothing.
    match *change {
        Change::Write(at, seed, sections) => {
            fs::write(path(folder, at), guide(seed, sections)).expect("writable");
        }
        Change::Remove(at) => {
            let _ = fs::remove_file(path(folder, at));
        }
        Change::Rename(from, to) => {
            let _ = fs::rename(path(folder, from), path(folder, to));
        }
        Change::Touch(at) => {
            if let Ok(text) = fs::read(path(folder, at)) {
                fs::write(path(folder, at), text).expect("writable");
            }
        }
    }
}

fn bring_up_to_date(index: &Path, guides: &Path) -> Update {
    bring_up_to_date_within(index, guides, u64::MAX)
}

fn bring_up_to_date_within(index: &Path, guides: &Path, memory: u64) -> Update {
    bring_up_to_date_with(&HashEmbedder, index, guides, memory)
}

fn bring_up_to_date_with(embedder: &dyn Embed, index: &Path, guides: &Path, memory: u64) -> Update {
    let request = Request {
        index,
        add: &[guides.to_owned()],
        remove: &[],
        shipped: &[],
        embedder: Some(embedder),
        rebuild: false,
        repair: false,
        wait: true,
        late_interaction: LateInteraction::AsBefore,
        memory,
        stop: &AtomicBool::new(false),
    };
    update(&request, &mut |_| ()).expect("it can be written")
}

fn open(index: &Path) -> Snapshot {
    Snapshot::open(index).expect("it is sound").expect("it is there")
}

/// Everything that two indexes of the same guides have to agree on.
fn check_same(updated: &Snapshot, fresh: &Snapshot) {
    let guides = |snapshot: &Snapshot| {
        let documents = snapshot.documents().iter();
        documents.map(|guide| (guide.path.clone(), guide.hash.clone(), guide.first_chunk)).collect::<Vec<_>>()
    };
    assert_eq!(guides(updated), guides(fresh));
    assert_eq!(updated.passages().expect("sound"), fresh.passages().expect("sound"));
    assert_eq!(updated.names().expect("sound"), fresh.names().expect("sound"));
    assert_eq!(updated.abbreviations(), fresh.abbreviations());
    assert!(fresh.content_hash().is_some());
    assert_eq!(updated.content_hash(), fresh.content_hash());
    for asked in
        ["looms and dyes of 1612", "C++", "kubernetes weaver 13", "waited", "guild GOW", "nothing here"]
    {
        let words = analyze(asked);
        let (found, expected) =
            (updated.bm25(&words, 50, None).expect("sound"), fresh.bm25(&words, 50, None).expect("sound"));
        // Scores are sums, in an order that tantivy chooses.
        let near = |a: f32, b: f32| (a - b).abs() <= 1e-5 * a.abs().max(1.0);
        assert_eq!(found.len(), expected.len(), "{asked}");
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!(near(found.1, expected.1), "{asked}, place {at}: {found:?} {expected:?}");
        }
        for (id, score) in &found {
            let shares = updated.bm25_shares(&words, *id).expect("sound");
            let sum: f32 = shares.iter().map(|share| share.score).sum();
            assert!((sum - score).abs() < 1e-3, "{asked}: {shares:?} {score}");
        }
        for word in &words {
            assert_eq!(updated.idf(&word.term), fresh.idf(&word.term), "{asked}");
        }
        let vector =
            HashEmbedder.embed(&[asked], TextRole::Question, &|_| ()).expect("it never fails").remove(0);
        // Words alone make many equals: which of those at the end are found hangs on what is beside them.
        let scan = |snapshot: &Snapshot, within: Option<&Rows>| {
            let found = snapshot.dense_scan(&vector, 10, within);
            found.into_iter().map(|(_, cosine)| cosine).collect::<Vec<f32>>()
        };
        assert_eq!(scan(updated, None), scan(fresh, None), "{asked}");
        let clause = Clause { text: asked.to_owned(), field: None, is_excluded: false };
        let rows =
            |snapshot: &Snapshot| snapshot.rows_matching(std::slice::from_ref(&clause)).expect("sound");
        assert_eq!(rows(updated), rows(fresh), "{asked}");
        let within = rows(fresh).expect("there is a clause");
        assert_eq!(scan(updated, Some(&within)), scan(fresh, Some(&within)), "{asked}");
        let late = |snapshot: &Snapshot| {
            let question = snapshot.late_question(&tokens(asked), &vec![1.0; tokens(asked).spans.len()]);
            let question = question.expect("the index keeps tokens");
            expected.iter().map(|(id, _)| snapshot.max_sim(&question, *id)).collect::<Vec<_>>()
        };
        assert_eq!(late(updated), late(fresh), "{asked}");
    }
    for misspelled in ["shutles", "kubernets", "spindels"] {
        let meant = |snapshot: &Snapshot| snapshot.closest_words(misspelled).expect("sound");
        assert_eq!(meant(updated), meant(fresh), "{misspelled}");
    }
}

fn tokens(text: &str) -> TokenVectors {
    let kept = std::sync::Mutex::new(None);
    let keep = |_: usize, tokens: TokenVectors| *kept.lock().expect("nobody panics") = Some(tokens);
    HashEmbedder.embed_tokens(&[text], TextRole::Question, &keep, &|_| ()).expect("it never fails");
    kept.into_inner().expect("nobody panics").expect("it was called")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for entry in fs::read_dir(from).expect("it is there") {
        let entry = entry.expect("it is there");
        match entry.file_type().expect("it is there").is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => {
                fs::copy(entry.path(), to.join(entry.file_name())).expect("writable");
            }
        }
    }
}

#[test]
fn updates_in_any_order_answer_as_one_build_does() {
    let home = TempDir::new().expect("a temporary folder");
    let first_guides = home.path().join("first");
    fs::create_dir_all(&first_guides).expect("writable");
    for at in 0..GUIDES {
        fs::write(path(&first_guides, at), guide(at, SECTIONS)).expect("writable");
    }
    let most_segments = std::cell::Cell::new(0);
    let case = std::cell::Cell::new(0);
    proptest!(ProptestConfig { cases: 4, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default() }, |(updates in changes(), memory in prop_oneof![Just(u64::MAX), Just(3 << 20), Just(20 << 20)])| {
        case.set(case.get() + 1);
        let guides = home.path().join(format!("{}/guides", case.get()));
        let index = home.path().join(format!("{}/index", case.get()));
        copy(&first_guides, &guides);
        bring_up_to_date_within(&index, &guides, memory);
        for changes in &updates {
            changes.iter().for_each(|change| apply(&guides, change));
            bring_up_to_date_within(&index, &guides, memory);
            most_segments.set(most_segments.get().max(open(&index).segment_count()));
        }
        let fresh = home.path().join(format!("{}/fresh", case.get()));
        bring_up_to_date(&fresh, &guides);
        check_same(&open(&index), &open(&fresh));
        let verified = verify(&index).expect("it can be read").expect("it is there");
        prop_assert_eq!(verified.damages, []);
        let again = bring_up_to_date_within(&index, &guides, memory);
        prop_assert!(!again.changes.any_text() && again.embedded == 0, "{again:?}");
    });
    assert!(most_segments.get() > 1, "no update left a segment beside another");
}

#[test]
fn a_bound_on_memory_cuts_the_index_into_parts_and_changes_no_answer() {
    let home = TempDir::new().expect("a temporary folder");
    let guides = home.path().join("guides");
    fs::create_dir_all(&guides).expect("writable");
    for at in 0..GUIDES {
        fs::write(path(&guides, at), guide(at, SECTIONS)).expect("writable");
    }
    let build = |name: &str, memory: u64| {
        let index = home.path().join(name);
        let update = bring_up_to_date_within(&index, &guides, memory);
        assert_eq!((update.documents, update.wrote), (GUIDES, true));
        open(&index)
    };
    let whole = build("whole", u64::MAX);
    // No more than a guide at a time: all of them are segments.
    let parts = build("parts", 0);
    assert_eq!((whole.segment_count(), parts.segment_count()), (1, GUIDES));
    check_same(&parts, &whole);
    let few = build("few", 12 << 20);
    assert!((2..GUIDES).contains(&few.segment_count()), "{}", few.segment_count());
    check_same(&few, &whole);
    // An update within the bound lets parts be that are as large as they may be; one without brings them together.
    fs::write(path(&guides, 3), guide(90, 2)).expect("writable");
    let update = bring_up_to_date_within(&home.path().join("few"), &guides, 12 << 20);
    assert!(update.embedded <= 2 && open(&home.path().join("few")).segment_count() > 1, "{update:?}");
    bring_up_to_date(&home.path().join("few"), &guides);
    check_same(&open(&home.path().join("few")), &build("again", u64::MAX));
}

fn digests(snapshot: &Snapshot) -> Vec<String> {
    snapshot.documents().iter().map(|guide| guide.content.clone()).collect()
}

#[test]
fn an_update_leaves_the_files_of_what_has_not_changed_alone() {
    let home = TempDir::new().expect("a temporary folder");
    let (guides, index) = (home.path().join("guides"), home.path().join("index"));
    fs::create_dir_all(&guides).expect("writable");
    for at in 0..GUIDES {
        fs::write(path(&guides, at), guide(at, SECTIONS)).expect("writable");
    }
    bring_up_to_date(&index, &guides);
    assert_eq!(open(&index).segment_count(), 1);
    let before_digests = digests(&open(&index));
    let vectors = index.join("segment-000001/vectors");
    let written = || fs::metadata(&vectors).and_then(|metadata| metadata.modified()).expect("it is there");
    let before = written();
    fs::write(path(&guides, 3), guide(3, SECTIONS) + "## New\n\nA word about bobbins.\n").expect("writable");
    let update = bring_up_to_date(&index, &guides);
    assert!(update.wrote && update.embedded <= 2, "{update:?}");
    assert_eq!((open(&index).segment_count(), written()), (2, before));
    // What is known of the others goes with their records.
    let after = digests(&open(&index));
    let differing = before_digests.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert_eq!(differing, 1);
    // A guide with another name holds the same texts.
    fs::rename(path(&guides, 5), path(&guides, 29)).expect("writable");
    let update = bring_up_to_date(&index, &guides);
    assert_eq!((update.changes.added, update.changes.removed, update.embedded), (1, 1, 0));
    // Deletions alone write no segment.
    let segments = || {
        fs::read_dir(&index)
            .expect("it is there")
            .flatten()
            .map(|entry| entry.file_name())
            .collect::<Vec<_>>()
    };
    let count = segments().len();
    fs::remove_file(path(&guides, 7)).expect("it is there");
    bring_up_to_date(&index, &guides);
    assert_eq!(segments().len(), count);
    assert_eq!(written(), before);
}

/// A model that takes its time, in which somebody changes the guide once more: within the same tick of the clock as before,
/// and after it was read.
struct SlowModel<'a> {
    guide: &'a Path,
    modified: SystemTime,
}

impl Embed for SlowModel<'_> {
    fn fingerprint(&self) -> &str {
        HashEmbedder.fingerprint()
    }

    fn dimensions(&self) -> usize {
        HashEmbedder.dimensions()
    }

    fn max_tokens(&self) -> usize {
        HashEmbedder.max_tokens()
    }

    fn count_tokens(&self, texts: &[&str]) -> Vec<usize> {
        HashEmbedder.count_tokens(texts)
    }

    fn embed(
        &self,
        texts: &[&str],
        role: TextRole,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        write_at(self.guide, "# One\n\nOn plums.\n", self.modified);
        // Until the time of change is long past.
        std::thread::sleep(Duration::from_millis(2200));
        HashEmbedder.embed(texts, role, on_done)
    }
}

fn write_at(path: &Path, text: &str, modified: SystemTime) {
    fs::write(path, text).expect("writable");
    let file = fs::File::options().append(true).open(path).expect("it is there");
    file.set_modified(modified).expect("times can be set");
}

#[test]
fn a_change_while_others_are_embedded_is_seen_by_the_next_look() {
    let home = TempDir::new().expect("a temporary folder");
    let (guides, index) = (home.path().join("guides"), home.path().join("index"));
    fs::create_dir_all(&guides).expect("writable");
    let guide = guides.join("one.md");
    let modified = SystemTime::now() - Duration::from_millis(900);
    write_at(&guide, "# One\n\nOn pears.\n", modified);
    let update = bring_up_to_date_with(&SlowModel { guide: &guide, modified }, &index, &guides, u64::MAX);
    assert_eq!(update.embedded, 1);
    let update = bring_up_to_date(&index, &guides);
    assert_eq!((update.changes.changed, update.embedded), (1, 1));
    assert!(open(&index).passages().expect("sound")[0].contains("plums"));
}
