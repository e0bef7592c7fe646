//! Charts as shapes of an SVG, drawn here: no script is needed to see them. Each has a table of its numbers beside it for
//! those who do not see it.

use minijinja::{Value, context};

/// The drawing, in units of its own.
const WIDTH: i64 = 480;
const HEIGHT: i64 = 120;
/// Lines across it.
const LINES: i64 = 3;

/// One number of a row.
pub(super) struct Point {
    /// When it was, in RFC 3339.
    pub(super) at: String,
    /// The number; none where it is not known.
    pub(super) value: Option<i64>,
}

/// A row of numbers as bars.
pub(super) fn bars(points: &[Point]) -> Value {
    let top = top_of(points);
    let step = WIDTH / i64::try_from(points.len()).unwrap_or(1).max(1);
    let gap = (step / 5).max(1);
    let shapes = points.iter().zip(0..).map(|(point, index)| {
        let height = point.value.unwrap_or_default() * HEIGHT / top;
        // What happened at all is seen.
        let height = height.max(i64::from(point.value.unwrap_or_default() > 0) * 2);
        context! {
            x => index * step + gap / 2,
            y => HEIGHT - height,
            width => step - gap,
            height,
            at => &point.at,
            value => point.value.unwrap_or_default(),
        }
    });
    context! { shapes => shapes.collect::<Vec<_>>(), ..common(points, top) }
}

/// A row of numbers as a line with the area under it.
pub(super) fn line(points: &[Point]) -> Value {
    let top = top_of(points);
    let last = i64::try_from(points.len()).unwrap_or(1).max(2) - 1;
    let known = points.iter().zip(0..).filter_map(|(point, index)| {
        let value = point.value?;
        Some((index * WIDTH / last, HEIGHT - value * HEIGHT / top))
    });
    let known: Vec<(i64, i64)> = known.collect();
    let path: Vec<String> = known.iter().map(|(x, y)| format!("{x},{y}")).collect();
    let path = path.join(" ");
    let area = match (known.first(), known.last()) {
        (Some((first, _)), Some((last, _))) => format!("{first},{HEIGHT} {path} {last},{HEIGHT}"),
        _ => String::new(),
    };
    let end = known.last().map(|(x, y)| context! { x => *x, y => *y });
    context! { path, area, end, ..common(points, top) }
}

fn common(points: &[Point], top: i64) -> Value {
    let lines = (1..=LINES).map(|line| {
        context! { y => HEIGHT - line * HEIGHT / LINES, value => top * line / LINES }
    });
    let total: i64 = points.iter().filter_map(|point| point.value).sum();
    let last = points.iter().rev().find_map(|point| point.value);
    context! {
        width => WIDTH,
        height => HEIGHT,
        lines => lines.collect::<Vec<_>>(),
        first_at => points.first().map_or("", |point| point.at.as_str()),
        last_at => points.last().map_or("", |point| point.at.as_str()),
        rows => points.iter().map(|point| context! { at => &point.at, value => point.value }).collect::<Vec<_>>(),
        total,
        last,
        empty => points.iter().all(|point| point.value.is_none_or(|value| value == 0)),
    }
}

/// The end of the scale: a round number that divides by the lines, at least as high as the highest.
fn top_of(points: &[Point]) -> i64 {
    let highest = points.iter().filter_map(|point| point.value).max();
    let highest = highest.unwrap_or_default().max(1);
    let mut step = 1;
    loop {
        for factor in [1, 2, 5] {
            let top = step * factor * LINES;
            if top >= highest {
                return top;
            }
        }
        step = step.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[i64]) -> Vec<Point> {
        let point = |value: &i64| Point {
            at: String::new(),
            value: Some(*value),
        };
        values.iter().map(point).collect()
    }

    #[test]
    fn the_scale_ends_at_a_round_number_above_all() {
        for (values, top) in [
            (&[0, 0][..], 3),
            (&[3], 3),
            (&[4], 6),
            (&[7, 16], 30),
            (&[999_999], 1_500_000),
            (&[i64::from(u32::MAX)], 6_000_000_000),
        ] {
            assert_eq!(top_of(&points(values)), top, "{values:?}");
        }
    }

    #[test]
    fn nothing_is_drawn_outside_and_something_is_seen() {
        let drawn = bars(&points(&[0, 1, 5_000, 2]));
        let shapes = drawn.get_attr("shapes").unwrap();
        let of = |index: usize, name: &str| {
            let shape = shapes.get_item_by_index(index).unwrap();
            i64::try_from(shape.get_attr(name).unwrap()).unwrap()
        };
        assert_eq!(of(0, "height"), 0);
        assert_eq!(of(1, "height"), 2);
        assert!(of(2, "height") <= HEIGHT && of(2, "y") >= 0);
        assert!(of(3, "x") + of(3, "width") <= WIDTH);
    }
}
