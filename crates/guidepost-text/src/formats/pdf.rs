//! PDF: the glyphs of every page, and from where they stand the text ([`super::pdf_layout`]).

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use hayro_interpret::font::{Glyph as FontGlyph, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::kurbo::{Affine, BezPath, Rect, Shape};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, SoftMask, TransformExt, interpret_page,
};
use hayro_syntax::page::Page as PdfPage;
use hayro_syntax::{LoadPdfError, Pdf};

use super::pdf_bounds::{Streams, measure_streams, objects_end};
use super::pdf_layout::{self, Dot, Glyph, Page, Rule};
use crate::Metadata;
use crate::reading::Reading;

/// Most pages that are read.
const MAX_PAGES: usize = 5_000;

/// Most strokes of the pen, on all pages together. Forms that draw forms that draw forms ask for more than anybody
/// reads; a book of a thousand pages asks for some millions.
const MAX_STROKES: usize = 20_000_000;

/// Strokes that any PDF may ask for, and how many more for each byte in it: what is not drawn again and again takes some
/// bytes to say.
const MIN_STROKES: usize = 250_000;
const STROKES_PER_BYTE: usize = 8;

/// Strokes that a clip counts for, at least: every form begins with one, and has to be unpacked and parsed.
const MIN_CLIP: usize = 50;

/// Clips in one another from which on they count for more. hayro-interpret 0.9.0 draws no form in more than 50 others, but
/// has unpacked it by then, and does so for every one that a form at that depth asks for.
const DEEP: usize = 45;

/// Reads a PDF.
pub(super) fn read(bytes: &[u8]) -> Reading {
    if !objects_end(bytes) {
        return Reading::nothing("it is damaged: its objects do not end");
    }
    let Some(streams) = measure_streams(bytes) else {
        return Reading::nothing("it would unpack to hundreds of megabytes");
    };
    // The library is made not to panic; a guide that proves it wrong must not end the run.
    let read = catch_unwind(AssertUnwindSafe(|| read_pages(bytes, &streams)));
    read.unwrap_or_else(|_| Reading::nothing("it is damaged in a way that the PDF library does not expect"))
}

fn read_pages(bytes: &[u8], streams: &Streams) -> Reading {
    let pdf = match Pdf::new(bytes.to_vec()) {
        Ok(pdf) => pdf,
        Err(LoadPdfError::Decryption(_)) => return Reading::nothing("it is encrypted"),
        Err(_) => return Reading::nothing("it is no PDF, or damaged"),
    };
    let mut warnings = Vec::new();
    let mut pages = Vec::new();
    let mut pen = Pen {
        ink: MAX_STROKES.min(MIN_STROKES + STROKES_PER_BYTE * (bytes.len() + streams.unpacked)),
        clip: MIN_CLIP.max(streams.longest_form / 1000),
        deep_clip: MIN_CLIP + 6 * streams.longest_form,
        ..Pen::default()
    };
    let cache = InterpreterCache::new();
    let count = pdf.pages().len();
    let mut finished = true;
    for page in pdf.pages().iter().take(MAX_PAGES) {
        finished = draw(page, &pdf, &cache, &mut pen);
        pages.push(pen.end_page(page));
        if !finished {
            break;
        }
    }
    if pages.len() < count || !finished {
        warnings.push(format!("it asks for too much: read up to page {} of {count}", pages.len()));
    }
    warn_of_pictures(&pages, &mut warnings);
    if pen.unknown * 10 > pen.known {
        warnings
            .push("many of its characters cannot be told: its fonts do not say which they are".to_owned());
    }
    pdf_layout::read(&pages).finish(metadata(&pdf), warnings)
}

fn warn_of_pictures(pages: &[Page], warnings: &mut Vec<String>) {
    let empty = pages.iter().filter(|page| page.glyphs.is_empty()).count();
    match (empty, pages.len()) {
        (0, _) => {}
        (empty, all) if empty == all => warnings.push("its pages hold pictures and no text".to_owned()),
        (empty, all) => warnings.push(format!("{empty} of its {all} pages hold no text")),
    }
}

/// Draws a page; `false` when there is no ink left.
fn draw<'a>(page: &PdfPage<'a>, pdf: &'a Pdf, cache: &InterpreterCache<'a>, pen: &mut Pen) -> bool {
    let (width, height) = page.render_dimensions();
    let bounds = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let to_page = page.initial_transform(true).to_kurbo();
    let mut context = Context::new(to_page, bounds, cache, pdf.xref(), InterpreterSettings::default());
    // The pen stops by unwinding: the library has no other way to be stopped.
    let drawn = catch_unwind(AssertUnwindSafe(|| interpret_page(page, &mut context, pen)));
    match drawn {
        Ok(()) => true,
        Err(stop) if stop.is::<OutOfInk>() => false,
        Err(panic) => resume_unwind(panic),
    }
}

/// Why drawing stopped.
struct OutOfInk;

/// Most dots of a page; where there are more, they make up a chart or a pattern.
const MAX_DOTS: usize = 200;

/// Most rules of a page; a table has some for every cell.
const MAX_RULES: usize = 2_000;

/// How thick rules are at most, and how long at least, in points.
const RULE_HEIGHT: f64 = 3.0;
const RULE_WIDTH: f64 = 12.0;

/// Longest outline of a dot, and how large dots are, in points.
const MAX_OUTLINE: usize = 40;
const DOT_SIZES: std::ops::Range<f64> = 1.0..10.0;

/// Notes where glyphs are drawn, dots that may be bullets, and level rules; nothing else.
#[derive(Default)]
struct Pen {
    glyphs: Vec<Glyph>,
    dots: Vec<Dot>,
    rules: Vec<Rule>,
    /// Glyphs of this page by what they are and where; some programs draw letters twice to make them bold.
    seen: HashSet<(String, i32, i32)>,
    /// Strokes that are left.
    ink: usize,
    /// Strokes that a clip counts for, and one that is deep in others.
    clip: usize,
    deep_clip: usize,
    /// Clips that are open.
    clips: usize,
    known: usize,
    unknown: usize,
}

impl Pen {
    fn stroke(&mut self, cost: usize) {
        match self.ink.checked_sub(cost) {
            Some(left) => self.ink = left,
            None => resume_unwind(Box::new(OutOfInk)),
        }
    }

    fn clip(&mut self) {
        self.clips += 1;
        self.stroke(if self.clips > DEEP { self.deep_clip } else { self.clip });
    }

    fn end_page(&mut self, page: &PdfPage) -> Page {
        let (_, height) = page.render_dimensions();
        self.seen.clear();
        self.clips = 0;
        let mut dots = std::mem::take(&mut self.dots);
        if dots.len() > MAX_DOTS {
            dots.clear();
        }
        let mut rules = std::mem::take(&mut self.rules);
        if rules.len() > MAX_RULES {
            rules.clear();
        }
        Page { height, glyphs: std::mem::take(&mut self.glyphs), dots, rules }
    }

    /// Notes a shape if it is a dot, a rule, or a frame of rules.
    fn add_shape(&mut self, bounds: Rect, mode: &DrawMode) {
        self.add_dot(bounds);
        if bounds.height() <= RULE_HEIGHT {
            self.add_rule(bounds, bounds.center().y);
        } else if matches!(mode, DrawMode::Stroke(_)) {
            self.add_rule(bounds, bounds.y0);
            self.add_rule(bounds, bounds.y1);
        }
    }

    fn add_rule(&mut self, bounds: Rect, y: f64) {
        if bounds.width() >= RULE_WIDTH && self.rules.len() <= MAX_RULES {
            self.rules.push(Rule { x0: bounds.x0 as f32, x1: bounds.x1 as f32, y: y as f32 });
        }
    }

    /// Notes a shape that is small and about as wide as high.
    fn add_dot(&mut self, bounds: Rect) {
        let (width, height) = (bounds.width(), bounds.height());
        let small = DOT_SIZES.contains(&width) && DOT_SIZES.contains(&height);
        if small && (0.7..1.4).contains(&(width / height)) && self.dots.len() <= MAX_DOTS {
            let center = bounds.center();
            self.dots.push(Dot { x: bounds.x0 as f32, y: center.y as f32, size: width.max(height) as f32 });
        }
    }

    fn add(&mut self, glyph: &FontGlyph, place: Affine) {
        let text = match glyph.as_unicode() {
            Some(BfString::Char(c)) => plain_letters(&c.to_string()),
            Some(BfString::String(text)) => plain_letters(&text),
            None => {
                self.unknown += 1;
                return;
            }
        };
        self.known += 1;
        let [a, b, c, d, x, y] = place.as_coeffs();
        let advance = match glyph {
            FontGlyph::Outline(outline) => outline.advance_width().unwrap_or(500.0),
            FontGlyph::Type3(_) => 500.0,
        };
        let size = (c.hypot(d) * 1000.0) as f32;
        let sound = [x, y].iter().all(|n| n.abs() < 100_000.0) && size.is_finite() && size < 10_000.0;
        // Glyphs on their side are stamps on the margin.
        let upright = b.abs() <= a.abs() * 0.2 && a > 0.0;
        // Half points are less than any letter is wide, and more than bold letters are shifted by.
        let key = (text, (x * 2.0).round() as i32, (y * 2.0).round() as i32);
        if !sound || !upright || size < 1.0 || (key.0 != " " && self.seen.contains(&key)) {
            return;
        }
        let data = match glyph {
            FontGlyph::Outline(outline) => outline.font_data(),
            FontGlyph::Type3(_) => None,
        };
        self.glyphs.push(Glyph {
            text: key.0.clone(),
            x: x as f32,
            y: y as f32,
            width: (a.hypot(b) * f64::from(advance)) as f32,
            size,
            bold: data.as_ref().is_some_and(|font| {
                font.weight.is_some_and(|weight| weight >= 600)
                    || font.postscript_name.as_deref().is_some_and(|name| name.contains("Bold"))
            }),
            code: data.is_some_and(|font| font.is_monospace),
        });
        self.seen.insert(key);
    }
}

/// Ligatures as letters, odd spaces as spaces, bullets of symbol fonts as bullets.
fn plain_letters(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'ﬀ' => plain.push_str("ff"),
            'ﬁ' => plain.push_str("fi"),
            'ﬂ' => plain.push_str("fl"),
            'ﬃ' => plain.push_str("ffi"),
            'ﬄ' => plain.push_str("ffl"),
            'ﬅ' | 'ﬆ' => plain.push_str("st"),
            '\u{f0b7}' | '\u{f0a7}' | '●' | '○' | '▪' | '■' | '◦' | '∙' | '➢' | '❖' => {
                plain.push('•')
            }
            // A glyph is drawn, so it is no hyphen that may be there or not.
            '\u{ad}' | '‐' | '‑' => plain.push('-'),
            '\u{200b}' | '\u{feff}' => {}
            c if c.is_whitespace() => plain.push(' '),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

impl Device<'_> for Pen {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        for glyph in run.glyphs() {
            self.stroke(1);
            self.add(glyph, props.transform * glyph.transform());
        }
    }

    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'_>, mode: &DrawMode) {
        self.stroke(1);
        if path.elements().len() <= MAX_OUTLINE {
            self.add_shape(props.transform.transform_rect_bbox(path.bounding_box()), mode);
        }
    }

    fn draw_rect(&mut self, rect: &Rect, props: DrawProps<'_>, mode: &DrawMode) {
        self.stroke(1);
        self.add_shape(props.transform.transform_rect_bbox(*rect), mode);
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.clip();
    }

    fn push_clip_rect(&mut self, _: &Rect) {
        self.clip();
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {
        self.stroke(self.clip);
    }

    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {
        self.stroke(self.clip);
    }

    fn pop_clip(&mut self) {
        self.clips = self.clips.saturating_sub(1);
    }

    fn pop_transparency_group(&mut self) {}
}

fn metadata(pdf: &Pdf) -> Metadata {
    let about = pdf.metadata();
    let title = about.title.as_deref().map(text_string).unwrap_or_default();
    // Programs put the name of the file there, or of themselves.
    let useless = title.contains(".doc") || title.contains(".tex") || title.starts_with("Microsoft ");
    Metadata {
        title: if useless || title.eq_ignore_ascii_case("untitled") { String::new() } else { title },
        author: about.author.as_deref().map(text_string).filter(|author| !author.is_empty()),
        date: about
            .modification_date
            .or(about.creation_date)
            .map(|date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)),
        ..Metadata::default()
    }
}

/// Text in a PDF's description of itself: UTF-16 or UTF-8 with a mark, else Latin.
fn text_string(bytes: &[u8]) -> String {
    encoding_rs::WINDOWS_1252
        .decode(bytes)
        .0
        .trim_matches(|c: char| c.is_whitespace() || c == '\0')
        .to_owned()
}
