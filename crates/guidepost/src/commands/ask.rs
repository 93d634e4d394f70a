//! `guidepost ask`: an answer in the guides' own words, then the passages behind it.

use std::collections::BTreeSet;

use guidepost_query::{
    Answer, CatalogEntry, FoundResource, MIN_ANSWER_CONFIDENCE, OWN_WORDS, Statement, Wanted, answer,
    catalog, find_resources, kinds_asked,
};
use guidepost_text::ResourceKind;

use crate::cli::{Format, QueryArgs};
use crate::commands::query::{Below, Searched};
use crate::console::Console;
use crate::output::{self, Results};
use crate::{Outcome, guide_text};

pub(crate) fn run(args: &QueryArgs, console: &Console) -> anyhow::Result<Outcome> {
    let searched = Searched::run(args, MIN_ANSWER_CONFIDENCE, Below::Keep, console)?;
    let found = answer(&searched.snapshot, &searched.question, &searched.hits, searched.min_confidence);
    let verified =
        found.map(|answer| verify(answer, &searched, console)).filter(|a| !a.statements.is_empty());
    if verified.is_none() && args.output.format() != Format::Text {
        console.note("no guide here answers that");
    }
    let outcome = if verified.is_some() { Outcome::Found } else { Outcome::NothingFound };
    let catalog = if verified.is_some() { catalog(&searched.snapshot.names()?) } else { Vec::new() };
    let resources = fitting(&searched, &catalog);
    let results = Results::new("ask", &searched)
        .with_answer(verified, &searched)
        .with_resources(&resources, &searched.snapshot);
    output::print(&results, args.output.format())?;
    Ok(outcome)
}

/// Most resources below an answer.
const RESOURCES: usize = 5;

/// Scores from which a resource fits.
const FITS: f32 = 0.3;

/// Kinds that are shown where the question asks for none. Tools are named everywhere.
const KINDS: [ResourceKind; 5] = [
    ResourceKind::Book,
    ResourceKind::Course,
    ResourceKind::Certification,
    ResourceKind::Project,
    ResourceKind::Link,
];

/// Resources of the guides that answer, which fit the question too.
fn fitting<'a>(searched: &Searched, catalog: &'a [CatalogEntry]) -> Vec<FoundResource<'a>> {
    let (asked, left) = kinds_asked(&searched.question);
    let wanted = Wanted {
        kinds: if asked.is_empty() { &KINDS } else { &asked },
        serves: None,
        question: Some((left.as_ref().unwrap_or(&searched.question), &searched.hits)),
        own_words: OWN_WORDS,
    };
    let answering: BTreeSet<usize> = searched
        .hits
        .iter()
        .filter(|hit| hit.confidence >= searched.min_confidence)
        .map(|hit| hit.chunk.document as usize)
        .collect();
    let mut found = find_resources(&searched.snapshot, catalog, wanted);
    found.retain(|found| {
        let near = found.entry.mentions.iter().any(|mention| answering.contains(&mention.document));
        near && found.score >= FITS
    });
    found.truncate(RESOURCES);
    found
}

/// Holds every statement against its guide as it is now, and drops what does not stand there any more.
fn verify(answer: Answer, searched: &Searched, console: &Console) -> Answer {
    let stands = |statement: &Statement| {
        let document = &searched.hits[statement.hit].document;
        let guide = guide_text::read(&searched.snapshot, document, &searched.engine.shipped);
        let text = guide.map(|guide| guide.text());
        let stands = text.as_ref().is_ok_and(|text| {
            guide_text::lines(text, statement.lines).is_some_and(|lines| lines.contains(&statement.text))
        });
        if !stands {
            let why = text.err().map_or("it changed meanwhile".to_owned(), |error| format!("{error:#}"));
            console.warn(&format!("`{}`: {why}; its statement is left out", document.path));
        }
        stands
    };
    Answer { statements: answer.statements.into_iter().filter(stands).collect() }
}
