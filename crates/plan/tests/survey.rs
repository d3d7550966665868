//! A Wi-Fi survey and an inventory, judged.

use lyceum_plan::survey::*;

/// SEED2 item 9: -67 dBm, 25 dB over noise, 20 dB over neighbours, everywhere.
#[test]
fn a_point_fails_below_67_dbm_25_db_or_20_db() {
    let text = "Floor,Point,RSSI dBm,SNR dB,separation_db,in_use\n\
        1,good,-67,25,20,\n1,alone,-40,40,,yes\n1,weak,-67.5,30,30,yes\n1,noisy,-60,24.9,30,yes\n1,close,-60,30,19,yes\n\
        2,good,-50,30,25,yes\n2,store room,-90,5,0,no\n";
    let found = judge_wifi(text).expect("a survey");
    let failing: Vec<(&str, &[Shortfall])> =
        found.failing.iter().map(|p| (p.point.as_str(), p.fails.as_slice())).collect();
    assert_eq!(
        failing,
        [("weak", &[Shortfall::Signal][..]), ("noisy", &[Shortfall::Noise]), ("close", &[Shortfall::Separation])]
    );
    let floors: Vec<(&str, usize, f64, bool)> =
        found.floors.iter().map(|f| (f.floor.as_str(), f.points, f.coverage, f.passes)).collect();
    assert_eq!(floors, [("1", 5, 40.0, false), ("2", 1, 100.0, true)]);
    assert_eq!((found.passes, found.unused), (false, 1));
    assert_eq!(found.limits.map(|datum| datum.value), [-67.0, 25.0, 20.0, 100.0]);
}

#[test]
fn noise_and_neighbours_may_be_given_in_dbm() {
    let found = judge_wifi("floor,point,rssi_dbm,noise_dbm,cochannel_dbm\n1,a,-60,-85,-80\n1,b,-60,-84,-79\n")
        .expect("a survey");
    assert_eq!(found.failing.len(), 1);
    assert_eq!((found.failing[0].snr, found.failing[0].separation), (24.0, Some(19.0)));
    assert_eq!(found.failing[0].fails, [Shortfall::Noise, Shortfall::Separation]);
}

#[test]
fn every_fault_of_a_survey_is_named_at_once() {
    let text =
        "floor,point,rssi_dbm,snr_db,in_use\n,a,-60,30,\n1,b,strong,30,\n1,c,-60,,\n1,d,-60,30,perhaps\n1,e,-300,30,\n";
    assert_eq!(
        judge_wifi(text).expect_err("faults").to_string(),
        "line 2: floor: found nothing; expected a name\n\
         line 3: rssi_dbm: found \"strong\"; expected a number from -120 to 0 dBm\n\
         line 4: snr_db: found nothing; expected a number of dB here, or of dBm in noise_dbm\n\
         line 5: in_use: found \"perhaps\"; expected yes or no\n\
         line 6: rssi_dbm: found \"-300\"; expected a number from -120 to 0 dBm\n"
    );
    assert!(judge_wifi("floor,point\n").expect_err("a column").to_string().contains("columns rssi_dbm as well"));
    assert!(judge_wifi("").expect_err("nothing").to_string().contains("an empty file"));
    assert!(!judge_wifi("floor,point,rssi_dbm\n").expect("no points").passes);
}

/// L13:supported-devices, -operating-system-support, -client-interoperability and SEED2 items 3 and 4.
#[test]
fn an_inventory_is_judged_by_the_list() {
    let text = "site,category,vendor,product,version,count,unit_cost\n\
        A,phone,Polycom,CX600,,10,150\nA,phone,Acme,X1,,20,100\nA,client-os,Microsoft,Windows XP,,5,200\n\
        A,client-os,Microsoft,Windows 7,SP1,50,\nA,client-os,Microsoft,Windows 7,RTM,3,0\nA,client-os,Apple,Mac OS X,10.9.2,2,90\n\
        A,client-os,Apple,Mac OS X,10.8,4,90\nB,reverse-proxy,Microsoft,Threat Management Gateway,2010,1,5000\n\
        B,client,Microsoft,Communicator 2007,,7,30\nB,client,Microsoft,Communicator 2007 R2,,8,30\nB,browser,,Internet Explorer,8,1,0\n";
    let found = judge_inventory(text).expect("an inventory");
    let standing: Vec<(usize, Standing, f64)> =
        found.items.iter().map(|item| (item.line, item.standing, item.cost)).collect();
    assert_eq!(
        standing,
        [
            (2, Standing::Qualified, 0.0),
            (3, Standing::NotListed, 2000.0),
            (4, Standing::Unsupported, 1000.0),
            (5, Standing::Qualified, 0.0),
            (6, Standing::Unsupported, 0.0),
            (7, Standing::Unsupported, 180.0),
            (8, Standing::Qualified, 0.0),
            (9, Standing::Conditional, 0.0),
            (10, Standing::Unsupported, 210.0),
            (11, Standing::Conditional, 0.0),
            (12, Standing::NotListed, 0.0),
        ]
    );
    assert_eq!((found.cost, found.without_cost), (3390.0, 2));
    assert_eq!(found.costs["phone"], 2000.0);
    assert_eq!(found.counts[&Standing::Qualified], 64);
    assert_eq!(found.items[1].advice, "not on the list for this version: a vendor's word is not enough");
}

#[test]
fn a_listed_product_without_its_version_is_not_judged_away() {
    let found = judge_inventory("category,product,unit_cost\nclient-os,Windows 7,100\nclient-os,Windows 95,100\n")
        .expect("an inventory");
    assert_eq!((found.items[0].standing, found.items[0].cost), (Standing::Conditional, 0.0));
    assert_eq!((found.items[1].standing, found.items[1].cost), (Standing::NotListed, 100.0));
}

#[test]
fn every_fault_of_an_inventory_is_named_at_once() {
    let text = "category,product,count,unit_cost\ntoaster,X,1,1\nphone,,1,1\nphone,CX600,many,-1\n";
    let found = judge_inventory(text).expect_err("faults").to_string();
    let lines: Vec<&str> = found.lines().collect();
    assert!(lines[0].starts_with("line 2: category: found \"toaster\"; expected one of browser, client"), "{found}");
    assert_eq!(lines[1], "line 3: product: found nothing; expected a name");
    assert_eq!(lines[2], "line 4: count: found \"many\"; expected a number from 0 to 10000000 pieces");
    assert_eq!(lines[3], "line 4: unit_cost: found \"-1\"; expected a number from 0 to 1000000000 of money");
}

#[test]
fn tables_have_as_many_cells_as_columns() {
    let survey = judge_wifi("floor,point,rssi_dbm,snr_db\n1,a,-80,30\n").expect("a survey");
    let inventory = judge_inventory("category,product\nphone,X\n").expect("an inventory");
    for table in survey.tables().into_iter().chain(inventory.tables()) {
        assert!(
            !table.rows.is_empty() && table.rows.iter().all(|row| row.len() == table.columns.len()),
            "{}",
            table.title
        );
    }
}
