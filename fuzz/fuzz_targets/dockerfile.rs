//! Arbitrary bytes as a Dockerfile: no panic, and instructions one after the other, with their heredocs in them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::build::dockerfile;
use plimsoll::limits::Limits;

fuzz_target!(|data: &[u8]| {
    let Ok(found) = dockerfile::parse(data, &Limits::default()) else { return };
    let staged = found.stages.iter().flat_map(|stage| std::iter::once(&stage.from).chain(&stage.instructions));
    let mut last = 0;
    for instruction in found.global.iter().chain(staged) {
        assert!(last < instruction.start && instruction.start <= instruction.end);
        last = instruction.start;
        for heredoc in &instruction.heredocs {
            assert!(last < heredoc.body.start && heredoc.body.start <= heredoc.body.end);
            last = heredoc.body.end;
        }
        assert!(last <= instruction.end);
        last = instruction.end;
    }
    assert!(last <= data.split(|byte| *byte == b'\n').count());
});
