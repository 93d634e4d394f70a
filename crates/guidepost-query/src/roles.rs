//! The roles that guides are about, each once however it is written.

use std::collections::HashSet;

use guidepost_text::{Lines, Named, Role};

use crate::resources::role_terms;

/// A role, and every place that describes or names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleEntry {
    /// As the first place that begins it with a capital writes it, else as the first does, with a capital.
    pub name: String,
    /// Guides and sections about it.
    pub described: Vec<RolePlace>,
    /// Lines that only name it.
    pub named: Vec<RolePlace>,
}

/// A place that describes or names a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RolePlace {
    /// Number of the guide.
    pub document: usize,
    /// Where.
    pub lines: Lines,
}

/// The roles of all guides: described ones first, by name.
pub fn roles(names: &[Named]) -> Vec<RoleEntry> {
    let mut entries: Vec<(HashSet<String>, RoleEntry)> = Vec::new();
    let all = names.iter().enumerate().flat_map(|(at, named)| named.roles.iter().map(move |role| (at, role)));
    for (document, role) in all {
        let terms = role_terms(without_parentheses(&role.name));
        let at = entries.iter().position(|(known, _)| *known == terms).unwrap_or_else(|| {
            let entry = RoleEntry { name: role.name.clone(), described: Vec::new(), named: Vec::new() };
            entries.push((terms, entry));
            entries.len() - 1
        });
        let entry = &mut entries[at].1;
        add(entry, document, role);
    }
    let mut roles: Vec<RoleEntry> = entries.into_iter().map(|(_, entry)| entry).collect();
    for role in &mut roles {
        let mut letters = role.name.chars();
        role.name =
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect());
    }
    roles.sort_by_cached_key(|role| (role.described.is_empty(), role.name.to_lowercase()));
    roles
}

/// The roles that a reader may mean: the one of that name, else all that have its words, those with the fewest others first.
pub fn find_roles<'a>(roles: &'a [RoleEntry], wanted: &str) -> Vec<&'a RoleEntry> {
    let wanted = role_terms(wanted);
    let terms = |role: &RoleEntry| role_terms(without_parentheses(&role.name));
    let fits = |role: &&RoleEntry| !wanted.is_empty() && wanted.is_subset(&role_terms(&role.name));
    let mut fitting: Vec<&RoleEntry> = roles.iter().filter(fits).collect();
    fitting.sort_by_key(|role| (terms(role) != wanted, role.described.is_empty(), terms(role).len()));
    let named = fitting.first().is_some_and(|role| terms(role) == wanted);
    fitting.truncate(if named { 1 } else { fitting.len() });
    fitting
}

fn add(entry: &mut RoleEntry, document: usize, role: &Role) {
    let place = RolePlace { document, lines: role.lines };
    let places = if role.described { &mut entry.described } else { &mut entry.named };
    if !places.contains(&place) {
        places.push(place);
    }
    // Front matter is often in lower case; a heading is how people write it.
    if begins_upper(&role.name) && !begins_upper(&entry.name) {
        entry.name.clone_from(&role.name);
    }
}

fn begins_upper(name: &str) -> bool {
    name.chars().next().is_some_and(char::is_uppercase)
}

fn without_parentheses(name: &str) -> &str {
    name.split_once(" (").map_or(name, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_one_however_it_is_written() {
        let role = |name: &str, described| Role {
            name: name.to_owned(),
            described,
            lines: Lines { first: 1, last: 9 },
        };
        let guides = [
            Named {
                resources: Vec::new(),
                roles: vec![role("ML Engineer", false), role("Quant Analyst", false)],
            },
            Named {
                resources: Vec::new(),
                roles: vec![
                    role("Machine learning engineer", true),
                    role("Site Reliability Engineer (SRE)", true),
                ],
            },
        ];
        let roles = roles(&guides);
        let drawn: Vec<(&str, usize, usize)> =
            roles.iter().map(|role| (role.name.as_str(), role.described.len(), role.named.len())).collect();
        assert_eq!(
            drawn,
            [("ML Engineer", 1, 1), ("Site Reliability Engineer (SRE)", 1, 0), ("Quant Analyst", 0, 1)]
        );
        for (wanted, found) in [
            ("sre", Some("Site Reliability Engineer (SRE)")),
            ("machine learning", Some("ML Engineer")),
            ("quant analysts", Some("Quant Analyst")),
            ("astronaut", None),
            ("", None),
        ] {
            assert_eq!(find_roles(&roles, wanted).first().map(|role| role.name.as_str()), found, "{wanted}");
        }
    }
}
