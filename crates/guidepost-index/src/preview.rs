//! What an update would do, told without doing any of it: nothing is written, locked or embedded.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use crate::generation::may_hold_index;
use crate::plan::{Plan, State, Warning};
use crate::update::sources;
use crate::{Changes, IndexError, Request, Snapshot};

/// What an update would do. Guides are named as citations name them.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// Whether anything would be written at all.
    pub writes: bool,
    /// The folders that the index would hold afterwards, absolute; none for the guides that ship.
    pub folders: Vec<PathBuf>,
    /// Guides that are new.
    pub added: Vec<String>,
    /// Guides whose text differs.
    pub changed: Vec<String>,
    /// Guides that are gone.
    pub removed: Vec<String>,
    /// Guides with a new time of change and the same text, or that an earlier version read.
    pub touched: Vec<String>,
    /// All others.
    pub unchanged: usize,
    /// What there is to know before any guide is read.
    pub warnings: Vec<Warning>,
    /// Files of kinds that are not read, by extension.
    pub other_kinds: BTreeMap<String, usize>,
}

/// Holds the disk against the index as [`crate::update`] does. The model is not asked: whether the index is one of another
/// model shows only in the update.
///
/// # Errors
/// Those of an update, as far as it gets without writing: a folder that is not there, an index of another format or damaged.
pub fn preview(request: &Request) -> Result<Preview, IndexError> {
    if !may_hold_index(request.index) {
        return Err(IndexError::NotAnIndex { path: request.index.to_owned() });
    }
    let old = if request.rebuild { None } else { Snapshot::open_for_update(request.index)? };
    let sources = sources(request)?;
    let plan = Plan::new(&sources, request.shipped, old.as_ref().map(Snapshot::record))?;
    let is_other = |old: &Snapshot| old.sources() != sources || !request.late_interaction.is_as_in(old);
    let in_state = |state: State, is_known: bool| {
        let entries = plan.entries.iter();
        let wanted = entries.filter(|entry| entry.state == state && entry.known.is_some() == is_known);
        wanted.map(|entry| entry.path.clone()).collect::<Vec<_>>()
    };
    Ok(Preview {
        writes: plan.changes() != Changes::default() || old.as_ref().is_none_or(is_other),
        added: in_state(State::Changed, false),
        changed: in_state(State::Changed, true),
        removed: old.as_ref().map_or_else(Vec::new, |old| removed(old, &plan)),
        touched: in_state(State::Touched, true),
        unchanged: plan.entries.iter().filter(|entry| entry.state == State::Same).count(),
        folders: sources.into_iter().filter_map(|source| source.folder).collect(),
        warnings: plan.warnings,
        other_kinds: plan.other_kinds,
    })
}

fn removed(old: &Snapshot, plan: &Plan) -> Vec<String> {
    let kept: HashSet<usize> = plan.entries.iter().filter_map(|entry| entry.known).collect();
    let documents = old.documents().iter().enumerate();
    documents.filter(|(at, _)| !kept.contains(at)).map(|(_, document)| document.path.clone()).collect()
}
