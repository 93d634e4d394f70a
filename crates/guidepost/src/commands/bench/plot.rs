//! A plot of lines as SVG. Text is left to whoever shows the picture: no font is read or embedded.

use std::path::Path;

use anyhow::{Context, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;

/// What a plot shows. Every x is above 0 and drawn on a logarithmic scale.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) subtitle: &'a str,
    pub(super) x_label: &'a str,
    pub(super) y_label: &'a str,
    /// A name, and points by ascending x.
    pub(super) series: Vec<(String, Vec<(f64, f64)>)>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Pixels.
const SIZE: (u32, u32) = (960, 540);
const HEAD: u32 = 78;
const LEGEND: u32 = 210;

/// Colors that stay apart for people who see colors differently (Okabe and Ito 2008), without their yellow.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(60, 60, 60),
];
const TEXT: RGBColor = RGBColor(45, 45, 45);
const FAINT: RGBColor = RGBColor(110, 110, 110);
const GRID: RGBColor = RGBColor(228, 228, 228);

impl Plot<'_> {
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut picture = String::new();
        let drawn = self.draw(SVGBackend::with_string(&mut picture, SIZE));
        drawn.map_err(|error| anyhow!("the plot cannot be drawn: {error}"))?;
        std::fs::write(path, picture).with_context(|| format!("`{}` cannot be written", path.display()))
    }

    fn draw(&self, backend: SVGBackend) -> Drawn {
        let root = backend.into_drawing_area();
        root.fill(&WHITE)?;
        let (head, below) = root.split_vertically(HEAD);
        head.draw(&Text::new(self.title, (28, 18), font(27, TEXT)))?;
        head.draw(&Text::new(self.subtitle, (28, 50), font(18, FAINT)))?;
        let (chart, legend) = below.split_horizontally(SIZE.0 - LEGEND);
        self.chart(&chart)?;
        self.legend(&legend)?;
        root.present()?;
        Ok(())
    }

    fn chart(&self, area: &Area) -> Drawn {
        let across = Axis::through(self.positions());
        let up = Axis::over(&self.values());
        let mut builder = ChartBuilder::on(area);
        builder.margin_left(18).margin_bottom(16).margin_right(10);
        let mut chart = builder.x_label_area_size(56).y_label_area_size(84).build_cartesian_2d(across, up)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(FAINT)
            .label_style(font(17, TEXT))
            .axis_desc_style(font(18, TEXT))
            .x_desc(self.x_label)
            .y_desc(self.y_label)
            .draw()?;
        for (at, (_, points)) in self.series.iter().enumerate() {
            let color = COLORS[at % COLORS.len()];
            chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?;
            chart.draw_series(points.iter().map(|&point| Circle::new(point, 4, color.filled())))?;
        }
        Ok(())
    }

    /// Names in the order in which the lines end, highest first.
    fn legend(&self, area: &Area) -> Drawn {
        let end = |at: &usize| self.series[*at].1.last().map_or(0.0, |point| point.1);
        let mut order: Vec<usize> = (0..self.series.len()).collect();
        order.sort_by(|a, b| end(b).total_cmp(&end(a)));
        for (row, at) in order.into_iter().enumerate() {
            let (color, y) = (COLORS[at % COLORS.len()], 14 + 26 * row as i32);
            area.draw(&PathElement::new([(6, y), (30, y)], color.stroke_width(2)))?;
            area.draw(&Circle::new((18, y), 4, color.filled()))?;
            let style = font(17, TEXT).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(self.series[at].0.as_str(), (38, y), style))?;
        }
        Ok(())
    }

    fn values(&self) -> Vec<f64> {
        self.series.iter().flat_map(|(_, points)| points).map(|point| point.1).collect()
    }

    /// Every x once, ascending.
    fn positions(&self) -> Vec<f64> {
        let mut all: Vec<f64> =
            self.series.iter().flat_map(|(_, points)| points).map(|point| point.0).collect();
        all.sort_by(f64::total_cmp);
        all.dedup();
        all
    }
}

fn font(size: u32, color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&color)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_draw_is_drawn() {
        let series = vec![("none".to_owned(), Vec::new())];
        let plot = Plot { title: "a", subtitle: "", x_label: "x", y_label: "y", series };
        let mut picture = String::new();
        plot.draw(SVGBackend::with_string(&mut picture, SIZE)).expect("it can be drawn");
        assert!(picture.ends_with("</svg>\n"), "{picture}");
    }
}
