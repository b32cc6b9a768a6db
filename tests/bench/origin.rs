//! The origin and the platform's cache, in one process: native, so that neither is ever what is measured.
//!
//! `origin FOLDER` prints two ports, of the origin and of the cache, and serves until its standard input ends.
//! One thread per connection: a proxy keeps as many as it has requests under way.
//!
//! The origin answers any path. In its query, `_bytes=N` asks for so much content, `_frames=N&_every=MS` for an event
//! stream. What is below `/_next/static/` may be stored for ever, the rest never. `/NAME/…/jwks.json` is the file
//! `FOLDER/NAME.json`.
//!
//! The cache speaks workerd's protocol for `cacheApiOutbound`, as Miniflare's `cache.worker.ts` has it: `GET` with the
//! whole URL, answered with `CF-Cache-Status`; `PUT` with a response as content; `PURGE`. It neither ages nor refuses.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs, io, thread};

/// A frame as the app's event streams send it while a model writes (bytes).
const FRAME: usize = 415;
/// The cache is emptied beyond this (bytes), so that it does not grow with the run.
const FULL: usize = 256 << 20;
const FILLER: [u8; 1 << 16] = [b'x'; 1 << 16];

fn main() -> Result<()> {
    let folder = env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let cache = Arc::new(Mutex::new(Cache::default()));
    let origin = listen(move |request, out| answer(&folder, request, out))?;
    let store = listen(move |request, out| cached(&cache, request, out))?;
    println!("{origin} {store}");
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

/// Serves on a port of the system's choice, which it gives.
fn listen<F: Fn(Request, &mut TcpStream) -> Result<()> + Clone + Send + 'static>(serve: F) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            // Whoever hangs up ends its connection, and nothing else.
            thread::spawn(move || connection(stream, serve).ok());
        }
    });
    Ok(port)
}

fn connection(mut out: TcpStream, serve: impl Fn(Request, &mut TcpStream) -> Result<()>) -> Result<()> {
    out.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(1 << 16, out.try_clone()?);
    while let Some(request) = Request::read(&mut reader)? {
        serve(request, &mut out)?;
    }
    Ok(())
}

struct Request {
    method: String,
    target: String,
    /// Names in lower case.
    fields: HashMap<String, String>,
    /// Kept only for the cache.
    content: Vec<u8>,
    /// Bytes of content that arrived.
    length: usize,
}

impl Request {
    /// None where the connection ends.
    fn read(reader: &mut impl BufRead) -> Result<Option<Self>> {
        let first = line(reader)?;
        let mut words = first.split(' ').map(str::to_owned);
        let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
        let mut request = Self { method, target, fields: fields(reader)?, content: Vec::new(), length: 0 };
        match request.fields.get("content-length").and_then(|length| length.parse().ok()) {
            Some(length) => request.take(reader, length)?,
            None if request.fields.contains_key("transfer-encoding") => request.take_chunks(reader)?,
            None => {}
        }
        Ok(Some(request))
    }

    fn take_chunks(&mut self, reader: &mut impl BufRead) -> Result<()> {
        loop {
            let length = usize::from_str_radix(&line(reader)?, 16).map_err(io::Error::other)?;
            self.take(reader, length)?;
            line(reader)?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    fn take(&mut self, reader: &mut impl BufRead, length: usize) -> Result<()> {
        let mut part = reader.by_ref().take(length as u64);
        self.length += match self.method.as_str() {
            "PUT" => part.read_to_end(&mut self.content)?,
            _ => io::copy(&mut part, &mut io::sink())? as usize,
        };
        Ok(())
    }

    fn query(&self, name: &str) -> Option<usize> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    }
}

fn line(reader: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn fields(reader: &mut impl BufRead) -> Result<HashMap<String, String>> {
    let mut fields = HashMap::new();
    while let Some((name, value)) = line(reader)?.split_once(':') {
        fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Ok(fields)
}

// --- The origin. ---

fn answer(folder: &str, request: Request, out: &mut TcpStream) -> Result<()> {
    if let Some(frames) = request.query("_frames") {
        return stream(frames, request.query("_every").unwrap_or(0), out);
    }
    if request.target.ends_with("/jwks.json") {
        let name = request.target.split('/').nth(1).unwrap_or_default();
        let keys = fs::read(format!("{folder}/{name}.json"))?;
        return reply(out, "application/json", "public, max-age=600", &keys);
    }
    let (kind, control) = match request.target.starts_with("/_next/static/") {
        true => ("application/javascript", "public, max-age=31536000, immutable"),
        false => ("application/json", "private, no-store"),
    };
    match request.query("_bytes") {
        Some(length) => fill(out, kind, control, length),
        None => reply(out, kind, control, body(&request).as_bytes()),
    }
}

/// What arrived, as far as a check of a proxy needs it, padded to the size of a usual answer.
fn body(request: &Request) -> String {
    let field = |name| request.fields.get(name).map_or("", String::as_str);
    format!(
        r#"{{"user":"{}","via":"{}","received":{},"items":"{}"}}"#,
        field("x-he2-user"),
        field("via"),
        request.length,
        "x".repeat(200)
    )
}

fn head(kind: &str, control: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nServer: uvicorn\r\nDate: Mon, 01 Jan 2029 00:00:00 GMT\r\nContent-Type: {kind}\r\n\
         Cache-Control: {control}\r\nETag: \"1\"\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// In one write, as one packet.
fn reply(out: &mut TcpStream, kind: &str, control: &str, content: &[u8]) -> Result<()> {
    out.write_all(&[head(kind, control, content.len()).as_bytes(), content].concat())
}

fn fill(out: &mut TcpStream, kind: &str, control: &str, length: usize) -> Result<()> {
    out.write_all(head(kind, control, length).as_bytes())?;
    let mut left = length;
    while left > 0 {
        let part = left.min(FILLER.len());
        out.write_all(&FILLER[..part])?;
        left -= part;
    }
    Ok(())
}

fn stream(frames: usize, every_ms: usize, out: &mut TcpStream) -> Result<()> {
    out.write_all(
        b"HTTP/1.1 200 OK\r\nServer: uvicorn\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\
          Transfer-Encoding: chunked\r\n\r\n",
    )?;
    let data = "x".repeat(FRAME - "data: \n\n".len());
    let frame = format!("{FRAME:x}\r\ndata: {data}\n\n\r\n");
    for _ in 0..frames {
        out.write_all(frame.as_bytes())?;
        thread::sleep(Duration::from_millis(every_ms as u64));
    }
    out.write_all(b"0\r\n\r\n")
}

// --- The cache. ---

#[derive(Default)]
struct Cache {
    /// Responses as they came, by the cache's name and URL.
    entries: HashMap<String, Arc<Vec<u8>>>,
    bytes: usize,
}

fn cached(cache: &Mutex<Cache>, request: Request, out: &mut TcpStream) -> Result<()> {
    let name = request.fields.get("cf-cache-namespace").map_or("", String::as_str);
    let key = format!("{name} {}", request.target);
    let mut cache = cache.lock().map_err(|_| io::ErrorKind::Other)?;
    let answer = match request.method.as_str() {
        "PUT" => {
            cache.put(key, request.content);
            empty("204 No Content", "MISS")
        }
        "PURGE" => match cache.entries.remove(&key) {
            Some(_) => empty("200 OK", "HIT"),
            None => empty("404 Not Found", "MISS"),
        },
        _ => cache.entries.get(&key).cloned().unwrap_or_else(|| empty("504 Gateway Timeout", "MISS")),
    };
    drop(cache);
    out.write_all(&answer)
}

impl Cache {
    fn put(&mut self, key: String, response: Vec<u8>) {
        if self.bytes > FULL {
            *self = Self::default();
        }
        self.bytes += response.len();
        self.entries.insert(key, Arc::new(marked(&response)));
    }
}

/// With the field by which workerd knows a hit, right after the status line.
fn marked(response: &[u8]) -> Vec<u8> {
    let end = response.windows(2).position(|pair| pair == b"\r\n").unwrap_or(0);
    [&response[..end], b"\r\nCF-Cache-Status: HIT", &response[end..]].concat()
}

fn empty(status: &str, outcome: &str) -> Arc<Vec<u8>> {
    let length = if status.starts_with("204") { "" } else { "Content-Length: 0\r\n" };
    Arc::new(format!("HTTP/1.1 {status}\r\nCF-Cache-Status: {outcome}\r\n{length}\r\n").into_bytes())
}
