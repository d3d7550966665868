//! Typed views of header values, one file per header; each is read only when asked for.

pub mod contact;
pub mod cseq;
pub mod date;
pub mod name_addr;
pub mod option_tag;
pub mod params;
pub mod route;
pub mod session_expires;
pub mod trust;
pub mod via;
pub mod warning;
