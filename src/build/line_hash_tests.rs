//! The values of the original: its code was run over these texts with node.

use super::*;

#[test]
fn the_values_are_those_of_github() {
    let long = [&b"x".repeat(150)[..], b"\n", &b"x".repeat(150)].concat();
    let cases: [(&[u8], &[&str]); 13] = [
        (b"", &["c129715d7a2bc9a3:1"]),
        (b"\n", &["3c5bef55b72b93c9:1", "c129715d7a2bc9a3:1"]),
        (b"a", &["53b5d4aabe50d64:1"]),
        (b"a\n", &["243cbaa4685aab12:1", "c129715d7a2bc9a3:1"]),
        (b"a\nb\nc", &["7b3788cf31b92be9:1", "e461f42c548ac762:1", "188ff2f224477a1e:1"]),
        (b"a\r\nb\r\n", &["81b8d8db678b2bbe:1", "ade70578248be16f:1", "c129715d7a2bc9a3:1"]),
        (
            b"a\rb\r\rc\n\n",
            &[
                "487dcf6128f99587:1",
                "a13156bf8bff9550:1",
                "c9961835b3e8b7dc:1",
                "2a9159bd01820062:1",
                "3c5bef55b72b93c9:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
        (b" \t\n  x \t y\n", &["457a2d12124dd434:1", "12885d96a61f191a:1", "c129715d7a2bc9a3:1"]),
        (&long, &["52b56201ffb58620:1", "52b56201ffb58620:2"]),
        (
            b"FROM debian:12\nRUN apt-get update \\\n && apt-get install -y gcc\nUSER 1000\n",
            &["fb7862524ddafb55:1", "796c6adbc094d9cf:1", "f03480d30f71d3d3:1", "8735d342e981915d:1", "c129715d7a2bc9a3:1"],
        ),
        ("\u{feff}FROM \u{fc}\u{1f6a2}\n".as_bytes(), &["fccc42c1a6f4ad93:1", "c129715d7a2bc9a3:1"]),
        (
            b"\xff\xfe\xc3\n\xe2\x82x\xed\xa0\x80\n\xf0\x9f\x9a",
            &["748b219449a7c8eb:1", "8223cb6c7c75ef52:1", "8989dec65f08d110:1"],
        ),
        (
            b"\r \n\r\n \r\t\n\n",
            &[
                "f9cdcf1e8e8fde7f:1",
                "229ec9649baa95f1:1",
                "8d2f5848087196b:1",
                "4e5d562094661a0d:1",
                "5b5d4caf73a13177:1",
                "3c5bef55b72b93c9:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
    ];
    for (text, hashes) in cases {
        assert_eq!(of_lines(text), hashes, "{:?}", String::from_utf8_lossy(text));
    }
}

proptest::proptest! {
    #[test]
    fn every_line_has_a_hash(text in "[a \t\n\r]{0,300}") {
        let lines = text.replace("\r\n", "\n").replace('\r', "\n").split('\n').count();
        let found = of_lines(text.as_bytes()).len();
        // blanks behind the last line feed are no line, but the end of the file is
        proptest::prop_assert!(found == lines || found.abs_diff(lines) <= text.matches('\r').count(), "{found} {lines}");
    }
}
