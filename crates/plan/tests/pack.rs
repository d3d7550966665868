//! The communication and training pack follows the plan.

use lyceum_plan::Plan;
use lyceum_plan::pack::{Pack, messages, pack};
use lyceum_plan::readiness::judge_pilot;

const SITES: &str = "[[site]]\nname = \"London\"\nusers = 3000\n[[site]]\nname = \"Paris\"\nusers = 1000\n\
                     [[site]]\nname = \"Leeds\"\nhub = \"London\"\nusers = 80\n";

fn of(text: &str) -> Pack {
    pack(&Plan::read(text).expect("a plan"), None)
}

fn ids<'p>(said: impl Iterator<Item = &'p lyceum_plan::pack::Said>) -> Vec<&'static str> {
    said.map(|said| said.message.id).collect()
}

#[test]
fn only_what_was_chosen_is_announced_and_asked() {
    let with = of("[voice]\nenabled = true\n[archiving]\nenabled = true\ndays = 90\n[chat]\nenabled = true\n");
    let without = of("[voice]\nenabled = false\n[archiving]\nenabled = false\n[chat]\nenabled = false\n");
    assert!(["voice", "rooms", "archive"].iter().all(|id| ids(with.announcement.iter()).contains(id)));
    assert!(["voice", "rooms", "archive"].iter().all(|id| !ids(without.announcement.iter()).contains(id)));
    assert!(ids(with.faq.iter()).contains(&"kept") && !ids(with.faq.iter()).contains(&"not-kept"));
    assert!(ids(without.faq.iter()).contains(&"not-kept") && !ids(without.faq.iter()).contains(&"number"));
    let kept = with.faq.iter().find(|said| said.message.id == "kept").map(|said| said.text.as_str());
    assert_eq!(kept, Some("Yes for 90 days. [who may read them]"));
}

#[test]
fn the_pilot_comes_first_and_then_the_smallest_site() {
    let pilot =
        judge_pilot("user,department,role,skill\nanna,it,help desk,high\nben,sales,clerk,low\n").expect("a list");
    let found = pack(&Plan::read(SITES).expect("a plan"), Some(&pilot));
    let waves: Vec<(&str, Option<u64>)> = found.waves.iter().map(|wave| (wave.name.as_str(), wave.people)).collect();
    assert_eq!(waves, [("Pilot", Some(2)), ("Paris", Some(1000)), ("London and its branch", Some(3080))]);
    assert_eq!(found.tables()[1].rows.len(), 3 * found.schedule.len());
}

#[test]
fn a_persona_comes_to_the_courses_of_what_it_does() {
    let text = "[[persona]]\nname = \"Clerk\"\npstn_audio = 5\n[[persona]]\nname = \"Designer\"\nmeeting_audio = 20\n\
                [[site]]\nname = \"London\"\nusers = 100\n[site.personas]\nClerk = 60\nDesigner = 40\n";
    let found = of(text);
    let course = |id: &str| found.training.iter().find(|course| course.message.id == id).expect("a course");
    assert_eq!(
        (course("telephone").personas.as_slice(), course("telephone").people),
        (&["Clerk".to_owned()][..], Some(60))
    );
    assert_eq!(
        (course("meetings").personas.as_slice(), course("meetings").people),
        (&["Designer".to_owned()][..], Some(40))
    );
    assert_eq!((course("everybody").personas.len(), course("everybody").people), (2, Some(100)));
    // Without personas the user model says it.
    let modelled = of("[voice]\nshare = 60\n[[site]]\nname = \"London\"\nusers = 100\n");
    let people =
        modelled.training.iter().find(|course| course.message.id == "telephone").and_then(|course| course.people);
    assert_eq!(people, Some(60));
}

#[test]
fn every_place_in_a_text_is_filled() {
    let pack =
        of("[drivers]\ntravel = true\n[archiving]\nenabled = true\n[access]\nedge = false\n[vpn]\nenabled = true\n");
    for said in pack.announcement.iter().chain(&pack.faq) {
        assert!(!said.text.contains(['{', '}']) && !said.text.contains("  "), "{}: {}", said.message.id, said.text);
    }
    let drivers = pack.announcement.iter().find(|said| said.message.id == "drivers").map(|said| said.text.as_str());
    assert_eq!(drivers, Some("Must travel cost less without losing contact with clients?"));
    // Answers that a row waits for are questions of the plan.
    let fields: Vec<String> =
        lyceum_plan::fields().iter().map(|field| format!("{}.{}", field.section, field.key)).collect();
    for message in messages() {
        let asked = message.when.split('&').map(|word| word.trim_start_matches('!')).filter(|word| !word.is_empty());
        for word in asked.filter(|word| *word != "drivers") {
            assert!(fields.iter().any(|field| field == word), "{}: {word}", message.id);
        }
    }
}
