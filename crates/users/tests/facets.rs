//! Facets: durable records beside the bindings.

mod support;

use lyceum_users::{
    FacetKind, FacetTooLarge, Group, ImageError, Journal, MAX_FACET_KEY, MAX_FACET_VALUE, Touched, facet_kind, hash64,
};
use support::{Bench, at, contact, seen};

const NOTE: FacetKind = FacetKind(3);

#[test]
fn a_facet_is_written_replaced_and_removed_and_each_names_its_block() {
    let (mut group, mut journal) = (Group::new(3), Journal::new());
    assert_eq!(group.put_facet(NOTE, b"a", b"one", &mut journal), Ok(1));
    journal.take().unwrap();
    assert_eq!(group.put_facet(NOTE, b"a", b"two", &mut journal), Ok(2));
    assert_eq!(group.put_facet(facet_kind::PRESENCE, b"a", b"", &mut journal), Ok(2));
    assert_eq!(group.facet(NOTE, b"a"), Some(&b"two"[..]));
    assert_eq!(group.facet(facet_kind::PRESENCE, b"a"), Some(&b""[..]), "kinds do not meet");
    assert_eq!((group.facet_count(NOTE), group.facet_count(facet_kind::LIST)), (1, 0));
    assert_eq!(group.remove_facet(NOTE, b"a", &mut journal), Some(2));
    assert_eq!(group.remove_facet(NOTE, b"a", &mut journal), None);
    assert_eq!(group.facets(NOTE).count(), 0);
    assert_eq!(group.addresses(), 0, "a facet is no binding");
}

#[test]
fn a_refused_block_is_undone_and_says_what_to_build_again() {
    let (mut group, mut journal) = (Group::new(3), Journal::new());
    group.put_facet(NOTE, b"kept", b"old", &mut journal).unwrap();
    let (seq, _) = journal.take().unwrap();
    journal.committed(seq);
    let before = seen(&group, at(0));
    group.put_facet(NOTE, b"kept", b"new", &mut journal).unwrap();
    group.put_facet(NOTE, b"fresh", b"", &mut journal).unwrap();
    group.remove_facet(NOTE, b"kept", &mut journal).unwrap();
    let (seq, _) = journal.take().unwrap();
    let touched: Vec<Touched> =
        journal.failed(seq).unwrap().into_iter().filter_map(|undo| group.undo(undo)?.facet()).collect();
    let named = |key: &[u8]| Touched { kind: NOTE, key: key.into() };
    assert_eq!(touched, [named(b"kept"), named(b"fresh"), named(b"kept")]);
    assert_eq!(seen(&group, at(0)), before);
}

#[test]
fn what_is_over_its_bound_is_refused_and_nothing_written() {
    let (mut group, mut journal) = (Group::new(3), Journal::new());
    let (key, value) = (vec![b'k'; MAX_FACET_KEY + 1], vec![b'v'; MAX_FACET_VALUE + 1]);
    assert_eq!(group.put_facet(NOTE, &key, b"", &mut journal), Err(FacetTooLarge::Key));
    assert_eq!(group.put_facet(NOTE, b"k", &value, &mut journal), Err(FacetTooLarge::Value));
    assert!(journal.is_empty());
    assert!(group.put_facet(NOTE, &key[1..], &value[1..], &mut journal).is_ok());
    let mut image = Vec::new();
    group.snapshot(at(0).wall, &mut image);
    let mut loaded = Group::new(3);
    loaded.load(&image).unwrap();
    assert_eq!(loaded.facet(NOTE, &key[1..]).map(<[u8]>::len), Some(MAX_FACET_VALUE));
}

#[test]
fn an_image_from_before_facets_is_read_and_one_of_a_newer_server_is_not() {
    let mut bench = Bench::default();
    bench.register(at(0), "c", 1, &[contact("sip:ana@192.0.2.1")]).unwrap();
    let mut image = Vec::new();
    bench.group.snapshot(at(0).wall, &mut image);
    let with_version = |version: u8, tail: usize| {
        let mut body = image[..image.len() - 8 - tail].to_vec();
        body[4] = version;
        body.extend_from_slice(&hash64(&body).to_le_bytes());
        body
    };
    let mut group = Group::new(7);
    group.load(&with_version(1, 4)).unwrap();
    assert_eq!(seen(&group, at(0)), seen(&bench.group, at(0)));
    assert_eq!(group.load(&with_version(3, 0)), Err(ImageError::Version(3)));
    assert_eq!(group.load(&with_version(0, 0)), Err(ImageError::Version(0)));
}
