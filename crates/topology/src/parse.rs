//! The document's text forms, JSON and YAML. Whatever is wrong in a text becomes problems with paths.

use crate::document::Document;
use crate::path::Path;
use crate::problem::{Code, Problem};
use serde_json::Value;
use serde_path_to_error::Segment as Step;

/// The largest text taken; a document with 10,000 policies has some 2 MB.
const MAX_BYTES: usize = 16 << 20;
/// After so many problems no more are looked for.
const MAX_PROBLEMS: usize = 200;

impl Document {
    /// Reads JSON. All problems are given, not only the first; whether the document makes sense is for
    /// [`Document::validate`].
    pub fn from_json(text: &str) -> Result<Self, Vec<Problem>> {
        sized(text)?;
        let value = serde_json::from_str(text).map_err(|error| vec![syntax("JSON", &error.to_string())])?;
        Self::from_value(value)
    }

    /// Reads YAML.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<Problem>> {
        sized(text)?;
        let value = serde_yaml_ng::from_str(text).map_err(|error| vec![syntax("YAML", &error.to_string())])?;
        Self::from_value(value)
    }

    /// Reads a JSON value.
    pub fn from_value(mut value: Value) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut removed = Removed::default();
        // Whatever is refused is noted and taken out, until the rest can be read.
        while problems.len() < MAX_PROBLEMS {
            let error = match serde_path_to_error::deserialize::<_, Self>(&value) {
                Ok(document) if problems.is_empty() => return Ok(document),
                Ok(_) => break,
                Err(error) => error,
            };
            let steps: Vec<Step> = error.path().iter().cloned().collect();
            problems.push(problem(&removed.named(&value, &steps), &error.into_inner().to_string()));
            if !removed.take_out(&mut value, &steps) {
                break;
            }
        }
        Err(problems)
    }

    /// The document as a JSON value.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("a document has string keys only")
    }

    /// The document as indented JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a document has string keys only")
    }

    /// The document as YAML. Alternatives are written as in JSON, not with YAML's tags.
    pub fn to_yaml(&self) -> String {
        let mut text = Vec::new();
        let mut serializer = serde_yaml_ng::Serializer::new(&mut text);
        serde_yaml_ng::with::singleton_map_recursive::serialize(self, &mut serializer)
            .expect("a document has string keys only");
        String::from_utf8(text).expect("YAML is written as UTF-8")
    }
}

fn sized(text: &str) -> Result<(), Vec<Problem>> {
    if text.len() <= MAX_BYTES {
        return Ok(());
    }
    let what = format!("The text has {} bytes, more than the {MAX_BYTES} allowed.", text.len());
    Err(vec![Problem::new(
        &Path::root(),
        Code::TooLarge,
        what,
        "Users and numbers belong into the directory, not into the document.",
    )])
}

fn syntax(form: &str, error: &str) -> Problem {
    let fix = "Correct the text at the place named; `lyceum topology export` shows the form.";
    Problem::new(&Path::root(), Code::Syntax, format!("The text is not {form}: {error}."), fix)
}

/// Turns serde's wording into ours.
fn problem(path: &Path, error: &str) -> Problem {
    if let Some((unknown, known)) = error.strip_prefix("unknown field ").and_then(|rest| rest.split_once(", expected "))
    {
        let known = known.trim_start_matches("one of ").replace('`', "");
        return Problem::new(
            path,
            Code::UnknownField,
            format!("There is no field {unknown} here."),
            format!("Use one of: {known}."),
        );
    }
    Problem::new(
        path,
        Code::WrongValue,
        format!("The value does not fit: {error}."),
        "Correct the value; the reference lists what each field takes.",
    )
}

/// What was taken out of lists, so that positions are still those of the text.
#[derive(Default)]
struct Removed(Vec<(Vec<String>, usize)>);

impl Removed {
    /// Where the steps lead, in the words of the document: lists of named things by name.
    fn named(&self, root: &Value, steps: &[Step]) -> Path {
        let mut path = Path::root();
        let mut here = Some(root);
        let mut trail = Vec::new();
        for step in steps {
            let next = here.and_then(|value| child(value, step));
            path = match (step, next.and_then(|value| value.get("name")).and_then(Value::as_str)) {
                (Step::Seq { .. }, Some(name)) if !name.is_empty() => path.key(name),
                (Step::Seq { index }, _) => path.index(self.original(&trail, *index)),
                (step, _) => path.key(key_of(step)),
            };
            trail.push(key_of(step));
            here = next;
        }
        path
    }

    fn original(&self, list: &[String], index: usize) -> usize {
        let mut gone: Vec<usize> = self.0.iter().filter(|(of, _)| of == list).map(|(_, at)| *at).collect();
        gone.sort_unstable();
        gone.into_iter().fold(index, |index, at| if at <= index { index + 1 } else { index })
    }

    /// Removes what the steps lead to; `false` when nothing could be removed.
    fn take_out(&mut self, root: &mut Value, steps: &[Step]) -> bool {
        let Some((last, above)) = steps.split_last() else { return false };
        let trail: Vec<String> = above.iter().map(key_of).collect();
        let parent = above.iter().try_fold(root, |value, step| child_mut(value, step));
        match (parent, last) {
            (Some(Value::Array(list)), Step::Seq { index }) if *index < list.len() => {
                list.remove(*index);
                let original = self.original(&trail, *index);
                self.0.push((trail, original));
                true
            }
            (Some(Value::Object(map)), step) => map.remove(&key_of(step)).is_some(),
            _ => false,
        }
    }
}

fn key_of(step: &Step) -> String {
    match step {
        Step::Seq { index } => index.to_string(),
        Step::Map { key } => key.clone(),
        Step::Enum { variant } => variant.clone(),
        Step::Unknown => "?".to_owned(),
    }
}

fn child<'a>(value: &'a Value, step: &Step) -> Option<&'a Value> {
    match step {
        Step::Seq { index } => value.get(index),
        step => value.get(key_of(step)),
    }
}

fn child_mut<'a>(value: &'a mut Value, step: &Step) -> Option<&'a mut Value> {
    match step {
        Step::Seq { index } => value.get_mut(index),
        step => value.get_mut(key_of(step)),
    }
}
