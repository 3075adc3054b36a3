"""Holds the reach against reality: runs commands in unpacked copies of images under strace, and compares the packages whose files
were opened with those that plimsoll calls unreached.

    reach-trace.py PLIMSOLL IMAGE.oci [COMMAND...]

IMAGE.oci is an OCI layout. Without COMMAND, what the image's config starts is run, for some seconds. Needs root, umoci and strace, and
runs what is in the image: for images that you made. Prints one line, and what was opened though it is called unreached; exit code 1 then.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SECONDS = "8"


def owners(root):
    """Which package owns which path, links in folders resolved."""
    found = {}

    def add(package, path):
        folder, name = os.path.split(path)
        found.setdefault(os.path.join(inside(root, folder), name), package)

    info = os.path.join(root, "var/lib/dpkg/info")
    for name in os.listdir(info) if os.path.isdir(info) else []:
        if name.endswith(".list"):
            for path in open(os.path.join(info, name), encoding="utf-8"):
                add(name[:-5].split(":")[0], path.rstrip("\n"))
    status = os.path.join(root, "var/lib/dpkg/status.d")
    for name in os.listdir(status) if os.path.isdir(status) else []:
        if name.endswith(".md5sums"):
            for line in open(os.path.join(status, name), encoding="utf-8"):
                add(name[:-8], "/" + line.rstrip("\n").split(None, 1)[1])
    installed = os.path.join(root, "lib/apk/db/installed")
    package = folder = ""
    for line in open(installed, encoding="utf-8") if os.path.exists(installed) else []:
        letter, value = line[:1], line[2:].rstrip("\n")
        package = value if letter == "P" else package
        folder = value if letter == "F" else folder
        if letter == "R":
            add(package, "/" + os.path.join(folder, value))
    return found


def inside(root, path, trail=None):
    """The path in the root that a path ends at; the links on the way are added to the trail."""
    at, left, hops = "/", [part for part in path.split("/") if part], 0
    while left and hops < 40:
        part = left.pop(0)
        if part in (".", ".."):
            at = os.path.dirname(at) if part == ".." else at
            continue
        one = os.path.join(at, part)
        if os.path.islink(root + one):
            hops += 1
            if trail is not None:
                trail.append(one)
            target = os.readlink(root + one)
            left = [part for part in target.split("/") if part] + left
            at = "/" if target.startswith("/") else at
        else:
            at = one
    return at


def opened(root, command, config):
    """Paths that are opened or started, each with what it ends at."""
    log = tempfile.mktemp()
    env = {entry.split("=", 1)[0]: entry.split("=", 1)[1] for entry in config.get("Env") or []}
    env.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    inner = ["chroot", root, *command]
    work = config.get("WorkingDir") or "/"
    # strace stands outside: the image needs none. env of coreutils would be looked for inside, so the words are looked up here.
    if "/" not in command[0]:
        folders = [folder for folder in env["PATH"].split(":") if os.path.exists(root + inside(root, folder + "/" + command[0]))]
        inner[2] = folders[0] + "/" + command[0] if folders else command[0]
    script = "import os,sys; r=sys.argv[1]; os.chroot(r); os.chdir(sys.argv[2]); os.execve(sys.argv[3], sys.argv[3:], dict(e.split('=',1) for e in os.environ['REACH'].split(chr(1)) if e))"
    # some loaders and the JVM look at /proc
    words = ["unshare", "-m", "sh", "-c", 'mount -t proc proc "$0/proc" 2>/dev/null; exec "$@"', root, "timeout", SECONDS, "strace", "-f", "-qq", "-o", log, "-e", "trace=open,openat,execve", sys.executable, "-I", "-c", script, root, work, *inner[2:]]
    kept = {**os.environ, "REACH": "\x01".join(f"{key}={value}" for key, value in env.items())}
    run = subprocess.run(words, env=kept, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    paths, is_inside, folder = set(), False, work
    for line in open(log, encoding="utf-8", errors="replace"):
        if "execve(" in line and not is_inside and f'execve("{inner[2]}"' in line:
            is_inside = True
        if not is_inside or "= -1" in line or "O_DIRECTORY" in line:
            continue
        match = re.search(r'(?:open|execve|openat)\((?:[^",]*, )?"([^"]*)"', line)
        if match:
            paths.add(os.path.join(folder, match.group(1)))
    os.unlink(log)
    return paths, run


def main():
    plimsoll, image, *command = sys.argv[1:]
    reports = json.loads(subprocess.run([plimsoll, "check", "--format", "json", image], capture_output=True, check=False).stdout)
    reach = reports["images"][0]["reach"]
    unreached = {one["name"] for one in reach["biggest"]}
    work = tempfile.mkdtemp()
    try:
        source = os.path.join(work, "source")
        shutil.copytree(image, source)
        tag = subprocess.run(["umoci", "ls", "--layout", source], capture_output=True, text=True, check=True).stdout.split()[0]
        bundle = os.path.join(work, "bundle")
        subprocess.run(["umoci", "unpack", "--image", f"{source}:{tag}", bundle], capture_output=True, check=True)
        index = json.load(open(os.path.join(source, "index.json"), encoding="utf-8"))
        blob = lambda digest: json.load(open(os.path.join(source, "blobs", *digest.split(":")), encoding="utf-8"))
        config = blob(blob(index["manifests"][0]["digest"])["config"]["digest"]).get("config") or {}
        root = os.path.join(bundle, "rootfs")
        command = command or (config.get("Entrypoint") or []) + (config.get("Cmd") or [])
        for node in ("null", "urandom", "random", "zero"):
            path = os.path.join(root, "dev", node)
            if not os.path.exists(path):
                subprocess.run(["cp", "-a", f"/dev/{node}", path], check=False)
        known = owners(root)
        paths, run = opened(root, command, config)
        packages, wrong = {}, {}
        for path in paths:
            trail = []
            end = inside(root, path, trail)
            if not os.path.isfile(root + end):
                continue
            # a link to a folder is listed as a folder by every package with a file below it
            for one in [end, *(link for link in trail if os.path.isfile(root + inside(root, link)))]:
                package = known.get(one)
                if package:
                    packages.setdefault(package, path)
                    if package in unreached:
                        wrong[package] = path
        shown = " ".join(command)[:60]
        print(f"{os.path.basename(image)}: {shown!r}: exit {run.returncode}, {len(paths)} files of {len(packages)} packages opened, "
              f"{reach['reached']} of {reach['packages']} reached, {len(wrong)} wrongly called unreached")
        for package, path in sorted(wrong.items()):
            print(f"  {package}: {path}")
        if os.environ.get("VERBOSE"):
            print("  opened:", " ".join(sorted(packages)), "\n ", run.stderr.decode()[-400:])
        sys.exit(1 if wrong else 0)
    finally:
        shutil.rmtree(work)


main()
