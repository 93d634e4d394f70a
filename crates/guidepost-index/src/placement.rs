//! Which chunk of a generation each row of a segment is.
//!
//! Chunks are numbered in the order of the guides, whatever segment holds them: what an index answers does not depend on how it
//! came to be.

use crate::{ChunkId, DocumentRecord, Rows};

/// A row that the generation has no use for: its guide was deleted, or reads otherwise now.
const DELETED: u32 = u32::MAX;

/// The rows of one segment in one generation.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    /// Number of the chunk in each row.
    ids: Vec<u32>,
    deleted: Vec<u32>,
}

impl Placement {
    /// One for each segment, which have so many rows.
    pub(crate) fn of_segments(rows: &[u32], documents: &[DocumentRecord]) -> Vec<Placement> {
        let mut all: Vec<Vec<u32>> = rows.iter().map(|&rows| vec![DELETED; rows as usize]).collect();
        for document in documents {
            let first = document.first_row as usize;
            let rows = all
                .get_mut(document.segment as usize)
                .and_then(|ids| ids.get_mut(first..first + document.chunks as usize));
            for (id, row) in (document.first_chunk..).zip(rows.into_iter().flatten()) {
                *row = id;
            }
        }
        all.into_iter().map(Placement::new).collect()
    }

    fn new(ids: Vec<u32>) -> Placement {
        let deleted = (0u32..).zip(&ids).filter(|(_, id)| **id == DELETED).map(|(row, _)| row).collect();
        Placement { ids, deleted }
    }

    /// The chunk in a row; `None` for a deleted one.
    pub(crate) fn id(&self, row: u32) -> Option<ChunkId> {
        self.ids.get(row as usize).copied().filter(|&id| id != DELETED).map(ChunkId)
    }

    /// The chunk in a row, if it is one of those `within`.
    pub(crate) fn id_within(&self, row: u32, within: Option<&Rows>) -> Option<ChunkId> {
        self.id(row).filter(|&id| within.is_none_or(|within| within.contains(id)))
    }

    /// Rows that are deleted, ascending.
    pub(crate) fn deleted(&self) -> &[u32] {
        &self.deleted
    }

    /// Rows that are not deleted.
    pub(crate) fn live(&self) -> usize {
        self.ids.len() - self.deleted.len()
    }

    /// The rows of the chunks `within`; `None` where that is every row.
    pub(crate) fn rows_within(&self, within: Option<&Rows>) -> Option<Rows> {
        if within.is_none() && self.deleted.is_empty() {
            return None;
        }
        let mut rows = Rows::none(self.ids.len());
        let through = (0..self.ids.len() as u32).filter(|&row| self.id_within(row, within).is_some());
        through.for_each(|row| rows.insert(ChunkId(row)));
        Some(rows)
    }
}

#[cfg(test)]
impl Placement {
    /// Of a segment that is the whole generation.
    pub(crate) fn whole(rows: u32) -> Placement {
        Placement::new((0..rows).collect())
    }
}
