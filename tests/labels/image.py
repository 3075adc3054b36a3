"""An unpacked image as the label scripts see it: lstat of umoci's tree, the config's JSON, the packages' own lists of files."""

import functools
import json
import os
import re
import stat
import subprocess

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# modules of third parties: what lies there is theirs
MODULES = re.compile(r"/(?:site-packages|dist-packages|node_modules|gems|bower_components|pkg/mod|registry/src|jvm)/|/python3\.\d+/(?!site-packages)")


def run(*words, **more):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def lines(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "surrogateescape").split("\n")
    except OSError:
        return []


def escaped(path):
    """As reports write paths: bytes that are not printable UTF-8 as `\\xNN`, a backslash doubled."""
    text = ""
    for c in path:
        if 0xDC80 <= ord(c) <= 0xDCFF:
            text += "\\x%02x" % (ord(c) - 0xDC00)
        elif c == "\\":
            text += "\\\\"
        elif not c.isprintable():
            text += "".join("\\x%02x" % b for b in c.encode())
        else:
            text += c
    return text


class Image:
    def __init__(self, root, config):
        self.root = root
        self.document = config
        self.config = config.get("config") or {}
        self.entries = {}
        base = os.fsencode(root)
        folders = [base]
        while folders:
            for entry in os.scandir(folders.pop()):
                path = os.fsdecode(b"/" + os.path.relpath(entry.path, base))
                self.entries[path] = os.lstat(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
        self.files = {path: s for path, s in self.entries.items() if stat.S_ISREG(s.st_mode)}
        self.folders = {path: s for path, s in self.entries.items() if stat.S_ISDIR(s.st_mode)}
        self.links = [path for path, s in self.entries.items() if stat.S_ISLNK(s.st_mode)]

    def host(self, path):
        return self.root + path

    def read(self, path, most=1 << 26):
        with open(self.host(path), "rb") as file:
            return file.read(most)

    def resolve(self, path):
        """Where a path ends, links followed inside of the root; None when it ends on nothing."""
        parts, here, steps = [part for part in path.split("/") if part], "", 0
        while parts:
            part = parts.pop(0)
            if part == ".":
                continue
            if part == "..":
                here = here.rpartition("/")[0]
                continue
            step = here + "/" + part
            if step not in self.entries:
                return None
            if stat.S_ISLNK(self.entries[step].st_mode):
                steps += 1
                if steps > 40:
                    return None
                target = os.fsdecode(os.readlink(os.fsencode(self.host(step))))
                here = "" if target.startswith("/") else here
                parts = [part for part in target.split("/") if part] + parts
                continue
            here = step
        return here or "/"

    def is_runnable(self, path):
        return path in self.files and self.files[path].st_mode & 0o111 != 0

    @functools.cached_property
    def programs(self):
        """Executable regular files and links that end at one: path and target."""
        found = {path: path for path in self.files if self.is_runnable(path)}
        for path in self.links:
            target = self.resolve(path)
            if target and self.is_runnable(target):
                found[path] = target
        return found

    def named(self, names, where=r"/s?bin/[^/]+$|/\.bin/|/libexec/|/games/"):
        """Programs of these names in the folders of programs, and machine code of these names anywhere."""
        rule, place = re.compile(f"(?:{names})$"), re.compile(where)
        found = [(path, target) for path, target in self.programs.items() if rule.match(path.rpartition("/")[2])]
        return sorted(path for path, target in found if place.search(path) or self.read(target, 4) == b"\x7fELF")

    @functools.cached_property
    def owned(self):
        """Files that a package of the distribution lists: dpkg, apk, rpm."""
        listed = []
        info = self.host("/var/lib/dpkg/info")
        for name in os.listdir(info) if os.path.isdir(info) else []:
            if name.endswith(".list"):
                listed += lines(f"{info}/{name}")
        status = self.host("/var/lib/dpkg/status.d")
        for name in os.listdir(status) if os.path.isdir(status) else []:
            if name.endswith(".md5sums"):
                listed += ["/" + line.partition("  ")[2] for line in lines(f"{status}/{name}") if "  " in line]
        folder = ""
        for line in lines(self.host("/lib/apk/db/installed")):
            if line.startswith("F:"):
                folder = line[2:]
            elif line.startswith("R:"):
                listed.append(f"/{folder}/{line[2:]}")
        if os.path.isdir(self.host("/var/lib/rpm")):
            listed += run("rpm", "--dbpath", self.host("/var/lib/rpm"), "-qal").stdout.decode().split("\n")
        found = set()
        for path in filter(None, listed):
            parent, _, name = path.rpartition("/")
            found.add(path)
            found.add((self.resolve(parent) or parent).rstrip("/") + "/" + name)
        return found

    @functools.cached_property
    def is_unlisted(self):
        """A distribution, or BusyBox as one, that keeps no list: what lies in its folders is nevertheless its own."""
        return not self.owned and ("/etc/os-release" in self.entries or any(path.endswith("/busybox") and b"BusyBox" in self.read(path) for path in self.files))

    def is_of_application(self, path):
        of_system = self.is_unlisted and re.match(r"/(?:usr/)?(?:s?bin|lib\w*|libexec)/|/usr/share/", path)
        return path not in self.owned and not of_system

    @functools.cached_property
    def accounts(self):
        return [line.split(":") for line in lines(self.host("/etc/passwd")) if line.count(":") >= 3]

    @functools.cached_property
    def groups(self):
        return [line.split(":") for line in lines(self.host("/etc/group")) if line.count(":") >= 3]

    @functools.cached_property
    def user(self):
        """uid, gid, names of further groups; None for what the image does not know."""
        name, _, group = (self.config.get("User") or "").partition(":")
        uid, gid, login = (int(name or 0), 0, None) if re.fullmatch(r"\d*", name) else (None, None, name)
        for account in self.accounts:
            if account[0] == login or (login is None and account[2] == str(uid)):
                uid, gid, login = int(account[2]), int(account[3]), account[0]
                break
        if group:
            gid = int(group) if group.isdigit() else next((int(g[2]) for g in self.groups if g[0] == group), None)
            return uid, gid, []
        return uid, gid, [int(g[2]) for g in self.groups if login in g[3].split(",")]

    def may(self, mode, paths):
        """Which of the paths the image's user may read, write or run: the kernel says so, to a child inside the tree."""
        uid, gid, groups = self.user
        if uid is None or gid is None or uid >= 2**31:
            return set()
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.chroot(self.root)
            os.chdir("/")
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            with os.fdopen(theirs, "w") as out:
                json.dump([path for path in paths if os.access(path, mode)], out)
            os._exit(0)
        os.close(theirs)
        with os.fdopen(ours) as answer:
            found = json.load(answer)
        os.waitpid(child, 0)
        return set(found)

    @functools.cached_property
    def environment(self):
        return dict(item.split("=", 1) for item in self.config.get("Env") or [] if "=" in item)

    @property
    def argv(self):
        return (self.config.get("Entrypoint") or []) + (self.config.get("Cmd") or [])

    def which(self, name):
        """Where a name leads along PATH, for the image's user: what execvp would run."""
        if "/" in name:
            return self.resolve(name if name.startswith("/") else (self.config.get("WorkingDir") or "/") + "/" + name)
        for folder in self.environment.get("PATH", PATH).split(":"):
            target = self.resolve(f"{folder}/{name}")
            if target in self.files and self.may(os.X_OK, [f"{folder}/{name}"]):
                return target
        return None
