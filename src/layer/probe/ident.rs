//! The identification of an ELF file as the kernel takes it.

/// Linux starts a program by its machine and by the size of its program headers; class, byte order and version of the
/// identification are read by nobody (`load_elf_binary`, `elf_check_arch`). Sets them to what the machine means, so that a wrong
/// byte does not hide a program that runs.
pub(super) fn set_as_the_kernel_reads(head: &mut [u8]) {
    const LITTLE_ENDIAN: u8 = 1;
    let entry_bytes =
        |at: usize| head.get(at..at.saturating_add(2)).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok()).map(u16::from_le_bytes);
    let class = match entry_bytes(18) {
        // x86-64, AArch64; the smaller headers are those of x32
        Some(62 | 183) if entry_bytes(54) == Some(56) => 2,
        // i386, ARM
        Some(3 | 40) if entry_bytes(42) == Some(32) => 1,
        _ => return,
    };
    if let Some(identification) = head.get_mut(4..7) {
        identification.copy_from_slice(&[class, LITTLE_ENDIAN, 1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(machine: u8, header_bytes_at: usize, header_bytes: u8) -> Vec<u8> {
        let mut head = vec![0; 64];
        head[18] = machine;
        head[header_bytes_at] = header_bytes;
        head[4..7].copy_from_slice(&[9, 9, 9]);
        set_as_the_kernel_reads(&mut head);
        head[4..7].to_vec()
    }

    #[test]
    fn class_order_and_version_follow_the_machine_and_its_program_headers() {
        assert_eq!(head(62, 54, 56), [2, 1, 1]);
        assert_eq!(head(183, 54, 56), [2, 1, 1]);
        assert_eq!(head(40, 42, 32), [1, 1, 1]);
    }

    #[test]
    fn other_machines_and_x32_are_left_as_they_are() {
        assert_eq!(head(62, 42, 32), [9, 9, 9]);
        assert_eq!(head(243, 54, 56), [9, 9, 9]);
        set_as_the_kernel_reads(&mut [0x7f, b'E', b'L', b'F']);
    }
}
