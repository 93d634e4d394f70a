//! Which language model was asked for.

use std::fmt;
use std::net::IpAddr;

use anyhow::{Context, bail};
use ureq::http::Uri;

/// The model that is run here, and that of the usual host.
pub(crate) const LOCAL: &str = "local";
const OPENAI: &str = "openai";
const OPENAI_URL: &str = "https://api.openai.com/v1";

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) enum Choice {
    /// A server that speaks OpenAI's protocol.
    Server {
        url: String,
        /// `None` takes the only one that it has.
        model: Option<String>,
        key: Option<Key>,
    },
    /// A GGUF file, or a name of the registry; `None` takes the default.
    Local { model: Option<String> },
}

/// A key, which is never shown.
#[derive(Clone)]
pub(crate) struct Key(String);

impl Key {
    fn from_environment() -> Option<Key> {
        let key = std::env::var("OPENAI_API_KEY").ok()?.trim().to_owned();
        (!key.is_empty()).then_some(Key(key))
    }

    /// For the one place that sends it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(...)")
    }
}

impl Choice {
    /// `llm` is an address, `openai`, `local` or a file; `model` a name, or a file with `local`.
    ///
    /// # Errors
    /// Anything else.
    pub(crate) fn parse(llm: &str, model: Option<&str>) -> anyhow::Result<Choice> {
        let model = model.map(str::to_owned);
        let server = |url: String| Choice::Server { url, model: model.clone(), key: Key::from_environment() };
        match llm.trim() {
            LOCAL => Ok(Choice::Local { model }),
            file if file.ends_with(".gguf") => match model {
                None => Ok(Choice::Local { model: Some(file.to_owned()) }),
                Some(_) => bail!("`{file}` is a model already; leave --llm-model out"),
            },
            OPENAI => {
                let named = std::env::var("OPENAI_BASE_URL").ok().filter(|url| !url.trim().is_empty());
                Ok(server(checked(&named.unwrap_or_else(|| OPENAI_URL.to_owned()))?))
            }
            url if url.contains("://") => Ok(server(checked(url)?)),
            other => bail!(
                "`{other}` is no language model: give the address of a server like http://127.0.0.1:11434, `openai`, `local`, or a .gguf file"
            ),
        }
    }
}

/// An address as it is asked: up to and with `/v1`, or the path that it has.
fn checked(url: &str) -> anyhow::Result<String> {
    let url = url.trim().trim_end_matches('/').trim_end_matches("/chat/completions");
    let parsed: Uri = url.parse().with_context(|| format!("`{url}` is no address"))?;
    let known = matches!(parsed.scheme_str(), Some("http" | "https"));
    if !known || parsed.host().is_none_or(str::is_empty) {
        bail!("`{url}` is no address of a server; it begins with http:// or https://");
    }
    if parsed.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        bail!(
            "an address with a user's name in it would be shown in messages; give the key as OPENAI_API_KEY"
        );
    }
    if parsed.query().is_some() {
        bail!("the address of a server has no `?`; give the key as OPENAI_API_KEY");
    }
    let bare = parsed.path() == "/" || parsed.path().is_empty();
    Ok(if bare { format!("{url}/v1") } else { url.to_owned() })
}

/// Whether what is sent to an address leaves this machine unencrypted.
pub(super) fn is_open(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|url| url.scheme_str() == Some("http")) && !is_loopback(url)
}

/// Whether an address is this machine's own.
pub(super) fn is_loopback(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: &str) {
        match checked(url) {
            Ok(base) => assert_eq!(base, expected, "{url}"),
            Err(error) => assert!(error.to_string().contains(expected), "{url}: {error}"),
        }
    }

    #[test]
    fn addresses_lead_to_the_interface() {
        check("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1");
        check("http://127.0.0.1:11434/", "http://127.0.0.1:11434/v1");
        check("https://llm.example/api/v3/", "https://llm.example/api/v3");
        check("http://[::1]:8080/v1/chat/completions", "http://[::1]:8080/v1");
    }

    #[test]
    fn what_is_none_is_told() {
        check("ftp://llm.example", "http://");
        check("http://", "no address");
        check("https://me:secret@llm.example", "OPENAI_API_KEY");
        check("https://llm.example/v1?key=x", "OPENAI_API_KEY");
    }

    #[test]
    fn keys_leave_the_machine_unencrypted_only_where_they_do() {
        for (url, open) in [
            ("http://llm.example/v1", true),
            ("http://192.168.1.9:11434/v1", true),
            ("https://llm.example/v1", false),
            ("http://127.0.0.1:11434/v1", false),
            ("http://localhost:11434/v1", false),
            ("http://[::1]:11434/v1", false),
        ] {
            assert_eq!(is_open(url), open, "{url}");
        }
    }
}
