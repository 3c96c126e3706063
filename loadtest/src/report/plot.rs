//! Plots as SVG, for paper too: lines differ by dashes as well as by colour.

use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use crate::progress::micros;

/// The size of every plot in pixels; the page scales it.
const SIZE: (u32, u32) = (820, 340);

const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 92, 175),
    RGBColor(200, 80, 0),
    RGBColor(0, 130, 90),
    RGBColor(150, 50, 140),
    RGBColor(110, 110, 110),
    RGBColor(180, 150, 0),
    RGBColor(190, 30, 60),
    RGBColor(60, 60, 160),
];

/// One line of a plot.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// What an axis counts, which decides how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    /// Plain numbers with this label.
    Number(&'static str),
    /// Microseconds on a logarithmic scale.
    Latency,
    /// The nines of a quantile: 1 is 90 %, 2 is 99 %.
    Nines,
}

impl Axis {
    fn label(self) -> &'static str {
        match self {
            Axis::Number(label) => label,
            Axis::Latency => "latency",
            Axis::Nines => "share of the messages that were faster",
        }
    }

    fn text(self, value: f64) -> String {
        match self {
            Axis::Number(_) if value.abs() >= 1_000.0 => format!("{} k", short(value / 1_000.0)),
            Axis::Number(_) => short(value),
            Axis::Latency => micros(value).replace(".00 ", " "),
            Axis::Nines => percent(value),
        }
    }
}

/// At most two digits after the point, without trailing zeros.
fn short(value: f64) -> String {
    format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count of nines as a percentage.
fn percent(nines: f64) -> String {
    let percent = 100.0 - 100.0 / 10f64.powf(nines);
    let digits = (nines.ceil() as usize).saturating_sub(2);
    format!("{percent:.digits$} %")
}

/// A quantile as its count of nines, which gives the slow end more space.
pub(crate) fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).max(1e-7).log10()
}

/// Lines over a common axis. Empty if there is nothing to draw.
pub(crate) fn lines(x: Axis, y: Axis, series: &[Series]) -> Result<String> {
    let points = || series.iter().flat_map(|series| &series.points);
    if points().next().is_none() {
        return Ok(String::new());
    }
    let right = points().map(|point| point.0).fold(0.0, f64::max).max(1e-9);
    let left =
        if x == Axis::Nines { 0.0 } else { points().map(|point| point.0).fold(right, f64::min).min(0.0) };
    let top = points().map(|point| point.1).fold(0.0, f64::max).max(1e-9);
    let bottom = points().map(|point| point.1).fold(top, f64::min).max(0.5) * 0.9;
    let mut svg = String::new();
    // Space above the lines for their names. A scale of less than a power of ten would have no ticks.
    if y == Axis::Latency && top > 20.0 * bottom {
        let room = (top / bottom).powf(0.3);
        chart(&mut svg, left..right, (bottom..top * room).log_scale(), [x, y], series)?;
    } else {
        chart(&mut svg, left..right, 0.0..top * 1.4, [x, y], series)?;
    }
    Ok(svg)
}

fn chart<Y>(
    svg: &mut String,
    xs: std::ops::Range<f64>,
    ys: Y,
    [x, y]: [Axis; 2],
    series: &[Series],
) -> Result<()>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    // Nines are marked one by one: nobody uses half of one.
    let labels = if x == Axis::Nines { xs.end.floor() as usize + 1 } else { 10 };
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let drawn = |error: DrawingAreaErrorKind<_>| anyhow!("a plot cannot be drawn: {error}");
    area.fill(&WHITE).map_err(drawn)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(10)
        .margin_right(30)
        .x_label_area_size(38)
        .y_label_area_size(78)
        .build_cartesian_2d::<std::ops::Range<f64>, Y>(xs, ys)
        .map_err(drawn)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_labels(labels)
        .x_desc(x.label())
        .y_desc(y.label())
        .x_label_formatter(&|value| x.text(*value))
        .y_label_formatter(&|value| y.text(*value))
        .label_style(("sans-serif", 13))
        .draw()
        .map_err(drawn)?;
    for (at, series) in series.iter().enumerate() {
        draw_line(&mut chart, at, series).map_err(drawn)?;
    }
    if series.len() < 2 {
        return Ok(());
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .legend_area_size(50)
        .label_font(("sans-serif", 13))
        .draw()
        .map_err(drawn)?;
    Ok(())
}

type Chart<'a, Y> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, Y>>;

fn draw_line<'a, Y>(
    chart: &mut Chart<'a, Y>,
    at: usize,
    series: &Series,
) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>
where
    Y: Ranged<ValueType = f64>,
{
    let style = COLOURS[at % COLOURS.len()].stroke_width(2);
    // A solid line first, then longer and longer dashes.
    let (dash, gap) = if at == 0 { (i32::MAX, 0) } else { (4 * at as i32, 4) };
    let points = series.points.iter().copied();
    let drawn = chart.draw_series(DashedLineSeries::new(points, dash, gap, style))?;
    let sample = move |(x, y)| DashedPathElement::new([(x, y), (x + 40, y)], dash, gap, style);
    drawn.label(series.name.clone()).legend(sample);
    Ok(())
}

/// Bars with their figures beside them, the first one in the leading colour.
pub(crate) fn bars(unit: &str, bars: &[(String, f64)]) -> Result<String> {
    if bars.is_empty() {
        return Ok(String::new());
    }
    let most = bars.iter().map(|bar| bar.1).fold(0.0, f64::max).max(1e-9);
    let height = 30 * bars.len() as u32 + 34;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (SIZE.0, height)).into_drawing_area();
        let drawn = |error: DrawingAreaErrorKind<_>| anyhow!("a plot cannot be drawn: {error}");
        area.fill(&WHITE).map_err(drawn)?;
        let font = ("sans-serif", 14).into_font();
        for (at, (name, value)) in bars.iter().enumerate() {
            let (top, width) = (30 * at as i32 + 8, (value / most * 500.0) as i32);
            let colour = if at == 0 { COLOURS[0] } else { COLOURS[4] };
            let bar = Rectangle::new([(170, top), (170 + width.max(1), top + 20)], colour.filled());
            area.draw(&bar).map_err(drawn)?;
            area.draw(&Text::new(name.clone(), (10, top + 4), font.clone())).map_err(drawn)?;
            area.draw(&Text::new(format!("{value:.3}"), (178 + width, top + 4), font.clone()))
                .map_err(drawn)?;
        }
        let below = 30 * bars.len() as i32 + 10;
        area.draw(&Text::new(unit.to_owned(), (170, below), font)).map_err(drawn)?;
        area.present().map_err(drawn)?;
    }
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series() -> Vec<Series> {
        let points = vec![(0.0, 10.0), (1.0, 2_000.0), (2.0, 30.0)];
        vec![
            Series { name: "a <b>".to_owned(), points: points.clone() },
            Series { name: "c".to_owned(), points },
        ]
    }

    #[test]
    fn nines_and_percent() {
        assert!((nines(0.9) - 1.0).abs() < 1e-9 && (nines(0.999) - 3.0).abs() < 1e-9);
        assert_eq!(
            (percent(1.0), percent(2.0), percent(3.0)),
            ("90 %".into(), "99 %".into(), "99.9 %".into())
        );
        assert!(nines(1.0) <= 7.0);
    }

    #[test]
    fn no_two_ticks_read_alike() {
        let rate = Axis::Number("messages a second");
        let texts = [500.0, 1_000.0, 1_500.0, 2_000.0, 180_000.0].map(|value| rate.text(value));
        assert_eq!(texts, ["500", "1 k", "1.5 k", "2 k", "180 k"]);
        assert_eq!([0.0, 0.25, 10.0].map(|value| rate.text(value)), ["0", "0.25", "10"]);
        assert_eq!([1_000.0, 2_500.0].map(|value| Axis::Latency.text(value)), ["1 ms", "2.50 ms"]);
    }

    #[test]
    fn a_plot_names_its_lines_and_escapes_them() {
        for y in [Axis::Latency, Axis::Number("messages a second")] {
            let svg = lines(Axis::Number("seconds"), y, &series()).expect("drawn");
            assert!(
                svg.starts_with("<svg") && svg.contains("viewBox") && svg.contains("a &lt;b&gt;"),
                "{svg}"
            );
        }
        assert!(lines(Axis::Nines, Axis::Latency, &[]).expect("nothing").is_empty());
    }

    #[test]
    fn bars_show_their_figures() {
        let svg = bars("µs", &[("one".to_owned(), 1.5), ("two".to_owned(), 3.0)]).expect("drawn");
        assert!(svg.contains("1.500") && svg.contains("two"));
    }
}
