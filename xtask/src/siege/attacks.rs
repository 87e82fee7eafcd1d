//! What strangers do to a server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::http::{Target, read_answer, request};
use super::volume::Volume;

/// How often something was tried, and what went wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) tried: usize,
    pub(crate) wrong: Vec<String>,
}

/// What a server waits for, and a little more, since it has much to do.
const SLACK: Duration = Duration::from_secs(5);

/// Whether the other side has closed or reset a connection on which it had nothing to say.
async fn is_ended(stream: &mut TcpStream, patience: Duration) -> bool {
    let mut byte = [0];
    let read = tokio::time::timeout(patience, stream.read(&mut byte)).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

/// Clients that send a head byte by byte, and connect again when they are thrown out. None may stay longer than `limit`.
pub(crate) async fn dribble(
    target: Target,
    clients: usize,
    lasts: Duration,
    limit: Duration,
) -> anyhow::Result<Tally> {
    let end = Instant::now() + lasts;
    let mut all = JoinSet::new();
    for _ in 0..clients {
        all.spawn(async move {
            let mut tally = Tally::default();
            while Instant::now() < end {
                tally.tried += 1;
                let begin = Instant::now();
                let Ok(mut stream) = target.connect().await else { continue };
                let mut next: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ";
                while Instant::now() < end && stream.write_all(next).await.is_ok() {
                    next = b"a";
                    if is_ended(&mut stream, Duration::from_secs(1)).await {
                        break;
                    }
                }
                if begin.elapsed() > limit + SLACK {
                    tally.wrong.push(format!("a head took {:.0?}", begin.elapsed()));
                }
            }
            tally
        });
    }
    sum(all).await
}

/// Clients that connect and say nothing, for as long as all of them need to come and `stays` more.
pub(crate) async fn idle(target: Target, clients: usize, stays: Duration) -> anyhow::Result<Tally> {
    let mut open = Vec::with_capacity(clients);
    for number in 0..clients {
        let stream = target.connect().await;
        open.push(stream.with_context(|| format!("opening idle connection {number}"))?);
    }
    tokio::time::sleep(stays).await;
    Ok(Tally { tried: open.len(), wrong: Vec::new() })
}

/// Clients that ask for large chunks and read nothing of them. All have to be thrown out within `limit` after the
/// first byte of an answer, if there is one.
pub(crate) async fn read_nothing(
    target: Target,
    volume: &Arc<Volume>,
    clients: usize,
    lasts: Duration,
    limit: Option<Duration>,
) -> anyhow::Result<Tally> {
    let mut all = JoinSet::new();
    for client in 0..clients {
        let volume = Arc::clone(volume);
        all.spawn(async move {
            let mut tally = Tally { tried: 1, ..Tally::default() };
            let paths = volume.raw_chunks.iter().cycle().skip(client).take(4);
            let requests: String = paths.map(|path| request(path, "")).collect();
            let Ok(mut stream) = target.connect().await else { return tally };
            if stream.write_all(requests.as_bytes()).await.is_err() {
                return tally;
            }
            // The answer may have to be computed first, which is not the client's doing. Looking at its first byte
            // takes nothing of it.
            let first = tokio::time::timeout(lasts, stream.peek(&mut [0])).await;
            if !matches!(first, Ok(Ok(1..))) {
                return tally;
            }
            let begin = Instant::now();
            // Without reading, an end shows as an error only.
            let is_open = || matches!(stream.take_error(), Ok(None));
            while is_open() && begin.elapsed() < lasts {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            if limit.is_some_and(|limit| begin.elapsed() > limit + SLACK) {
                tally.wrong.push(format!("a client stayed {:.0?}", begin.elapsed()));
            }
            tally
        });
    }
    sum(all).await
}

/// Bytes that are no request, or more than one has, or two in one. Each is answered by an error, or not at all.
pub(crate) async fn malformed(target: Target, rounds: usize) -> anyhow::Result<Tally> {
    let head = |more: &str| format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{more}\r\n").into_bytes();
    let inner = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let with_body =
        |headers: &str, body: &str| [head(headers), format!("{body}{inner}").into_bytes()].concat();
    let mut all = vec![
        head(&format!("X: {}\r\n", "a".repeat(64 << 10))),
        head(&format!("X: {}\r\n", "a".repeat(8 << 20))),
        head(&"X: a\r\n".repeat(1000)),
        head(&"X: a\r\n".repeat(100_000)),
        head(&format!("{}: a\r\n", "X".repeat(1 << 20))),
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(70 << 10)).into_bytes(),
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(8 << 20)).into_bytes(),
        format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "A".repeat(1 << 20)).into_bytes(),
        b"hello\r\n\r\n".to_vec(),
        b"\0".repeat(100_000),
        b"\r\n".repeat(100_000),
        b"GET\r\n\r\n".to_vec(),
        b"GET  /healthz  HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /healthz HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /healthz\r\n\r\n".to_vec(),
        b"GET / \xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
        head("X\0Y: a\r\n"),
        head(" folded: a\r\n"),
        head("X : a\r\n"),
        head(": a\r\n"),
        with_body("Content-Length: 4\r\nContent-Length: 5\r\n", "abcd"),
        with_body("Content-Length: 4, 5\r\n", "abcd"),
        with_body("Content-Length: +4\r\n", "abcd"),
        with_body("Content-Length: 0x4\r\n", "abcd"),
        with_body("Content-Length: 18446744073709551616\r\n", "abcd"),
        with_body("Content-Length: 18446744073709551615\r\n", "abcd"),
        with_body("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        with_body("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n"),
        with_body("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\n"),
        with_body("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n"),
        with_body("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        with_body("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        with_body("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
        with_body("Transfer-Encoding:\x0bchunked\r\n", "0\r\n\r\n"),
        with_body("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
    ];
    // Noise that begins as requests do, and noise that does not.
    let mut random = ChaCha8Rng::seed_from_u64(9);
    for begin in [&b""[..], b"GET /", b"GET /healthz HTTP/1.1\r\nHost: a\r\n"] {
        let mut noise = vec![0; 50_000];
        random.fill_bytes(&mut noise);
        all.push([begin, &noise].concat());
    }
    let mut tally = Tally::default();
    for _ in 0..rounds {
        for bytes in &all {
            tally.tried += 1;
            let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned();
            let answer = target.exchange(bytes).await.with_context(|| format!("{begin:?}"))?;
            let text = String::from_utf8_lossy(&answer);
            let statuses: Vec<&str> = text
                .match_indices("HTTP/1.1 ")
                .map(|(at, _)| text.get(at + 9..at + 12).unwrap_or(""))
                .collect();
            let is_refused = match statuses[..] {
                [] => true,
                [status] => status.starts_with('4'),
                _ => false,
            };
            if !is_refused {
                tally.wrong.push(format!("{begin:?} was answered {statuses:?}"));
            }
        }
    }
    Ok(tally)
}

/// Targets that lead out of what is served. Each is refused, and no answer says anything of this machine.
pub(crate) async fn traverse(target: Target, private: &[String]) -> anyhow::Result<Tally> {
    let listed = include_str!("../../../crates/serve/tests/traversal.txt");
    let mut tally = Tally::default();
    for line in listed.lines() {
        tally.tried += 1;
        let request = format!("GET {line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = target.exchange(request.as_bytes()).await.context(line)?;
        let answer = String::from_utf8_lossy(&answer);
        let is_refused = answer.starts_with("HTTP/1.1 4");
        let tells = private.iter().any(|private| answer.contains(private.as_str()));
        if !is_refused || tells || answer.contains("root:") {
            tally.wrong.push(format!("{line} was answered {answer:?}"));
        }
    }
    ensure!(tally.tried > 100, "the list of targets is not whole");
    Ok(tally)
}

/// Many requests at once on one connection, whose answers have to come in order, with the right bytes.
pub(crate) async fn pipeline(
    target: Target,
    volume: &Arc<Volume>,
    clients: usize,
    requests: usize,
) -> anyhow::Result<Tally> {
    let mut all = JoinSet::new();
    for client in 0..clients {
        let volume = Arc::clone(volume);
        all.spawn(async move {
            let mut tally = Tally { tried: requests, ..Tally::default() };
            if let Err(error) = pipeline_one(target, &volume, client, requests).await {
                tally.wrong.push(format!("{error:#}"));
            }
            tally
        });
    }
    sum(all).await
}

async fn pipeline_one(
    target: Target,
    volume: &Volume,
    client: usize,
    requests: usize,
) -> anyhow::Result<()> {
    let chunks = || volume.chunks.iter().cycle().skip(client).step_by(7).take(requests);
    let text: String = chunks().map(|(path, _)| request(path, "")).collect();
    let (read, mut write) = target.connect().await?.into_split();
    // Reading begins while requests are sent: nobody would take the answers otherwise.
    let sent = tokio::spawn(async move { write.write_all(text.as_bytes()).await.map(|()| write) });
    let mut read = BufReader::new(read);
    for (number, (path, expected)) in chunks().enumerate() {
        let answer = read_answer(&mut read).await.with_context(|| format!("answer {number}"))?;
        ensure!(
            answer.status == 200 && answer.body == *expected,
            "answer {number} is not that of {path}"
        );
    }
    drop(sent.await??);
    Ok(())
}

/// Clients that go away at any moment: before, in and behind a request, in and behind an answer.
pub(crate) async fn disconnect(
    target: Target,
    volume: &Arc<Volume>,
    clients: usize,
    lasts: Duration,
) -> anyhow::Result<Tally> {
    let end = Instant::now() + lasts;
    let mut all = JoinSet::new();
    for client in 0..clients {
        let volume = Arc::clone(volume);
        all.spawn(async move {
            let mut random = ChaCha8Rng::seed_from_u64(u64::try_from(client).unwrap_or_default());
            let mut tally = Tally::default();
            while Instant::now() < end {
                tally.tried += 1;
                if let Err(error) = disconnect_once(target, &volume, &mut random).await {
                    tally.wrong.push(format!("{error:#}"));
                }
            }
            tally
        });
    }
    sum(all).await
}

async fn disconnect_once(
    target: Target,
    volume: &Volume,
    random: &mut ChaCha8Rng,
) -> anyhow::Result<()> {
    let mut choose = |count: usize| usize::try_from(random.next_u64()).unwrap_or_default() % count;
    let mut stream = target.connect().await.context("connecting")?;
    if choose(2) == 0 {
        // It ends with a reset, not with an orderly close.
        stream.set_zero_linger().context("choosing how to end")?;
    }
    let is_large = choose(4) == 0;
    let path = match is_large {
        true => &volume.raw_chunks[choose(volume.raw_chunks.len())],
        false => &volume.chunks[choose(volume.chunks.len())].0,
    };
    let text = request(path, "");
    match choose(5) {
        // Before a request, and in one.
        0 => {}
        1 => stream.write_all(&text.as_bytes()[..choose(text.len())]).await?,
        // Behind it, at once or a moment later.
        2 => {
            stream.write_all(text.as_bytes()).await?;
            tokio::time::sleep(Duration::from_micros(u64::try_from(choose(5000))?)).await;
        }
        // In the answer.
        3 => {
            stream.write_all(text.as_bytes()).await?;
            // Every answer has so many bytes, with its head.
            let mut part = vec![0; choose(200) + 1];
            stream.read_exact(&mut part).await?;
        }
        // Behind it, in the midst of the next request.
        _ => {
            stream.write_all(text.as_bytes()).await?;
            let mut stream = BufReader::new(stream);
            let answer = read_answer(&mut stream).await.context("an answer that was waited for")?;
            ensure!(answer.status == 200, "{path} was answered {}", answer.status);
            stream.write_all(&text.as_bytes()[..choose(text.len())]).await?;
        }
    }
    Ok(())
}

/// Many clients who want one chunk at the same time that nobody has computed.
pub(crate) async fn storm(
    target: Target,
    volume: &Arc<Volume>,
    clients: usize,
    number: usize,
) -> anyhow::Result<Tally> {
    let mut waiting = Vec::with_capacity(clients);
    for _ in 0..clients {
        waiting.push(target.connect().await.context("connecting")?);
    }
    let (path, expected) = &volume.chunks[number];
    let text = request(path, "Connection: close\r\n");
    for stream in &mut waiting {
        stream.write_all(text.as_bytes()).await.context("asking")?;
    }
    let mut tally = Tally { tried: clients, ..Tally::default() };
    for stream in waiting {
        match read_answer(&mut BufReader::new(stream)).await {
            Ok(answer) if answer.status == 200 && answer.body == *expected => {}
            Ok(answer) => tally.wrong.push(format!(
                "{path} was answered {}: {} bytes",
                answer.status,
                answer.body.len()
            )),
            Err(error) => tally.wrong.push(format!("{path}: {error}")),
        }
    }
    Ok(tally)
}

/// What all of them did together.
async fn sum(mut all: JoinSet<Tally>) -> anyhow::Result<Tally> {
    let mut sum = Tally::default();
    while let Some(one) = all.join_next().await {
        let one = one?;
        sum.tried += one.tried;
        sum.wrong.extend(one.wrong);
    }
    Ok(sum)
}
