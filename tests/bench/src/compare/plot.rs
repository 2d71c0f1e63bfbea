//! Draws the results as SVG: the cold starts, and the CPU time of a warm callback.

use super::figures::Figures;
use super::report::{MB_PER_CPU, Part};
use crate::scenario::Scenario;

// These colours have enough contrast on white and on black.
const TEXT: &str = "#747C86";
const OURS: &str = "#2F81F7";
const BASELINE: &str = "#9198A1";

const WIDTH: usize = 860;
const ROW: usize = 24;
const BAR: usize = 16;
/// The x coordinate at which the bars begin.
const LEFT: usize = 250;
/// The length of the longest bar.
const LONGEST: f64 = 500.0;

/// A chart of bars on a logarithmic scale.
struct Chart {
    title: String,
    /// The bar of this value has the length 0.
    least: f64,
    unit: &'static str,
    bars: Vec<Bar>,
}

struct Bar {
    name: String,
    value: f64,
    is_ours: bool,
}

pub fn svg(limited: &Part, free: &Part) -> String {
    let charts = [cold(limited), cpu(free)];
    let (mut body, mut top) = (String::new(), 0);
    for chart in &charts {
        body += &chart.svg(top);
        top += ROW * (chart.bars.len() + 2);
    }
    format!(
        "<svg width=\"{WIDTH}\" height=\"{top}\" viewBox=\"0 0 {WIDTH} {top}\" xmlns=\"http://www.w3.org/2000/svg\" \
         font-family=\"sans-serif\" font-size=\"11.3\" fill=\"{TEXT}\">\n{body}</svg>\n"
    )
}

fn cold(part: &Part) -> Chart {
    let share = part.share.unwrap_or(1.0);
    let scenarios = [Scenario::NewCallback, Scenario::Checkout, Scenario::Refund];
    Chart {
        title: format!(
            "Cold start with {share} of a CPU ({:.0} MB), in ms; logarithmic",
            share * MB_PER_CPU
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

fn bars(part: &Part, scenarios: &[Scenario], value: fn(&Figures) -> f64) -> Vec<Bar> {
    let is_shown = |scenario: &str| scenarios.iter().any(|shown| shown.name() == scenario);
    let rows = part.rows.iter().filter(|row| is_shown(row.scenario));
    rows.map(|row| Bar {
        name: format!("{}: {}", row.scenario, label(row.target)),
        value: value(&row.figures),
        is_ours: row.target == "ours",
    })
    .collect()
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
    /// Draws the title and the bars below `top`.
    fn svg(&self, top: usize) -> String {
        let y = top + ROW / 2;
        let mut svg = format!(
            "<text x=\"{LEFT}\" y=\"{y}\" dy=\"0.5ex\" font-weight=\"bold\">{}</text>\n",
            self.title
        );
        for (
            number,
            Bar {
                name,
                value,
                is_ours,
            },
        ) in (1..).zip(&self.bars)
        {
            let y = top + ROW * number + ROW / 2;
            let (bar_top, name_right) = (y - BAR / 2, LEFT - 10);
            let length = self.length(*value);
            let value_left = LEFT + length + 8;
            let colour = if *is_ours { OURS } else { BASELINE };
            let digits = if *value < 100.0 { 1 } else { 0 };
            let unit = self.unit;
            svg += &format!(
                "<rect x=\"{LEFT}\" y=\"{bar_top}\" width=\"{length}\" height=\"{BAR}\" fill=\"{colour}\"/>\n\
                 <text x=\"{name_right}\" y=\"{y}\" dy=\"0.5ex\" text-anchor=\"end\">{name}</text>\n\
                 <text x=\"{value_left}\" y=\"{y}\" dy=\"0.5ex\">{value:.digits$} {unit}</text>\n"
            );
        }
        svg
    }

    fn length(&self, value: f64) -> usize {
        let values = self.bars.iter().map(|bar| bar.value);
        let most = values.fold(self.least, f64::max);
        let share = (value / self.least).ln() / (most / self.least).ln();
        (share.clamp(0.0, 1.0) * LONGEST).round() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart {
        let bar = |value: f64, is_ours| Bar {
            name: format!("bar of {value}"),
            value,
            is_ours,
        };
        Chart {
            title: "Title".to_owned(),
            least: 1.0,
            unit: "ms",
            bars: vec![bar(10.0, true), bar(1000.0, false)],
        }
    }

    #[test]
    fn a_bars_length_is_the_logarithm_of_its_value() {
        let chart = chart();
        let lengths = [0.5, 1.0, 10.0, 1000.0].map(|value| chart.length(value));
        assert_eq!(lengths, [0, 0, 167, 500]);
    }

    #[test]
    fn a_chart_has_a_title_and_one_bar_for_each_value() {
        let svg = chart().svg(100);
        for element in [
            ">Title</text>",
            "<rect x=\"250\" y=\"128\" width=\"167\" height=\"16\" fill=\"#2F81F7\"/>",
            ">bar of 10</text>",
            ">10.0 ms</text>",
            "<rect x=\"250\" y=\"152\" width=\"500\" height=\"16\" fill=\"#9198A1\"/>",
            ">1000 ms</text>",
        ] {
            assert!(svg.contains(element), "{element} is not in\n{svg}");
        }
    }
}
