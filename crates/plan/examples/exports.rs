//! Writes everything that a plan comes to into a folder: `cargo run -p lyceum-plan --example exports -- plan.toml out`.

use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use lyceum_plan::deployment::*;
use lyceum_plan::report::{Extras, report};
use lyceum_plan::{Plan, Results, Table, bandwidth, capacity, picture, vpn};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(file), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("give a plan file and a folder".into());
    };
    let plan = Plan::read(&fs::read_to_string(file)?)?;
    let began = Instant::now();
    let capacity = capacity::capacity(&plan);
    let bandwidth = bandwidth::bandwidth(&plan);
    let deployment = deployment(&plan, &capacity);
    let records = records(&plan, &deployment);
    let zones = zone_files(&deployment, &records, 1);
    let certificates = certificates(&plan, &deployment);
    let filter = filter(&plan, &capacity, &deployment);
    let rules = nftables(&filter);
    let mut tables: Vec<Table> = capacity.tables();
    tables.extend(bandwidth.tables());
    tables.extend([
        hosts_table(&deployment),
        dns_table(&records),
        certificates_table(&certificates),
        firewall_table(&filter),
    ]);
    println!(
        "{} servers, {} records, {} certificates in {:?}",
        capacity.servers(),
        records.len(),
        certificates.len(),
        began.elapsed()
    );

    let folder = Path::new(&folder);
    for part in ["zones", "requests", "tables", "pictures"] {
        fs::create_dir_all(folder.join(part))?;
    }
    if let Some(split) = vpn::split_tunnel(&plan, &deployment, &filter, &records) {
        fs::write(folder.join("vpn.ps1"), vpn::powershell(&split, "10.0.0.2"))?;
        fs::write(folder.join("vpn.nft"), vpn::vpn_nftables(&split))?;
        fs::write(folder.join("pinpoint.conf"), vpn::named_conf(&zones, "zones"))?;
        tables.extend(split.tables());
    }
    for zone in zones {
        fs::write(folder.join("zones").join(zone.file), zone.text)?;
    }
    for certificate in certificates {
        let text = certificate.request(&plan.organisation.name);
        fs::write(folder.join("requests").join(certificate.file() + ".cnf"), text)?;
    }
    fs::write(folder.join("filter.nft"), rules)?;
    let results = Results::of(&plan);
    let report = report(&results, &Extras::default());
    fs::write(folder.join("report.html"), report.html())?;
    fs::write(folder.join("report.xlsx"), report.workbook())?;
    for picture in picture::pictures(&results) {
        fs::write(folder.join("pictures").join(format!("{}.svg", picture.id)), picture.svg())?;
    }
    for table in tables {
        let name = table.title.to_lowercase().replace(' ', "-");
        fs::write(folder.join("tables").join(format!("{name}.csv")), table.to_csv())?;
        fs::write(folder.join("tables").join(format!("{name}.txt")), table.to_text())?;
    }
    Ok(())
}
