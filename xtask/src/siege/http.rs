//! As much of a client as a siege needs: it can do what no client should.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

/// Where the server is, and from where it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
}

/// An answer, with a body of a known length.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// An answer that is larger is none of ours.
const MAX_BODY: usize = 64 << 20;
const MAX_HEAD: u64 = 64 << 10;

impl Target {
    /// Connects from one of many addresses of this machine, in turn, so that there are ports enough.
    pub(crate) async fn connect(self) -> io::Result<TcpStream> {
        static LAST: AtomicU8 = AtomicU8::new(0);
        let socket = TcpSocket::new_v4()?;
        if self.address.ip().is_loopback() {
            let last = LAST.fetch_add(1, Ordering::Relaxed).clamp(2, 254);
            socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0))?;
        }
        socket.connect(self.address).await
    }

    /// The answer to one request, on a connection of its own.
    pub(crate) async fn get(self, path: &str) -> io::Result<Answer> {
        let mut stream = BufReader::new(self.connect().await?);
        stream.write_all(request(path, "Connection: close\r\n").as_bytes()).await?;
        read_answer(&mut stream).await
    }

    /// All that comes back for some bytes until the server closes the connection, or resets it.
    pub(crate) async fn exchange(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.connect().await?;
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer).await {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
            _ => Ok(answer),
        }
    }
}

/// The text of a request.
pub(crate) fn request(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n")
}

/// Reads the next answer of a connection.
///
/// # Errors
///
/// If the connection ends before, or what comes is no answer.
pub(crate) async fn read_answer<R: AsyncRead + Unpin>(
    stream: &mut BufReader<R>,
) -> io::Result<Answer> {
    let malformed = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut head = String::new();
    loop {
        let before = head.len();
        (&mut *stream).take(MAX_HEAD).read_line(&mut head).await?;
        if head.len() == before {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if head.ends_with("\r\n\r\n") {
            break;
        }
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| malformed("an answer without a status"))?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let length: usize = length.ok_or_else(|| malformed("an answer without a length"))?;
    if length > MAX_BODY {
        return Err(malformed("an answer that is too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Answer { status, body })
}
