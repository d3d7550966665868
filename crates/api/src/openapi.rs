//! The OpenAPI 3.1 text, generated from the table of routes.

use crate::route::{Access, Body, Parameter, Place, ROUTES, Route};
use crate::{PREFIX, Problem};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The description of the API as JSON text; `docs/reference/openapi.json` is this.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&sorted(document())).expect("a JSON value serializes");
    text.push('\n');
    text
}

/// Keys in alphabetical order, whichever map serde_json was built with.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.into_iter().collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(fields.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        value => value,
    }
}

fn document() -> Value {
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    schemas.push((Problem::name().into_owned(), Problem::schema()));
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let operation = operation(route, &mut schemas);
        let path = paths.entry(format!("{PREFIX}{}", route.path)).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = operation;
    }
    let schemas: Map<String, Value> = schemas.into_iter().map(|(name, schema)| (name, value(schema))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lyceum administration API",
            "version": PREFIX.rsplit('/').next(),
            "description": "Every call but sign-in and health needs a named administrator's session, except on the \
                local socket, where the peer's credentials stand for it. Every refusal is a Problem.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "security": [{ "bearer": [] }, { "cookie": [], "csrf": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": { "Problem": {
                "description": "Refused: what, where, what to do",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            } },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "__Host-lyceum" },
                "csrf": { "type": "apiKey", "in": "header", "name": "X-CSRF-Token" },
            },
        },
    })
}

fn operation(route: &Route, schemas: &mut Vec<(String, RefOr<Schema>)>) -> Value {
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "tags": [route.path.split('/').nth(1)],
        "responses": { "default": { "$ref": "#/components/responses/Problem" } },
    });
    let (status, description) = match route.answer {
        Body::Empty => ("204", "Done"),
        _ => ("200", "Done"),
    };
    operation["responses"][status] = json!({ "description": description });
    if let Some(content) = content(route.answer, schemas) {
        operation["responses"][status]["content"] = content;
    }
    if let Some(content) = content(route.body, schemas) {
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    if !route.parameters.is_empty() {
        operation["parameters"] = route.parameters.iter().map(parameter).collect();
    }
    match route.access {
        Access::Open => operation["security"] = json!([]),
        Access::Local => operation["description"] = json!("Only through the server's local socket."),
        Access::User => {
            operation["description"] = json!("For the page of a signed-in user, with the token of its session.")
        }
        Access::Administrator => {}
    }
    operation
}

fn content(body: Body, schemas: &mut Vec<(String, RefOr<Schema>)>) -> Option<Value> {
    match body {
        Body::Empty => None,
        Body::Json(schema) => Some(json!({ "application/json": { "schema": value(schema(schemas)) } })),
        Body::Text(media) => Some(json!({ media: { "schema": { "type": "string" } } })),
    }
}

fn parameter(p: &Parameter) -> Value {
    json!({
        "name": p.name,
        "in": if p.place == Place::Path { "path" } else { "query" },
        "required": p.place == Place::Path,
        "description": p.about,
        "schema": { "type": p.kind },
    })
}

fn value(schema: RefOr<Schema>) -> Value {
    serde_json::to_value(schema).expect("a schema serializes")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn every_reference_is_defined() {
        let document: Value = serde_json::from_str(&super::text()).expect("the text is JSON");
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(references.len() > 50);
        for reference in references {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference} is not defined");
        }
    }

    fn collect(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| match value {
                Value::String(text) if key == "$ref" => into.push(text.clone()),
                value => collect(value, into),
            }),
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            _ => {}
        }
    }
}
