//! A line in a plane, as SVG: logarithmic below, from zero at the left.

use std::fmt::Write;
use std::path::Path;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;

/// One line: its name, and points of a count and microseconds.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Writes `docs/img/NAME.svg`.
pub(crate) fn write(name: &str, title: &str, below: &str, lines: &[Line]) {
    const COLOURS: [&str; 3] = ["#0b6bcb", "#c2410c", "#4d7c0f"];
    let points = || lines.iter().flat_map(|line| &line.points);
    let most = points().map(|point| point.1).fold(0.0, f64::max) * 1.15;
    let furthest = points().map(|point| point.0).fold(1.0, f64::max);
    let scale = |count: f64| (count + 1.0).ln() / (furthest + 1.0).ln();
    let x = |count: f64| LEFT + scale(count) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"18\" font-size=\"13\">{title}</text>\n"
    );
    for quarter in 0..=4 {
        let value = most * f64::from(quarter) / 4.0;
        let height = y(value);
        let end = WIDTH - RIGHT;
        writeln!(svg, "<path d=\"M{LEFT} {height:.1}H{end}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.2} µs</text>", LEFT - 6.0, height + 4.0).unwrap();
    }
    let mut counts: Vec<f64> = points().map(|point| point.0).collect();
    counts.sort_by(f64::total_cmp);
    counts.dedup();
    for count in counts {
        let line = HEIGHT - BOTTOM + 16.0;
        writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{line}\" text-anchor=\"middle\">{count}</text>",
            x(count)
        )
        .unwrap();
    }
    let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
    writeln!(
        svg,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{below}</text>",
        HEIGHT - 10.0
    )
    .unwrap();
    for (number, (line, colour)) in lines.iter().zip(COLOURS).enumerate() {
        let place = |point: &(f64, f64)| format!("{:.1},{:.1}", x(point.0), y(point.1));
        let path: Vec<String> = line.points.iter().map(place).collect();
        writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        )
        .unwrap();
        for (count, value) in &line.points {
            writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                x(*count),
                y(*value)
            )
            .unwrap();
        }
        let height = TOP + 14.0 * (number as f64 + 1.0);
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{height}\" text-anchor=\"end\" fill=\"{colour}\">{}</text>",
            WIDTH - RIGHT,
            line.name
        )
        .unwrap();
    }
    svg.push_str("</svg>\n");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/img");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.svg")), svg).unwrap();
}
