//! The communication and training pack of a rollout: a skeleton in the words of the plan, to be filled in where it says so.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Serialize;

use crate::drivers::{drivers, fulfilments};
use crate::figures::rows;
use crate::file::{Persona, Plan};
use crate::readiness::Pilot;
use crate::table::{Table, grouped, row};

/// One thing to say or to teach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// `announcement`, `schedule`, `faq` or `training`.
    pub part: &'static str,
    /// How it is called.
    pub id: &'static str,
    /// The answers of the plan that ask for it, joined by `&`; `!` turns one round.
    pub when: &'static str,
    /// Its heading, question, day or audience.
    pub title: &'static str,
    /// What to say; `{…}` stands for what the plan answers, `[…]` for what somebody has to fill in.
    pub text: &'static str,
    /// By which channel or in which form.
    pub how: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// Everything that a pack may hold.
pub fn messages() -> &'static [Message] {
    static MESSAGES: LazyLock<Vec<Message>> = LazyLock::new(|| {
        let list = rows(include_str!("../data/communication.csv"));
        list.map(|row| Message {
            part: &row[0],
            id: &row[1],
            when: &row[2],
            title: &row[3],
            text: &row[4],
            how: &row[5],
            source: &row[6],
        })
        .collect()
    });
    &MESSAGES
}

/// Those who change over together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wave {
    /// `Pilot`, or a central site with its branches.
    pub name: String,
    /// How many people; nothing where the plan cannot say.
    pub people: Option<u64>,
}

/// The pack of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pack {
    /// Who changes over when: the pilot, then the smallest site first.
    pub waves: Vec<Wave>,
    /// The announcement, line by line.
    pub announcement: Vec<Said>,
    /// Questions and answers.
    pub faq: Vec<Said>,
    /// The schedule of one wave, by days before and after its change.
    pub schedule: Vec<&'static Message>,
    /// Courses, with how many people each is for where the plan knows.
    pub training: Vec<Course>,
}

/// A message with the plan's answers in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Which message.
    pub message: &'static Message,
    /// Its words.
    pub text: String,
}

/// A course and who comes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Course {
    /// Which.
    pub message: &'static Message,
    /// The personas that come.
    pub personas: Vec<String>,
    /// How many people, where the plan knows.
    pub people: Option<u64>,
}

/// The pack of `plan`; the pilot's people are those of the list that was judged.
pub fn pack(plan: &Plan, pilot: Option<&Pilot>) -> Pack {
    let on: BTreeSet<&str> =
        plan.answers.iter().filter(|answer| answer.value == "true").map(|answer| answer.field.as_str()).collect();
    let asked = |message: &&Message| {
        message.when.split('&').filter(|word| !word.is_empty()).all(|word| match word.strip_prefix('!') {
            Some(word) => !on.contains(word),
            None if word == "drivers" => plan.drivers.iter().any(|(_, driver)| **driver),
            None => on.contains(word),
        })
    };
    let waves = waves(plan, pilot);
    let of = |part: &str| messages().iter().filter(|message| message.part == part).filter(asked).collect::<Vec<_>>();
    let said = |part: &str| {
        let say = |message| Said { message, text: filled(plan, &waves, message.text) };
        of(part).into_iter().map(say).collect::<Vec<_>>()
    };
    Pack {
        announcement: said("announcement"),
        faq: said("faq"),
        schedule: of("schedule"),
        training: of("training").into_iter().map(|message| course(plan, message)).collect(),
        waves,
    }
}

/// The pilot, then central sites with their branches, the smallest first: what goes wrong concerns few.
fn waves(plan: &Plan, pilot: Option<&Pilot>) -> Vec<Wave> {
    let mut sites: Vec<Wave> = plan
        .centrals()
        .map(|(number, site)| {
            let here = (0..plan.sites.len()).filter(|&at| plan.hub_of(at) == number);
            let people = here.clone().map(|at| *plan.sites[at].users).sum();
            let branches = here.count() - 1;
            let name = match branches {
                0 => site.name.value.clone(),
                1 => format!("{} and its branch", site.name.value),
                _ => format!("{} and its {branches} branches", site.name.value),
            };
            Wave { name, people: Some(people) }
        })
        .collect();
    sites.sort_by_key(|wave| wave.people);
    sites.insert(0, Wave { name: "Pilot".to_owned(), people: pilot.map(|pilot| pilot.people as u64) });
    sites
}

/// A text with the plan's answers in the place of `{…}`.
fn filled(plan: &Plan, waves: &[Wave], text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else { break };
        out.push_str(before);
        out.push_str(&answer(plan, waves, name));
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn answer(plan: &Plan, waves: &[Wave], name: &str) -> String {
    match name {
        "organisation" => plan.organisation.name.value.clone(),
        "domain" => plan.main_domain().to_owned(),
        "waves" => waves.iter().map(|wave| format!("{} on [day]", wave.name)).collect::<Vec<_>>().join("; "),
        "drivers" => {
            let wanted: BTreeSet<&str> =
                fulfilments(plan).iter().map(|fulfilment| fulfilment.requirement.driver).collect();
            let texts = drivers().filter(|field| wanted.contains(field.key)).map(|field| field.question);
            texts.collect::<Vec<_>>().join(" ")
        }
        field => plan
            .answers
            .iter()
            .find(|answer| answer.field == field)
            .map_or(String::new(), |answer| answer.value.clone()),
    }
}

/// Whether people of a persona need a course; one that is for everybody or for nobody's persona says nothing.
fn needs(persona: &Persona, course: &str) -> bool {
    match course {
        "everybody" => true,
        "telephone" => *persona.pstn_audio > 0.0 || *persona.pstn_calls > 0.0,
        "meetings" => *persona.meeting_audio > 0.0 || *persona.sharing > 0.0 || *persona.data > 0.0,
        "mobile" => persona.remote_share.as_ref().is_some_and(|share| **share > 0.0),
        _ => false,
    }
}

fn course(plan: &Plan, message: &'static Message) -> Course {
    let coming: Vec<usize> =
        (0..plan.personas.len()).filter(|&number| needs(&plan.personas[number], message.id)).collect();
    let all: u64 = plan.sites.iter().map(|site| *site.users).sum();
    let named = plan.sites.iter().flat_map(|site| &site.personas);
    let share = |share: f64| Some((all as f64 * share).round() as u64);
    let people = match message.id {
        "everybody" => Some(all),
        _ if !coming.is_empty() => {
            Some(named.filter(|(persona, _)| coming.contains(persona)).map(|(_, people)| people).sum())
        }
        // Without personas the user model says how many.
        "telephone" => share(*plan.voice.share),
        "mobile" => share(*plan.mobility.share),
        "rooms" => None,
        _ => None,
    };
    let personas = coming.into_iter().map(|number| plan.personas[number].name.value.clone()).collect();
    Course { message, personas, people }
}

impl Pack {
    /// Announcement, schedule, questions, training.
    pub fn tables(&self) -> Vec<Table> {
        let mut announcement = Table::new("Announcement", &["part", "text", "source"]);
        announcement.rows.extend(self.announcement.iter().map(said));
        announcement.notes.push("what stands in [ ] is to be filled in".to_owned());
        let mut schedule = Table::new("Schedule", &["wave", "people", "when", "what", "how", "source"]);
        for wave in &self.waves {
            let lines = self
                .schedule
                .iter()
                .map(|line| row![&wave.name, wave.people, line.title, line.text, line.how, line.source]);
            schedule.rows.extend(lines);
        }
        let order: Vec<String> = self.waves.iter().map(named).collect();
        schedule.notes.push(format!("waves, the smallest site first: {}", order.join(", ")));
        let mut faq = Table::new("Questions and answers", &["question", "answer", "source"]);
        faq.rows.extend(self.faq.iter().map(said));
        let mut training = Table::new("Training", &["for", "personas", "people", "what", "how", "source"]);
        training.rows.extend(self.training.iter().map(|course| {
            let Message { title, text, how, source, .. } = *course.message;
            row![title, course.personas.join(", "), course.people, text, how, source]
        }));
        vec![announcement, schedule, faq, training]
    }
}

fn said(said: &Said) -> Vec<crate::table::Cell> {
    row![said.message.title, said.text.as_str(), said.message.source]
}

fn named(wave: &Wave) -> String {
    match wave.people {
        Some(people) => format!("{} ({})", wave.name, grouped(people as f64)),
        None => wave.name.clone(),
    }
}
