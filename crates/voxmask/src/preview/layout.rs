//! Where everything stands in a picture: labels on the left, a card for each channel beside them.

use std::collections::BTreeMap;

use annotation_mask::{ChannelSummary, LabelId};
use ndarray::ArrayView2;

use crate::preview::Planes;
use crate::preview::canvas::{Canvas, Colour, TextSize};
use crate::preview::colours::{
    BACKGROUND, FAINT, INK, KEPT, KNOWN, MASKED, POSITIVE, UNKNOWN, UNLABELLED, of_label,
};

/// The longer side of a plane, in pixels.
const LABELS_SIDE: f64 = 300.0;
const CARD_SIDE: f64 = 168.0;
const MARGIN: usize = 20;
const GAP: usize = 8;
const LINE: usize = 18;
const LEGEND_ROWS: usize = 18;

/// What the colours of masks and targets mean.
const KEY: [(Colour, &str); 4] = [
    (KNOWN, "mask 1: train here"),
    (UNKNOWN, "mask 0: do not"),
    (POSITIVE, "target 1"),
    (UNLABELLED, "target 0"),
];

/// Draws the picture.
pub(crate) fn draw(planes: &Planes) -> Canvas {
    let side = plane_size(planes, LABELS_SIDE);
    let card = plane_size(planes, CARD_SIDE);
    let card_size = [2 * card[0] + GAP, card[1] + 2 * LINE + LINE];
    let columns = columns_for(planes.channels.len(), card_size);
    let rows = planes.channels.len().div_ceil(columns);
    let legend = legend_of(planes);
    let images = if planes.raw.is_some() { 2 } else { 1 };
    let left_height = images * (LINE + side[1] + GAP) + LINE * (legend.len().div_ceil(2) + 1);
    let grid_height = rows * (card_size[1] + MARGIN) + 2 * LINE;
    let cards_width = columns * (card_size[0] + MARGIN);
    let keys_width = KEY.iter().map(|(_, text)| key_width(text)).sum();
    let width = 3 * MARGIN + side[0] + cards_width.max(keys_width);
    let title_width = planes.title.chars().count() * TextSize::Title.letter_width() + 2 * MARGIN;
    let top = MARGIN + 2 * LINE;
    let height = top + left_height.max(grid_height) + MARGIN;
    let mut canvas = Canvas::new(width.max(title_width), height, BACKGROUND);
    canvas.text([MARGIN, MARGIN], &planes.title, TextSize::Title, INK);
    draw_left(&mut canvas, planes, &legend, side, top);
    for (index, channel) in planes.channels.iter().enumerate() {
        let x = 2 * MARGIN + side[0] + MARGIN / 2 + (index % columns) * (card_size[0] + MARGIN);
        let y = top + (index / columns) * (card_size[1] + MARGIN);
        draw_card(&mut canvas, planes, index, channel, [x, y], card);
    }
    let key = top + rows * (card_size[1] + MARGIN);
    draw_key(&mut canvas, [2 * MARGIN + side[0] + MARGIN / 2, key]);
    canvas
}

/// The size in pixels of a plane whose longer side is `side`, with the voxels' true proportions.
fn plane_size(planes: &Planes, side: f64) -> [usize; 2] {
    let (rows, columns) = planes.labels.dim();
    #[expect(clippy::cast_precision_loss, reason = "proportions on the screen")]
    let extent = [columns as f64 * planes.pixel[1], rows as f64 * planes.pixel[0]];
    let scale = side / extent[0].max(extent[1]);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the side of a picture"
    )]
    extent.map(|length| (length * scale).round().clamp(1.0, side) as usize)
}

/// As many columns as make the grid of cards about as wide as it is high, or a little wider.
fn columns_for(cards: usize, [width, height]: [usize; 2]) -> usize {
    let fits = |columns: &usize| columns * width >= cards.div_ceil(*columns) * height;
    (1..=cards.max(1)).find(fits).unwrap_or(1)
}

/// The labels in the slice with their number of voxels, the most frequent first.
fn legend_of(planes: &Planes) -> Vec<(LabelId, String)> {
    let mut counts: BTreeMap<LabelId, usize> = BTreeMap::new();
    for &label in &planes.labels {
        *counts.entry(label).or_default() += 1;
    }
    let mut labels: Vec<_> = counts.into_iter().collect();
    labels.sort_by_key(|&(label, count)| (std::cmp::Reverse(count), label));
    labels.truncate(LEGEND_ROWS);
    labels.into_iter().map(|(label, _)| (label, name_of(planes, label))).collect()
}

fn name_of(planes: &Planes, label: LabelId) -> String {
    let named = planes.names.iter().find(|(id, _)| *id == label);
    match named {
        Some((_, name)) => format!("{label} {name}"),
        None if label == 0 => "0 unlabelled".to_owned(),
        None => label.to_string(),
    }
}

fn draw_left(
    canvas: &mut Canvas,
    planes: &Planes,
    legend: &[(LabelId, String)],
    side: [usize; 2],
    top: usize,
) {
    let mut y = top;
    if let Some(raw) = &planes.raw {
        canvas.text([MARGIN, y], "image", TextSize::Title, INK);
        draw_plane(canvas, raw.view(), [MARGIN, y + LINE], side, |&shade| [shade; 3]);
        y += LINE + side[1] + GAP;
    }
    canvas.text([MARGIN, y], "labels", TextSize::Title, INK);
    draw_plane(canvas, planes.labels.view(), [MARGIN, y + LINE], side, |&id| of_label(id));
    y += LINE + side[1] + GAP;
    let column = side[0].max(2) / 2;
    let letters = (column.saturating_sub(18)) / TextSize::Small.letter_width();
    for (index, (label, name)) in legend.iter().enumerate() {
        let x = MARGIN + (index % 2) * column;
        let y = y + (index / 2) * LINE;
        canvas.rectangle([x, y + 2], [12, 12], of_label(*label));
        canvas.text([x + 17, y + 2], &shortened(name, letters), TextSize::Small, INK);
    }
}

fn draw_card(
    canvas: &mut Canvas,
    planes: &Planes,
    index: usize,
    channel: &ChannelSummary,
    [x, y]: [usize; 2],
    size: [usize; 2],
) {
    let width = 2 * size[0] + GAP;
    let title = shortened(&channel.name, width / TextSize::Title.letter_width());
    canvas.text([x, y], &title, TextSize::Title, INK);
    let (status, colour) = status(channel);
    let status = shortened(&status, width / TextSize::Small.letter_width());
    canvas.text([x, y + LINE], &status, TextSize::Small, colour);
    let top = y + 2 * LINE;
    let mask = planes.mask.index_axis(ndarray::Axis(0), index);
    draw_plane(canvas, mask, [x, top], size, |&known| if known == 1 { KNOWN } else { UNKNOWN });
    let target = planes.target.index_axis(ndarray::Axis(0), index);
    draw_plane(canvas, target, [x + size[0] + GAP, top], size, |&positive| {
        if positive == 1 { POSITIVE } else { UNLABELLED }
    });
    canvas.text([x, top + size[1] + 2], "mask", TextSize::Small, FAINT);
    canvas.text([x + size[0] + GAP, top + size[1] + 2], "target", TextSize::Small, FAINT);
}

fn status(channel: &ChannelSummary) -> (String, Colour) {
    match (channel.kept, channel.why.is_empty()) {
        (true, true) => ("kept".to_owned(), KEPT),
        (true, false) => (channel.why.clone(), KEPT),
        (false, _) => (format!("masked: {}", channel.why), MASKED),
    }
}

fn draw_key(canvas: &mut Canvas, [x, y]: [usize; 2]) {
    let mut x = x;
    for (colour, text) in KEY {
        canvas.rectangle([x, y + 2], [12, 12], colour);
        canvas.text([x + 17, y + 2], text, TextSize::Small, FAINT);
        x += key_width(text);
    }
}

/// The width of one entry of the key, with the space behind it.
fn key_width(text: &str) -> usize {
    17 + (text.len() + 3) * TextSize::Small.letter_width()
}

/// Draws a plane of voxels, the nearest one for each pixel.
fn draw_plane<T>(
    canvas: &mut Canvas,
    plane: ArrayView2<'_, T>,
    [x, y]: [usize; 2],
    [width, height]: [usize; 2],
    colour: impl Fn(&T) -> Colour,
) {
    let (rows, columns) = plane.dim();
    for row in 0..height {
        for column in 0..width {
            let voxel = [row * rows / height, column * columns / width];
            canvas.set(x + column, y + row, colour(&plane[voxel]));
        }
    }
}

fn shortened(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters.saturating_sub(2)).collect();
    format!("{kept}..")
}
