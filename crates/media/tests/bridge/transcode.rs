//! What is unlike is decoded and encoded: sound, numbers, pauses, keys.

use lyceum_media::bridge::{BridgeError, Dropped, Event, Identity, Outcome, Side};
use lyceum_media::codec::{Decoder, Encoder};
use lyceum_media::dtmf::detect::Detector;
use lyceum_sdp::{Codec, Encoding};

use crate::legs::*;

fn phones(from: &[Codec], to: &[Codec]) -> lyceum_media::bridge::Bridge {
    bridge(leg(PHONE, from), leg(OTHER, to))
}

/// Sends a second of tone through a bridge and gives what comes out as samples.
fn through(from: &Codec, to: &Codec, lose: impl Fn(u16) -> bool) -> (Vec<i16>, Vec<(bool, u8, u16, u32)>) {
    let mut bridge = phones(std::slice::from_ref(from), std::slice::from_ref(to));
    let rate = lyceum_media::codec::natural_rate(from).expect("ours");
    let mut encoder = Encoder::new(from, rate).expect("ours");
    let mut decoder = Decoder::new(to, 16_000).expect("ours");
    let (mut heard, mut heads) = (Vec::new(), Vec::new());
    let frame = rate as usize / 50;
    for number in 0..100u16 {
        let mut payload = [0; 1000];
        let len = encoder.encode(&tone(rate, usize::from(number) * frame, frame), &mut payload).expect("it encodes");
        if lose(number) {
            continue;
        }
        let units = u32::from(number) * from.clock / 50;
        let (_, sent) = give(
            &mut bridge,
            u64::from(number) * 20,
            Side::A,
            PHONE,
            &packet(from.payload, number, units, &payload[..len]),
        );
        for (_, bytes) in sent {
            heads.push(head(&bytes));
            decoder.decode(&bytes[12..], &mut heard).expect("it decodes");
        }
    }
    (heard, heads)
}

#[test]
fn sound_arrives_whatever_the_codecs() {
    let all =
        [codec(0, Encoding::Pcmu), codec(8, Encoding::Pcma), codec(9, Encoding::G722), codec(111, Encoding::Opus)];
    for from in &all {
        for to in all.iter().filter(|to| to.encoding != from.encoding) {
            let (heard, heads) = through(from, to, |_| false);
            let name = format!("{} to {}", from.encoding, to.encoding);
            assert_eq!(heads.len(), 100, "{name}");
            let strength = power(&heard[heard.len() / 2..]) / power(&tone(8000, 0, 8000));
            assert!((0.7..1.3).contains(&strength), "{name}: {strength}");
        }
    }
}

#[test]
fn numbers_are_ours_and_run_on() {
    let (_, heads) = through(&codec(8, Encoding::Pcma), &codec(111, Encoding::Opus), |_| false);
    assert_eq!(heads[0], (true, 111, 65_535, 9_000), "from where the identity says");
    assert_eq!(heads[1], (false, 111, 0, 9_960), "20 ms of 48 kHz");
    assert_eq!(heads[99], (false, 111, 98, 9_000 + 99 * 960));
}

#[test]
fn lost_packets_are_concealed_and_leave_no_hole() {
    for to in [codec(0, Encoding::Pcmu), codec(111, Encoding::Opus)] {
        let (heard, heads) = through(&codec(8, Encoding::Pcma), &to, |number| number % 10 == 5);
        assert_eq!(heads.len(), 100);
        assert!(heads.windows(2).all(|pair| pair[1].3.wrapping_sub(pair[0].3) == to.clock / 50));
        let quietest = heard[8_000..].chunks(320).map(|frame| power(frame) as u32).min();
        assert!(quietest > Some(2_000), "{}: {quietest:?}", to.encoding);
    }
}

#[test]
fn a_pause_stays_a_pause() {
    let mut bridge = phones(&[codec(8, Encoding::Pcma)], &[codec(0, Encoding::Pcmu)]);
    let mut heads = Vec::new();
    for (number, timestamp) in [(0, 0), (1, 160), (2, 8_000), (3, 8_160)] {
        let (_, sent) = give(&mut bridge, 0, Side::A, PHONE, &packet(8, number, timestamp, &[0xD5; 160]));
        heads.extend(sent.iter().map(|(_, bytes)| head(bytes)));
    }
    let times: Vec<(bool, u32)> = heads.iter().map(|it| (it.0, it.3 - 9_000)).collect();
    assert_eq!(times, [(true, 0), (false, 160), (true, 8_000), (false, 8_160)]);
}

#[test]
fn packets_of_other_lengths_are_cut_and_joined() {
    let mut setup = leg(OTHER, &[codec(0, Encoding::Pcmu)]);
    setup.ptime = 20;
    let mut bridge = bridge(leg(PHONE, &[codec(8, Encoding::Pcma)]), setup);
    let count = |bridge: &mut _, number: u16, len: usize| {
        let bytes = packet(8, number, u32::from(number) * 240, &vec![0xD5; len]);
        give(bridge, 0, Side::A, PHONE, &bytes).1.len()
    };
    let counts: Vec<usize> = (0..4).map(|number| count(&mut bridge, number, 240)).collect();
    assert_eq!(counts, [1, 2, 1, 2], "30 ms in, 20 ms out");
}

#[test]
fn late_and_double_packets_are_dropped() {
    let mut bridge = phones(&[codec(8, Encoding::Pcma)], &[codec(0, Encoding::Pcmu)]);
    let outcomes: Vec<Outcome> = [1, 3, 2, 3]
        .iter()
        .map(|number| {
            give(&mut bridge, 0, Side::A, PHONE, &packet(8, *number, u32::from(*number) * 160, &[0xD5; 160])).0
        })
        .collect();
    let late = Outcome::Dropped(Dropped::Late);
    assert_eq!(outcomes, [Outcome::Made, Outcome::Made, late, late]);
}

#[test]
fn keys_change_their_clock() {
    let browser = [codec(111, Encoding::Opus), Codec { clock: 48_000, ..codec(110, Encoding::TelephoneEvent) }];
    let phone = [codec(8, Encoding::Pcma), codec(101, Encoding::TelephoneEvent)];
    let mut bridge = phones(&browser, &phone);
    let mut seen = Vec::new();
    for (number, end, duration) in [(0u16, 0, 960u16), (1, 0, 1920), (2, 0x80, 2880), (3, 0x80, 2880)] {
        let payload = [3, end | 10, (duration >> 8) as u8, duration as u8];
        let (_, sent) = give(&mut bridge, 0, Side::A, PHONE, &packet(110, number, 4_800, &payload));
        seen.extend(sent.into_iter().map(|(_, bytes)| (head(&bytes), bytes[12..].to_vec())));
    }
    let expected = [
        (true, 65_535, [3, 10, 0, 160]),
        (false, 0, [3, 10, 1, 64]),
        (false, 1, [3, 0x8A, 1, 224]),
        (false, 2, [3, 0x8A, 1, 224]),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(marker, number, payload)| ((*marker, 101, *number, 9_000), payload.to_vec())).collect();
    assert_eq!(seen, expected);
    assert_eq!((bridge.poll_event(), bridge.poll_event()), (Some(Event::Key(Side::A, '3')), None));
}

#[test]
fn keys_become_tones_where_no_events_are_taken() {
    let mut bridge =
        phones(&[codec(8, Encoding::Pcma), codec(101, Encoding::TelephoneEvent)], &[codec(0, Encoding::Pcmu)]);
    let mut pcm = Vec::new();
    for number in 0..10u16 {
        let duration = (number + 1) * 160;
        let payload = [8, 10, (duration >> 8) as u8, duration as u8];
        for (_, bytes) in give(&mut bridge, 0, Side::A, PHONE, &packet(101, number, 0, &payload)).1 {
            pcm.extend(bytes[12..].iter().map(|byte| lyceum_media::codec::g711::Law::Mu.decode(*byte)));
        }
    }
    let mut keys = String::new();
    Detector::default().listen(&pcm, |key| keys.push(key));
    assert_eq!((pcm.len(), keys.as_str()), (1600, "8"));
}

#[test]
fn keys_in_the_sound_become_events_where_only_those_are_understood() {
    let mut bridge =
        phones(&[codec(8, Encoding::Pcma)], &[codec(0, Encoding::Pcmu), codec(101, Encoding::TelephoneEvent)]);
    let law = lyceum_media::codec::g711::Law::A;
    // 60 ms of each key and 60 ms of silence: faster than we press them.
    let mut pcm = Vec::new();
    for key in "19#".chars() {
        let mut tone = lyceum_media::dtmf::tone::Tone::of_key(key, 8_000).expect("a key");
        tone.fill(480, &mut pcm);
        pcm.resize(pcm.len() + 480, 0);
    }
    pcm.resize(pcm.len() + 8_000, 0);
    let (mut events, mut sound) = (Vec::new(), Vec::new());
    for (number, frame) in pcm.chunks(160).enumerate() {
        let payload: Vec<u8> = frame.iter().map(|sample| law.encode(*sample)).collect();
        let packet = packet(8, number as u16, number as u32 * 160, &payload);
        for (_, bytes) in give(&mut bridge, number as u64 * 20, Side::A, PHONE, &packet).1 {
            match head(&bytes) {
                (_, 101, _, place) if events.last() != Some(&(place, bytes[12])) => events.push((place, bytes[12])),
                (_, 101, ..) => {}
                _ => sound.extend(bytes[12..].iter().map(|byte| lyceum_media::codec::g711::Law::Mu.decode(*byte))),
            }
        }
    }
    assert_eq!(events.iter().map(|(_, code)| *code).collect::<Vec<_>>(), [1, 9, 11]);
    let mut told = Vec::new();
    while let Some(event) = bridge.poll_event() {
        told.push(event);
    }
    assert_eq!(told, ['1', '9', '#'].map(|key| Event::Key(Side::A, key)));
    let mut heard = String::new();
    Detector::default().listen(&sound, |key| heard.push(key));
    assert_eq!(heard, "", "nobody takes a key twice");
}

#[test]
fn we_press_keys_ourselves() {
    for (events, heard) in [(true, 8), (false, 0)] {
        let mut to = vec![codec(0, Encoding::Pcmu)];
        if events {
            to.push(codec(101, Encoding::TelephoneEvent));
        }
        let mut bridge = phones(&[codec(8, Encoding::Pcma)], &to);
        assert!(bridge.press(Side::B, '7') && !bridge.press(Side::B, '8'), "one after the other");
        let (mut pressed, mut pcm) = (0, Vec::new());
        for number in 0..20u16 {
            let (_, sent) =
                give(&mut bridge, 0, Side::A, PHONE, &packet(8, number, u32::from(number) * 160, &[0xD5; 160]));
            for (_, bytes) in sent {
                pressed += usize::from(head(&bytes).1 == 101);
                pcm.extend(bytes[12..].iter().map(|byte| lyceum_media::codec::g711::Law::Mu.decode(*byte)));
            }
        }
        assert_eq!(pressed, heard, "120 ms, and the end three times");
        let mut keys = String::new();
        Detector::default().listen(&pcm, |key| keys.push(key));
        assert_eq!(keys, if events { "" } else { "7" });
    }
}

#[test]
fn a_codec_change_goes_from_relay_to_transcoding_and_back() {
    let (pcma, pcmu) = ([codec(8, Encoding::Pcma)], [codec(0, Encoding::Pcmu)]);
    let mut bridge = phones(&pcma, &pcma);
    give(&mut bridge, 0, Side::A, PHONE, &packet(8, 0, 0, &[0xD5; 160]));
    bridge.update(Side::B, leg(OTHER, &pcmu)).expect("there is a way");
    assert!(bridge.is_transcoding(Side::A) && bridge.is_transcoding(Side::B));
    let (_, sent) = give(&mut bridge, 20, Side::A, PHONE, &packet(8, 1, 160, &[0xD5; 160]));
    assert_eq!((head(&sent[0].1).1, sent[0].1[12]), (0, 0xFE), "the softest step of one law in the other");
    bridge.update(Side::B, leg(OTHER, &pcma)).expect("there is a way");
    assert!(!bridge.is_transcoding(Side::A));
}

#[test]
fn where_there_is_no_way_it_is_said() {
    let g729 = [Codec::fixed(18).expect("known")];
    let identity = Identity { ssrcs: [1, 2], starts: [(0, 0); 2], cname: String::new() };
    let refused =
        lyceum_media::bridge::Bridge::new(leg(PHONE, &g729), leg(OTHER, &[codec(8, Encoding::Pcma)]), identity);
    assert_eq!(refused.err(), Some(BridgeError::NoCodec(Side::A)));
}

#[test]
fn comfort_noise_is_heard_by_a_leg_that_has_none() {
    let with_noise = [codec(8, Encoding::Pcma), codec(13, Encoding::ComfortNoise)];
    let mut bridge = bridge(leg(PHONE, &with_noise), leg(OTHER, &[codec(0, Encoding::Pcmu)]));
    give(&mut bridge, 0, Side::A, PHONE, &packet(8, 1, 0, &[0xD5; 160]));
    // 40 dB below the loudest; then a pause of a second, and speech again.
    let (_, sent) = give(&mut bridge, 20, Side::A, PHONE, &packet(13, 2, 160, &[40]));
    assert_eq!(sent.len(), 1);
    let mut decoder = Decoder::new(&codec(0, Encoding::Pcmu), 8_000).expect("it can be had");
    let mut pcm = Vec::new();
    decoder.decode(&sent[0].1[12..], &mut pcm).expect("its payload");
    let loud = power(&pcm);
    assert!((200.0..460.0).contains(&loud), "{loud}: 328 is 40 dB below 32,768");
    let (_, sent) = give(&mut bridge, 1_040, Side::A, PHONE, &packet(8, 3, 8_320, &[0xD5; 160]));
    let (marker, _, _, timestamp) = head(&sent[0].1);
    assert_eq!((marker, timestamp.wrapping_sub(9_000)), (true, 8_320), "and the clock runs on");
}
