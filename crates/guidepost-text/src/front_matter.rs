//! YAML front matter between two lines of three dashes. Values that are not understood are a warning, never lost:
//! the block then stays part of the text.

use serde_norway::Value;

use crate::Metadata;

/// Splits off the front matter. Returns the metadata and the byte offset at which the body begins.
pub(crate) fn split(text: &str, warnings: &mut Vec<String>) -> (Metadata, usize) {
    let Some((yaml, body)) = find(text) else {
        return (Metadata::default(), 0);
    };
    if has_aliases(yaml) {
        warnings.push("front matter with YAML aliases was read as text".to_owned());
        return (Metadata::default(), 0);
    }
    match serde_norway::from_str::<Value>(yaml) {
        Ok(Value::Mapping(fields)) => (metadata(&fields), body),
        Ok(Value::Null) => (Metadata::default(), body),
        // Two thematic breaks around a paragraph look like front matter and are none.
        Ok(_) => (Metadata::default(), 0),
        Err(error) => {
            warnings.push(format!("front matter is not valid YAML and was read as text: {error}"));
            (Metadata::default(), 0)
        }
    }
}

/// Longest front matter in bytes.
const MAX_LENGTH: usize = 64 << 10;

/// The text between the fences, and the offset behind the closing one.
fn find(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix("---\n")?;
    let mut offset = 0;
    for line in inner.split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return Some((&inner[..offset], 4 + offset + line.len()));
        }
        offset += line.len();
        if offset > MAX_LENGTH {
            return None;
        }
    }
    None
}

/// Whether a value is named and used again. With that a few lines can stand for gigabytes, and serde_norway 0.9.42 counts
/// how often names are used, not how much they stand for.
fn has_aliases(yaml: &str) -> bool {
    let marks = |mark: char| {
        let mut words = yaml.split(|c: char| c.is_whitespace() || "[]{},:-?".contains(c));
        words.any(|word| word.len() > 1 && word.starts_with(mark))
    };
    marks('&') && marks('*')
}

fn metadata(fields: &serde_norway::Mapping) -> Metadata {
    let list = |key: &str| fields.get(key).map(texts).unwrap_or_default();
    let one = |key: &str| list(key).into_iter().next();
    let mut roles = list("roles");
    roles.extend(list("role"));
    Metadata {
        title: one("title").unwrap_or_default(),
        kind: one("kind"),
        roles,
        skills: list("skills"),
        tags: list("tags").iter().chain(&list("tag")).flat_map(|tags| each_tag(tags)).collect(),
        level: one("level"),
        date: one("date").or_else(|| one("updated")),
        author: one("author").or_else(|| one("authors")),
    }
}

/// A scalar as one text, a sequence as many; anything else as none.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.trim().to_owned()],
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(flag) => vec![flag.to_string()],
        Value::Sequence(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The tags of one value. Obsidian writes several into one text, between commas or each with its sign.
fn each_tag(tags: &str) -> Vec<String> {
    let signed = tags.starts_with('#') && tags.split_whitespace().all(|tag| tag.starts_with('#'));
    let each = tags.split(|c: char| c == ',' || (signed && c.is_whitespace()));
    let tags = each.map(|tag| tag.trim().trim_start_matches('#').to_owned());
    tags.filter(|tag| !tag.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, title: &str, body: &str, warned: bool) -> Metadata {
        let mut warnings = Vec::new();
        let (metadata, start) = split(text, &mut warnings);
        assert_eq!((metadata.title.as_str(), &text[start..], !warnings.is_empty()), (title, body, warned));
        metadata
    }

    #[test]
    fn front_matter_is_split_off() {
        check("no front matter", "", "no front matter", false);
        check("---\ntitle: A\n---\nbody", "A", "body", false);
        check("---\n---\nbody", "", "body", false);
        check("---\ntitle: never closed\n", "", "---\ntitle: never closed\n", false);
        check("---\na paragraph\n---\nbody", "", "---\na paragraph\n---\nbody", false);
        let alias = "---\ntitle: &a x\nauthor: *a\n---\nbody";
        check(alias, "", alias, true);
        check("---\ntitle: R&D *now*\n---\nbody", "R&D *now*", "body", false);
        check("---\ntitle: [broken\n---\nbody", "", "---\ntitle: [broken\n---\nbody", true);
        let read = check("---\ntitle: B\nroles: [x, y]\ntags: z\nlevel: 3\n---\n", "B", "", false);
        assert_eq!(
            (read.roles.len(), read.tags, read.level),
            (2, vec!["z".to_owned()], Some("3".to_owned()))
        );
    }

    #[test]
    fn tags_are_one_text_or_many() {
        for (line, tags) in [
            ("tags: [bees, '#town/roof']", &["bees", "town/roof"][..]),
            ("tags: bees, town life", &["bees", "town life"]),
            ("tags: '#bees #town'", &["bees", "town"]),
            ("tag: bees", &["bees"]),
            ("tags: data science", &["data science"]),
            ("tags:", &[]),
        ] {
            assert_eq!(check(&format!("---\n{line}\n---\n"), "", "", false).tags, tags, "{line}");
        }
    }
}
