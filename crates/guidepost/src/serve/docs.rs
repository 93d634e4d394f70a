//! The interface's description as a page that people read: made from the same document that programs get.

use aide::openapi::OpenApi;
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

/// The page.
pub(super) fn page(api: &OpenApi) -> String {
    // What is written for programs is read back as they read it.
    let document = serde_json::to_value(api).unwrap_or_default();
    let schemas = &document["components"]["schemas"];
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Guidepost: the interface for programs" }
                link rel="stylesheet" href="/page/style.css";
                link rel="stylesheet" href="/page/docs.css";
                link rel="icon" href="/page/icon.svg";
            }
            body {
                main {
                    h1 { "The interface for programs" }
                    p { (text(&document["info"]["description"])) }
                    p { a href="/openapi.json" { "openapi.json" } " describes the same for programs; " a href="/" { "the page" } " is for people, "
                        code { "/metrics" } " for Prometheus, and " code { "/mcp" } " speaks the Model Context Protocol." }
                    nav aria-label="Operations" {
                        ul { @for (path, method, operation) in operations(&document) {
                            li { a href={"#" (text(&operation["operationId"]))} { code { (method) " " (path) } } " " (text(&operation["summary"])) }
                        } }
                    }
                    @for (path, method, operation) in operations(&document) {
                        (section(path, &method, operation, schemas))
                    }
                    h2 id="types" { "Types" }
                    @for (name, schema) in schemas.as_object().into_iter().flatten() {
                        (type_of(name, schema))
                    }
                }
            }
        }
    };
    markup.into_string()
}

fn operations(document: &Value) -> Vec<(&str, String, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods.map(move |(method, operation)| (path.as_str(), method.to_uppercase(), operation))
        })
        .filter(|(_, _, operation)| operation["operationId"].is_string())
        .collect()
}

fn section(path: &str, method: &str, operation: &Value, schemas: &Value) -> Markup {
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let answers = operation["responses"].as_object().into_iter().flatten();
    html! {
        section id=(text(&operation["operationId"])) {
            h2 { (text(&operation["summary"])) }
            p { code { (method) " " (path) } }
            p { (prose(&operation["description"])) }
            @if !parameters.is_empty() {
                h3 { "Parameters" }
                dl { @for parameter in parameters {
                    dt { code { (text(&parameter["name"])) } " " (kind(&parameter["schema"])) @if parameter["required"] == true { ", required" } }
                    dd { (prose(described(parameter))) }
                } }
            }
            @if !body.is_null() {
                h3 { "Body" }
                (fields(resolve(body, schemas), ", required"))
            }
            h3 { "Answers" }
            dl { @for (status, answer) in answers {
                @let schema = &answer["content"]["application/json"]["schema"];
                dt { code { (status) } " " (kind(schema)) }
                dd {
                    (prose(&answer["description"]))
                    @if status == "200" { (fields(resolve(schema, schemas), ", always there")) }
                }
            } }
        }
    }
}

/// A type by its name: its fields, or the values it has.
fn type_of(name: &str, schema: &Value) -> Markup {
    html! {
        section id={"type-" (name)} {
            h3 { code { (name) } }
            p { (prose(&schema["description"])) " " (kind(schema)) }
            (fields(schema, ", always there"))
        }
    }
}

/// The fields of an object.
fn fields(schema: &Value, always: &str) -> Markup {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    html! {
        dl { @for (name, property) in properties {
            dt { code { (name) } " " (kind(property)) @if required.contains(&Value::from(name.as_str())) { (always) } }
            dd { (prose(&property["description"])) }
        } }
    }
}

/// A parameter's description stands beside its schema or in it.
fn described(parameter: &Value) -> &Value {
    let own = &parameter["description"];
    if own.is_null() { &parameter["schema"]["description"] } else { own }
}

fn resolve<'v>(schema: &'v Value, schemas: &'v Value) -> &'v Value {
    let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    name.map_or(schema, |name| &schemas[name])
}

/// `string`, `list of integer`, a link to `SearchParameters`, `"book" or "course"`.
fn kind(schema: &Value) -> Markup {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return html! { a href={"#type-" (name)} { (name) } };
    }
    let any = |kinds: Vec<Markup>| {
        html! { @for (at, kind) in kinds.into_iter().enumerate() { @if at > 0 { " or " } (kind) } }
    };
    let of = |schemas: &Value| {
        let schemas = schemas.as_array().into_iter().flatten();
        any(schemas.filter(|schema| schema["type"] != "null").map(kind).collect())
    };
    match &schema["type"] {
        _ if !schema["const"].is_null() => html! { code { (schema["const"]) } },
        _ if schema["enum"].is_array() => {
            let values = schema["enum"].as_array().into_iter().flatten();
            any(values.filter(|value| !value.is_null()).map(|value| html! { code { (value) } }).collect())
        }
        Value::String(kind) if kind == "array" => html! { "list of " (self::kind(&schema["items"])) },
        Value::String(kind) => html! { (kind) },
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            any(kinds
                .map(|kind| match kind {
                    "array" => html! { "list of " (self::kind(&schema["items"])) },
                    kind => html! { (kind) },
                })
                .collect())
        }
        _ if schema["anyOf"].is_array() => of(&schema["anyOf"]),
        _ if schema["oneOf"].is_array() => of(&schema["oneOf"]),
        _ => html! {},
    }
}

/// Text with its `code` as code.
fn prose(value: &Value) -> Markup {
    let pieces = text(value).split('`').enumerate();
    html! { @for (at, piece) in pieces { @if at % 2 == 1 { code { (piece) } } @else { (piece) } } }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
