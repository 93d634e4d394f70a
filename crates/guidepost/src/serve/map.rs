//! The corpus as a map: passages that say something alike lie close.
//!
//! The nearest neighbors of each passage, by cosine, hold it like springs; all others push it away. That is the layout of
//! UMAP (McInnes, Healy and Melville 2018, arXiv:1802.03426, section 3.2) with the curve 1 / (1 + d²), begun from the two
//! directions in which passages differ most. Random choices come from a fixed seed: the same generation gives the same map.

use guidepost_index::{ChunkId, Snapshot};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use crate::output::SCHEMA_VERSION;

/// Guides and sections, placed by meaning.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct MapView {
    schema_version: u32,
    command: &'static str,
    /// Empty where the index has no vectors.
    guides: Vec<MapGuide>,
    /// All passages, or as many as a map can show, evenly chosen.
    points: Vec<MapPoint>,
}

/// A guide, in the midst of its passages.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct MapGuide {
    path: String,
    title: String,
    /// From 0 to 1.
    x: f32,
    /// From 0 to 1.
    y: f32,
}

/// A passage.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct MapPoint {
    /// Its guide's place among `guides`.
    guide: usize,
    heading_path: Vec<String>,
    /// 1-based.
    first_line: u32,
    /// 1-based, inclusive.
    last_line: u32,
    /// From 0 to 1.
    x: f32,
    /// From 0 to 1.
    y: f32,
}

/// Passages of a map. Every passage is held against every other.
const MOST_POINTS: usize = 3000;

impl MapView {
    /// # Errors
    /// A damaged index.
    pub(super) fn new(snapshot: &Snapshot) -> anyhow::Result<MapView> {
        let mut view = MapView {
            schema_version: SCHEMA_VERSION,
            command: "map",
            guides: Vec::new(),
            points: Vec::new(),
        };
        if !snapshot.has_vectors() {
            return Ok(view);
        }
        let all = snapshot.chunk_count();
        let shown = all.min(MOST_POINTS);
        let ids: Vec<ChunkId> = (0..shown).map(|at| ChunkId((at * all / shown) as u32)).collect();
        let vectors: Vec<&[f32]> = ids.iter().filter_map(|id| snapshot.vector(*id)).collect();
        snapshot.sound()?;
        let places = layout(&vectors);
        let mut documents: Vec<usize> = Vec::new();
        for (id, [x, y]) in ids.into_iter().zip(places) {
            let stored = snapshot.chunk(id)?;
            let document = stored.document as usize;
            if documents.last() != Some(&document) {
                documents.push(document);
            }
            view.points.push(MapPoint {
                guide: documents.len() - 1,
                heading_path: stored.chunk.heading_path.clone(),
                first_line: stored.chunk.lines.first,
                last_line: stored.chunk.lines.last,
                x,
                y,
            });
        }
        for (at, document) in documents.into_iter().enumerate() {
            let points: Vec<&MapPoint> = view.points.iter().filter(|point| point.guide == at).collect();
            let mean =
                |of: fn(&MapPoint) -> f32| points.iter().map(|p| of(p)).sum::<f32>() / points.len() as f32;
            let record = &snapshot.documents()[document];
            view.guides.push(MapGuide {
                path: record.path.clone(),
                title: record.metadata.title.clone(),
                x: mean(|point| point.x),
                y: mean(|point| point.y),
            });
        }
        Ok(view)
    }
}

/// Neighbors that hold a point.
const NEIGHBORS: usize = 15;

/// Others that push it away, for each neighbor that pulls.
const OTHERS: usize = 5;

/// Times that all points are moved.
const ROUNDS: usize = 200;

/// Places for vectors of unit length, from 0 to 1 on both axes.
fn layout(vectors: &[&[f32]]) -> Vec<[f32; 2]> {
    let mut places = principal(vectors);
    let springs = springs(vectors);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for round in 0..ROUNDS {
        let step = 1.0 - round as f32 / ROUNDS as f32;
        for &(a, b, strength) in &springs {
            if random.share() > strength {
                continue;
            }
            let [dx, dy] = between(places[a], places[b]);
            let pull = -2.0 / (1.0 + dx * dx + dy * dy) * step;
            move_by(&mut places[a], pull * dx, pull * dy);
            move_by(&mut places[b], -pull * dx, -pull * dy);
            for _ in 0..OTHERS {
                let other = random.below(vectors.len());
                if other != a {
                    let [dx, dy] = between(places[a], places[other]);
                    let square = dx * dx + dy * dy;
                    let push = 2.0 / ((0.001 + square) * (1.0 + square)) * step;
                    move_by(&mut places[a], push * dx, push * dy);
                }
            }
        }
    }
    within_unit(&mut places);
    places
}

fn between(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

/// No point jumps: those that are pushed from very near would leave the map.
fn move_by(place: &mut [f32; 2], dx: f32, dy: f32) {
    place[0] += dx.clamp(-4.0, 4.0);
    place[1] += dy.clamp(-4.0, 4.0);
}

/// Pairs of neighbors, and how strongly they hold each other: 1 for the nearest, less the farther a neighbor is beside the
/// others of its point.
fn springs(vectors: &[&[f32]]) -> Vec<(usize, usize, f32)> {
    let of = |a: usize| {
        let cosine = |b: usize| dot(vectors[a], vectors[b]);
        let mut near: Vec<(f32, usize)> =
            (0..vectors.len()).filter(|&b| b != a).map(|b| (cosine(b), b)).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        near.truncate(NEIGHBORS);
        let (first, last) = (near.first().map_or(0.0, |n| n.0), near.last().map_or(0.0, |n| n.0));
        let spread = ((first - last) / 2.0).max(1e-6);
        near.into_iter().map(move |(cosine, b)| (a, b, ((cosine - first) / spread).exp())).collect::<Vec<_>>()
    };
    (0..vectors.len()).into_par_iter().flat_map_iter(of).collect()
}

/// Coordinates along the two directions in which vectors differ most, some ten units wide.
fn principal(vectors: &[&[f32]]) -> Vec<[f32; 2]> {
    let dimensions = vectors.first().map_or(0, |vector| vector.len());
    let mut mean = vec![0.0f32; dimensions];
    for vector in vectors {
        mean.iter_mut().zip(*vector).for_each(|(mean, value)| *mean += value / vectors.len() as f32);
    }
    let centered: Vec<Vec<f32>> = vectors
        .iter()
        .map(|vector| vector.iter().zip(&mean).map(|(value, mean)| value - mean).collect())
        .collect();
    let mut axes: Vec<Vec<f32>> = Vec::new();
    for axis in 0..2 {
        let mut direction: Vec<f32> = (0..dimensions).map(|at| ((at * (axis + 2)) as f32).sin()).collect();
        for _ in 0..POWERS {
            for known in &axes {
                let along = dot(&direction, known);
                direction.iter_mut().zip(known).for_each(|(value, known)| *value -= along * known);
            }
            let mut next = vec![0.0f32; dimensions];
            for vector in &centered {
                let along = dot(vector, &direction);
                next.iter_mut().zip(vector).for_each(|(next, value)| *next += along * value);
            }
            let length = dot(&next, &next).sqrt().max(1e-12);
            direction = next.into_iter().map(|value| value / length).collect();
        }
        axes.push(direction);
    }
    let places = centered.iter().map(|vector| [10.0 * dot(vector, &axes[0]), 10.0 * dot(vector, &axes[1])]);
    places.collect()
}

/// Rounds of the power method; a beginning needs no more.
const POWERS: usize = 30;

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Stretches places to the unit square, both axes alike.
fn within_unit(places: &mut [[f32; 2]]) {
    let range = |axis: usize, places: &[[f32; 2]]| {
        let values = || places.iter().map(|place| place[axis]);
        (values().fold(f32::INFINITY, f32::min), values().fold(f32::NEG_INFINITY, f32::max))
    };
    let ranges = [range(0, places), range(1, places)];
    let wide = ranges.iter().map(|(low, high)| high - low).fold(1e-6, f32::max);
    for place in places {
        for (value, (low, high)) in place.iter_mut().zip(ranges) {
            *value = 0.5 + (*value - (low + high) / 2.0) / wide;
        }
    }
}

/// Marsaglia's xorshift64* (2003, with Vigna's multiplier): the map needs no better.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 to 1.
    fn share(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    fn below(&mut self, bound: usize) -> usize {
        (((self.next() >> 32) * bound as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors around three directions come out as three clusters, the same every time.
    #[test]
    fn what_is_alike_lies_close() {
        let mut random = Random(7);
        let vectors: Vec<Vec<f32>> = (0..90)
            .map(|at| {
                let mut vector: Vec<f32> = (0..16).map(|_| random.share() * 0.2).collect();
                vector[at % 3] += 1.0;
                let length = dot(&vector, &vector).sqrt();
                vector.into_iter().map(|value| value / length).collect()
            })
            .collect();
        let vectors: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
        let places = layout(&vectors);
        assert_eq!(places, layout(&vectors));
        assert!(places.iter().flatten().all(|value| (0.0..=1.0).contains(value)));
        let distance = |a: usize, b: usize| {
            let [dx, dy] = between(places[a], places[b]);
            (dx * dx + dy * dy).sqrt()
        };
        let mean = |alike: bool| {
            let pairs = (0..90).flat_map(|a| (0..a).map(move |b| (a, b)));
            let chosen: Vec<f32> =
                pairs.filter(|(a, b)| (a % 3 == b % 3) == alike).map(|(a, b)| distance(a, b)).collect();
            chosen.iter().sum::<f32>() / chosen.len() as f32
        };
        assert!(2.0 * mean(true) < mean(false), "{} {}", mean(true), mean(false));
    }

    #[test]
    fn few_vectors_have_places_too() {
        for count in [0, 1, 2] {
            let vectors = vec![&[1.0, 0.0][..]; count];
            let places = layout(&vectors);
            assert_eq!(places.len(), count);
            assert!(places.iter().flatten().all(|value| (0.0..=1.0).contains(value)));
        }
    }
}
