//! The table of routes: who may call what, with which body, and what comes back.
//!
//! The web role's authorization, the OpenAPI text and the test matrix all read this table.

mod table;

pub use table::ROUTES;

use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone; says nothing that a stranger may not know.
    Open,
    /// A named administrator's session, or the local socket.
    Administrator,
    /// A signed-in user's page, with its own token.
    User,
    /// Only the local socket.
    Local,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
}

/// A parameter of a route.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// `string`, `integer` or `boolean`.
    pub kind: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// Collects named schemas and returns how to refer to this one.
pub type SchemaOf = fn(&mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema>;

/// A body of a request or an answer.
#[derive(Clone, Copy)]
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON of this schema.
    Json(SchemaOf),
    /// Text of this media type.
    Text(&'static str),
}

/// One route.
pub struct Route {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// Path under [`crate::PREFIX`], with `{name}` for parameters.
    pub path: &'static str,
    /// Unique name for generated clients.
    pub id: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Path and query parameters.
    pub parameters: &'static [Parameter],
    /// The request's body.
    pub body: Body,
    /// The answer's body.
    pub answer: Body,
}

impl Route {
    /// Whether the route writes: these take `?what_if=true`, and a cookie session needs the CSRF token.
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// The route of a method and a path template under [`crate::PREFIX`].
    pub fn find(method: &str, path: &str) -> Option<&'static Route> {
        ROUTES.iter().find(|route| route.method == method && route.path == path)
    }
}

/// The schema of `T` as a named component.
fn of<T: ToSchema>(found: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    T::schemas(found);
    found.push((T::name().into_owned(), T::schema()));
    RefOr::Ref(utoipa::openapi::Ref::from_schema_name(T::name()))
}

/// A list of `T`.
fn list<T: ToSchema>(found: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    utoipa::openapi::ArrayBuilder::new().items(of::<T>(found)).build().into()
}

/// A page of `T`.
fn page<T: ToSchema>(found: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    let text = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
    utoipa::openapi::ObjectBuilder::new()
        .property("items", list::<T>(found))
        .required("items")
        .property("next", text)
        .build()
        .into()
}

/// Any JSON object.
fn any(_: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    utoipa::openapi::ObjectBuilder::new().build().into()
}
