//! Sections to stretches, which are what is cut: a section each, or small sections side by side.

use std::ops::Range;

use super::ruler::Ruler;
use crate::{Block, BlockKind, Section, Span, list_mark};

/// A heading with all below it is small up to this many tokens, and looks for company.
const SMALL: usize = 32;
/// Small ones are gathered up to this many tokens.
const GATHERED: usize = 64;

/// What is cut together.
pub(super) struct Stretch<'a> {
    /// Headings that all of it shares.
    pub(super) heading_path: &'a [String],
    /// Its text in reading order, with the tokens of each block.
    pub(super) blocks: Vec<(Block, usize)>,
}

/// Gathers sections below the same heading as long as they are small. The text of a gathered stretch holds the
/// headings that its path does not.
pub(super) fn gather<'a>(sections: &'a [Section], ruler: &Ruler) -> Vec<Stretch<'a>> {
    let spans: Vec<Span> = sections
        .iter()
        .flat_map(|section| section.blocks.iter().map(|block| block.span).chain([section.heading]))
        .collect();
    let mut counts = ruler.measure(&spans).into_iter();
    let weigh = |section: &Section| Weight {
        blocks: counts.by_ref().take(section.blocks.len()).collect(),
        heading: counts.next().unwrap_or(0),
    };
    let weights = sections.iter().map(weigh).collect();
    Outline { sections, weights, text: ruler.text, most: GATHERED.min(ruler.limit() / 4) }
        .below(0..sections.len(), 0)
}

/// Tokens of a section.
struct Weight {
    blocks: Vec<usize>,
    heading: usize,
}

struct Outline<'a, 'r> {
    sections: &'a [Section],
    weights: Vec<Weight>,
    text: &'r str,
    /// Most tokens of a gathered stretch. A quarter of a short limit: the heading path can take half.
    most: usize,
}

impl<'a> Outline<'a, '_> {
    /// The stretches of sections whose paths share their first `depth` headings.
    fn below(&self, range: Range<usize>, depth: usize) -> Vec<Stretch<'a>> {
        let mut stretches = Vec::new();
        let mut run = Run::empty();
        for unit in self.units(range, depth) {
            let own = self.sections[unit.start].heading_path.len() == depth;
            let parts = if own { self.alone(unit.start) } else { self.below(unit.clone(), depth + 1) };
            let tokens = self.tokens(&unit);
            let small = parts.len() <= 1 && tokens <= SMALL.min(self.most) && !self.is_outline(&unit);
            if !small || run.tokens + tokens > self.most {
                stretches.extend(self.close(&mut run, depth));
            }
            if small {
                run.add(unit, tokens, parts);
            } else {
                stretches.extend(parts);
            }
        }
        stretches.extend(self.close(&mut run, depth));
        stretches
    }

    /// A section that ends at `depth`, or a heading below with everything under it.
    fn units(&self, range: Range<usize>, depth: usize) -> Vec<Range<usize>> {
        let mut units: Vec<Range<usize>> = Vec::new();
        for at in range {
            let heading = self.sections[at].heading_path.get(depth);
            match units.last_mut() {
                Some(unit)
                    if heading.is_some() && heading == self.sections[unit.start].heading_path.get(depth) =>
                {
                    unit.end = at + 1;
                }
                _ => units.push(at..at + 1),
            }
        }
        units
    }

    /// A section by itself. One without text is left to its subsections, whose paths name it; where there are none, its
    /// heading is its text.
    fn alone(&self, at: usize) -> Vec<Stretch<'a>> {
        let section = &self.sections[at];
        let Weight { blocks, heading } = &self.weights[at];
        let blocks: Vec<(Block, usize)> = match section.blocks.is_empty() {
            true if self.has_subsection(at) => return Vec::new(),
            true => vec![(Block { kind: BlockKind::Text, span: section.heading }, *heading)],
            false => section.blocks.iter().copied().zip(blocks.iter().copied()).collect(),
        };
        vec![Stretch { heading_path: &section.heading_path, blocks }]
    }

    fn has_subsection(&self, at: usize) -> bool {
        let path = &self.sections[at].heading_path;
        self.sections
            .get(at + 1)
            .is_some_and(|next| next.heading_path.len() > path.len() && next.heading_path.starts_with(path))
    }

    /// Ends a run: what was gathered becomes one stretch under the heading that all of it shares.
    fn close(&self, run: &mut Run<'a>, depth: usize) -> Vec<Stretch<'a>> {
        let Run { sections, tokens, parts } = std::mem::replace(run, Run::empty());
        if parts.len() < 2 {
            return parts;
        }
        let first = &self.sections[sections.start];
        // A section's own heading is in the path that all share.
        let own = first.heading_path.len() == depth;
        let start =
            first.blocks.first().filter(|_| own).map_or(first.heading.start, |block| block.span.start);
        let last = &self.sections[sections.end - 1];
        let end = last.blocks.last().map_or(last.heading.end, |block| block.span.end);
        let block = Block { kind: BlockKind::Text, span: Span { start, end } };
        vec![Stretch { heading_path: &first.heading_path[..depth], blocks: vec![(block, tokens)] }]
    }

    fn tokens(&self, range: &Range<usize>) -> usize {
        self.weights[range.clone()]
            .iter()
            .map(|weight| weight.heading + weight.blocks.iter().sum::<usize>())
            .sum()
    }

    /// The items of a `markmap` outline stay apart: each is looked for by what stands above it.
    fn is_outline(&self, range: &Range<usize>) -> bool {
        self.sections[range.clone()].iter().any(|s| list_mark(s.heading.of(self.text)).is_some())
    }
}

/// Small neighbors so far.
struct Run<'a> {
    sections: Range<usize>,
    tokens: usize,
    /// What they are when they stay apart.
    parts: Vec<Stretch<'a>>,
}

impl<'a> Run<'a> {
    fn empty() -> Self {
        Run { sections: 0..0, tokens: 0, parts: Vec::new() }
    }

    fn add(&mut self, unit: Range<usize>, tokens: usize, parts: Vec<Stretch<'a>>) {
        // A heading without text of its own is in the path already.
        if parts.is_empty() {
            return;
        }
        if self.parts.is_empty() {
            self.sections.start = unit.start;
        }
        self.sections.end = unit.end;
        self.tokens += tokens;
        self.parts.extend(parts);
    }
}
