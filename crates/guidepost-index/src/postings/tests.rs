//! Postings of small random guides, against the obvious way to find the same.

use guidepost_text::{Chunk, Lines, Metadata, Span};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// Words of random guides; two of them resemble what is misspelled.
const WORDS: [&str; 8] = ["alpha", "beta", "C++", "Node.js", "kubernetes", "camelCase", "gamma", "in"];

/// Title and text of each guide.
type Texts = Vec<(String, String)>;

fn texts() -> impl Strategy<Value = Texts> {
    let words =
        |count| prop::collection::vec(prop::sample::select(&WORDS[..]), count).prop_map(|w| w.join(" "));
    prop::collection::vec((words(1..3), words(1..20)), 1..12)
}

/// Every guide is one chunk below its title.
fn index(texts: &Texts) -> (TempDir, Postings) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let chunk = |(at, (title, text)): (usize, &(String, String))| StoredChunk {
        document: at as u32,
        key: String::new(),
        chunk: Chunk {
            heading_path: vec![title.clone()],
            context: title.clone(),
            lines: Lines { first: 1, last: 1 },
            span: Span { start: 0, end: text.len() },
            text: text.clone(),
        },
    };
    let document = |(title, _): &(String, String)| DocumentRecord {
        source: 0,
        relative: String::new(),
        path: String::new(),
        bytes: 0,
        modified_ns: 0,
        hash: String::new(),
        content: String::new(),
        metadata: Metadata { title: title.clone(), ..Metadata::default() },
        first_chunk: 0,
        chunks: 1,
        segment: 0,
        first_row: 0,
        number: 0,
        pages: Vec::new(),
        warnings: Vec::new(),
    };
    let chunks: Vec<StoredChunk> = texts.iter().enumerate().map(chunk).collect();
    let documents: Vec<DocumentRecord> = texts.iter().map(document).collect();
    let postings = Postings::for_tests(folder.path(), &chunks, &documents);
    (folder, postings)
}

/// The words of a text, without other ways to write them.
fn words(text: &str) -> Vec<String> {
    analyze(text).into_iter().filter(|token| token.form == Form::Word).map(|token| token.term).collect()
}

fn holds(text: &str, phrase: &str) -> bool {
    let phrase = words(phrase);
    words(text).windows(phrase.len()).any(|window| window == phrase)
}

fn correction(term: &str) -> Token {
    Token { term: term.to_owned(), start: 0, end: 0, form: Form::Correction }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shares_add_up_to_the_score(texts in texts(), asked in prop::collection::vec(prop::sample::select(&WORDS[..]), 1..4)) {
        let (_folder, postings) = index(&texts);
        let mut words = analyze(&asked.join(" "));
        words.push(correction("kubernet"));
        words.push(Token { term: "node js".to_owned(), form: Form::Expansion, ..correction("") });
        for (id, score) in postings.search(&words, texts.len(), None).expect("it can be searched") {
            let shares = postings.shares(&words, 0, id.0).expect("it can be searched");
            let sum: f32 = shares.iter().map(|share| share.score).sum();
            prop_assert!((sum - score).abs() < 1e-4, "{sum} {score} {shares:?}");
        }
    }

    #[test]
    fn clauses_let_through_what_fulfils_them(
        texts in texts(),
        phrase in prop::collection::vec(prop::sample::select(&WORDS[..]), 1..3),
        field in prop::sample::select(vec![None, Some(TextField::Title), Some(TextField::Headings), Some(TextField::Body)]),
        is_excluded: bool,
    ) {
        let (_folder, postings) = index(&texts);
        let clause = Clause { text: phrase.join(" "), field, is_excluded };
        let found = postings.rows_matching(std::slice::from_ref(&clause), texts.len()).expect("it can be searched");
        let found: Vec<u32> = found.expect("there is a clause").iter().map(|id| id.0).collect();
        let fulfils = |(title, text): &(String, String)| {
            let (in_title, in_text) = (holds(title, &clause.text), holds(text, &clause.text));
            let is_held = match field {
                None => in_title || in_text,
                Some(TextField::Title | TextField::Headings) => in_title,
                Some(TextField::Body) => in_text,
            };
            is_held != is_excluded
        };
        let expected: Vec<u32> = (0..).zip(&texts).filter(|(_, text)| fulfils(text)).map(|(id, _)| id).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_correction_alone_never_outranks_the_words_that_need_none(
        texts in texts(),
        certain in prop::collection::vec(prop::sample::select(&WORDS[..4]), 1..3),
    ) {
        let (_folder, postings) = index(&texts);
        let mut asked = analyze(&format!("{} kuberntes", certain.join(" ")));
        let meant = postings.closest_words("kuberntes").expect("it can be searched");
        asked.extend(meant.iter().map(|word| correction(&words(word)[0])));
        let ranked = postings.search(&asked, texts.len(), None).expect("it can be searched");
        let held = |id: ChunkId, word: &str| {
            let (title, text) = &texts[id.0 as usize];
            holds(title, word) || holds(text, word)
        };
        let score = |wanted: &dyn Fn(ChunkId) -> bool, fold: fn(f32, f32) -> f32| {
            ranked.iter().filter(|(id, _)| wanted(*id)).map(|&(_, score)| score).reduce(fold)
        };
        let forms = analyze(&certain.join(" "));
        let any_form = |id: ChunkId| {
            let (title, text) = &texts[id.0 as usize];
            forms.iter().any(|form| terms(title).contains(&form.term) || terms(text).contains(&form.term))
        };
        let lowest = score(&|id| certain.iter().all(|word| held(id, word)), f32::min);
        let highest = score(&|id| !any_form(id), f32::max);
        if let (Some(lowest), Some(highest)) = (lowest, highest) {
            prop_assert!(highest < lowest, "{highest} {lowest}");
        }
    }
}

#[track_caller]
fn check_closest(word: &str, expected: &[&str]) {
    let text =
        "Kubernetes kubernetes clusters, salaries and Python; a must for the rest. Trust React and Rocket.";
    let (_folder, postings) = index(&vec![("Salaries".to_owned(), text.to_owned())]);
    assert_eq!(postings.closest_words(word).expect("it can be searched"), expected, "{word}");
}

#[test]
fn misspelled_words_resemble_words_of_the_guides() {
    check_closest("kuberntes", &["kubernetes"]);
    check_closest("pyhton", &["python"]);
    check_closest("reakt", &["react"]);
    // Held, in another inflection too; short; no word; far from everything.
    check_closest("salary", &[]);
    check_closest("kubernets", &[]);
    check_closest("clustering", &[]);
    check_closest("mast", &[]);
    check_closest("pyth0n", &[]);
    check_closest("terraform", &[]);
}
