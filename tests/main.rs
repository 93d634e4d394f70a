//! Everything a user meets, tested through the binary.
//!
//! Most tests use the weightless embedder and take milliseconds. Those in `real_model` fetch the real model once, or
//! say that they were skipped; `GUIDEPOST_REQUIRE_MODEL=1` turns a skip into a failure.

#[cfg(unix)]
mod background;
mod language_server;
mod local_hub;
mod sandbox;
#[cfg(unix)]
mod server;
mod tiny_model;

mod agents;
mod asking;
mod bad_input;
mod bench;
mod budget;
mod chatting;
mod clocks;
mod concurrency;
mod content_hash;
mod corpus;
mod coverage;
mod damage;
mod dry_run;
mod eval;
mod explain;
mod filters;
mod formats;
mod indexing;
#[cfg(unix)]
mod interrupted;
mod language_models;
mod models;
mod obeying;
mod ordering;
mod output;
mod pack;
mod query_language;
mod real_model;
mod reranking;
mod resources;
#[cfg(unix)]
mod server_safety;
#[cfg(unix)]
mod serving;
mod settings;
mod shared_guides;
mod tune;
#[cfg(unix)]
mod watching;
#[cfg(unix)]
mod written_by_the_server;
