#!/usr/bin/env python3
"""What images hold, told by other tools than plimsoll: umoci, lstat, the kernel's access(2), getcap, readelf, ld.so, dpkg's own lists.

labels.py OUT.json LAYOUT...     every tag of every OCI layout; needs root, umoci, getcap and readelf

The definitions are those of the catalogue of checks, the thresholds those of docs/checks.md. See README.md beside this file.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

import elf
import image as of
from image import MODULES, Image, escaped, lines, run

MIB = 1 << 20
# ends of support as the distributions publish them: debian.org/releases (LTS), alpinelinux.org/releases, fedora's release schedule
ENDS = {"debian 11": "2026-08-31", "debian 12": "2028-06-30", "debian 13": "2030-06-30", "alpine 3.6": "2019-05-01", "alpine 3.20": "2026-04-01", "fedora 39": "2024-11-26"}
AS_OF = "2026-11-01"


def config_labels(image):
    config, user = image.config, image.config.get("User") or ""
    uid, gid, _ = image.user
    name = user.partition(":")[0]
    test = (config.get("Healthcheck") or {}).get("Test") or []
    line = " ".join(test[1:])
    argv = image.argv
    shell = len(argv) > 1 and re.search(r"(?:^|/)(?:ba|da|a|k|z)?sh$", argv[0]) and argv[1] == "-c"
    ports = [int(port.partition("/")[0]) for port in config.get("ExposedPorts") or {}]
    history = [step.get("created_by") or "" for step in image.document.get("history") or []]
    wanted = ("org.opencontainers.image.source", "org.opencontainers.image.revision", "org.label-schema.vcs-url", "org.label-schema.vcs-ref")
    named = [label for label in wanted if (config.get("Labels") or {}).get(label)]
    system = re.compile(r"/*$|/+(?:bin|boot|dev|etc|lib\w*|proc|root|sbin|sys|usr)(?:/|$)|/(?:var/)?run/(?:docker|containerd|crio|podman)\S*\.sock$")
    return {
        "root-user": uid == 0,
        "unknown-user": uid is None or gid is None or uid >= 2**31,
        "non-numeric-user": bool(name) and not name.isdigit() and uid not in (None, 0) and gid is not None,
        "missing-healthcheck": not test or test[0] == "NONE",
        "vacuous-healthcheck": bool(test) and re.search(r"^(?:/bin/)?true$|^exit 0$|\|\|\s*(?:true|:|exit 0)\s*$|;\s*exit 0\s*$|^kill -0 1$|^echo\b[^|&;]*$", line) is not None,
        "shell-form-command": bool(shell) and not re.match(r"\s*exec\b", re.split(r"&&|\|\||;", argv[2])[-1]),
        "privileged-port": any(port < 1024 for port in ports),
        "sensitive-volume": any(system.match(volume) for volume in config.get("Volumes") or {}),
        "remote-add": any(re.search(r"^ADD\s.*(?:https?|ftp)://|#\(nop\) ADD (?:https?|ftp)://", step) for step in history),
        "onbuild-trigger": bool(config.get("OnBuild")),
        "missing-source-label": not named,
        "insecure-environment": environment(image),
        "secret-in-environment": sorted(key for key, value in image.environment.items() if is_secret(key, value)),
        "secret-in-history": secret_history(image, history),
    }


def environment(image):
    """Variables that weaken, as NAME, or NAME:FOLDER for a folder of a search path."""
    found, uid = [], image.user[0]
    for name, value in image.environment.items():
        if (name, value) in (("NODE_TLS_REJECT_UNAUTHORIZED", "0"), ("PYTHONHTTPSVERIFY", "0")) or name in ("GIT_SSL_NO_VERIFY", "PIP_TRUSTED_HOST", "LD_PRELOAD", "LD_AUDIT"):
            found.append(name)
        if name in ("PATH", "LD_LIBRARY_PATH"):
            folders = value.split(":")
            weak = {folder for folder in folders if not folder.startswith("/")}
            weak |= image.may(os.W_OK, [folder for folder in folders if uid and folder.startswith("/")])
            # in a container of root's, folders that everybody may write to
            weak |= {folder for folder in folders if (place := image.folders.get(image.resolve(folder) or "")) and place.st_mode & 0o1002 == 0o002}
            found += [f"{name}:{folder}" for folder in weak]
    return sorted(found)


WORDS = {"secret", "password", "passwd", "token", "apikey", "credential", "credentials", "pwd", "passphrase"}


def is_secret(name, value):
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    says = words & WORDS or "api_key" in name.lower() or "private_key" in name.lower() or "access_key" in name.lower() and "secret" in words
    return bool(value and (says and not re.search(r"_(?:FILE|PATH|DIR|URL)$", name) or re.search(r"://[^/:@\s]+:[^/@\s]+@", value)))


def secret_history(image, history):
    """Build arguments (`|1 NAME=value`) and options of instructions that hold a secret, and secret labels; not what the environment says."""
    found = set()
    for step in history:
        arguments = re.match(r"(?:RUN )?\|\d+ (.*?) /bin/sh", step)
        for item in re.findall(r"(\w+)=(\S+)", arguments[1] if arguments else ""):
            found |= {item[0]} if is_secret(*item) else set()
    found |= {"label " + name for name, value in (image.config.get("Labels") or {}).items() if is_secret(name, value)}
    return sorted(found - set(image.environment))


def startup_labels(image, elfs):
    """What the kernel and the loader would say of the first program."""
    argv, uid = image.argv, image.user[0]
    start = image.which(argv[0]) if argv and argv[0] else None
    labels = {"missing-entrypoint": None if uid is None else start is None or not image.is_runnable(start) or not image.may(os.X_OK, [start])}
    program, wanted, interpreter = elfs.get(start), None, None
    if program:
        wanted = program.interpreter
        interpreter = image.resolve(wanted) if wanted else None
    elif start in image.files and image.read(start, 2) == b"#!":
        words = image.read(start, 256)[2:].split(b"\n")[0].decode("utf-8", "replace").split()
        wanted = words[1] if words[0].endswith("/env") and len(words) > 1 else words[0]
        interpreter = image.which(wanted)
        program = elfs.get(interpreter)
    labels["missing-interpreter"] = bool(wanted) and interpreter is None
    told = program.loader if program else ""
    # musl counts what it could not load as an error, glibc as "not found"
    labels["missing-library"] = sorted({name for names in re.findall(r"(\S+) => not found|Error loading shared library (\S+):|(\S+): cannot open shared object", told) for name in names if name})
    labels["missing-symbol-version"] = "version `" in told and "' not found" in told
    machine = image.document.get("architecture")
    runs = {machine, "386" if machine == "amd64" else "arm" if machine == "arm64" else machine}
    others = [p for p, e in elfs.items() if image.is_runnable(p) and p not in image.owned and e.machine not in runs and e.kind in ("EXEC", "DYN")]
    labels["wrong-architecture"] = [escaped(path) for path in sorted(set(others) | ({start} if start in elfs and elfs[start].machine not in runs else set()))]
    return labels


def writable_code(image):
    """Whether the user may write to what the command names, or to code beside it, in the working directory or among modules."""
    uid = image.user[0]
    if not uid:
        return False
    named = [image.which(image.argv[0])] if image.argv and image.argv[0] else []
    place = image.config.get("WorkingDir") or "/"
    named += [image.resolve(word if word.startswith("/") else f"{place}/{word}") for word in image.argv[1:]]
    named = [path for path in named if path in image.files]
    folders = {path.rpartition("/")[0] for path in named} | {place}
    code = re.compile(r"\.(?:py|js|mjs|cjs|jar|class|rb|php|pl|so|dll|sh|war)$")
    beside = [path for path in image.files if code.search(path) and (path.rpartition("/")[0] in folders or path.startswith(place.rstrip("/") + "/") and place != "/")]
    held = {path.rpartition("/")[0] for path in beside} | {path.rpartition("/")[0] for path in named}
    return bool(image.may(os.W_OK, [path for path in named + beside] + [folder or "/" for folder in held]))


def program_labels(image):
    binutils = r"(?:[a-z0-9_]+-)*(?:as|ld|ld\.bfd|ld\.gold|ld\.lld|gold|ar|ranlib|objcopy|objdump|strip|nm|gprof|dwp|elfedit|readelf|size|strings|addr2line|c\+\+filt|dlltool|windres|gp-\w+|gprofng)"
    build = r"make|gmake|cmake|ctest|cpack|ninja|meson|auto(?:conf|header|m4te|reconf|scan|update|make|make-[\d.]+)|aclocal(?:-[\d.]+)?|ifnames|libtool|libtoolize|m4|(?:[a-z0-9_]+-)*(?:pkg-config|pkgconf)|cargo|mvn|mvnDebug|mvnyjp|gradle|ant|sbt|bazel|scons|dpkg-buildpackage|rpmbuild|bison|flex|yacc|patch"
    debuggers = r"gdb|gdbserver|lldb|strace|ltrace|perf|valgrind|bpftrace|tcpdump|tshark|dlv|py-spy"
    vcs = r"git|git-(?:receive-pack|upload-pack|upload-archive|shell|cvsserver)|scalar|hg|svn|svnadmin|svnserve|bzr|cvs|fossil"
    suid = {path for path, s in image.files.items() if s.st_mode & 0o4000 and s.st_uid == 0 and s.st_mode & 0o111}
    repositories = [p for p in image.folders if p.rpartition("/")[2] in (".git", ".hg", ".svn") and any(f.startswith(p + "/") for f in image.files) and p not in image.owned and not MODULES.search(p) and "/.cache/" not in p]
    return {
        "build-tool": image.named(f"{build}|{binutils}"),
        "debugger": image.named(debuggers),
        "version-control": sorted(image.named(vcs) + repositories),
        "privilege-tool": [path for path in image.named("su|sudo|doas|pkexec|sudoedit") if image.programs[path] in suid],
        "ssh-server": sorted([p for p in image.named("sshd|dropbear")] + [p for p in image.files if re.search(r"/ssh_host_\w+_key$|/authorized_keys2?$", p) and image.files[p].st_size]),
        "setuid-file": sorted(p for p, s in image.files.items() if s.st_mode & 0o4000),
        "setgid-file": sorted(p for p, s in image.files.items() if s.st_mode & 0o2000),
        "file-capability": sorted("/" + os.path.relpath(line.rpartition(" ")[0].removesuffix(" ="), image.root) for line in run("getcap", "-r", image.root).stdout.decode().splitlines()),
        "world-writable": sorted(p for p, s in (image.files | image.folders).items() if s.st_mode & 2 and not (p in image.folders and s.st_mode & 0o1000) and not re.match(r"/(?:dev|proc|sys)(?:/|$)", p)),
    }


def account_labels(image):
    uids = {}
    for account in image.accounts:
        uids.setdefault(account[2], set()).add(account[0])
    shadow = {line.split(":")[0]: line.split(":")[1] for line in lines(image.host("/etc/shadow")) if line.count(":") > 1}
    empty = [account[0] for account in image.accounts if account[1] == "" or (account[1] == "x" and shadow.get(account[0], "*") == "")]
    release = dict(line.split("=", 1) for line in lines(image.host("/etc/os-release")) if "=" in line)
    name = release.get("ID", "").strip('"')
    version = release.get("VERSION_ID", "").strip('"')
    version = ".".join(version.split(".")[:2]) if name == "alpine" else version
    packages = os.path.exists(image.host("/var/lib/dpkg/status")) and os.path.getsize(image.host("/var/lib/dpkg/status")) or [p for p in image.files if p.startswith("/var/lib/dpkg/status.d/") or p in ("/lib/apk/db/installed", "/usr/lib/apk/db/installed") or re.match(r"/(?:var|usr)/lib/(?:sysimage/)?rpm/(?:rpmdb\.sqlite|Packages(?:\.db)?)$", p)]
    end = ENDS.get(f"{name} {version}")
    if end is None and name in ("debian", "alpine", "fedora", "ubuntu"):
        raise SystemExit(f"say when support of {name} {version} ends")
    return {
        "duplicate-id": sorted(f"uid {uid}" for uid, names in uids.items() if len(names) > 1),
        "empty-password": sorted(empty),
        "end-of-life-os": end is not None and end < AS_OF,
        "missing-package-database": name in ("debian", "ubuntu", "alpine", "fedora") and not packages,
    }


CACHES = re.compile(
    r"/\.cache/(?:pip|uv|go-build|pypoetry|yarn|composer)/|/\.npm/_cacache/|^/var/cache/(?:apk|dnf|yum|zypp)/|^/var/cache/apt/(?:archives/.*\.deb|\w*pkgcache\.bin)$|^/var/cache/pacman/pkg/"
    r"|/pkg/mod/cache/|/\.m2/repository/|/\.gradle/caches/|/\.cargo/(?:registry|git)/|^/usr/local/cargo/(?:registry|git)/"
)
LEFT = re.compile(
    r"\.(?:whl|deb|rpm|o)$|/(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?$|/(?:docker-)?compose(?:\.[\w-]+)?\.ya?ml$|/\.dockerignore$|/\.gitlab-ci\.yml$|/\.travis\.yml$|/Jenkinsfile$"
    r"|^(?!/usr/src/).*/[\w.+-]+-\d[\w.]*\.(?:tar\.(?:gz|xz|bz2)|tgz)$"
)
TESTS = {"pytest", "black", "flake8", "mypy", "coverage", "tox", "pylint", "isort", "nose", "pytest-cov", "pytest-asyncio", "pytest-django", "pytest-mock", "ruff", "bandit", "pre-commit", "ipdb", "hypothesis", "nox", "autopep8", "yapf", "pycodestyle", "pyflakes"}


def hygiene_labels(image):
    of_files = image.files.items()
    documents = sum(s.st_size for p, s in of_files if re.match(r"/usr/(?:local/)?share/(?:man|doc|info|locale|help|gtk-doc|doc-base)/", p) and not re.search(r"/(?:copyright|LICEN[CS]E\S*|COPYING\S*)$", p))
    development = [p for p in image.files if re.match(r"/usr/(?:local/)?(?:include/.*\.(?:h|hpp|hh|hxx|inc|tcc)$|lib/(?:[^/]+/)*[^/]+\.(?:a|la|pc)$|share/pkgconfig/)", p)]
    development = [p for p in development if not re.search(r"/(?:site-packages|dist-packages|node_modules|gems)/|^/usr/local/include/(?:node|python\d)", p)]
    temporary = [p for p, s in of_files if s.st_size and p not in image.owned and (re.match(r"/(?:tmp|var/tmp|var/log)/", p) or re.search(r"/(?:core|core\.\d+)$|~$|\.swp$|/\.DS_Store$|/Thumbs\.db$", p) and not MODULES.search(p))]
    python = {re.sub(r"[-_.]+", "-", m[1]).lower() for p in image.files if (m := re.search(r"/([^/]+?)-[^/-]+\.(?:dist|egg)-info/METADATA$", p))}
    node = [lock for p in image.files if p.endswith("/node_modules/.package-lock.json") for lock in json.loads(image.read(p)).get("packages", {}).values() if lock.get("dev")]
    trust = r"^\s*deb\S*\s+\[[^]]*(?:trusted=yes|allow-insecure=yes)|^\s*(?:Trusted|Allow-Insecure):\s*yes|^\s*sslverify\s*=\s*(?:0|false)|^\s*trusted-host\s*=|^\s*strict-ssl\s*=\s*false|^\s*gpgcheck\s*=\s*0"
    settings = [p for p in image.files if re.search(r"^/etc/apt/(?:sources\.list|apt\.conf)|^/etc/yum|^/etc/dnf/|/pip\.conf$|npmrc$", p)]
    return {
        "apt-lists": any(p.startswith("/var/lib/apt/lists/") and p.rpartition("/")[2] != "lock" for p in image.files),
        "package-cache": any(CACHES.search(p) and s.st_size for p, s in of_files),
        "documentation": documents >= 4 * MIB,
        "development-files": len(development) > 0,
        "temporary-files": len(temporary) > 0,
        "build-leftovers": sorted(escaped(p) for p in image.files if LEFT.search(p) and p not in image.owned and not MODULES.search(p) and not CACHES.search(p)),
        "test-dependencies": bool(python & TESTS or node),
        "weakened-repository-trust": any(re.search(trust, image.read(p).decode("utf-8", "replace"), re.M | re.I) for p in settings),
    }


KEY = re.compile(rb"-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?-----\r?\n[A-Za-z0-9+/=:, \r\n-]{64}")
CREDENTIALS = {
    r"/\.env$": r"(?im)^\s*(?:export )?\w*(?:password|secret|token|api_?key)\w*\s*=\s*['\"]?[^\s'\"$]", r"/\.npmrc$|/etc/npmrc$": r"_(?:authToken|auth|password)\s*=\s*[^$\s]", r"/\.aws/credentials$": r"aws_secret_access_key",
    r"/\.docker/config\.json$": r'"auth"\s*:\s*"[^"]', r"/\.netrc$": r"password\s+\S", r"/\.pgpass$": r"(?m)^[^#].*:.*:.*:.*:.", r"/\.git-credentials$": r"://[^:]+:[^@]+@", r"/\.pypirc$": r"password\s*[:=]", r"/\.kube/config$": r"(?:token|client-key-data)\s*:", r"/\.my\.cnf$": r"password\s*=",
}


def secret_labels(image):
    """Files of the final tree; those of third parties and of packages are theirs, as the catalogue says."""
    keys, credentials = [], []
    for path, status in image.files.items():
        theirs = path in image.owned or MODULES.search(path) is not None
        if 64 < status.st_size < 16 * MIB and not theirs and b"\0" not in (head := image.read(path, 512)) and KEY.search(head + image.read(path)):
            keys.append(path)
        for place, content in CREDENTIALS.items():
            if re.search(place, path) and not theirs and re.search(content, image.read(path, MIB).decode("utf-8", "replace")):
                credentials.append(path)
    return {"private-key": sorted(map(escaped, keys)), "credential-file": sorted(map(escaped, credentials))}


def binary_labels(image, elfs):
    ours = {path: program for path, program in elfs.items() if path not in image.owned and program.kind in ("EXEC", "DYN")}
    weak = []
    for path, program in ours.items():
        if not image.is_runnable(path) or (program.kind == "DYN" and not program.interpreter and "(FLAGS_1)" not in program.text) or re.search(r"\.so(?:\.|$)", path):
            continue
        lacks_guard = not program.is_go_or_rust and program.code_bytes >= 16 << 10 and not program.has_guard
        if lacks_guard or program.is_linked and not (program.is_pie and program.has_relro):
            weak.append(path)
    uid = image.user[0]
    insecure = []
    for path, program in ours.items():
        for folder in ":".join(program.runpaths).split(":") if program.runpaths else []:
            place = image.resolve(folder) or folder
            if not folder.startswith(("/", "$ORIGIN", "${ORIGIN}")) or uid and folder.startswith("/") and image.may(os.W_OK, [place]):
                insecure.append(path)
    return {
        "executable-stack": sorted(escaped(p) for p, e in ours.items() if e.has_executable_stack),
        "insecure-runpath": sorted(set(map(escaped, insecure))),
        "weak-hardening": sorted(map(escaped, weak)),
        "debug-symbols": sum(program.debug_bytes for path, program in elfs.items() if path not in image.owned) >= MIB,
    }


def labels_of(image):
    elfs = elf.elfs(image)
    labels = config_labels(image) | startup_labels(image, elfs) | program_labels(image) | account_labels(image) | hygiene_labels(image) | secret_labels(image) | binary_labels(image, elfs)
    labels["user-writable-code"] = writable_code(image)
    return {name: [escaped(p) if p.startswith("/") and "\\" not in p else p for p in label] if isinstance(label, list) else label for name, label in sorted(labels.items())}


def blob(layout, digest):
    with open(f"{layout}/blobs/{digest.replace(':', '/')}") as file:
        return json.load(file)


def main(out, layouts):
    found = {}
    for layout in layouts:
        with open(f"{layout}/index.json") as file:
            manifests = json.load(file)["manifests"]
        for descriptor in manifests:
            tag = descriptor["annotations"]["org.opencontainers.image.ref.name"]
            name = tag if len(manifests) > 1 else os.path.basename(layout).removesuffix(".oci")
            config = blob(layout, blob(layout, descriptor["digest"])["config"]["digest"])
            with tempfile.TemporaryDirectory() as scratch:
                root = f"{scratch}/root"
                # UNPACKED names a folder of trees that umoci has unpacked before
                if os.path.isdir(kept := os.environ.get("UNPACKED", "") + f"/{name}/rootfs"):
                    root = kept
                else:
                    subprocess.run(["umoci", "raw", "unpack", "--image", f"{layout}:{tag}", root], check=True, stdout=sys.stderr)
                layers = "\n".join(config["rootfs"]["diff_ids"]).encode()
                found[name] = {"layers": hashlib.sha256(layers).hexdigest(), "labels": labels_of(Image(root, config))}
                print(name, file=sys.stderr)
    with open(out, "w") as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(found[name], separators=(',', ':'))}" for name in sorted(found)) + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
