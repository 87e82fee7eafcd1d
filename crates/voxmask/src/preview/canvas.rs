//! A picture in memory: rectangles, text and grids of voxels, written as PNG.

use std::convert::Infallible;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::{FONT_7X13, FONT_9X15_BOLD};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{
    DrawTarget, Drawable, OriginDimensions, Pixel, Point, RgbColor, Size,
};
use embedded_graphics::text::{Baseline, Text};

/// A colour: red, green, blue.
pub(crate) type Colour = [u8; 3];

/// A picture of 8-bit colours.
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// How large text is drawn.
#[derive(Clone, Copy)]
pub(crate) enum TextSize {
    Small,
    Title,
}

impl TextSize {
    /// The width of one letter, in pixels.
    pub(crate) const fn letter_width(self) -> usize {
        match self {
            Self::Small => 7,
            Self::Title => 9,
        }
    }
}

impl Canvas {
    /// A picture of one colour.
    pub(crate) fn new(width: usize, height: usize, background: Colour) -> Self {
        Self { width, height, pixels: background.repeat(width * height) }
    }

    /// Sets a pixel; places outside the picture are passed over.
    pub(crate) fn set(&mut self, x: usize, y: usize, colour: Colour) {
        if x < self.width && y < self.height {
            let at = 3 * (y * self.width + x);
            self.pixels[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// Fills a rectangle.
    pub(crate) fn rectangle(&mut self, [x, y]: [usize; 2], [w, h]: [usize; 2], colour: Colour) {
        for row in y..y + h {
            for column in x..x + w {
                self.set(column, row, colour);
            }
        }
    }

    /// Writes text with its upper left corner at a place.
    pub(crate) fn text(&mut self, [x, y]: [usize; 2], text: &str, size: TextSize, colour: Colour) {
        let font = match size {
            TextSize::Small => &FONT_7X13,
            TextSize::Title => &FONT_9X15_BOLD,
        };
        let style = MonoTextStyle::new(font, Rgb888::new(colour[0], colour[1], colour[2]));
        let at = Point::new(i32::try_from(x).unwrap_or(0), i32::try_from(y).unwrap_or(0));
        let Ok(_) = Text::with_baseline(text, at, style, Baseline::Top).draw(self);
    }

    /// Writes the picture as PNG to `path`, whole or not at all.
    pub(crate) fn write_png(&self, path: &Path) -> Result<()> {
        let (width, height) = (u32::try_from(self.width)?, u32::try_from(self.height)?);
        crate::files::write_whole(path, |file| {
            let mut file = BufWriter::new(file);
            let mut encoder = png::Encoder::new(&mut file, width, height);
            encoder.set_color(png::ColorType::Rgb);
            encoder.set_compression(png::Compression::High);
            let mut writer = encoder.write_header().context("starting the PNG")?;
            writer.write_image_data(&self.pixels).context("writing the pixels")?;
            writer.finish().context("finishing the PNG")?;
            file.flush().context("writing the last pixels")
        })
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        let pixels = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Size::new(pixels(self.width), pixels(self.height))
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            if let (Ok(x), Ok(y)) = (usize::try_from(at.x), usize::try_from(at.y)) {
                self.set(x, y, [colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}
