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
import tarfile
import tempfile

import elf
from image import MODULES, Image, escaped, lines, run

MIB = 1 << 20
# ends of support as the distributions publish them: debian.org/releases (LTS), alpinelinux.org/releases, fedora's release schedule
ENDS = {"debian 9": "2022-06-30", "debian 10": "2024-06-30", "debian 11": "2026-08-31", "debian 12": "2028-06-30", "debian 13": "2030-06-30", "alpine 3.6": "2019-05-01", "alpine 3.20": "2026-04-01", "fedora 39": "2024-11-26"}
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
    system = re.compile(r"/*$|/+(?:bin|boot|dev(?!/shm)|etc|lib\w*|proc|root|sbin|sys|usr)(?:/|$)|/(?:var/)?run/(?:docker|containerd|crio|podman)\S*\.sock$")
    return {
        "unknown-user": uid is None or gid is None or uid >= 2**31,
        "non-numeric-user": bool(name) and not name.isdigit() and uid not in (None, 0) and gid is not None,
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
        if name in ("PATH", "LD_LIBRARY_PATH") and value:
            folders = value.split(":")
            weak = {folder for folder in folders if not folder.startswith("/")}
            weak |= image.may(os.W_OK, [folder for folder in folders if uid and folder.startswith("/")])
            # root may write anywhere: of its folders, those that everybody may write to; the sticky bit keeps nobody from adding a file
            weak |= {folder for folder in folders if (place := image.folders.get(image.resolve(folder) or "")) and place.st_mode & 0o002}
            found += [f"{name}:{folder or 'empty'}" for folder in weak]
    return sorted(found)


WORDS = {"secret", "password", "passwd", "token", "apikey", "credential", "credentials", "pwd", "passphrase"}


# what stands where a secret would be
STAND_IN = re.compile(r"(?i)^(?:\$\{?\w+\}?|change_?me|example|secret|password|xxx+|<.*>|your[-_].*|todo)$")


def is_secret(name, value):
    if STAND_IN.match(value):
        return False
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


# what is there when a container runs, and not in the image
MOUNTED = re.compile(r"/(?:proc|sys|dev)/")
# paths of files that are meant for another machine, and say so
OTHERS = re.compile(r"aarch64|arm|x86[_-]64|i[3-6]86|amd64|ppc64|s390x|riscv|mips|testdata")


def startup_labels(image, elfs):
    """What the kernel and the loader would say of the first program."""
    argv, uid = image.argv, image.user[0]
    start = image.which(argv[0]) if argv and argv[0] else None
    labels = {"missing-entrypoint": None if uid is None or argv and MOUNTED.match(argv[0]) else start is None or not image.is_runnable(start) or not image.may(os.X_OK, [start])}
    program, wanted, interpreter = elfs.get(start), None, None
    if program:
        wanted = program.interpreter
        interpreter = image.resolve(wanted) if wanted else None
    elif start in image.files and image.read(start, 2) == b"#!":
        words = image.read(start, 256)[2:].split(b"\n")[0].decode("utf-8", "replace").split()
        wanted = next((w for w in words[1:] if not w.startswith("-")), words[0]) if words[0].endswith("/env") else words[0]
        interpreter = image.which(wanted)
        program = elfs.get(interpreter)
    told = program.loader if program else ""
    # musl counts what it could not load as an error, glibc as "not found"
    labels["missing-library"] = None if told is None else sorted({name for names in re.findall(r"(\S+) => not found|Error loading shared library (\S+):|(\S+): cannot open shared object", told or "") for name in names if name})
    labels["missing-symbol-version"] = None if told is None else "version `" in told and "' not found" in told
    machine = image.document.get("architecture")
    runs = {machine, "386" if machine == "amd64" else "arm" if machine == "arm64" else machine}
    others = [p for p, e in elfs.items() if image.is_runnable(p) and p not in image.owned and not OTHERS.search(p) and e.machine not in runs and e.kind in ("EXEC", "DYN")]
    # a program for another machine fails before its interpreter is looked for
    labels["missing-interpreter"] = bool(wanted) and interpreter is None and not (start in elfs and elfs[start].machine not in runs)
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
    vcs = r"git|git-(?:receive-pack|upload-pack|upload-archive|shell|remote-https?)|scalar|hg|svn|svnadmin|svnserve|bzr|cvs|fossil"
    suid = {path for path, s in image.files.items() if s.st_mode & 0o4000 and s.st_uid == 0 and s.st_mode & 0o111}
    repositories = [p for p in image.folders if p.rpartition("/")[2] in (".git", ".hg", ".svn") and any(f.startswith(p + "/") for f in image.files) and p not in image.owned and not MODULES.search(p) and "/.cache/" not in p]
    tools = [path for path in image.named("su|sudo|doas|pkexec|sudoedit") if image.programs[path] in suid]
    rules = [path for path in image.files if re.match(r"/etc/(?:sudoers(?:\.d/.*)?|doas\.conf)$", path)]
    free = [path for path in rules if re.search(r"(?m)^[^#]*(?:NOPASSWD|!authenticate|nopass)", image.read(path).decode("utf-8", "replace"))]
    return {
        "version-control": sorted(image.named(vcs) + repositories),
        "privilege-tool": tools and sorted(tools + free),
        "ssh-server": sorted([p for p in image.named("sshd|dropbear")] + [p for p in image.files if re.search(r"/ssh_host_\w+_key$|/authorized_keys2?$", p) and image.files[p].st_size]),
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
    return {
        "duplicate-id": sorted(f"uid {uid}" for uid, names in uids.items() if len(names) > 1),
        "empty-password": bool(empty),
        # a release that is not in the table has no label
        "end-of-life-os": None if end is None and version else end is not None and end < AS_OF,
        "missing-package-database": name in ("debian", "ubuntu", "alpine", "fedora") and not packages,
    }


CACHES = re.compile(
    r"/\.cache/(?:pip|uv|go-build|pypoetry|yarn|composer)/|/\.npm/_cacache/|^/var/cache/(?:apk|dnf|yum|zypp)/|^/var/cache/apt/(?:archives/.*\.deb|\w*pkgcache\.bin)$|^/var/cache/pacman/pkg/"
    r"|/pkg/mod/cache/|/\.m2/repository/|/\.gradle/caches/|/\.cargo/(?:registry|git)/|^/usr/local/cargo/(?:registry|git)/"
)
LEFT = re.compile(
    r"\.(?:whl|deb|rpm)$|^(?!/usr/lib/|/lib/|/usr/local/lib/).*\.o$|/(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?$|/(?:docker-)?compose(?:\.[\w-]+)?\.ya?ml$|/\.dockerignore$|/\.gitlab-ci\.yml$|/\.travis\.yml$|/Jenkinsfile$"
    r"|^(?!/usr/src/).*/[\w.+-]+-\d[\w.]*\.(?:tar\.(?:gz|xz|bz2)|tgz)$"
)
TESTS = {"pytest", "black", "flake8", "mypy", "coverage", "tox", "pylint", "isort", "nose", "pytest-cov", "pytest-asyncio", "pytest-django", "pytest-mock", "ruff", "bandit", "pre-commit", "ipdb", "hypothesis", "nox", "autopep8", "yapf", "pycodestyle", "pyflakes"}


def in_use(text):
    """The sections of a file of settings, without repositories that are switched off."""
    return [section for section in re.split(r"(?m)^(?=\[)", text) if not re.search(r"(?m)^\s*enabled\s*=\s*0", section)]


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
        "package-cache": any(CACHES.search(p) and s.st_size for p, s in of_files),
        "documentation": documents >= 4 * MIB,
        "development-files": len(development) > 0,
        "temporary-files": len(temporary) > 0,
        "build-leftovers": sorted(escaped(p) for p in image.files if LEFT.search(p) and p not in image.owned and not MODULES.search(p) and not CACHES.search(p)),
        "test-dependencies": bool(python & TESTS or node),
        "weakened-repository-trust": any(re.search(trust, section, re.M | re.I) for p in settings for section in in_use(image.read(p).decode("utf-8", "replace"))),
    }


KEY = re.compile(rb"-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?-----\r?\n[A-Za-z0-9+/=:, \r\n-]{64}")
CREDENTIALS = {
    r"/\.env$": r"(?im)^\s*(?:export )?\w*(?:password|secret|token|api_?key)\w*\s*=\s*['\"]?(?=[^\s'\"$])", r"/\.npmrc$|/etc/npmrc$": r"_(?:authToken|auth|password)\s*=\s*(?=[^$\s])", r"/\.aws/credentials$": r"aws_secret_access_key",
    r"/\.docker/config\.json$": r'"auth"\s*:\s*"[^"]', r"/\.netrc$": r"password\s+(?=\S)", r"/\.pgpass$": r"(?m)^[^#].*:.*:.*:.*:.", r"/\.git-credentials$": r"://[^:]+:[^@]+@", r"/\.pypirc$": r"password\s*[:=]", r"/\.kube/config$": r"(?:token|client-key-data)\s*:", r"/\.my\.cnf$": r"password\s*=",
}


def secret_labels(image):
    """Files of the final tree; those of third parties and of packages are theirs, as the catalogue says."""
    keys, credentials = [], []
    for path, status in image.files.items():
        theirs = path in image.owned or MODULES.search(path) is not None
        if 64 < status.st_size < 16 * MIB and not theirs and b"\0" not in (head := image.read(path, 512)) and KEY.search(head + image.read(path)):
            keys.append(path)
        for place, content in CREDENTIALS.items():
            if re.search(place, path) and not theirs and any(not STAND_IN.match(m[1]) for m in re.finditer(content + r"(\S*)", image.read(path, MIB).decode("utf-8", "replace"))):
                credentials.append(path)
    return {"private-key": sorted(map(escaped, keys)), "credential-file": sorted(map(escaped, credentials))}


def binary_labels(image, elfs):
    ours, seen = {}, set()
    for path, program in sorted(elfs.items(), key=lambda item: (not item[0].endswith("/busybox"), item[0])):
        number = image.files[path].st_ino
        if program.kind in ("EXEC", "DYN") and image.is_of_application(path) and number not in seen:
            seen.add(number)
            ours[path] = program
    weak = []
    for path, program in ours.items():
        if not image.is_runnable(path) or not program.is_program:
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
        "debug-symbols": sum(program.debug_bytes for program in ours.values()) >= MIB,
    }


def tokens(image):
    """Files in which gitleaks finds a token of a known service; its guesses by entropy are no label."""
    report = os.path.dirname(image.root) + "/gitleaks.json"
    if not os.path.exists(report):
        subprocess.run(["gitleaks", "dir", image.root, "--max-target-megabytes", "1", "--no-banner", "--redact", "--exit-code", "0", "-f", "json", "-r", report, "-l", "error"], check=True)
    with open(report) as file:
        found = json.loads(file.read() or "[]")
    known = {"/" + one["File"].partition("/rootfs/")[2] for one in found if one["RuleID"] not in ("generic-api-key", "private-key")}
    return sorted(path for path in known if not any(re.search(place, path) for place in CREDENTIALS))


STATE = re.compile(r"/var/lib/(?:dpkg|apt|rpm|dnf)/|/var/cache/(?:debconf|ldconfig)/|/(?:usr/)?lib/(?:apk/db|sysimage/rpm)/|/etc/ld\.so\.cache$|/var/lib/pacman/local/")


def hidden_bytes(layout, manifest):
    """Bytes of files that layers above remove or replace, seen from the top; not those of databases that are written again and again."""
    seen, closed, sum_of_all = set(), set(), 0
    for layer in reversed(manifest["layers"]):
        here, shut = set(), set()
        with tarfile.open(f"{layout}/blobs/{layer['digest'].replace(':', '/')}", errors="surrogateescape") as archive:
            for member in archive:
                path = "/" + os.path.normpath(member.name).lstrip("/")
                folder, name = os.path.split(path)
                if name.startswith(".wh."):
                    shut.add(folder if name == ".wh..wh..opq" else os.path.join(folder, name[4:]))
                    continue
                parents = [path[:at] for at in range(1, len(path)) if path[at] == "/"]
                is_shown = path not in seen and path not in closed and not any(parent in closed for parent in parents)
                if member.isreg() and not is_shown and not STATE.match(path):
                    sum_of_all += member.size
                # a folder does not close what lower layers hold below it
                here.add(path)
                if not member.isdir():
                    shut.add(path)
        seen |= here
        closed |= shut
    return sum_of_all


# labels of other tools that look wrong, left out
WRONG = {"secret-token.silent": ["secret-token"]}  # gitleaks takes a token of GitHub's with a wrong checksum for one


def labels_of(image):
    elfs = elf.elfs(image)
    labels = config_labels(image) | startup_labels(image, elfs) | program_labels(image) | account_labels(image) | hygiene_labels(image) | secret_labels(image) | binary_labels(image, elfs)
    labels |= {"user-writable-code": writable_code(image), "secret-token": tokens(image)}
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
            tag = descriptor.get("annotations", {}).get("org.opencontainers.image.ref.name", "")
            # NAME.oci, or NAME/oci
            place = layout.removesuffix("/oci").removesuffix(".oci")
            name = tag if len(manifests) > 1 else os.path.basename(place)
            manifest = blob(layout, descriptor["digest"])
            if "config" not in manifest:
                print(f"left out: {name} is an index", file=sys.stderr)
                continue
            config = blob(layout, manifest["config"]["digest"])
            with tempfile.TemporaryDirectory() as scratch:
                root = f"{scratch}/rootfs"
                # UNPACKED names a folder of trees, NAME/rootfs, that umoci has unpacked before, and of gitleaks' reports beside them
                if os.path.isdir(kept := os.environ.get("UNPACKED", "") + f"/{name}/rootfs"):
                    root = kept
                elif subprocess.run(["umoci", "raw", "unpack", "--image", f"{layout}:{tag}", root], stdout=sys.stderr).returncode != 0:
                    print(f"left out: umoci does not unpack {name}", file=sys.stderr)
                    continue
                # umoci gives the root folder the mode of a layer's entry for it, engines do not
                os.chmod(root, 0o755)
                layers = "\n".join(config["rootfs"]["diff_ids"]).encode()
                labels = labels_of(Image(root, config)) | {"buried-files": hidden_bytes(layout, manifest) >= MIB}
                labels |= {check: None for check in WRONG.get(name, [])}
                found[name] = {"layers": hashlib.sha256(layers).hexdigest(), "labels": dict(sorted(labels.items()))}
                print(name, file=sys.stderr)
    with open(out, "w") as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(found[name], separators=(',', ':'))}" for name in sorted(found)) + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
