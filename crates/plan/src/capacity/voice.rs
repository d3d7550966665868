//! PSTN ports: Lync's table and Erlang B side by side.

use serde::Serialize;

use super::load::pstn_erlang;
use crate::erlang;
use crate::figures::{Figure, limit};
use crate::file::{Plan, Usage};
use crate::table::grouped;

/// How many PSTN ports a place needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ports {
    /// Users that reach the PSTN here.
    pub users: f64,
    /// How much they use it.
    pub usage: Usage,
    /// What they offer at once.
    pub offered: Figure,
    /// Ports by Lync's table.
    pub by_table: Figure,
    /// Share of calls that find all of these taken, after Erlang B.
    pub blocking_by_table: Figure,
    /// Ports by Erlang B at the blocking that the plan allows.
    pub by_erlang: Figure,
}

/// Users of one port.
pub fn users_per_port(usage: Usage) -> f64 {
    match usage {
        Usage::Light => limit("port.light").value,
        Usage::Medium => limit("port.medium").value,
        Usage::Auto | Usage::Heavy => limit("port.heavy").value,
    }
}

/// The usage that the plan says, else by the calls in the busy hour: 1 light, 2 medium, 3 and more heavy.
pub fn usage(plan: &Plan) -> Usage {
    match *plan.voice.usage {
        Usage::Auto if *plan.voice.calls_busy_hour < 2.0 => Usage::Light,
        Usage::Auto if *plan.voice.calls_busy_hour < 3.0 => Usage::Medium,
        Usage::Auto => Usage::Heavy,
        said => said,
    }
}

/// Ports for `signed_in` users; none without voice or without anybody who uses the PSTN.
pub fn ports(plan: &Plan, signed_in: f64) -> Option<Ports> {
    let users = signed_in * *plan.voice.share * *plan.voice.pstn_share;
    if !*plan.voice.enabled || users <= 0.0 {
        return None;
    }
    let usage = usage(plan);
    let offered = pstn_erlang(plan, signed_in);
    Some(judge(users, usage, offered, *plan.voice.blocking))
}

/// Ports for `users` who offer `offered` in all, by both rules.
pub fn judge(users: f64, usage: Usage, offered: Figure, allowed: f64) -> Ports {
    let each = users_per_port(usage);
    let by_table = (users / each).ceil();
    let blocked = erlang::blocking(offered.value, by_table as u64);
    let lines = erlang::lines(offered.value, allowed);
    Ports {
        users,
        usage,
        by_table: Figure::by(
            "voice.ports-table",
            by_table,
            "ports",
            format!("{} / {each} = {by_table}", grouped(users)),
        ),
        blocking_by_table: Figure::by(
            "voice.blocking",
            blocked * 100.0,
            "%",
            format!("Erlang B of {} erlang on {by_table} ports", grouped(offered.value)),
        ),
        by_erlang: Figure::by(
            "voice.ports-erlang",
            lines as f64,
            "ports",
            format!("{} erlang at {} % blocking", grouped(offered.value), grouped(allowed * 100.0)),
        ),
        offered,
    }
}

/// T1 and E1 trunks for `calls`, as the Mediation table counts them.
pub fn trunks(calls: f64) -> (Figure, Figure) {
    let count = |channels: &'static str, name: &str| {
        let each = limit(channels).value;
        let value = (calls / each).ceil();
        Figure::by("mediation.trunks", value, "trunks", format!("{name}: {} / {each} = {value}", grouped(calls)))
    };
    (count("trunk.t1", "T1"), count("trunk.e1", "E1"))
}
