//! Sections to chunks: pieces that fit the model together with their heading path.
//!
//! A chunk never crosses a section. A section that fits is one chunk; a longer one is cut between its blocks into
//! parts of about equal size, a block that does not fit between its sentences or lines, a sentence that does not
//! fit between its words, and a word only when nothing else is left.

use unicode_segmentation::UnicodeSegmentation;

use crate::{BlockKind, Chunk, Document, Embed, LineIndex, Section, Span, sentences};

/// Names the way text is read and cut. Part of every index's fingerprint: it changes when any chunk would.
pub const CHUNKER: &str = "chunks 1";

/// What is embedded for a chunk: its headings, then its text.
pub fn passage_text(chunk: &Chunk) -> String {
    format!("{}\n{}", chunk.context, chunk.text)
}

/// Cuts a document, in reading order. Limits are the embedder's own, measured with its own tokenizer.
pub fn chunk_document(document: &Document, embedder: &dyn Embed) -> Vec<Chunk> {
    let text = document.text.as_str();
    let lines = LineIndex::new(text);
    let ruler = Ruler { embedder, special: embedder.count_tokens(&[""])[0] };
    let mut chunks = Vec::new();
    for (at, section) in document.sections.iter().enumerate() {
        if section.blocks.is_empty() && has_subsection(&document.sections, at) {
            continue;
        }
        let context = ruler.context(&section.heading_path);
        let budget = ruler.budget(&context);
        let pieces = ruler.pieces(text, section, budget);
        for group in ruler.fit(text, &context, pack(pieces, budget)) {
            let span = group.iter().map(|piece| piece.span).reduce(Span::join).map(|span| span.trim(text));
            let Some(span) = span.filter(|span| span.start < span.end) else { continue };
            chunks.push(Chunk {
                heading_path: section.heading_path.clone(),
                context: context.clone(),
                lines: lines.lines(span),
                span,
                text: span.of(text).to_owned(),
            });
        }
    }
    chunks
}

/// Whether the next section stands below this one, so that its chunks carry this heading in their path.
fn has_subsection(sections: &[Section], at: usize) -> bool {
    sections.get(at + 1).is_some_and(|next| {
        next.heading_path.len() > sections[at].heading_path.len()
            && next.heading_path.starts_with(&sections[at].heading_path)
    })
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    span: Span,
    /// Without special tokens.
    tokens: usize,
}

/// The model's own measure.
struct Ruler<'a> {
    embedder: &'a dyn Embed,
    /// Special tokens the model adds to every input.
    special: usize,
}

impl Ruler<'_> {
    fn measure(&self, text: &str, spans: Vec<Span>) -> Vec<Piece> {
        let texts: Vec<&str> = spans.iter().map(|span| span.of(text)).collect();
        let counts = self.embedder.count_tokens(&texts);
        spans
            .into_iter()
            .zip(counts)
            .map(|(span, n)| Piece { span, tokens: n.saturating_sub(self.special) })
            .collect()
    }

    /// The heading path as one line. Outer headings go first when it would take more than half of the limit.
    fn context(&self, heading_path: &[String]) -> String {
        let half = self.embedder.max_tokens() / 2;
        let labels: Vec<&str> = heading_path.iter().map(String::as_str).collect();
        let mut used = self.special;
        let mut from = labels.len();
        for count in self.embedder.count_tokens(&labels).into_iter().rev() {
            // One more for the sign that sets headings apart.
            used += count.saturating_sub(self.special) + 1;
            if used > half {
                break;
            }
            from -= 1;
        }
        match labels.last() {
            Some(last) if from == labels.len() => last.chars().take(half / 2).collect(),
            _ => labels[from..].join(" > "),
        }
    }

    /// Tokens left for the text.
    fn budget(&self, context: &str) -> usize {
        let used = self.embedder.count_tokens(&[context])[0];
        self.embedder.max_tokens().saturating_sub(used).max(8)
    }

    /// The section's blocks, divided where they do not fit. A heading with nothing below it is its own text.
    fn pieces(&self, text: &str, section: &Section, budget: usize) -> Vec<Piece> {
        if section.blocks.is_empty() {
            return self.measure(text, vec![section.heading]);
        }
        let blocks = self.measure(text, section.blocks.iter().map(|block| block.span).collect());
        let divide = |(piece, kind): (Piece, BlockKind)| match piece.tokens <= budget {
            true => vec![piece],
            false => self.divide(text, piece.span, Division::of(kind), budget),
        };
        blocks.into_iter().zip(section.blocks.iter().map(|block| block.kind)).flat_map(divide).collect()
    }

    fn divide(&self, text: &str, span: Span, division: Division, budget: usize) -> Vec<Piece> {
        let parts = self.measure(text, division.cut(text, span, budget));
        let divide = |part: Piece| match division.finer() {
            Some(finer) if part.tokens > budget => self.divide(text, part.span, finer, budget),
            _ => vec![part],
        };
        parts.into_iter().flat_map(divide).collect()
    }

    /// Tokens of parts need not add up to those of the whole: measures each group as it will be embedded, and
    /// halves what turns out too long.
    fn fit(&self, text: &str, context: &str, groups: Vec<Vec<Piece>>) -> Vec<Vec<Piece>> {
        let whole = |group: &Vec<Piece>| {
            let span = group.iter().map(|piece| piece.span).reduce(Span::join);
            format!("{context}\n{}", span.map_or("", |span| span.of(text)))
        };
        let passages: Vec<String> = groups.iter().map(whole).collect();
        let counts = self.embedder.count_tokens(&passages.iter().map(String::as_str).collect::<Vec<_>>());
        let mut fitting = Vec::new();
        for (group, count) in groups.into_iter().zip(counts) {
            if count <= self.embedder.max_tokens() || group.len() < 2 {
                fitting.push(group);
            } else {
                let (front, back) = group.split_at(group.len() / 2);
                fitting.extend(self.fit(text, context, vec![front.to_vec(), back.to_vec()]));
            }
        }
        fitting
    }
}

/// Groups pieces in order: as few groups as the budget allows, of about equal size.
fn pack(pieces: Vec<Piece>, budget: usize) -> Vec<Vec<Piece>> {
    let total: usize = pieces.iter().map(|piece| piece.tokens).sum();
    let target = total.div_ceil(total.div_ceil(budget).max(1));
    let mut groups: Vec<Vec<Piece>> = Vec::new();
    let mut used = 0;
    for piece in pieces {
        match groups.last_mut() {
            Some(group) if used < target && used + piece.tokens <= budget => group.push(piece),
            _ => {
                groups.push(vec![piece]);
                used = 0;
            }
        }
        used += piece.tokens;
    }
    groups
}

/// Where a piece that does not fit is cut, from coarse to fine.
#[derive(Debug, Clone, Copy)]
enum Division {
    Sentences,
    Lines,
    Words,
    Characters,
}

impl Division {
    fn of(kind: BlockKind) -> Division {
        match kind {
            BlockKind::Text | BlockKind::ListItem => Division::Sentences,
            BlockKind::Lines => Division::Lines,
        }
    }

    fn finer(self) -> Option<Division> {
        match self {
            Division::Sentences | Division::Lines => Some(Division::Words),
            Division::Words => Some(Division::Characters),
            Division::Characters => None,
        }
    }

    /// Parts that touch each other and cover the span.
    fn cut(self, text: &str, span: Span, budget: usize) -> Vec<Span> {
        let inner = span.of(text);
        let starts: Vec<usize> = match self {
            Division::Sentences => {
                sentences(inner).into_iter().skip(1).map(|sentence| sentence.start).collect()
            }
            Division::Lines => inner.match_indices('\n').map(|(at, _)| at + 1).collect(),
            Division::Words => inner.split_word_bound_indices().skip(1).map(|(at, _)| at).collect(),
            // A character can be several tokens: four at most in the byte-level tokenizers of today.
            Division::Characters => {
                inner.grapheme_indices(true).map(|(at, _)| at).step_by((budget / 4).max(1)).skip(1).collect()
            }
        };
        let ends = starts.iter().copied().chain([inner.len()]);
        let begins = [0].into_iter().chain(starts.iter().copied());
        begins.zip(ends).map(|(a, b)| Span { start: span.start + a, end: span.start + b }).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{HashEmbedder, read_document};

    fn cut(text: &str) -> (Document, Vec<Chunk>) {
        let document = read_document("guide.md", text.as_bytes());
        let chunks = chunk_document(&document, &HashEmbedder);
        (document, chunks)
    }

    /// What must hold for every text.
    fn check_invariants(text: &str) {
        let (document, chunks) = cut(text);
        let lines = LineIndex::new(&document.text);
        let mut end = 0;
        for chunk in &chunks {
            assert_eq!(chunk.span.of(&document.text), chunk.text);
            assert!(chunk.span.start >= end, "chunks overlap or go back: {chunk:?}");
            end = chunk.span.end;
            let whole = lines.span(chunk.lines).expect("a chunk's lines exist").of(&document.text);
            assert!(whole.contains(&chunk.text), "lines {:?} do not hold the chunk", chunk.lines);
            let tokens = HashEmbedder.count_tokens(&[&passage_text(chunk)])[0];
            assert!(tokens <= HashEmbedder.max_tokens(), "{tokens} tokens in {chunk:?}");
        }
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        let body: usize = document
            .sections
            .iter()
            .flat_map(|s| &s.blocks)
            .map(|b| letters(b.span.of(&document.text)))
            .sum();
        let kept: usize = chunks.iter().map(|chunk| letters(&chunk.text)).sum();
        assert!(kept >= body, "lost text: {kept} of {body} letters");
    }

    #[test]
    fn a_section_that_fits_is_one_chunk() {
        let (_, chunks) = cut("# Title\n\nintro\n\n## A\n\none\n\n- two\n- three\n\n## Alone\n");
        let drawn: Vec<_> =
            chunks.iter().map(|c| (c.context.as_str(), c.text.as_str(), c.lines.first)).collect();
        assert_eq!(
            drawn,
            [
                ("Title", "intro", 3),
                ("Title > A", "one\n\n- two\n- three", 7),
                ("Title > Alone", "## Alone", 12),
            ]
        );
    }

    #[test]
    fn long_sections_are_cut_between_sentences_into_even_parts() {
        let sentence = "Every word of this sentence counts as one token here. ";
        let (_, chunks) = cut(&format!("# T\n\n{}", sentence.repeat(30)));
        assert_eq!(chunks.len(), 2);
        assert!(chunks.iter().all(|chunk| chunk.text.starts_with("Every") && chunk.text.ends_with("here.")));
        assert!(chunks[0].text.len().abs_diff(chunks[1].text.len()) <= 2 * sentence.len());
    }

    #[test]
    fn odd_texts_hold_the_invariants() {
        for text in [
            String::new(),
            "word ".repeat(2000),
            "日本語の文章。".repeat(500),
            format!("# {}\ntext", "very long heading ".repeat(200)),
            format!(
                "```markmap\n{}```\n",
                (0..60).map(|n| format!("{}- level {n}\n", "  ".repeat(n))).collect::<String>()
            ),
            format!("```\n{}```\n", "let x = 1; // one line of code\n".repeat(200)),
            format!("- {}\n- b", "item ".repeat(700)),
            "👩‍👩‍👧‍👦".repeat(3000),
            "| a | b |\n|---|---|\n".to_owned() + &"| cell one | cell two |\n".repeat(300),
        ] {
            check_invariants(&text);
        }
    }

    proptest! {
        #[test]
        fn any_text_holds_the_invariants(text in "([#*`|>-]{0,3} ?[a-zA-Zé日 .!?\n]{0,60}\n?){0,40}") {
            check_invariants(&text);
        }

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let document = read_document("guide.md", &bytes);
            chunk_document(&document, &HashEmbedder);
            let document = read_document("guide.txt", &bytes);
            chunk_document(&document, &HashEmbedder);
        }
    }
}
