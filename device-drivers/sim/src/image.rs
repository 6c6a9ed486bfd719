//! Images for simulated units: small deterministic texts that say how the software in them behaves.

use hil_unit::Artifact;
use std::sync::Arc;

/// How the software of an image behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It works.
    Healthy,
    /// It ends soon after its start.
    Crash,
    /// It starts and then does nothing.
    Hang,
    /// It works but never talks to the cloud.
    Mute,
}

impl Behaviour {
    const ALL: [Behaviour; 4] = [
        Behaviour::Healthy,
        Behaviour::Crash,
        Behaviour::Hang,
        Behaviour::Mute,
    ];

    /// The word in an image.
    pub fn name(self) -> &'static str {
        match self {
            Behaviour::Healthy => "healthy",
            Behaviour::Crash => "crash",
            Behaviour::Hang => "hang",
            Behaviour::Mute => "mute",
        }
    }
}

/// What an image says about itself. Bytes that are no such image are healthy software without a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What it packs, such as `snap` or `firmware`.
    pub form: String,
    /// Name of the package.
    pub name: String,
    /// Version.
    pub version: String,
    /// The platform it is made for; `sim` is ours.
    pub platform: String,
    /// How it behaves.
    pub behaviour: Behaviour,
}

impl Image {
    /// The platform of simulated units.
    pub const PLATFORM: &'static str = "sim";

    /// A healthy image for simulated units.
    pub fn new(form: &str, name: &str, version: &str) -> Self {
        Image {
            form: form.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            platform: Self::PLATFORM.to_owned(),
            behaviour: Behaviour::Healthy,
        }
    }

    /// The same with another behaviour.
    #[must_use]
    pub fn behaving(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// The image as an artifact of at least `size` bytes, filled with numbered lines.
    pub fn artifact(&self, size: usize) -> Artifact {
        Artifact {
            name: self.name.clone(),
            version: self.version.clone(),
            bytes: Arc::from(self.render(size)),
        }
    }

    /// The image's bytes, at least `size` of them.
    pub fn render(&self, size: usize) -> Vec<u8> {
        let mut text = format!(
            "hil-{} 1\nname: {}\nversion: {}\nplatform: {}\nbehaviour: {}\n",
            self.form,
            self.name,
            self.version,
            self.platform,
            self.behaviour.name()
        )
        .into_bytes();
        text.reserve(size.saturating_sub(text.len()) + LINE_LENGTH);
        let mut line: u32 = 0;
        while text.len() < size {
            text.extend(hex(line));
            text.push(b' ');
            text.extend(hex(line.wrapping_mul(2_654_435_761) ^ 0x5bd1_e995));
            text.push(b'\n');
            line += 1;
        }
        text
    }

    /// Reads an image; `None` if the bytes are none of ours.
    pub fn parse(bytes: &[u8]) -> Option<Image> {
        let head = &bytes[..bytes.len().min(1024)];
        let text = String::from_utf8_lossy(head);
        let mut lines = text.lines();
        let form = lines.next()?.strip_prefix("hil-")?.strip_suffix(" 1")?;
        let mut image = Image::new(form, "", "");
        for line in lines {
            match line.split_once(": ") {
                Some(("name", value)) => image.name = value.to_owned(),
                Some(("version", value)) => image.version = value.to_owned(),
                Some(("platform", value)) => image.platform = value.to_owned(),
                Some(("behaviour", value)) => {
                    image.behaviour = Behaviour::ALL.into_iter().find(|b| b.name() == value)?;
                }
                Some(_) => {}
                None => break,
            }
        }
        Some(image)
    }
}

/// Makes an image another one of the same name, version, behaviour and size: the first line of its filling tells the seed.
/// Bytes that are no image with a filling stay as they are.
pub(crate) fn stamp(bytes: &mut [u8], seed: u64) {
    let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let Some(filling) = ends.nth(HEAD_LINES - 1).map(|(at, _)| at + 1) else {
        return;
    };
    let Some(line) = bytes.get_mut(filling..filling + LINE_LENGTH) else {
        return;
    };
    if line[8] == b' ' && line[17] == b'\n' {
        line[..8].copy_from_slice(&hex((seed >> 32) as u32));
        line[9..17].copy_from_slice(&hex(seed as u32));
    }
}

/// Eight lower-case digits: images are made for every instance, and `format!` would be most of that work.
fn hex(value: u32) -> [u8; 8] {
    std::array::from_fn(|place| b"0123456789abcdef"[(value >> (28 - 4 * place)) as usize & 0xf])
}

/// Lines of an image before its filling.
const HEAD_LINES: usize = 5;
/// Two numbers, a space, the end of the line.
const LINE_LENGTH: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let image = Image::new("snap", "edge-agent", "1.2.0").behaving(Behaviour::Crash);
        let bytes = image.render(5000);
        assert!(bytes.len() >= 5000 && bytes.starts_with(b"hil-snap 1\n"));
        assert_eq!(Image::parse(&bytes), Some(image.clone()));
        assert_eq!(bytes, image.render(5000));
        assert_eq!(Image::parse(b"#!/bin/sh\n"), None);
    }

    #[test]
    fn a_stamped_image_is_another_one_that_says_the_same() {
        let image = Image::new("snap", "edge-agent", "1.2.0");
        let (plain, mut one, mut other) = (image.render(100), image.render(100), image.render(100));
        stamp(&mut one, 7);
        stamp(&mut other, 8);
        assert!(one != plain && one != other && one.len() == plain.len());
        assert_eq!(Image::parse(&one), Some(image));
        for bytes in [&b""[..], b"a\nb\nc\nd\ne\nno filling of ours", b"\n\n\n\n\n"] {
            let mut stamped = bytes.to_vec();
            stamp(&mut stamped, 7);
            assert_eq!(stamped, bytes);
        }
    }
}
