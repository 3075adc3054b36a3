//! The protocol (RESP 2): a command is an array of byte strings, a reply one line, with bytes after it where it says so.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::address::{Address, Place};
use super::{Fault, MOST_ENTRY_BYTES};
use crate::oci::escape;

/// The longest line of a reply.
const MOST_LINE_BYTES: usize = 1_024;
/// Bytes of one read.
const READ_BYTES: usize = 64 * 1_024;

/// What a server answers. Of the protocol's kinds, those that our commands have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// `+OK`.
    Text(String),
    /// `-ERR ...`, escaped and short.
    Error(String),
    /// `:1`.
    Number,
    /// Bytes.
    Bytes(Vec<u8>),
    /// No such thing.
    Nothing,
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server had closed the connection before it read the command.
    Closed,
    Fault(Fault),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Closed => failed("it closed the connection"),
            Failure::Fault(fault) => fault,
        }
    }
}

pub(super) fn failed(what: &str) -> Fault {
    Fault::Server { what: what.to_owned() }
}

pub(super) fn unexpected(reply: &Reply) -> Fault {
    failed(match reply {
        Reply::Text(_) => "it answers with a text where there should be bytes",
        Reply::Number => "it answers with a number where there should be bytes",
        _ => "it answers what was not asked",
    })
}

fn io(cause: &std::io::Error) -> Fault {
    match cause.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => failed("it does not answer in time"),
        _ => failed(&cause.to_string()),
    }
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn open(place: &Place, deadline: Instant) -> std::io::Result<Self> {
        match place {
            Place::Unix(path) => UnixStream::connect(path).map(Self::Unix),
            Place::Tcp { host, port } => {
                let mut last = std::io::Error::new(ErrorKind::NotFound, "the host has no address");
                for address in (host.as_str(), *port).to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, left(deadline)?) {
                        Ok(stream) => {
                            stream.set_nodelay(true)?;
                            return Ok(Self::Tcp(stream));
                        }
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> std::io::Result<usize> {
        let left = Some(left(deadline)?);
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
            Self::Unix(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
        }
    }

    fn write(&mut self, bytes: &[u8], deadline: Instant) -> std::io::Result<usize> {
        let left = Some(left(deadline)?);
        match self {
            Self::Tcp(stream) => stream.set_write_timeout(left).and_then(|()| stream.write(bytes)),
            Self::Unix(stream) => stream.set_write_timeout(left).and_then(|()| stream.write(bytes)),
        }
    }
}

/// What is left until the deadline.
fn left(deadline: Instant) -> std::io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// A connection on which the last reply was read whole.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    /// Received and not looked at yet.
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects, says who we are, and chooses the database.
    pub(super) fn open(address: &Address, deadline: Instant) -> Result<Self, Fault> {
        let stream = Stream::open(&address.place, deadline).map_err(|error| io(&error))?;
        let mut connection = Self { stream, buffer: Vec::new() };
        if let Some(password) = &address.password {
            let user = address.user.as_ref().map(String::as_bytes);
            let command: Vec<&[u8]> = [Some(&b"AUTH"[..]), user, Some(password.as_bytes())].into_iter().flatten().collect();
            connection.expect_ok(&command, deadline, "it does not take the password")?;
        }
        if address.database != 0 {
            let database = address.database.to_string();
            connection.expect_ok(&[b"SELECT", database.as_bytes()], deadline, "it does not have the database")?;
        }
        Ok(connection)
    }

    /// What the server says of a password is not repeated.
    fn expect_ok(&mut self, command: &[&[u8]], deadline: Instant, otherwise: &str) -> Result<(), Fault> {
        match self.call(command, deadline).map_err(Fault::from)? {
            Reply::Text(_) => Ok(()),
            _ => Err(failed(otherwise)),
        }
    }

    /// One command and its reply.
    pub(super) fn call(&mut self, command: &[&[u8]], deadline: Instant) -> Result<Reply, Failure> {
        self.send(&encoded(command), deadline)?;
        // nothing may be left of what came before
        self.buffer.clear();
        self.fill(deadline).map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof || error.kind() == ErrorKind::ConnectionReset {
                Failure::Closed
            } else {
                Failure::Fault(io(&error))
            }
        })?;
        self.reply(deadline).map_err(Failure::Fault)
    }

    /// Whether nothing came after the reply.
    pub(super) fn is_clean(&self) -> bool {
        self.buffer.is_empty()
    }

    fn send(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<(), Failure> {
        while !bytes.is_empty() {
            match self.stream.write(bytes, deadline) {
                Ok(0) => return Err(Failure::Closed),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                    return Err(Failure::Closed);
                }
                Err(error) => return Err(Failure::Fault(io(&error))),
            }
        }
        Ok(())
    }

    fn reply(&mut self, deadline: Instant) -> Result<Reply, Fault> {
        let line = self.line(deadline)?;
        let (kind, rest) = line.split_first().ok_or_else(|| failed("it answers with nothing"))?;
        let text = || escape(rest).chars().take(200).collect::<String>();
        match kind {
            b'+' => Ok(Reply::Text(text())),
            b'-' => Ok(Reply::Error(text())),
            b':' => Ok(Reply::Number),
            b'$' if rest == b"-1" => Ok(Reply::Nothing),
            b'_' => Ok(Reply::Nothing),
            b'$' => {
                let length = std::str::from_utf8(rest).ok().and_then(|digits| digits.parse::<usize>().ok());
                let length = length.filter(|length| *length <= MOST_ENTRY_BYTES);
                self.bytes(length.ok_or_else(|| failed("it answers with more than was ever kept"))?, deadline).map(Reply::Bytes)
            }
            _ => Err(failed("it does not speak Redis's protocol")),
        }
    }

    /// Up to `\r\n`, which is taken off.
    fn line(&mut self, deadline: Instant) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some(end) = self.buffer.windows(2).take(MOST_LINE_BYTES).position(|pair| pair == b"\r\n") {
                let line = self.buffer.get(..end).unwrap_or_default().to_vec();
                self.buffer.drain(..end.saturating_add(2));
                return Ok(line);
            }
            if self.buffer.len() > MOST_LINE_BYTES {
                return Err(failed("it answers with an endless line"));
            }
            self.fill(deadline).map_err(|error| io(&error))?;
        }
    }

    /// So many bytes, and `\r\n` after them.
    fn bytes(&mut self, length: usize, deadline: Instant) -> Result<Vec<u8>, Fault> {
        let whole = length.saturating_add(2);
        while self.buffer.len() < whole {
            self.fill(deadline).map_err(|error| io(&error))?;
        }
        let mut bytes = std::mem::take(&mut self.buffer);
        if bytes.len() != whole || !bytes.ends_with(b"\r\n") {
            return Err(failed("its answer does not end where it should"));
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    fn fill(&mut self, deadline: Instant) -> std::io::Result<()> {
        let start = self.buffer.len();
        self.buffer.resize(start.saturating_add(READ_BYTES), 0);
        let result = loop {
            match self.stream.read(self.buffer.get_mut(start..).unwrap_or_default(), deadline) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.buffer.truncate(start.saturating_add(*result.as_ref().unwrap_or(&0)));
        match result {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            other => other.map(drop),
        }
    }
}

fn encoded(command: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
    for word in command {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}
