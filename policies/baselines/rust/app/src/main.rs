//! An HTTP service: GET /health says that it is up, GET /speed?knots=N gives a speed in other units.
//! `speed health` asks a running service and exits 0 when it is well: the health check of an image without curl.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Longest request line and headers that are read.
const REQUEST_MAX: u64 = 8 * 1024;

fn speed(knots: f64) -> String {
    let km_h = knots * 1.852;
    format!("{{\"knots\":{:.2},\"km_h\":{:.2},\"m_s\":{:.2}}}\n", knots, km_h, km_h / 3.6)
}

fn answer(request_line: &str) -> (&'static str, String) {
    let mut words = request_line.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match (method, path) {
        ("GET", "/health") => ("200 OK", "{\"status\":\"ok\"}\n".to_owned()),
        ("GET", "/speed") => {
            let knots = query.split('&').find_map(|pair| pair.strip_prefix("knots="));
            match knots.and_then(|text| text.parse::<f64>().ok()) {
                Some(knots) if (0.0..=1e6).contains(&knots) => ("200 OK", speed(knots)),
                _ => ("400 Bad Request", "{\"error\":\"knots: a number\"}\n".to_owned()),
            }
        }
        ("GET", _) => ("404 Not Found", "{\"error\":\"no such page\"}\n".to_owned()),
        _ => ("405 Method Not Allowed", "{\"error\":\"only GET\"}\n".to_owned()),
    }
}

fn serve(mut peer: TcpStream) -> std::io::Result<()> {
    peer.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(peer.try_clone()?.take(REQUEST_MAX));
    let mut request_line = String::new();
    reader.read_line(&mut request_line)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let (status, body) = answer(&request_line);
    write!(
        peer,
        "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        status,
        body.len(),
        body
    )
}

fn health(port: u16) -> std::io::Result<bool> {
    let mut peer = TcpStream::connect(("127.0.0.1", port))?;
    peer.set_read_timeout(Some(Duration::from_secs(3)))?;
    peer.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
    let mut status_line = String::new();
    BufReader::new(peer.take(REQUEST_MAX)).read_line(&mut status_line)?;
    Ok(status_line.contains(" 200 "))
}

fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|text| text.parse().ok()).unwrap_or(8080);
    if std::env::args().nth(1).as_deref() == Some("health") {
        std::process::exit(if health(port).unwrap_or(false) { 0 } else { 1 });
    }
    for peer in TcpListener::bind(("0.0.0.0", port))?.incoming().flatten() {
        std::thread::spawn(move || serve(peer));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn ten_knots() {
        assert_eq!(answer("GET /speed?knots=10 HTTP/1.1").1, "{\"knots\":10.00,\"km_h\":18.52,\"m_s\":5.14}\n");
    }
}
