//! How the service calls itself and looks, as its owner wants it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::{PagesError, shown};
use crate::config::PagesConfig;

/// The largest logo or style sheet of an owner.
const MOST_BYTES: u64 = 256 * 1024;
/// Least contrast between text and what is behind it (WCAG 2.2, success criterion 1.4.3).
const LEAST_CONTRAST: f64 = 4.5;
/// What buttons and links stand on, light and dark, as the style sheet has it.
const SHEETS: [Colour; 2] = [Colour([0xff, 0xff, 0xff]), Colour([0x16, 0x1c, 0x26])];
const WHITE: Colour = Colour([0xff, 0xff, 0xff]);
const BLACK: Colour = Colour([0x0b, 0x10, 0x1a]);

/// Name, logo, colour and style sheet.
pub struct Brand {
    /// What the service is called; the host where nothing is set.
    pub name: Option<String>,
    /// A picture beside the name.
    pub logo: Option<Picture>,
    /// The colour of buttons and links.
    pub colour: Option<Colour>,
    /// A style sheet behind the built-in one.
    pub style: Option<String>,
}

/// A picture.
pub struct Picture {
    /// What kind it is.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Brand {
    pub(super) fn read(config: &PagesConfig) -> Result<Self, PagesError> {
        let logo = config.logo.as_deref().map(Picture::read).transpose()?;
        let style = config.style.as_deref().map(|path| {
            let bytes = file(path)?;
            let said = "it is not UTF-8";
            String::from_utf8(bytes).map_err(|_| PagesError::new(shown(path), said))
        });
        Ok(Self {
            name: config.name.clone(),
            logo,
            colour: config.colour,
            style: style.transpose()?,
        })
    }

    /// The owner's colour as a style sheet: light or dark enough to be read on either ground.
    pub(super) fn theme(&self) -> Option<String> {
        let colour = self.colour?;
        let [light, dark] = SHEETS.map(|sheet| colour.readable_on(sheet).rules());
        Some(format!(
            ":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
        ))
    }
}

impl Picture {
    fn read(path: &Path) -> Result<Self, PagesError> {
        let bytes = file(path)?;
        let starts = |with: &[u8]| bytes.starts_with(with);
        let media_type = match () {
            () if starts(b"\x89PNG\r\n\x1a\n") => "image/png",
            () if starts(b"\xff\xd8\xff") => "image/jpeg",
            () if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => "image/webp",
            () if starts(b"<svg") || starts(b"<?xml") => "image/svg+xml",
            () => {
                let said = "the logo is neither PNG, JPEG, WebP nor SVG";
                return Err(PagesError::new(shown(path), said));
            }
        };
        Ok(Self { media_type, bytes })
    }
}

fn file(path: &Path) -> Result<Vec<u8>, PagesError> {
    let told = |error: std::io::Error| PagesError::new(shown(path), error);
    if std::fs::metadata(path).map_err(told)?.len() > MOST_BYTES {
        let said = format!("it has more than {} KiB", MOST_BYTES / 1024);
        return Err(PagesError::new(shown(path), said));
    }
    std::fs::read(path).map_err(told)
}

/// A colour of the sRGB space.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// A text that is no colour.
#[derive(Debug, thiserror::Error)]
#[error("this is no colour")]
pub struct NotAColour;

impl FromStr for Colour {
    type Err = NotAColour;

    fn from_str(text: &str) -> Result<Self, NotAColour> {
        let digits = text.strip_prefix('#').ok_or(NotAColour)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| NotAColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Debug for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Colour {
    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|byte| {
            let part = f64::from(byte) / 255.0;
            match part <= 0.04045 {
                true => part / 12.92,
                false => ((part + 0.055) / 1.055).powf(2.4),
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    pub(super) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn mixed(self, other: Self, share: f64) -> Self {
        let mut bytes = self.0;
        for (byte, towards) in bytes.iter_mut().zip(other.0) {
            let mix = f64::from(*byte) * (1.0 - share) + f64::from(towards) * share;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 255"
            )]
            let mix = mix.round() as u8;
            *byte = mix;
        }
        Self(bytes)
    }

    /// This colour, drawn away from the ground until it can be read.
    pub(super) fn readable_on(self, ground: Self) -> Self {
        let end = if ground.luminance() > 0.5 {
            BLACK
        } else {
            WHITE
        };
        let shades = (0..=20).map(|step| self.mixed(end, f64::from(step) / 20.0));
        let mut good = shades.filter(|shade| shade.contrast(ground) >= LEAST_CONTRAST);
        good.next().unwrap_or(end)
    }

    fn rules(self) -> String {
        let on = match self.contrast(WHITE) >= self.contrast(BLACK) {
            true => WHITE,
            false => BLACK,
        };
        let over = self.mixed(if on == WHITE { BLACK } else { WHITE }, 0.15);
        format!("--lead:{self};--lead-over:{over};--on-lead:{on};--ring:{self}")
    }
}
