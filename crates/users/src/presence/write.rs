//! A view as a presence document: PIDF and RPID for everyone, and what only we know in a namespace of our own.

use super::activity::Activity;
use super::availability::Band;
use super::view::View;
use crate::format::datetime::write_utc;
use crate::format::rpid::{UserInput, write_activities, write_user_input};
use crate::format::xml::{DATA_MODEL, OURS, PIDF, RPID, attribute, escape};
use lyceum_sip::time::WallTime;

impl View<'_> {
    /// Appends the document; `entity` is the person's URI.
    ///
    /// Foreign clients read the tuple (open or closed, note) and the RPID activities; our own read `state`, which holds
    /// the number and the exact word. The prefix `rpid` is not ours to choose: baresip looks for `<rpid:busy/>` as text.
    pub fn pidf(&self, entity: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence");
        attribute(out, "xmlns", PIDF);
        attribute(out, "xmlns:dm", DATA_MODEL);
        attribute(out, "xmlns:rpid", RPID);
        attribute(out, "xmlns:p", OURS);
        attribute(out, "entity", entity);
        out.extend_from_slice(b"><tuple id=\"t\"><status>");
        out.extend_from_slice(match self.availability.map(|availability| availability.band()) {
            Some(Band::Offline) => b"<basic>closed</basic>",
            Some(_) => b"<basic>open</basic>",
            None => b"",
        });
        out.extend_from_slice(b"</status>");
        element(out, "contact", entity);
        let notes = [self.out_of_office, self.note];
        notes.into_iter().flatten().for_each(|note| element(out, "note", note));
        out.extend_from_slice(b"</tuple><dm:person id=\"p\">");
        self.person(out);
        out.extend_from_slice(b"</dm:person></presence>\n");
    }

    fn person(&self, out: &mut Vec<u8>) {
        let activities = self.activity.map_or(&[][..], Activity::rpid);
        write_activities(out, activities, self.label);
        if let Some(last) = self.last_active {
            let idle =
                matches!(self.availability.map(|a| a.band()), Some(Band::Inactive | Band::BusyInactive | Band::Away));
            write_user_input(out, UserInput { idle, last_input: Some(last) });
        }
        self.state(out);
        self.card(out);
        for note in [self.out_of_office, self.note].into_iter().flatten() {
            element(out, "dm:note", note);
        }
    }

    /// What only our own clients understand.
    fn state(&self, out: &mut Vec<u8>) {
        let (Some(availability), Some(activity)) = (self.availability, self.activity) else { return };
        out.extend_from_slice(b"<p:state");
        attribute(out, "availability", &availability.0.to_string());
        attribute(out, "activity", activity.as_str());
        moment(out, "since", self.since);
        moment(out, "last-active", self.last_active);
        moment(out, "busy-until", self.busy_until);
        optional(out, "label", self.label);
        optional(out, "note", self.note);
        optional(out, "out-of-office", self.out_of_office);
        optional(out, "choice", self.choice.map(|choice| choice.as_str()));
        out.push(b'>');
        for device in self.devices {
            out.extend_from_slice(b"<p:device");
            attribute(out, "kind", device.as_str());
            out.extend_from_slice(b"/>");
        }
        if let Some(meeting) = self.meeting {
            out.extend_from_slice(b"<p:meeting");
            moment(out, "from", Some(meeting.from));
            moment(out, "to", Some(meeting.to));
            optional(out, "subject", meeting.subject.as_deref());
            optional(out, "location", meeting.location.as_deref());
            out.extend_from_slice(b"/>");
        }
        out.extend_from_slice(b"</p:state>");
    }

    fn card(&self, out: &mut Vec<u8>) {
        let card = &self.card;
        let facts = [
            ("name", card.display_name),
            ("mail", card.mail),
            ("title", card.title),
            ("company", card.company),
            ("department", card.department),
            ("office", card.office),
        ];
        if facts.iter().all(|(_, value)| value.is_empty()) && card.numbers.is_empty() {
            return;
        }
        out.extend_from_slice(b"<p:card");
        facts.iter().filter(|(_, value)| !value.is_empty()).for_each(|(name, value)| attribute(out, name, value));
        if card.photo {
            attribute(out, "photo", "true");
        }
        out.push(b'>');
        for number in &card.numbers {
            out.extend_from_slice(b"<p:number");
            attribute(out, "kind", number.kind.as_str());
            attribute(out, "number", number.number);
            out.extend_from_slice(b"/>");
        }
        out.extend_from_slice(b"</p:card>");
    }
}

fn element(out: &mut Vec<u8>, name: &str, text: &str) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
    escape(out, text);
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

fn optional(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        attribute(out, name, value);
    }
}

fn moment(out: &mut Vec<u8>, name: &str, at: Option<WallTime>) {
    if let Some(at) = at {
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"=\"");
        write_utc(out, at);
        out.push(b'"');
    }
}
