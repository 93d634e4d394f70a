//! Each passage once: what says the same in the same words becomes one hit that names the other places.

use std::collections::BTreeSet;
use std::sync::Arc;

use guidepost_index::{DocumentRecord, IndexError, Passage, Snapshot, StoredChunk};

use crate::fusion::Fused;

/// A passage, and where else it stands.
pub(crate) struct Distinct {
    /// The best of those that say the same.
    pub(crate) fused: Fused,
    pub(crate) passage: Arc<Passage>,
    /// The others, best first.
    pub(crate) also_in: Vec<Elsewhere>,
}

/// A place that says the same as a hit.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// The passage there.
    pub chunk: StoredChunk,
    /// The guide it is in.
    pub document: DocumentRecord,
}

/// Candidates that are read at least: copies have about the same score, so that those of a hit are near it.
const READ: usize = 30;

/// The best candidates, each passage once: at least `limit` and two guides, as far as there are so many.
pub(crate) fn distinct(
    snapshot: &Snapshot,
    ranked: &[Fused],
    limit: usize,
) -> Result<Vec<Distinct>, IndexError> {
    let mut found: Vec<Distinct> = Vec::new();
    let mut guides = BTreeSet::new();
    for (at, &fused) in ranked.iter().enumerate() {
        let guide = snapshot.document_number(fused.id);
        let enough = at >= READ && found.len() >= limit;
        if enough && (guides.len() > 1 || guides.contains(&guide)) {
            continue;
        }
        guides.insert(guide);
        let passage = snapshot.passage(fused.id)?;
        let same = found.iter_mut().find(|known| known.passage.wording().says_the_same(passage.wording()));
        match same {
            Some(same) => {
                let chunk = passage.stored.clone();
                let document = snapshot.document_of(&chunk)?.clone();
                same.also_in.push(Elsewhere { chunk, document });
            }
            None => found.push(Distinct { fused, passage, also_in: Vec::new() }),
        }
    }
    Ok(found)
}
