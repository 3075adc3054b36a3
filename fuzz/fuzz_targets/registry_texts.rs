//! What registries and files of credentials say: challenges, addresses, errors, references, `config.json`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| plimsoll::source::registry::probe(bytes));
