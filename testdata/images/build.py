#!/usr/bin/env python3
"""Makes demo.tar and good.tar from Debian packages: `python3 testdata/images/build.py [PACKAGES_FOLDER]`.

demo.tar shows the six faults: a compiler (tcc, and a copy of it under another name), a package manager (dpkg), a
set-uid file, no USER, no HEALTHCHECK, package lists left behind. good.tar is what is left when they are mended.
Both are what `docker save` of the containerd store writes: an OCI layout with gzip layers, and a manifest.json.

Needs apt-get, dpkg-deb and gcc. The same packages and the same gcc give the same bytes; PACKAGES names the versions of
the images that are committed. A folder given as argument is searched for the packages before apt-get is asked.
"""

import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).parent
MTIME = 1_700_000_000
CREATED = "2023-11-14T22:13:20Z"
# package: version, and the files that are taken from it
PACKAGES = {
    "libc6": ("2.36-9+deb12u14", ["lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu/libc.so.6",
                                  "lib64/ld-linux-x86-64.so.2", "usr/share/doc/libc6/copyright"]),
    "dash": ("0.5.12-2", ["bin/dash", "bin/sh", "usr/share/doc/dash/copyright"]),
    "dpkg": ("1.21.23", ["usr/bin/dpkg", "usr/share/doc/dpkg/copyright"]),
    "tcc": ("0.9.27+git20200814.62c30a4a-1", ["usr/bin/tcc", "usr/share/doc/tcc/copyright"]),
}
# where the images come from, so that missing-source-label has nothing to say of them
LABELS = {"org.opencontainers.image.source": "https://github.com/plimsoll/plimsoll",
          "org.opencontainers.image.revision": "testdata"}
# A whole program without a C library: it asks nobody for anything and leaves.
SERVER = """
__attribute__((noreturn)) void _start(void) {
    static const char said[] = "listening on nothing\\n";
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(1), "D"(1), "S"(said), "d"(sizeof said - 1) : "rcx", "r11", "memory");
    __asm__ volatile("syscall" : : "a"(60), "D"(0));
    __builtin_unreachable();
}
"""
PASSWD = "root:x:0:0:root:/root:/bin/sh\n"
OS_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'


class Layer:
    """A layer's tar, entry by entry, with folders made as they are needed."""

    def __init__(self):
        self.bytes = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.bytes, mode="w", format=tarfile.USTAR_FORMAT)
        self.folders = set()

    def add(self, path, content=b"", mode=0o644, link=None):
        folder = pathlib.PurePosixPath(path).parent
        for parent in [*reversed(folder.parents), folder]:
            if str(parent) != "." and parent not in self.folders:
                self.folders.add(parent)
                self.entry(f"{parent}", tarfile.DIRTYPE, 0o755)
        if link:
            self.entry(path, tarfile.SYMTYPE, 0o777, link=link)
        else:
            self.entry(path, tarfile.REGTYPE, mode, content.encode() if isinstance(content, str) else content)

    def entry(self, path, kind, mode, content=b"", link=""):
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.mtime, info.size, info.linkname = kind, mode, MTIME, len(content), link
        self.tar.addfile(info, io.BytesIO(content))

    def finish(self):
        self.tar.close()
        return self.bytes.getvalue()


def package(name, folder):
    """The deb of a package."""
    version = PACKAGES[name][0]
    found = list(folder.glob(f"{name}_{version.replace(':', '%3a')}_*.deb"))
    if not found:
        subprocess.run(["apt-get", "download", f"{name}={version}"], cwd=folder, check=True)
        found = list(folder.glob(f"{name}_*.deb"))
    return found[0]


def add_package(layer, name, folder):
    """Adds the chosen files of a package, and returns its stanza for dpkg's status."""
    deb = package(name, folder)
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True, capture_output=True).stdout
    chosen = set(PACKAGES[name][1])
    listed = []
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            path = member.name.removeprefix("./")
            if path in chosen:
                listed.append(path)
                if member.issym():
                    layer.add(path, link=member.linkname)
                else:
                    layer.add(path, tar.extractfile(member).read(), member.mode)
    missing = chosen - set(listed)
    assert not missing, f"{name} has no {missing}"
    layer.add(f"var/lib/dpkg/info/{name}.list", "".join(f"/{path}\n" for path in listed))
    fields = ["Package", "Priority", "Section", "Maintainer", "Architecture", "Version", "Description"]
    control = subprocess.run(["dpkg-deb", "--field", deb, *fields], check=True, capture_output=True, text=True).stdout
    head, rest = control.split("\n", 1)
    return f"{head}\nStatus: install ok installed\n{rest}\n"


def server(folder):
    source, program = folder / "server.c", folder / "server"
    source.write_text(SERVER)
    flags = ["-Os", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fcf-protection=none", "-s",
             "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-z,norelro"]
    subprocess.run(["gcc", *flags, source, "-o", program], check=True)
    return program.read_bytes()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def write_image(name, layers, history, config):
    """Writes an OCI layout and a manifest.json into one tar. `history` pairs instructions with whether they made a layer."""
    blobs = {}

    def blob(content, media_type):
        blobs[sha256(content)] = content
        return {"mediaType": media_type, "digest": f"sha256:{sha256(content)}", "size": len(content)}

    def document(value, media_type):
        return blob(json.dumps(value, separators=(",", ":")).encode(), media_type)

    descriptors = []
    for layer in layers:
        packed = gzip.compress(layer, 9, mtime=0)
        descriptors.append(blob(packed, "application/vnd.oci.image.layer.v1.tar+gzip"))
    empty = [{"created": CREATED, "created_by": text, **({} if made else {"empty_layer": True})} for text, made in history]
    image = document({"created": CREATED, "architecture": "amd64", "os": "linux", "config": config,
                      "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(layer)}" for layer in layers]},
                      "history": empty}, "application/vnd.oci.image.config.v1+json")
    manifest_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = document({"schemaVersion": 2, "mediaType": manifest_type, "config": image, "layers": descriptors}, manifest_type)
    reference = f"localhost/plimsoll/{name}:latest"
    manifest["annotations"] = {"io.containerd.image.name": reference, "org.opencontainers.image.ref.name": "latest"}
    manifest["platform"] = {"architecture": "amd64", "os": "linux"}
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest]}
    path = lambda descriptor: "blobs/" + descriptor["digest"].replace(":", "/")
    docker = [{"Config": path(image), "RepoTags": [reference], "Layers": [path(layer) for layer in descriptors]}]
    archive = Layer()
    for digest in sorted(blobs):
        archive.add(f"blobs/sha256/{digest}", blobs[digest])
    archive.add("index.json", json.dumps(index))
    archive.add("manifest.json", json.dumps(docker))
    archive.add("oci-layout", '{"imageLayoutVersion":"1.0.0"}')
    (HERE / f"{name}.tar").write_bytes(archive.finish())


def demo(folder, program):
    base, tools, app, links = Layer(), Layer(), Layer(), Layer()
    base.add("etc/passwd", PASSWD)
    base.add("etc/group", "root:x:0:\n")
    base.add("etc/os-release", OS_RELEASE)
    status = [add_package(base, name, folder) for name in ["libc6", "dash", "dpkg"]]
    base.add("var/lib/dpkg/status", "\n".join(status))
    status.append(add_package(tools, "tcc", folder))
    tools.add("var/lib/dpkg/status", "\n".join(status))
    lists = "var/lib/apt/lists/mirror.example_debian_dists_bookworm_main_binary-amd64_Packages"
    tools.add(lists, "".join(f"Package: example-{n}\nVersion: 1.{n}\nArchitecture: amd64\n\n" for n in range(200)))
    tools.add("var/lib/apt/lists/lock")
    app.add("app/server", program, 0o755)
    with tarfile.open(fileobj=io.BytesIO(tools.bytes.getvalue())) as tar:
        compiler = tar.extractfile("usr/bin/tcc").read()
    links.add("usr/local/bin/build-helper", compiler, 0o755)
    links.add("app/server", program, 0o4755)
    history = [
        ("/bin/sh -c #(nop) ADD file:1f2b3c in / ", True),
        ('/bin/sh -c #(nop)  CMD ["sh"]', False),
        ("RUN /bin/sh -c apt-get update && apt-get install -y tcc # buildkit", True),
        ("WORKDIR /app", False),
        ("COPY server /app/server # buildkit", True),
        ("RUN /bin/sh -c cp /usr/bin/tcc /usr/local/bin/build-helper && chmod u+s /app/server # buildkit", True),
        ('CMD ["/app/server"]', False),
    ]
    config = {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "WorkingDir": "/app",
              "Cmd": ["/app/server"], "Labels": LABELS}
    write_image("demo", [layer.finish() for layer in [base, tools, app, links]], history, config)


def good(program):
    app = Layer()
    app.add("app/server", program, 0o755)
    app.add("etc/passwd", PASSWD + "app:x:10001:10001::/app:/sbin/nologin\n")
    app.add("etc/group", "root:x:0:\napp:x:10001:\n")
    history = [
        ("COPY rootfs / # buildkit", True),
        ("USER 10001:10001", False),
        ('HEALTHCHECK &{["CMD" "/app/server" "--check"] "30s" "3s" "0s" "0s" \'\\x00\'}', False),
        ('ENTRYPOINT ["/app/server"]', False),
    ]
    config = {"User": "10001:10001", "Env": ["PATH=/app"], "WorkingDir": "/app", "Entrypoint": ["/app/server"],
              "Healthcheck": {"Test": ["CMD", "/app/server", "--check"], "Interval": 30000000000, "Timeout": 3000000000},
              "Labels": LABELS}
    write_image("good", [app.finish()], history, config)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        program = server(pathlib.Path(scratch))
        demo(folder, program)
        good(program)


if __name__ == "__main__":
    main()
