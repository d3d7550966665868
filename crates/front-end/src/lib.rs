//! Front End role: request pipeline, registrar and proxy flows
