//! One guide does not crowd out the rest, unless it is the only one that answers.
//!
//! The mildest rule there is: the last of the first five places goes to another guide where one answers about as well. Stronger
//! ones lost more than they gave, measured in `benches/results/shipped_questions.md`.

use crate::search::Ranked;

/// Places that are looked at: as many as are shown where nobody says otherwise.
const PLACES: usize = 5;

/// Share of the best confidence from which another guide's passage answers, too.
const ANSWERS_TOO: f32 = 0.5;

/// Where the first places are all one guide's, gives the last of them to the best hit of another guide that answers, too.
pub(crate) fn spread(hits: &mut [Ranked]) {
    let best = hits.iter().map(|hit| hit.confidence).fold(0.0, f32::max);
    let Some(guide) = hits.first().map(|hit| hit.guide()) else { return };
    let other = hits.iter().position(|hit| hit.guide() != guide && hit.confidence >= ANSWERS_TOO * best);
    let crowded = hits.iter().take(PLACES).all(|hit| hit.guide() == guide);
    if let Some(at) = other.filter(|_| crowded) {
        hits[PLACES - 1..=at].rotate_right(1);
    }
}
