//! The picture for the README: how long a cold start takes, and how much CPU a warm callback.

use std::path::Path;

use anyhow::anyhow;
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, TextStyle};

use crate::figures::Figures;
use crate::measure::TARGETS;
use crate::report::{MB_OF_A_CPU, Part};
use crate::scenario::Scenario;

// Colours that stand out on white and on black alike.
const TEXT: RGBColor = RGBColor(116, 124, 134);
const OURS: RGBColor = RGBColor(47, 129, 247);
const OTHERS: RGBColor = RGBColor(145, 152, 161);

const WIDTH: u32 = 860;
const ROW: i32 = 24;
const BAR: i32 = 16;
/// Where bars begin, and how long the longest may be.
const LEFT: i32 = 250;
const LONGEST: f64 = 500.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Bars that can be compared, longer by the logarithm.
struct Chart {
    title: String,
    least: f64,
    unit: &'static str,
    bars: Vec<(String, f64, bool)>,
}

/// Draws a run into a file.
///
/// # Errors
///
/// When it cannot be written.
pub fn draw(throttled: &Part, free: &Part, path: &Path) -> anyhow::Result<()> {
    let charts = [cold(throttled), cpu(free)];
    let rows: usize = charts.iter().map(|chart| chart.bars.len() + 2).sum();
    let height = ROW * i32::try_from(rows)?;
    let area = SVGBackend::new(path, (WIDTH, u32::try_from(height)?)).into_drawing_area();
    let mut top = 0;
    for chart in &charts {
        top = chart
            .draw(&area, top)
            .map_err(|error| anyhow!("The plot cannot be drawn: {error}"))?;
    }
    area.present()
        .map_err(|error| anyhow!("{} cannot be written: {error}", path.display()))
}

fn cold(part: &Part) -> Chart {
    let share = part.share.unwrap_or(1.0);
    let scenarios = [Scenario::NewCallback, Scenario::Checkout, Scenario::Refund];
    Chart {
        title: format!(
            "Cold start with {share} of a CPU ({:.0} MB), in ms; logarithmic",
            share * MB_OF_A_CPU
        ),
        least: 2.0,
        unit: "ms",
        bars: bars(part, &scenarios, |figures| figures.cold_ms),
    }
}

fn cpu(part: &Part) -> Chart {
    Chart {
        title: "CPU time of a warm callback, in us; logarithmic".to_owned(),
        least: 100.0,
        unit: "us",
        bars: bars(part, &[Scenario::NewCallback], |figures| figures.cpu_us),
    }
}

fn bars(
    part: &Part,
    scenarios: &[Scenario],
    value: impl Fn(&Figures) -> f64,
) -> Vec<(String, f64, bool)> {
    let cases = scenarios
        .iter()
        .flat_map(|scenario| TARGETS.map(|target| (*scenario, target)));
    let bar = |(scenario, target): (Scenario, &str)| {
        let figures = part.of(scenario, target)?;
        let name = format!("{}: {}", scenario.name(), label(target));
        Some((name, value(figures), target == "ours"))
    };
    cases.filter_map(bar).collect()
}

fn label(target: &str) -> &str {
    match target {
        "ours" => "this project",
        "rust-defaults" => "Rust, all defaults",
        "node" => "Node.js",
        "python" => "Python",
        other => other,
    }
}

impl Chart {
    /// Draws it from that height on; gives where it ends.
    fn draw(&self, area: &Area<'_>, top: i32) -> Result<i32, DrawingAreaErrorKind<std::io::Error>> {
        write(
            area,
            &self.title,
            (LEFT, top + ROW / 2),
            HPos::Left,
            FontStyle::Bold,
        )?;
        let mut middle = top + ROW + ROW / 2;
        for (name, value, is_ours) in &self.bars {
            let right = LEFT + self.length(*value);
            let colour = if *is_ours { OURS } else { OTHERS };
            let corners = [(LEFT, middle - BAR / 2), (right, middle + BAR / 2)];
            area.draw(&Rectangle::new(corners, colour.filled()))?;
            write(
                area,
                name,
                (LEFT - 10, middle),
                HPos::Right,
                FontStyle::Normal,
            )?;
            let value = match *value {
                value if value < 100.0 => format!("{value:.1} {}", self.unit),
                value => format!("{value:.0} {}", self.unit),
            };
            write(
                area,
                &value,
                (right + 8, middle),
                HPos::Left,
                FontStyle::Normal,
            )?;
            middle += ROW;
        }
        Ok(middle + ROW / 2)
    }

    fn length(&self, value: f64) -> i32 {
        let most = self
            .bars
            .iter()
            .map(|(_, value, _)| *value)
            .fold(self.least, f64::max);
        let share = (value / self.least).ln() / (most / self.least).ln();
        (share.clamp(0.0, 1.0) * LONGEST).round() as i32
    }
}

fn write(area: &Area<'_>, text: &str, at: (i32, i32), side: HPos, weight: FontStyle) -> Drawn {
    let font = ("sans-serif", 14, weight).into_font();
    let style = TextStyle::from(font)
        .color(&TEXT)
        .pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_longer_by_the_logarithm() {
        let chart = Chart {
            title: String::new(),
            least: 1.0,
            unit: "ms",
            bars: vec![(String::new(), 10.0, true), (String::new(), 1000.0, false)],
        };
        assert_eq!(
            [0.5, 1.0, 10.0, 1000.0].map(|value| chart.length(value)),
            [0, 0, 167, 500]
        );
    }
}
