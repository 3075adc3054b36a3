"""What readelf says of a program, and what the image's own loader says of its libraries."""

import functools
import re

from image import run

MACHINES = {"X86-64": "amd64", "AArch64": "arm64", "80386": "386", "ARM": "arm", "PowerPC64": "ppc64le", "S/390": "s390x", "RISC-V": "riscv64"}
# mov, sub, xor, cmp, add with %fs:0x28, where x86-64 keeps the value of the stack guard
GUARD = re.compile(rb"\x64[\x48-\x4f][\x03\x2b\x33\x3b\x8b\x39].\x25\x28\x00\x00\x00", re.S)


class Elf:
    def __init__(self, image, path):
        self.image, self.path = image, path
        text = run("readelf", "-hldSW", image.host(path)).stdout.decode("utf-8", "replace")
        self.text = text
        machine = re.search(r"Machine:\s+(.*)", text)
        self.machine = next((name for word, name in MACHINES.items() if machine and word in machine.group(1)), "other")
        self.kind = (re.search(r"Type:\s+(\w+)", text) or [None, ""])[1]
        self.interpreter = (re.search(r"interpreter: (\S+)\]", text) or [None, None])[1]
        self.is_linked = "Dynamic section at offset" in text
        stack = re.search(r"GNU_STACK(?:\s+0x\w+){5} ([RWE ]{3})", text)
        # no such header: the kernel takes the old default, which on x86 is an executable stack
        self.has_executable_stack = "E" in stack[1] if stack else self.machine in ("amd64", "386") and "LOAD" in text
        self.has_relro = "GNU_RELRO" in text
        self.is_pie = self.kind == "DYN"
        entry = int((re.search(r"Entry point address:\s+0x(\w+)", text) or [None, "0"])[1], 16)
        is_library = "(SONAME)" in text or re.search(r"\.so(?:\.|$)", path) is not None
        self.is_program = self.kind == "EXEC" or self.kind == "DYN" and not is_library and entry != 0
        self.runpaths = (re.findall(r"\(RUNPATH\)\s+Library runpath: \[(.*)\]", text) or re.findall(r"\(RPATH\)\s+Library rpath: \[(.*)\]", text))
        self.debug_bytes = sum(int(size, 16) for size in re.findall(r"\.z?debug_\S*\s+PROGBITS\s+\S+ \S+ (\S+)", text))
        code = re.findall(r"\]\s+(?:\.text)\s+PROGBITS\s+\S+ \S+ (\S+)", text)
        self.code_bytes = sum(int(size, 16) for size in code)

    @functools.cached_property
    def body(self):
        return self.image.read(self.path, 1 << 28)

    @property
    def is_go_or_rust(self):
        return ".gopclntab" in self.text or ".note.go.buildid" in self.text or b"/rustc/" in self.body or b"/src/rustc-" in self.body

    @property
    def has_guard(self):
        return b"__stack_chk_fail" in self.body or b"__stack_chk_guard" in self.body or (self.machine == "amd64" and GUARD.search(self.body) is not None)

    @functools.cached_property
    def loader(self):
        """What the image's own loader says of the libraries, in the image's own tree; None when there is none that runs here."""
        if not self.interpreter or self.image.resolve(self.interpreter) is None:
            return ""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"} | {k: v for k, v in self.image.environment.items() if k == "LD_LIBRARY_PATH"}
        told = run("chroot", self.image.root, self.interpreter, "--list", self.path, env=environment)
        text = (told.stdout + told.stderr).decode("utf-8", "replace")
        return None if self.machine != "amd64" or "=>" not in text and "rror" not in text or "chroot: " in text else text


def elfs(image):
    """Every file of machine code, by path."""
    found = {}
    for path in image.files:
        if image.files[path].st_size > 64 and image.read(path, 4) == b"\x7fELF":
            found[path] = Elf(image, path)
    return found
