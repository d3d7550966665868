//! The report as readers of pages and of workbooks see it.

mod support;

use std::collections::BTreeMap;

use lyceum_plan::readiness::readiness;
use lyceum_plan::report::{Extras, Report, report};
use lyceum_plan::survey::{judge_inventory, judge_wifi};
use lyceum_plan::{Cell, Plan, Results};
use support::{HOSTILE_READ, elements, many_sites, three_sites};

fn plan(text: &str) -> Plan {
    Plan::read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn made(text: &str) -> Report {
    report(&Results::of(&plan(text)), &Extras::default())
}

/// The files of an archive without compression, by the directory at its end.
fn files(bytes: &[u8]) -> BTreeMap<String, String> {
    let number = |at: usize, size: usize| {
        bytes[at..at + size].iter().rev().fold(0usize, |number, &byte| number << 8 | usize::from(byte))
    };
    let end = bytes.len() - 22;
    assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
    let (count, mut at) = (number(end + 10, 2), number(end + 16, 4));
    let mut found = BTreeMap::new();
    for _ in 0..count {
        assert_eq!(&bytes[at..at + 4], b"PK\x01\x02");
        let (size, name, local) = (number(at + 20, 4), number(at + 28, 2), number(at + 42, 4));
        assert_eq!(&bytes[local..local + 4], b"PK\x03\x04");
        let start = local + 30 + name;
        let text = |from: usize, size: usize| String::from_utf8(bytes[from..from + size].to_vec()).expect("UTF-8");
        found.insert(text(at + 46, name), text(start, size));
        at += 46 + name;
    }
    assert_eq!(at, end, "the directory ends where it says");
    found
}

#[test]
fn the_page_is_well_formed_and_complete_with_contents_that_lead_somewhere() {
    let report = made(&three_sites());
    let all = elements(report.html().trim_start_matches("<!DOCTYPE html>"));
    let ids: Vec<&str> = all.iter().filter_map(|element| element.attribute("id")).collect();
    let links: Vec<&str> = all.iter().filter_map(|element| element.attribute("href")).collect();
    assert_eq!(links.len(), report.parts.len());
    assert!(links.iter().all(|link| ids.contains(&link.trim_start_matches('#'))), "{links:?}");
    let captions: Vec<&str> =
        all.iter().filter(|element| element.name == "caption").map(|element| element.text.as_str()).collect();
    let titles: Vec<&str> =
        report.parts.iter().flat_map(|part| &part.tables).map(|table| table.title.as_str()).collect();
    assert_eq!(captions, titles);
    for title in ["Servers", "Links", "DNS", "Certificates", "Firewall", "Answers", "Sources", "Where sources disagree"]
    {
        assert_eq!(titles.iter().filter(|known| **known == title).count(), 1, "{title}");
    }
    assert_eq!(all.iter().filter(|element| element.name == "svg").count(), 7, "the whole, links, 3 sites, 2 Edges");
}

#[test]
fn the_page_loads_nothing_and_runs_nothing_whatever_a_site_is_called() {
    let report = made(&three_sites());
    let all = elements(report.html().trim_start_matches("<!DOCTYPE html>"));
    for element in &all {
        assert!(!["script", "img", "link", "iframe", "object", "a:a"].contains(&element.name.as_str()), "{element:?}");
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on") && !["src", "style"].contains(&name.as_str()), "{element:?}");
            assert!(name != "href" || value.starts_with('#'), "{element:?}");
        }
    }
    assert!(!report.html().contains("url("));
    assert!(all.iter().any(|element| element.name == "td" && element.text == HOSTILE_READ));
    assert!(
        all.iter().any(|element| element.attribute("content") == Some("default-src 'none'; style-src 'unsafe-inline'"))
    );
}

#[test]
fn assumed_answers_are_marked_with_their_source_and_given_ones_are_not() {
    let plan = plan(&three_sites());
    let report = report(&Results::of(&plan), &Extras::default());
    let marks = elements(report.html().trim_start_matches("<!DOCTYPE html>"))
        .into_iter()
        .filter(|element| element.name == "td" && element.attribute("class") == Some("a"))
        .count();
    assert_eq!(marks, plan.assumed().count());
    let answers = &report.parts[1].tables[0];
    for row in &answers.rows {
        let assumed = row[2] == Cell::Text("assumed".to_owned());
        assert_eq!(assumed, row[3] == Cell::Empty, "{row:?}");
        assert_eq!(assumed, row[4] != Cell::Empty, "{row:?}");
    }
}

#[test]
fn a_workbook_has_a_sheet_for_every_table_with_its_values() {
    let report = made(&three_sites());
    let files = files(&report.workbook());
    let sheets: Vec<String> = elements(&files["xl/workbook.xml"])
        .into_iter()
        .filter(|element| element.name == "sheet")
        .map(|element| element.attribute("name").expect("a sheet has a name").to_owned())
        .collect();
    let tables: Vec<&lyceum_plan::Table> = report.parts.iter().flat_map(|part| &part.tables).collect();
    let settings: Vec<_> = report.parts.iter().flat_map(|part| &part.files).collect();
    assert_eq!(sheets.len(), 1 + tables.len() + settings.len());
    for (number, file) in settings.iter().enumerate() {
        let all = elements(&files[&format!("xl/worksheets/sheet{}.xml", number + 2 + tables.len())]);
        let rows = all.iter().filter(|element| element.name == "row").count();
        assert_eq!(rows, 2 + file.text.lines().count(), "{}", file.name);
    }
    assert!(sheets.iter().all(|name| name.chars().count() <= 31));
    let types = &files["[Content_Types].xml"];
    for (number, table) in tables.iter().enumerate() {
        let file = format!("xl/worksheets/sheet{}.xml", number + 2);
        assert!(types.contains(&format!("/{file}")), "{file}");
        let all = elements(&files[&file]);
        let rows = all.iter().filter(|element| element.name == "row").count();
        assert_eq!(rows, 1 + table.rows.len() + table.notes.len(), "{}", table.title);
        let texts: Vec<&str> = all.iter().filter(|e| e.name == "t").map(|e| e.text.as_str()).collect();
        let numbers: Vec<f64> =
            all.iter().filter(|e| e.name == "v").map(|e| e.text.parse().expect("a number")).collect();
        for cell in table.rows.iter().flatten() {
            match cell {
                Cell::Text(text) => assert!(texts.contains(&text.as_str()), "{}: {text}", table.title),
                Cell::Number(number) => assert!(numbers.contains(number), "{}: {number}", table.title),
                _ => {}
            }
        }
    }
    assert!(!files.values().any(|text| text.contains("<f>")), "nothing is a formula");
}

#[test]
fn what_people_bring_along_has_its_part() {
    let wifi = judge_wifi("floor,point,rssi_dbm,snr_db\n1,A,-60,30\n1,B,-80,10\n").expect("a survey");
    let inventory = judge_inventory("category,product,count\nphone,Polycom CX600,3\n").expect("an inventory");
    let readiness = readiness(&BTreeMap::new(), &BTreeMap::new());
    let extras = Extras {
        made: Some("21 November 2026"),
        wifi: Some(&wifi),
        inventory: Some(&inventory),
        readiness: Some(&readiness),
        pilot: None,
    };
    let plan = plan("");
    let report = report(&Results::of(&plan), &extras);
    let parts: Vec<&str> = report.parts.iter().map(|part| part.title).collect();
    for title in ["Wi-Fi", "Equipment and clients", "Rollout readiness"] {
        assert!(parts.contains(&title), "{title}: {parts:?}");
    }
    assert!(report.html().contains("<p class=\"quiet\">21 November 2026</p>"));
}

#[test]
fn a_page_of_many_sites_is_bounded_and_the_workbook_has_all_rows() {
    let report = made(&many_sites(400, 3000));
    let flows = report.parts.iter().flat_map(|part| &part.tables).find(|table| table.title.starts_with("Traffic"));
    let rows = flows.expect("a table of flows").rows.len();
    assert!(rows > 2000, "{rows}");
    assert!(report.html().contains("more rows: they are in the workbook"));
    let files = files(&report.workbook());
    let most = files.values().map(|text| text.matches("<row ").count()).max().unwrap_or(0);
    assert!(most > rows, "{most}");
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    assert_eq!(made(&three_sites()).workbook(), made(&three_sites()).workbook());
    assert_eq!(made(&three_sites()).html(), made(&three_sites()).html());
}

#[test]
fn the_files_of_the_network_stand_in_the_report_with_the_ports_that_its_filters_have() {
    let plan = plan(&three_sites());
    let results = Results::of(&plan);
    let report = report(&results, &Extras::default());
    let part = report.parts.iter().find(|part| part.title == "Quality of Service").expect("the report has that part");
    assert_eq!(part.files.len(), lyceum_plan::qos::QosTarget::ALL.len());
    let page = elements(report.html().trim_start_matches("<!DOCTYPE html>"));
    // A reader of pages makes line ends its own.
    let plain = |text: &str| text.replace('\r', "").trim().to_owned();
    let shown: Vec<String> = page.iter().filter(|one| one.name == "pre").map(|one| plain(&one.text)).collect();
    let whole: Vec<String> = part.files.iter().map(|file| plain(&file.text)).collect();
    assert_eq!(shown.len(), whole.len());
    for (shown, whole) in shown.iter().zip(&whole) {
        assert!(shown.lines().eq(whole.lines()), "{:?}", shown.lines().zip(whole.lines()).find(|(a, b)| a != b));
    }
    let media = lyceum_plan::qos::planned_qos().row(lyceum_topology::qos::Modality::Audio).server_ports;
    let audio = media.expect("audio has ports on a server");
    let heard = results.filter.flows.iter().filter(|flow| flow.ports.first == audio.first);
    assert!(heard.count() > 0, "filters let {audio} through");
}
