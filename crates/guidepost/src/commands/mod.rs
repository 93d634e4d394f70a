//! One file per command.

pub(crate) mod ask;
pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod compare;
pub(crate) mod eval;
pub(crate) mod generate;
pub(crate) mod get;
pub(crate) mod index;
pub(crate) mod models;
pub(crate) mod pack;
pub(crate) mod read;
pub(crate) mod resources;
pub(crate) mod roles;
pub(crate) mod search;
pub(crate) mod status;
pub(crate) mod tune;
pub(crate) mod verify;

pub(crate) mod answer_writer;
pub(crate) mod query;
