//! How large an image is, by its own head, and whether it has an end. Nothing is decoded.

/// Width and height; `None` when the image has none, or is cut off.
pub fn of(content_type: &str, image: &[u8]) -> Option<(u32, u32)> {
    let (width, height) = match content_type {
        "image/png" => png(image)?,
        "image/jpeg" => jpeg(image)?,
        "image/gif" => gif(image)?,
        _ => webp(image)?,
    };
    (width > 0 && height > 0).then_some((width, height))
}

fn big(image: &[u8], at: usize, bytes: usize) -> Option<u32> {
    let number = image.get(at..at.checked_add(bytes)?)?;
    Some(number.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)))
}

fn little(image: &[u8], at: usize, bytes: usize) -> Option<u32> {
    let number = image.get(at..at.checked_add(bytes)?)?;
    Some(number.iter().rev().fold(0, |all, byte| all << 8 | u32::from(*byte)))
}

/// IHDR is the first chunk, IEND the last (PNG §5.6).
fn png(image: &[u8]) -> Option<(u32, u32)> {
    let has_head = image.get(12..16)? == b"IHDR";
    let is_whole = image.len() >= 45 && image.windows(4).rev().take(64).any(|chunk| chunk == b"IEND");
    (has_head && is_whole).then_some((big(image, 16, 4)?, big(image, 20, 4)?))
}

/// The frame header, SOF0 to SOF15 without DHT, JPG and DAC, and the end of the image (ITU-T T.81 annex B).
fn jpeg(image: &[u8]) -> Option<(u32, u32)> {
    if !image.windows(2).rev().take(64).any(|marker| marker == [0xff, 0xd9]) {
        return None;
    }
    let mut at = 2;
    loop {
        match (*image.get(at)?, *image.get(at + 1)?) {
            (0xff, 0xff) => at += 1,
            (0xff, 0xc0..=0xcf) if !matches!(image[at + 1], 0xc4 | 0xc8 | 0xcc) => {
                return Some((big(image, at + 7, 2)?, big(image, at + 5, 2)?));
            }
            // Markers without a length, and the image itself, which has no frame header before it.
            (0xff, 0x01 | 0xd0..=0xd7) => at += 2,
            (0xff, 0x02..=0xff) if image[at + 1] != 0xda => at += 2 + (big(image, at + 2, 2)?.max(2) as usize),
            _ => return None,
        }
    }
}

/// The logical screen, and the trailer (GIF89a §18, §27).
fn gif(image: &[u8]) -> Option<(u32, u32)> {
    let is_whole = image.len() > 13 && image.iter().rev().take(64).any(|byte| *byte == 0x3b);
    is_whole.then_some((little(image, 6, 2)?, little(image, 8, 2)?))
}

/// The three kinds of first chunk (RFC 9649 §2.5 to §2.7); RIFF says how long the file is.
fn webp(image: &[u8]) -> Option<(u32, u32)> {
    if image.len() < 8 + little(image, 4, 4)? as usize {
        return None;
    }
    match image.get(12..16)? {
        b"VP8X" => Some((little(image, 24, 3)? + 1, little(image, 27, 3)? + 1)),
        b"VP8L" => {
            let bits = little(image, 21, 4)?;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " => Some((little(image, 26, 2)? & 0x3fff, little(image, 28, 2)? & 0x3fff)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let (width, height) = (width.to_be_bytes(), height.to_be_bytes());
        let head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
        [&head[..], &width, &height, b"\x08\x02\0\0\0crc!", b"\0\0\0\0IEND\xae\x42\x60\x82"].concat()
    }

    #[test]
    fn each_format_tells_its_size() {
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x0b\x08\x01\x02\x03\x04\x01\x01\x11\0\xff\xda\xff\xd9";
        let gif = b"GIF89a\x0a\0\x14\0\x80\0\0;";
        let mut lossless = b"RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0\x2f".to_vec();
        lossless.extend_from_slice(&(99_u32 | 49 << 14).to_le_bytes());
        lossless.push(0);
        for (content_type, image, size) in [
            ("image/png", png(640, 480), (640, 480)),
            ("image/jpeg", jpeg.to_vec(), (0x304, 0x102)),
            ("image/gif", gif.to_vec(), (10, 20)),
            ("image/webp", lossless, (100, 50)),
        ] {
            assert_eq!(of(content_type, &image), Some(size), "{content_type}");
            for cut in 0..image.len() - 12.min(image.len() - 13) {
                let found = of(content_type, &image[..cut]);
                assert!(found.is_none() || content_type == "image/jpeg", "{content_type} cut at {cut}: {found:?}");
            }
        }
        assert_eq!(of("image/png", &png(0, 480)), None);
    }
}
