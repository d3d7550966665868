//! The tables of the capacity calculator.

use super::{Capacity, SiteCapacity};
use crate::figures::{Choice, Figure};
use crate::table::{Table, row};

impl Capacity {
    /// Servers, pools, load, ports, storage, limits, and the choices between sources.
    pub fn tables(&self) -> Vec<Table> {
        vec![
            self.servers_table(),
            self.pools_table(),
            self.load_table(),
            self.ports_table(),
            self.storage_table(),
            self.applications_table(),
            choices_table(&self.choices),
        ]
    }

    fn servers_table(&self) -> Table {
        let mut table = Table::new(
            "Servers",
            &[
                "site",
                "role",
                "servers",
                "CPU",
                "memory (GB)",
                "disks",
                "network",
                "Mbps each",
                "load (%)",
                "working",
                "rule",
                "source",
            ],
        );
        for site in &self.sites {
            for role in &site.roles {
                let machine = role.machine;
                table.rows.push(row![
                    &site.name,
                    role.role.name(),
                    role.servers.value,
                    machine.map(|machine| machine.cpu),
                    machine.map(|machine| machine.memory_gb),
                    machine.map(|machine| machine.disk),
                    machine.map(|machine| machine.network),
                    role.mbps_each.as_ref().map(|figure| figure.value),
                    role.load_each.as_ref().map(|figure| figure.value.round()),
                    &role.servers.working,
                    role.servers.rule,
                    role.servers.source,
                ]);
            }
            table.notes.extend(site.warnings.iter().map(|warning| format!("{}: {warning}", site.name)));
        }
        for (role, servers) in &self.totals {
            table.rows.push(row!["all", role.name(), *servers, "", "", "", "", "", "", "", "", ""]);
        }
        table
    }

    fn pools_table(&self) -> Table {
        let mut table = Table::new(
            "Pools",
            &[
                "site",
                "pools",
                "servers each",
                "users each",
                "after the loss of one",
                "limit",
                "N+1",
                "first start",
                "stays functional",
                "advice",
            ],
        );
        for (site, pools) in self.sites.iter().filter_map(|site| Some((site, site.pools.as_ref()?))) {
            let quorum = pools.quorum.as_ref();
            table.rows.push(row![
                &site.name,
                pools.pools.value,
                pools.servers_each.value,
                pools.users_each.round(),
                pools.n_plus_one.figure.value.round(),
                pools.n_plus_one.limit.round(),
                pools.n_plus_one.passes,
                quorum.map(|quorum| quorum.first_start),
                quorum.map(|quorum| quorum.functional),
                pools.n_plus_one.advice.clone(),
            ]);
        }
        table
    }

    fn load_table(&self) -> Table {
        let mut table =
            Table::new("Load at the busiest moment", &["site", "what", "value", "unit", "working", "rule", "source"]);
        for site in &self.sites {
            for (what, figure) in figures(site) {
                table.rows.push(figure_row(&site.name, what, figure));
            }
        }
        table
    }

    fn ports_table(&self) -> Table {
        let mut table = Table::new(
            "PSTN ports",
            &[
                "site",
                "users",
                "offered (erlang)",
                "ports by Lync's table",
                "blocked with these (%)",
                "ports by Erlang B",
                "working",
            ],
        );
        for (site, ports) in self.sites.iter().filter_map(|site| Some((site, site.ports.as_ref()?))) {
            table.rows.push(row![
                &site.name,
                ports.users.round(),
                ports.offered.value,
                ports.by_table.value,
                ports.blocking_by_table.value,
                ports.by_erlang.value,
                format!("{}; {}", ports.by_table.working, ports.by_erlang.working),
            ]);
        }
        table
    }

    fn storage_table(&self) -> Table {
        let mut table = Table::new(
            "Storage",
            &["site", "database", "growth (GB/day)", "days", "kept (GB)", "volume (GB)", "working"],
        );
        for site in &self.sites {
            for storage in &site.storage {
                table.rows.push(row![
                    &site.name,
                    storage.database,
                    storage.growth_per_day.value,
                    storage.days,
                    storage.kept.value,
                    storage.volume.value,
                    &storage.growth_per_day.working,
                ]);
            }
        }
        table
    }

    fn applications_table(&self) -> Table {
        let mut table =
            Table::new("Limits of one pool", &["site", "what", "value", "unit", "working", "rule", "source"]);
        for site in &self.sites {
            for limit in &site.applications {
                table.rows.push(figure_row(&site.name, limit.what, &limit.figure));
            }
            if let Some(memory) = &site.mobility {
                table.rows.push(figure_row(&site.name, "Memory of mobile sessions of a Front End", memory));
            }
        }
        table
    }
}

fn figures(site: &SiteCapacity) -> Vec<(&'static str, &Figure)> {
    let load = &site.load;
    let mut found = vec![
        ("Signed-in users", &load.signed_in),
        ("Endpoints", &load.endpoints),
        ("Presence and messages", &load.presence_kbps),
        ("PSTN calls at once", &load.pstn_erlang),
        ("Of these through Mediation", &load.non_bypass),
    ];
    if let Some(meetings) = &load.meetings {
        found.extend([
            ("People in meetings", &meetings.people),
            ("Meetings", &meetings.meetings),
            ("Meetings in the peak hour", &meetings.peak),
            ("Meetings with a shared screen", &meetings.sharing),
            ("People beside a meeting of 250", &meetings.beside_large),
        ]);
    }
    found
}

fn figure_row(site: &str, what: &str, figure: &Figure) -> Vec<crate::table::Cell> {
    row![site, what, figure.value, figure.unit, &figure.working, figure.rule, figure.source]
}

/// Where sources disagree, and what is used.
pub(crate) fn choices_table(choices: &[&'static Choice]) -> Table {
    let mut table = Table::new(
        "Where sources disagree",
        &["point", "used here", "instead of", "because", "source", "other source"],
    );
    for choice in choices {
        table.rows.push(row![
            choice.point,
            choice.chosen,
            choice.instead_of,
            choice.because,
            choice.chosen_source,
            choice.other_source,
        ]);
    }
    table
}
