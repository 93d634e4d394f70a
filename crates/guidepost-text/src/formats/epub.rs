//! Electronic books: their chapters in reading order.

use std::collections::HashMap;

use super::archive::{Archive, percent_decoded, resolve};
use super::html::write_chapter;
use super::xml::{self, Xml};
use crate::Metadata;
use crate::reading::{Reading, Writer};

/// Reads a book.
pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut archive = match Archive::open(bytes) {
        Ok(archive) => archive,
        Err(why) => return Reading::nothing(why),
    };
    let container = archive.xml("META-INF/container.xml").unwrap_or_default();
    let Some((place, package)) =
        package_of(&container).and_then(|place| Some((place.clone(), archive.xml(&place)?)))
    else {
        return Reading::nothing("it holds no book");
    };
    let mut writer = Writer::default();
    let mut warnings = Vec::new();
    if archive.bytes("META-INF/encryption.xml").is_some() {
        warnings.push("parts of it are encrypted; they were not read".to_owned());
    }
    for part in chapters(&package, &place) {
        if !writer.has_room() {
            break;
        }
        match archive.bytes(&part) {
            Some(chapter) => write_chapter(&xml::decode(&chapter), &mut writer, &mut warnings),
            None => warnings.push(format!("its chapter `{part}` is missing")),
        }
    }
    let [title, author, date] = xml::texts(&package, ["title", "creator", "date"]);
    let metadata = Metadata { title: title.unwrap_or_default(), author, date, ..Metadata::default() };
    warnings.append(&mut archive.warnings);
    writer.finish(metadata, warnings)
}

/// Where the container says that the description of the book is.
fn package_of(container: &str) -> Option<String> {
    let mut place = None;
    let _ = xml::walk(container, &mut |event| {
        if let Xml::Start("rootfile", attributes) = event {
            place = place.take().or(attributes.get("full-path"));
        }
    });
    place
}

/// The parts of the book in reading order, its table of contents left out.
fn chapters(package: &str, place: &str) -> Vec<String> {
    let mut parts: HashMap<String, String> = HashMap::new();
    let mut order = Vec::new();
    let _ = xml::walk(package, &mut |event| match event {
        Xml::Start("item", attributes) => {
            let contents =
                attributes.get("properties").is_some_and(|p| p.split(' ').any(|word| word == "nav"));
            let page = attributes.get("media-type").is_some_and(|kind| kind.contains("html"));
            if let Some((id, reference)) = attributes.get("id").zip(attributes.get("href"))
                && page
                && !contents
            {
                parts.insert(id, resolve(place, &percent_decoded(&reference)));
            }
        }
        Xml::Start("itemref", attributes) => order.extend(attributes.get("idref")),
        _ => {}
    });
    // A spine that names a part twice would read it twice.
    order.iter().filter_map(|id| parts.remove(id)).collect()
}
