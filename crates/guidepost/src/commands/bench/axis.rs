//! An axis of a plot: from where to where, on which scale, and which values are named.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::output::table::number;

/// Values of an axis in a picture.
#[derive(Debug, PartialEq)]
pub(super) struct Axis {
    logarithmic: bool,
    low: f64,
    high: f64,
    /// Values that get a line and a name.
    ticks: Vec<f64>,
}

/// Values further apart than this are drawn on a logarithmic scale, or the small ones could not be told from zero.
const FAR_APART: f64 = 20.0;

impl Axis {
    /// A logarithmic axis that names just these values; they are above 0 and ascending.
    pub(super) fn through(ticks: Vec<f64>) -> Self {
        let (first, last) = (ticks.first().copied().unwrap_or(1.0), ticks.last().copied().unwrap_or(1.0));
        let margin = (last / first).powf(0.03).max(1.05);
        Axis { logarithmic: true, low: first / margin, high: last * margin, ticks }
    }

    /// An axis that shows all of these values and names round ones.
    pub(super) fn over(values: &[f64]) -> Self {
        let high = values.iter().copied().fold(0.0, f64::max);
        if high <= 0.0 {
            return Axis { logarithmic: false, low: 0.0, high: 1.0, ticks: vec![0.0] };
        }
        let low = values.iter().copied().filter(|value| *value > 0.0).fold(high, f64::min);
        if high / low <= FAR_APART { Self::linear(high) } else { Self::logarithmic(low / 1.3, high * 1.3) }
    }

    fn linear(highest: f64) -> Self {
        let (step, high) = (step(highest), highest * 1.05);
        let ticks = (0..100).map(|n| f64::from(n) * step).take_while(|tick| *tick <= high).collect();
        Axis { logarithmic: false, low: 0.0, high, ticks }
    }

    fn logarithmic(low: f64, high: f64) -> Self {
        let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let parts: &[f64] = if high / low > 1000.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let ticks = powers.flat_map(|power| parts.iter().map(move |part| part * 10f64.powi(power)));
        Axis {
            logarithmic: true,
            low,
            high,
            ticks: ticks.filter(|tick| (low..=high).contains(tick)).collect(),
        }
    }

    /// Where a value stands, in [0, 1] for those of the axis.
    fn place(&self, value: f64) -> f64 {
        match self.logarithmic {
            true => (value.max(self.low) / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        }
    }
}

/// A round distance of ticks: eight of them at most.
fn step(high: f64) -> f64 {
    let power = 10f64.powf((high / 8.0).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|part| part * power);
    steps.into_iter().find(|step| high / step <= 8.0).unwrap_or(10.0 * power)
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        limit.0 + (self.place(*value) * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    /// Without decimals that say nothing.
    fn format_ext(&self, value: &f64) -> String {
        let text = if *value < 0.1 { format!("{value:.4}") } else { number(*value) };
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        for (values, names) in [
            (&[3.0, 40.0][..], "0 5 10 15 20 25 30 35 40"),
            (&[900.0, 1000.0], "0 200 400 600 800 1,000"),
            (&[0.3, 0.7], "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7"),
            (&[10.0, 400.0], "10 20 50 100 200 500"),
            (&[0.01, 100.0], "0.01 0.1 1 10 100"),
            (&[], "0"),
        ] {
            let axis = Axis::over(values);
            let found: Vec<String> = axis.ticks.iter().map(|tick| axis.format_ext(tick)).collect();
            assert_eq!(found.join(" "), names);
        }
    }

    #[test]
    fn places_follow_the_scale() {
        let axis = Axis { logarithmic: true, low: 1.0, high: 100.0, ticks: Vec::new() };
        for (value, pixel) in [(1.0, 0), (10.0, 50), (100.0, 100), (0.0, 0)] {
            assert_eq!(axis.map(&value, (0, 100)), pixel);
        }
        let upward = Axis { logarithmic: false, low: 0.0, high: 4.0, ticks: Vec::new() };
        assert_eq!(upward.map(&1.0, (200, 100)), 175);
        assert_eq!(Axis::through(vec![8.0]).map(&8.0, (0, 100)), 50, "one value stands in the middle");
    }
}
