//! A hub on this machine: serves a model's folder as the Hugging Face hub would, as far as fetching needs it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

/// Serves every repository and revision from one folder, as long as the process lives. Returns the address to set as
/// `HF_ENDPOINT`.
pub(crate) fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = folder.clone();
            std::thread::spawn(move || answer(stream, &folder));
        }
    });
    format!("http://{address}")
}

/// One request: `/OWNER/NAME/resolve/COMMIT/FILE`, in part if a range is asked for.
fn answer(mut stream: TcpStream, folder: &Path) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines().map_while(Result::ok);
    let request = lines.next()?;
    let mut words = request.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let range = lines.take_while(|line| !line.is_empty()).find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
        (name.eq_ignore_ascii_case("range")).then(|| (first.to_owned(), last.to_owned()))
    });
    let (commit, file) = path.split_once("/resolve/")?.1.split_once('/')?;
    let Ok(bytes) = fs::read(folder.join(file)) else {
        return write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .ok();
    };
    let whole = (String::from("0"), String::new());
    let (first, last) = range.clone().unwrap_or(whole);
    let first: usize = first.parse().ok()?;
    let last = last.parse().unwrap_or(bytes.len() - 1).min(bytes.len() - 1);
    let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: bytes {first}-{last}/{}\r\nETag: \"{}\"\r\n\
         X-Repo-Commit: {commit}\r\nConnection: close\r\n\r\n",
        last + 1 - first,
        bytes.len(),
        file.replace('/', "-"),
    )
    .ok()?;
    if method != "HEAD" {
        stream.write_all(&bytes[first..=last]).ok()?;
    }
    Some(())
}
