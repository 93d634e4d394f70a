//! XML as a flat run of events, by local names. Nothing here nests, so depth costs nothing; entities that a document
//! defines itself are never expanded, and nothing outside it is ever fetched.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// What a handler is told.
pub(super) enum Xml<'a> {
    /// An element begins; an empty one ends at once.
    Start(&'a str, Attributes<'a>),
    /// An element ends.
    End(&'a str),
    /// Text, unescaped.
    Text(&'a str),
}

/// The attributes of an element, by local names.
pub(super) struct Attributes<'a>(&'a BytesStart<'a>);

impl Attributes<'_> {
    /// The value of an attribute by its full name, or, for a name without prefix, whatever the attribute's prefix is.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let mut attributes = self.0.attributes();
        // Looking for equal names takes time that grows with their square.
        let mut all = attributes.with_checks(false).flatten();
        let found = all.find(|a| a.key.into_inner() == name || a.key.local_name().into_inner() == name)?;
        found.normalized_value(XmlVersion::Implicit1_0).ok().map(Cow::into_owned)
    }
}

/// Bytes of a part to text: UTF-8, or UTF-16 with a byte order mark. XML of other encodings is not seen in archives.
pub(super) fn decode(bytes: &[u8]) -> String {
    encoding_rs::UTF_8.decode(bytes).0.into_owned()
}

/// Hands every event to `handler`. Stops at the first place that is not well-formed and says where.
pub(super) fn walk(xml: &str, handler: &mut dyn FnMut(Xml)) -> Result<(), String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                handler(Xml::Start(start.local_name().into_inner(), Attributes(&start)))
            }
            Ok(Event::End(end)) => handler(Xml::End(end.local_name().into_inner())),
            Ok(Event::Text(text)) => handler(Xml::Text(&text.xml10_content())),
            Ok(Event::CData(text)) => handler(Xml::Text(&text.xml10_content())),
            Ok(Event::GeneralRef(reference)) => handler(Xml::Text(&entity(&reference))),
            Ok(Event::Eof) => return Ok(()),
            Ok(_) => {}
            Err(error) => {
                return Err(format!("its XML is damaged at byte {} ({error})", reader.error_position()));
            }
        }
    }
}

/// A character reference or one of the five entities of XML itself; any other is nothing.
fn entity(reference: &quick_xml::events::BytesRef) -> String {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return c.to_string();
    }
    quick_xml::escape::resolve_predefined_entity(reference).unwrap_or_default().to_owned()
}

/// The text of the first element of each name, in the order of the names: a document's title, author and date.
pub(super) fn texts<const N: usize>(xml: &str, names: [&str; N]) -> [Option<String>; N] {
    let mut found: [Option<String>; N] = [const { None }; N];
    let mut open: Option<usize> = None;
    // What stands before the damage counts.
    let _ = walk(xml, &mut |event| match event {
        Xml::Start(name, _) => {
            open = names.iter().position(|wanted| *wanted == name).filter(|&at| found[at].is_none());
        }
        Xml::Text(text) => {
            if let Some(at) = open {
                found[at].get_or_insert_default().push_str(text);
            }
        }
        Xml::End(_) => open = None,
    });
    found.map(|text| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(xml: &str) -> (String, bool) {
        let mut text = String::new();
        let read = walk(xml, &mut |event| {
            if let Xml::Text(more) = event {
                text.push_str(more);
            }
        });
        (text, read.is_ok())
    }

    #[test]
    fn entities_of_a_document_are_never_expanded() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]>\
                    <x>&b;&c; &amp; &#65;</x>";
        assert_eq!(text_of(bomb), (" & A".to_owned(), true));
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = "<a>".repeat(1_000_000) + "x" + &"</a>".repeat(1_000_000);
        assert_eq!(text_of(&deep), ("x".to_owned(), true));
        assert!(!text_of("<a><b></a>").1);
    }
}
