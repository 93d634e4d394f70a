//! What holds for any bytes. Every function panics where a promise is broken, which is what a fuzzer waits for: the fuzz
//! targets include this file.

mod short_model;

use guidepost_text::{
    Chunk, Document, Embed, HashEmbedder, LineIndex, Lines, Span, chunk_document, named, passage_text,
    profile, read_document, read_text, sentences,
};

use short_model::ShortModel;

/// Reads bytes as indexing does and holds the outcome against everything that others rely on.
pub fn check(path: &str, bytes: &[u8]) {
    check_reading(path, bytes);
}

/// The same for a file whose own lines are its text: as UTF-8 it keeps every one of them.
pub fn check_lines(path: &str, bytes: &[u8]) {
    let document = check_reading(path, bytes);
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    // With a NUL it is UTF-16 or no text at all.
    let no_text = |warning: &String| warning.starts_with("not text");
    if !source.contains('\0') && !document.warnings.iter().any(no_text) {
        let breaks = source.replace("\r\n", "\n").replace('\r', "\n").matches('\n').count();
        assert_eq!(document.text.matches('\n').count(), breaks, "lines lost or won: {:?}", document.text);
    }
}

fn check_reading(path: &str, bytes: &[u8]) -> Document {
    let document = read_document(path, bytes);
    check_document(&document);
    check_sections(&document);
    check_names(&document);
    for embedder in [&HashEmbedder as &dyn Embed, &ShortModel] {
        let chunks = chunk_document(&document, embedder);
        check_places(&document, &chunks);
        check_cover(&document, &chunks);
        chunks.iter().for_each(|chunk| check_passage(chunk, embedder));
    }
    // `get` reads a file again to print the lines of a chunk.
    let (again, warnings) = read_text(path, bytes);
    assert_eq!(again, document.text, "equal bytes, another reading");
    assert!(document.warnings.starts_with(&warnings), "{warnings:?} and {:?}", document.warnings);
    document
}

fn check_document(document: &Document) {
    assert!(!document.metadata.title.is_empty(), "no title");
    assert!(document.pages.is_sorted(), "pages go back: {:?}", document.pages);
    let breaks = document.text.matches('\n').count() as u32;
    let inside = |page: &u32| (1..=breaks + 1).contains(page);
    assert!(document.pages.iter().all(inside), "pages {:?} of {breaks} lines", document.pages);
    assert!(!document.text.contains('\r'), "a line end of another system");
}

/// Headings and blocks stand in order on character boundaries, or the slice would panic. An overlong heading is its
/// own block.
fn check_sections(document: &Document) {
    let mut behind = 0;
    for section in &document.sections {
        assert!(!section.heading_path.is_empty(), "no way leads to {section:?}");
        behind = check_span(document, section.heading, behind);
        for block in &section.blocks {
            if block.span != section.heading {
                behind = check_span(document, block.span, behind);
            }
        }
    }
}

/// Where the next span may begin.
fn check_span(document: &Document, span: Span, behind: usize) -> usize {
    let text = span.of(&document.text);
    assert!(span.start >= behind, "{text:?} at {} is over at {behind} or goes back", span.start);
    span.end
}

/// Resources and roles have names of one line, and stand on lines that are there.
fn check_names(document: &Document) {
    let count = LineIndex::new(&document.text).count().max(1) as u32;
    let check = |name: &str, lines: Lines| {
        assert!(!name.trim().is_empty() && !name.contains('\n'), "{name:?} is no name");
        assert!(1 <= lines.first && lines.first <= lines.last && lines.last <= count, "{lines:?} of {count}");
    };
    let named = named(document);
    named.resources.iter().for_each(|resource| check(&resource.title, resource.lines));
    named.roles.iter().for_each(|role| check(&role.name, role.lines));
    let profile = profile(document, Lines { first: 1, last: count });
    for cited in profile.skills.iter().chain(&profile.roadmap) {
        assert!(cited.lines.first <= cited.lines.last && cited.lines.last <= count, "{cited:?} of {count}");
    }
}

/// Chunks stand in order and say where they are.
fn check_places(document: &Document, chunks: &[Chunk]) {
    let lines = LineIndex::new(&document.text);
    let mut end = 0;
    for chunk in chunks {
        assert_eq!(chunk.span.of(&document.text), chunk.text);
        assert!(!chunk.text.trim().is_empty(), "nothing in {chunk:?}");
        assert!(chunk.span.start >= end, "chunks overlap or go back: {chunk:?}");
        end = chunk.span.end;
        let held = lines.span(chunk.lines).expect("a chunk's lines exist").of(&document.text);
        assert!(held.contains(&chunk.text), "lines {:?} do not hold {chunk:?}", chunk.lines);
    }
}

/// Every letter of a section is in a chunk, and that chunk's path is the section's or leads to it.
fn check_cover(document: &Document, chunks: &[Chunk]) {
    for section in &document.sections {
        for block in &section.blocks {
            for (at, letter) in block.span.of(&document.text).char_indices() {
                let at = block.span.start + at;
                let holder = chunks.partition_point(|chunk| chunk.span.end <= at);
                let holder = chunks.get(holder).filter(|chunk| chunk.span.start <= at);
                let shares =
                    holder.is_some_and(|chunk| section.heading_path.starts_with(&chunk.heading_path));
                assert!(shares || letter.is_whitespace(), "{letter:?} at {at} of {section:?}: {holder:?}");
            }
        }
    }
}

/// What is embedded fits the model, its headings are one line, and its sentences stand in order.
fn check_passage(chunk: &Chunk, embedder: &dyn Embed) {
    let tokens = embedder.count_tokens(&[&passage_text(chunk)])[0];
    assert!(tokens <= embedder.max_tokens(), "{tokens} tokens in {chunk:?}");
    assert!(!chunk.context.contains('\n'), "headings in two lines: {:?}", chunk.context);
    let mut behind = 0;
    for sentence in sentences(&chunk.text) {
        assert!(
            !sentence.of(&chunk.text).is_empty() && sentence.start >= behind,
            "{sentence:?} of {chunk:?}"
        );
        behind = sentence.end;
    }
}
