//! A session description: read line by line, kept line by line, written as it came.

use std::net::{IpAddr, SocketAddr};

use crate::attribute::{direction::Direction, dtls::Fingerprint, dtls::Setup};
use crate::limits::{MAX_BYTES, MAX_LINES, MAX_MEDIA, ParseError};
use crate::line::Line;
use crate::media::Media;
use crate::origin::{Connection, Origin};

/// A session description.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// Every line before the first `m=`, in order.
    pub lines: Vec<Line>,
    /// The media, in order.
    pub media: Vec<Media>,
}

impl Description {
    /// Reads a description with CRLF or bare LF between its lines; empty lines at the end are let go.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.len() > MAX_BYTES {
            return Err(ParseError::new(0, "is longer than 64 KiB"));
        }
        let mut description = Self { lines: Vec::new(), media: Vec::new() };
        for (number, line) in lines_of(bytes).enumerate() {
            let fail = |what| ParseError::new(number + 1, what);
            if number >= MAX_LINES {
                return Err(fail("there are more than 1024 lines"));
            }
            let line = Line::parse(line)
                .ok_or_else(|| fail("is not a letter, an equals sign and a value without CR or NUL"))?;
            description.add(number, line).map_err(fail)?;
        }
        match description.lines.len() {
            0 => Err(ParseError::new(0, "is empty")),
            1 => Err(ParseError::new(2, "o= must follow v=0")),
            _ => Ok(description),
        }
    }

    fn add(&mut self, number: usize, line: Line) -> Result<(), &'static str> {
        match (number, line.letter()) {
            (0, 'v') if line.bytes() == b"0" => {}
            (0, _) => return Err("must be v=0"),
            (1, 'o') if Origin::parse(line.text()).is_some() => {}
            (1, 'o') => return Err("o= is user, session, version, IN, IP4 or IP6, and address"),
            (1, _) => return Err("o= must follow v=0"),
            (_, 'v' | 'o') => return Err("v= and o= stand at the top, once"),
            (_, 'c') if Connection::parse(line.text()).is_none() => return Err("c= is IN, IP4 or IP6, and address"),
            (_, 'm') if self.media.len() >= MAX_MEDIA => return Err("there are more than 32 media"),
            (_, 'm') => {
                let media = Media::parse(line.text())?;
                // What does not come out as it came in (double spaces, leading zeros) is made canonical.
                self.media.push(media);
                return Ok(());
            }
            _ => {}
        }
        self.media.last_mut().map_or(&mut self.lines, |media| &mut media.lines).push(line);
        Ok(())
    }

    /// A description of our own, without media.
    #[must_use]
    pub fn new(origin: &Origin) -> Self {
        let lines = vec![
            Line::new('v', "0"),
            Line::new('o', &origin.to_string()),
            Line::new('s', "-"),
            Line::new('c', &origin.place.to_string()),
            Line::new('t', "0 0"),
        ];
        Self { lines, media: Vec::new() }
    }

    /// As it goes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        self.lines.iter().for_each(|line| line.write(&mut out));
        for media in &self.media {
            Line::new('m', &media.head()).write(&mut out);
            media.lines.iter().for_each(|line| line.write(&mut out));
        }
        out
    }

    /// Who made it.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        self.lines.iter().find(|line| line.letter() == 'o').and_then(|line| Origin::parse(line.text()))
    }

    pub(crate) fn set_origin(&mut self, origin: &Origin) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.letter() == 'o') {
            *line = Line::new('o', &origin.to_string());
        }
    }

    /// The value of the session's first attribute `name`.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.value_of(name))
    }

    /// What the medium says, else what the session says (ICE, DTLS and extensions may stand in either).
    #[must_use]
    pub fn attribute_of(&self, index: usize, name: &str) -> Option<&str> {
        self.media.get(index)?.attribute(name).or_else(|| self.attribute(name))
    }

    /// The medium's connection, else the session's.
    #[must_use]
    pub fn connection(&self, index: usize) -> Option<Connection> {
        let session = || self.lines.iter().find(|line| line.letter() == 'c');
        self.media.get(index)?.connection().or_else(|| Connection::parse(session()?.text()))
    }

    /// Where the medium's RTP goes; `None` when refused, held by 0.0.0.0, or at a name.
    #[must_use]
    pub fn rtp_address(&self, index: usize) -> Option<SocketAddr> {
        let port = self.media.get(index)?.port;
        let address = self.connection(index)?.address()?;
        (port != 0 && !address.is_unspecified()).then(|| SocketAddr::new(address, port))
    }

    /// Where its RTCP goes: with RTP when muxed, else by `a=rtcp` (RFC 3605), else the next port.
    #[must_use]
    pub fn rtcp_address(&self, index: usize) -> Option<SocketAddr> {
        let rtp = self.rtp_address(index)?;
        let media = self.media.get(index)?;
        if media.rtcp_mux() {
            return Some(rtp);
        }
        let Some(told) = media.attribute("rtcp") else {
            return rtp.port().checked_add(1).map(|port| SocketAddr::new(rtp.ip(), port));
        };
        let (port, place) = told.split_once(' ').unwrap_or((told, ""));
        let address: IpAddr = Connection::parse(place).and_then(|place| place.address()).unwrap_or(rtp.ip());
        Some(SocketAddr::new(address, port.parse().ok()?))
    }

    /// The medium's direction, seen by who wrote it: its own attribute, else the session's, else both ways.
    ///
    /// A connection to 0.0.0.0 takes "receive" away (RFC 3264 §8.4).
    #[must_use]
    pub fn direction(&self, index: usize) -> Direction {
        let Some(media) = self.media.get(index) else { return Direction::Inactive };
        let session = || self.lines.iter().find_map(|line| Direction::of(line.as_attribute()?.0));
        let direction = media.own_direction().or_else(session).unwrap_or(Direction::SendRecv);
        if media.port == 0 {
            Direction::Inactive
        } else if self.connection(index).is_some_and(|it| it.is_unspecified()) && !self.has_ice(index) {
            direction.without_receive()
        } else {
            direction
        }
    }

    /// Whether the medium speaks ICE; a browser's `c=` is 0.0.0.0 until its candidates are known, which is no hold.
    #[must_use]
    pub fn has_ice(&self, index: usize) -> bool {
        self.attribute_of(index, "ice-ufrag").is_some() && self.attribute_of(index, "ice-pwd").is_some()
    }

    /// The medium's certificate fingerprint, else the session's.
    #[must_use]
    pub fn fingerprint(&self, index: usize) -> Option<Fingerprint> {
        let session = || self.attribute("fingerprint").and_then(Fingerprint::parse);
        self.media.get(index)?.fingerprint().or_else(session)
    }

    /// Who begins the DTLS handshake.
    #[must_use]
    pub fn setup(&self, index: usize) -> Option<Setup> {
        self.attribute_of(index, "setup").and_then(Setup::parse)
    }

    /// The names of the media that share the first one's transport (`a=group:BUNDLE`, RFC 9143).
    #[must_use]
    pub fn bundle(&self) -> Vec<&str> {
        let groups = self.lines.iter().filter_map(|line| line.value_of("group"));
        groups.filter_map(|group| group.strip_prefix("BUNDLE ")).flat_map(str::split_ascii_whitespace).collect()
    }
}

/// The lines of `bytes` without their ends, and without empty ones at the end.
fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    let body = &bytes[..end];
    let count = if body.is_empty() { 0 } else { usize::MAX };
    body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).take(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

    fn of(rest: &str) -> Description {
        Description::parse(format!("{TOP}{rest}").as_bytes()).expect("a description")
    }

    #[test]
    fn broken_descriptions_say_where() {
        let cases: &[(&str, usize)] = &[
            ("", 0),
            ("\r\n\r\n", 0),
            ("v=1\r\n", 1),
            ("v=0\r\n", 2),
            ("v=0\r\ns=-\r\n", 2),
            ("v=0\r\no=nonsense\r\n", 2),
            ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nv=0\r\n", 3),
            ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n\r\ns=-\r\n", 3),
            ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nc=IN IP7 x\r\n", 3),
            ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nm=audio\r\n", 3),
            ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=a\rm=audio 1 RTP/AVP 0\r\n", 3),
            ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\na=mid:\0\r\n", 4),
        ];
        for (text, line) in cases {
            assert_eq!(Description::parse(text.as_bytes()).expect_err(text).line, *line, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let many = format!("{TOP}{}", "a=x\r\n".repeat(crate::limits::MAX_LINES));
        assert_eq!(Description::parse(many.as_bytes()).expect_err("too many").line, crate::limits::MAX_LINES + 1);
        let media = format!("{TOP}{}", "m=audio 0 RTP/AVP 0\r\n".repeat(MAX_MEDIA + 1));
        assert!(Description::parse(media.as_bytes()).is_err());
        assert!(Description::parse(&vec![b'a'; MAX_BYTES + 1]).is_err());
    }

    #[test]
    fn addresses_come_from_the_medium_or_the_session() {
        let d = of("m=audio 4000 RTP/AVP 0\r\nm=audio 5000 RTP/AVP 0\r\nc=IN IP6 2001:db8::9\r\na=rtcp:7000\r\n\
            m=audio 6000 RTP/AVP 0\r\na=rtcp-mux\r\nm=audio 6000 RTP/AVP 0\r\na=rtcp:8 IN IP4 192.0.2.8\r\n");
        let rtp: Vec<_> = (0..4).map(|at| d.rtp_address(at).map(|it| it.to_string()).unwrap_or_default()).collect();
        assert_eq!(rtp, ["192.0.2.1:4000", "[2001:db8::9]:5000", "192.0.2.1:6000", "192.0.2.1:6000"]);
        let rtcp: Vec<_> = (0..4).map(|at| d.rtcp_address(at).map(|it| it.to_string()).unwrap_or_default()).collect();
        assert_eq!(rtcp, ["192.0.2.1:4001", "[2001:db8::9]:7000", "192.0.2.1:6000", "192.0.2.8:8"]);
    }

    #[test]
    fn hold_is_told_by_direction_or_by_address() {
        let cases = [
            ("m=audio 4000 RTP/AVP 0\r\n", Direction::SendRecv),
            ("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n", Direction::SendOnly),
            ("m=audio 4000 RTP/AVP 0\r\na=inactive\r\n", Direction::Inactive),
            ("m=audio 0 RTP/AVP 0\r\na=sendrecv\r\n", Direction::Inactive),
            ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", Direction::SendOnly),
            ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=recvonly\r\n", Direction::Inactive),
            (
                "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:a\r\na=ice-pwd:b\r\n",
                Direction::SendRecv,
            ),
        ];
        for (media, direction) in cases {
            assert_eq!(of(media).direction(0), direction, "{media}");
        }
        let session = of("a=sendonly\r\nm=audio 1 RTP/AVP 0\r\n");
        assert_eq!(session.direction(0), Direction::SendOnly, "the session's direction holds for every medium");
        assert_eq!(of("").direction(0), Direction::Inactive);
    }

    #[test]
    fn bare_line_feeds_are_taken() {
        let unix =
            of("m=audio 1 RTP/AVP 0\r\n").to_bytes().into_iter().filter(|byte| *byte != b'\r').collect::<Vec<_>>();
        assert_eq!(Description::parse(&unix).map(|it| it.media.len()), Ok(1));
    }
}
