use super::*;
use crate::format::datetime;

fn at(text: &str) -> WallTime {
    datetime::read(text).unwrap()
}

/// November 2026, in Berlin where nothing else is said.
fn window() -> Window {
    Window { from: at("2026-11-01T00:00:00Z"), to: at("2026-12-01T00:00:00Z"), floating_offset: 3_600 }
}

fn busy(events: &str) -> Vec<String> {
    let feed = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{BERLIN}{events}END:VCALENDAR\r\n");
    let calendar = read(feed.as_bytes(), window()).unwrap();
    let text = |at: WallTime| {
        let mut out = Vec::new();
        datetime::write_utc(&mut out, at);
        String::from_utf8(out).unwrap()[5..16].to_owned()
    };
    calendar.busy.iter().map(|b| format!("{}-{}", text(b.from), text(b.to))).collect()
}

const BERLIN: &str = "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\n\
    BEGIN:DAYLIGHT\nDTSTART:19810329T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\n\
    BEGIN:STANDARD\nDTSTART:19961027T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\n\
    END:VTIMEZONE\n";

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\n")
}

#[test]
fn events_begin_and_end_in_their_zone() {
    for (lines, expected) in [
        ("DTSTART:20261103T090000Z\nDTEND:20261103T093000Z", "11-03T09:00-11-03T09:30"),
        ("DTSTART;TZID=Europe/Berlin:20261103T090000\nDURATION:PT1H30M", "11-03T08:00-11-03T09:30"),
        ("DTSTART;TZID=\"Nowhere/Known\":20261103T090000\nDTEND:20261103T100000", "11-03T08:00-11-03T09:00"),
        ("DTSTART:20261103T090000\nDTEND:20261103T100000", "11-03T08:00-11-03T09:00"),
        ("DTSTART;VALUE=DATE:20261103", "11-02T23:00-11-03T23:00"),
        ("DTSTART;VALUE=DATE:20261103\nDTEND;VALUE=DATE:20261105", "11-02T23:00-11-04T23:00"),
        ("DTSTART:20261031T230000Z\nDTEND:20261101T010000Z", "10-31T23:00-11-01T01:00"),
    ] {
        assert_eq!(busy(&event(lines)), [expected], "{lines}");
    }
}

#[test]
fn what_leaves_one_free_is_left_out() {
    for lines in [
        "TRANSP:TRANSPARENT",
        "STATUS:CANCELLED",
        "STATUS:TENTATIVE",
        "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
        "DURATION:PT0S",
    ] {
        let lines = format!("DTSTART:20261103T090000Z\n{lines}\nDTEND:20261103T093000Z");
        assert_eq!(busy(&event(&lines)).len(), usize::from(lines.contains("PT0S")), "{lines}");
    }
    assert!(busy(&event("DTSTART:20261103T090000Z")).is_empty(), "no length");
    assert!(busy(&event("DTSTART:20270103T090000Z\nDURATION:PT1H")).is_empty(), "after the window");
}

#[test]
fn repetitions_give_their_days() {
    let days = |rule: &str, start: &str| {
        let found = busy(&event(&format!("DTSTART;TZID=Europe/Berlin:{start}\nDURATION:PT1H\nRRULE:{rule}")));
        found.iter().map(|b| b[3..5].to_owned()).collect::<Vec<_>>().join(" ")
    };
    for (rule, start, expected) in [
        ("FREQ=DAILY;COUNT=3", "20261103T100000", "03 04 05"),
        ("FREQ=DAILY;INTERVAL=10", "20200101T100000", "05 15 25"),
        ("FREQ=DAILY;UNTIL=20261105", "20261103T100000", "03 04 05"),
        ("FREQ=DAILY;UNTIL=20261105T085959Z", "20261103T100000", "03 04"),
        ("FREQ=WEEKLY;BYDAY=MO,WE", "20261101T100000", "02 04 09 11 16 18 23 25 30"),
        ("FREQ=WEEKLY;INTERVAL=2", "20201104T100000", "11 25"),
        ("FREQ=MONTHLY", "20260115T100000", "15"),
        ("FREQ=MONTHLY;BYDAY=2TU", "20260113T100000", "10"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "20260130T100000", "27"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "20260131T100000", "30"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "20260130T100000", "30"),
        ("FREQ=YEARLY", "20161111T110000", "11"),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "20161124T110000", "26"),
        ("FREQ=YEARLY;COUNT=3", "20161111T110000", ""),
        ("FREQ=HOURLY", "20261103T100000", "03"),
        ("FREQ=WEEKLY;BYDAY=2MO", "20261103T100000", "03"),
    ] {
        assert_eq!(days(rule, start), expected, "{rule}");
    }
}

#[test]
fn a_series_keeps_its_hour_when_the_clock_is_put_back() {
    let lines = "DTSTART;TZID=Europe/Berlin:20261022T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY";
    let feed = format!("BEGIN:VCALENDAR\n{BERLIN}{}END:VCALENDAR\n", event(lines));
    let window = Window { from: at("2026-10-20T00:00:00Z"), ..window() };
    let hours: Vec<u64> =
        read(feed.as_bytes(), window).unwrap().busy.iter().map(|b| b.from.0 / 3_600_000 % 24).collect();
    assert_eq!(hours, [8, 9, 9, 9, 9, 9]);
}

#[test]
fn exceptions_and_moved_meetings_are_respected() {
    let series = "DTSTART:20261103T100000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\nEXDATE:20261110T100000Z";
    let moved = "RECURRENCE-ID:20261117T100000Z\nDTSTART:20261118T140000Z\nDURATION:PT30M";
    let off = "RECURRENCE-ID:20261124T100000Z\nDTSTART:20261124T100000Z\nDURATION:PT1H\nSTATUS:CANCELLED";
    let found = busy(&[series, moved, off].map(event).concat());
    assert_eq!(found, ["11-03T10:00-11-03T11:00", "11-18T14:00-11-18T14:30"]);
}

#[test]
fn subjects_are_unfolded_unescaped_and_cut_and_alarms_are_nothing() {
    let feed = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20261103T090000Z\nDURATION:PT1H\nSUMMARY:Budget\\, \n  \
        20\n 27\nLOCATION;LANGUAGE=en:Room \\\"4\\\"\nX-MICROSOFT-CDO-BUSYSTATUS:OOF\nBEGIN:VALARM\nSUMMARY:no\nDTSTART:x\n\
        END:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";
    let calendar = read(feed.as_bytes(), window()).unwrap();
    let event = &calendar.busy[0];
    assert_eq!((event.subject.as_deref(), event.location.as_deref()), (Some("Budget,  2027"), Some("Room \"4\"")));
    assert_eq!(event.kind, BusyKind::OutOfOffice);
}

#[test]
fn a_free_busy_list_is_read_too() {
    let list = "BEGIN:VFREEBUSY\nFREEBUSY;FBTYPE=BUSY:20261103T090000Z/20261103T100000Z,20261104T090000Z/PT2H\n\
        FREEBUSY;FBTYPE=FREE:20261105T090000Z/PT2H\nEND:VFREEBUSY\n";
    assert_eq!(busy(list), ["11-03T09:00-11-03T10:00", "11-04T09:00-11-04T11:00"]);
}

#[test]
fn what_is_no_calendar_or_too_much_is_refused() {
    let read = |feed: &str| read(feed.as_bytes(), window());
    assert_eq!(read("<html>sign in</html>"), Err(CalendarError::NotACalendar));
    assert_eq!(read(""), Err(CalendarError::NotACalendar));
    assert_eq!(super::read(b"BEGIN:VCALENDAR\n\xff", window()), Err(CalendarError::Encoding));
    assert_eq!(read(&format!("BEGIN:VCALENDAR\n{}", "x".repeat(MAX_FEED_BYTES))), Err(CalendarError::TooLarge));
    let many = format!("BEGIN:VCALENDAR\n{}", "BEGIN:VEVENT\nEND:VEVENT\n".repeat(MAX_EVENTS + 1));
    assert_eq!(read(&many), Err(CalendarError::TooComplex));
    // Rules that never give a day, counted from long ago.
    let endless =
        event("DTSTART:19700101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=100000;BYMONTH=2;BYMONTHDAY=30");
    let endless = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", endless.repeat(60));
    assert_eq!(read(&endless), Err(CalendarError::TooComplex));
    let odd = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", event("DTSTART:yesterday\nDURATION:PT1H"));
    assert_eq!(read(&odd).unwrap().not_understood, 1);
}

#[test]
fn only_the_nearest_are_kept() {
    let daily = event("DTSTART:20261101T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY");
    let hours: String =
        (0..5).map(|hour| daily.replace("T10", &format!("T1{hour}")).replace("UID:1", "UID:x")).collect();
    let found = busy(&hours);
    assert_eq!(found.len(), MAX_INTERVALS);
    assert_eq!(found[0], "11-01T10:00-11-01T11:00");
}
