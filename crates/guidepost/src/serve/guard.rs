//! Who may ask. A server on the reader's own machine is within reach of every page that their browser shows: it is asked
//! under names that it does not know, from origins that are not its own, and by whoever guesses its port.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::Response;
use subtle::ConstantTimeEq;

use super::failure::{Failure, Kind, respond_at};

/// Names the server goes by, and the key that it asks for.
pub(super) struct Guard {
    port: u16,
    /// Names of this machine, which count with our port alone.
    local: Vec<String>,
    /// Whether it listens on all addresses of this machine, which then count as names. A name can be made to point anywhere, an
    /// address cannot.
    everywhere: bool,
    /// Names that were allowed, behind which there may be another port.
    allowed: Vec<String>,
    /// BLAKE3 of the key: comparing digests of one length tells nothing of the length of the key.
    key: Option<[u8; 32]>,
}

impl Guard {
    /// `allowed`: names beside the address it listens on and those of the machine itself.
    pub(super) fn new(address: SocketAddr, allowed: &[String], key: Option<&str>) -> Guard {
        let listens = match address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Guard {
            port: address.port(),
            everywhere: address.ip().is_unspecified(),
            local: ["localhost", "127.0.0.1", "[::1]", &listens].map(str::to_owned).to_vec(),
            allowed: allowed.iter().map(|name| name.to_ascii_lowercase()).collect(),
            key: key.map(|key| *blake3::hash(key.as_bytes()).as_bytes()),
        }
    }

    /// A name that a page elsewhere was made to point here is not among ours.
    fn check_host(&self, request: &Request) -> Result<(), Failure> {
        let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let authority = named.and_then(|host| host.parse::<Authority>().ok());
        let known = authority.is_some_and(|authority| self.is_ours(&authority));
        let unknown = "this server does not go by that name; `guidepost serve --allowed-host` adds one";
        known.then_some(()).ok_or_else(|| Failure::new(Kind::Forbidden, unknown))
    }

    fn is_ours(&self, authority: &Authority) -> bool {
        let host = authority.host().to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let ours = self.local.contains(&host) || self.everywhere && bare.parse::<IpAddr>().is_ok();
        ours && authority.port_u16().unwrap_or(HTTP) == self.port || self.allowed.contains(&host)
    }

    /// Browsers say where a request comes from. Programs do not, and need not.
    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let foreign = || Failure::new(Kind::Forbidden, "not from another site");
        if let Some(origin) = headers.get(header::ORIGIN) {
            let origin = origin.to_str().map_err(|_| foreign())?;
            let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            let authority = authority.and_then(|authority| authority.parse::<Authority>().ok());
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
            let same = authority.is_some_and(|origin| host.is_some_and(|host| origin.as_str() == host));
            return same.then_some(()).ok_or_else(foreign);
        }
        let said = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let elsewhere = said(SITE).is_some_and(|site| site != "same-origin" && site != "none");
        // A link to the page may be followed from anywhere.
        let followed = said(MODE) == Some("navigate");
        if elsewhere && !followed { Err(foreign()) } else { Ok(()) }
    }

    fn check_key(&self, request: &Request) -> Result<(), Failure> {
        // What is posted to the address of the page is work for the model.
        let open = request.method().is_safe() && is_open(request.uri().path());
        let Some(key) = self.key.filter(|_| !open) else { return Ok(()) };
        let given = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        let given = given.and_then(|given| {
            let (scheme, key) = given.split_at_checked(BEARER.len())?;
            scheme.eq_ignore_ascii_case(BEARER).then_some(key)
        });
        let right = given.is_some_and(|given| bool::from(blake3::hash(given).as_bytes().ct_eq(&key)));
        let message = "the key is missing or wrong; send `Authorization: Bearer KEY`";
        right.then_some(()).ok_or_else(|| Failure::new(Kind::Unauthorized, message))
    }
}

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

const BEARER: &[u8] = b"Bearer ";

/// The port of an address that names none.
const HTTP: u16 = 80;

/// What says nothing of the guides: the page itself, which asks for the key, the description of the interface, and whether the
/// server is well.
fn is_open(path: &str) -> bool {
    ["/", "/health", "/docs", "/openapi.json"].contains(&path) || path.starts_with("/page/")
}

/// Nothing but our own files runs, and nobody frames them. What guides say is shown as text.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Lets through who may ask, and says to browsers what they may do with what they get.
pub(super) async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let checked = guard
        .check_host(&request)
        .and_then(|()| guard.check_origin(request.headers()))
        .and_then(|()| guard.check_key(&request));
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(failure) => respond_at(request.uri().path(), failure),
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn guarded(headers: &[(&str, &str)], path: &str) -> Result<(), Kind> {
        let address = SocketAddr::from(([127, 0, 0, 1], 7878));
        let guard = Guard::new(address, &["guides.example".to_owned()], Some("secret"));
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("it is a request");
        let checked = guard
            .check_host(&request)
            .and_then(|()| guard.check_origin(request.headers()))
            .and_then(|()| guard.check_key(&request));
        checked.map_err(|failure| failure.kind)
    }

    #[test]
    fn names_that_are_ours() {
        for (host, ours) in [
            ("127.0.0.1:7878", true),
            ("localhost:7878", true),
            ("LOCALHOST:7878", true),
            ("[::1]:7878", true),
            ("guides.example", true),
            ("guides.example:8443", true),
            ("127.0.0.1", false),
            ("127.0.0.1:80", false),
            ("evil.example:7878", false),
            ("127.0.0.1.evil.example:7878", false),
            ("localhost:7878@evil.example", false),
            ("", false),
        ] {
            let expected = if ours { Ok(()) } else { Err(Kind::Forbidden) };
            assert_eq!(guarded(&[("host", host)], "/"), expected, "{host}");
        }
        assert_eq!(guarded(&[], "/"), Err(Kind::Forbidden), "no name at all");
    }

    #[test]
    fn addresses_are_names_where_all_of_them_are_listened_on() {
        let everywhere = Guard::new(SocketAddr::from(([0, 0, 0, 0], 7878)), &[], Some("secret"));
        for (host, ours) in [
            ("192.0.2.7:7878", true),
            ("[2001:db8::1]:7878", true),
            ("192.0.2.7", false),
            ("evil.example:7878", false),
        ] {
            assert_eq!(everywhere.is_ours(&host.parse().expect("it is one")), ours, "{host}");
        }
    }

    #[test]
    fn origins_that_are_ours() {
        let host = ("host", "localhost:7878");
        for (header, value, ours) in [
            ("origin", "http://localhost:7878", true),
            ("origin", "http://127.0.0.1:7878", false),
            ("origin", "http://evil.example", false),
            ("origin", "null", false),
            ("origin", "file://", false),
            ("sec-fetch-site", "cross-site", false),
            ("sec-fetch-site", "same-site", false),
            ("sec-fetch-site", "same-origin", true),
            ("sec-fetch-site", "none", true),
        ] {
            let expected = if ours { Ok(()) } else { Err(Kind::Forbidden) };
            assert_eq!(guarded(&[host, (header, value)], "/"), expected, "{header}: {value}");
        }
        let followed = [host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        assert_eq!(guarded(&followed, "/"), Ok(()));
    }

    #[test]
    fn keys_that_are_right() {
        let host = ("host", "localhost:7878");
        for (key, right) in [
            ("Bearer secret", true),
            ("Bearer secre", false),
            ("Bearer secrets", false),
            ("Bearer ", false),
            ("bearer secret", true),
            ("Basic secret", false),
            ("secret", false),
        ] {
            let expected = if right { Ok(()) } else { Err(Kind::Unauthorized) };
            assert_eq!(guarded(&[host, ("authorization", key)], "/api/search"), expected, "{key}");
        }
        assert_eq!(guarded(&[host], "/metrics"), Err(Kind::Unauthorized));
        assert_eq!(guarded(&[host], "/health"), Ok(()));
    }
}
