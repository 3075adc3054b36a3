"""What the ecosystems' own readers say of an unpacked image: a line for each component, as kind, name, version, path, bytes.

Python by importlib.metadata, npm by a walk of node_modules as Node.js looks packages up, Java by its release files.
Takes the folder of the unpacked image.
"""

import json
import os
import stat
import sys
from importlib.metadata import distributions

root = os.path.abspath(sys.argv[1])


def size(paths):
    """Bytes of regular files, no link followed, each inode once."""
    found = {}
    for path in paths:
        try:
            status = os.lstat(path)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            found[status.st_ino] = status.st_size
    return sum(found.values())


def say(kind, name, version, path, total):
    print("\t".join([kind, name, version or "", path[len(root):], str(total)]))


sites, npm = set(), {}
for folder, folders, files in os.walk(root):
    if any(name.endswith((".dist-info", ".egg-info")) for name in folders + files):
        sites.add(folder)
    around, name = os.path.split(folder)
    is_modules = name == "node_modules" or name == "nodejs" and os.path.basename(around) in ("share", "lib")
    is_scope = name.startswith("@") and os.path.basename(around) in ("node_modules", "nodejs")
    for child in folders if is_modules or is_scope else []:
        path = os.path.join(folder, child)
        package = os.path.join(path, "package.json")
        if child[0] in ".@" or os.path.islink(path) or not os.path.isfile(package):
            continue
        with open(package, encoding="utf-8-sig") as text:
            says = json.load(text)
        if says.get("name"):
            npm[path] = says
    if "release" in files and ("bin" in folders or "lib" in folders):
        with open(os.path.join(folder, "release"), encoding="utf-8") as text:
            values = dict(line.rstrip().replace('"', "").split("=", 1) for line in text if "=" in line)
        if "JAVA_VERSION" in values:
            print("\t".join(["java-runtime", values["IMPLEMENTOR"], values["JAVA_VERSION"], folder[len(root):], "-"]))

for site in sites:
    for found in distributions(path=[site]):
        place = str(found._path)
        if found.read_text("RECORD") is None:
            print("\t".join(["python-distribution", found.metadata["Name"], found.version, place[len(root):], "-"]))
            continue
        listed = (os.path.normpath(os.path.join(site, str(path))) for path in found.files or [])
        own = [path for path in listed if path.startswith(site + "/") or os.path.dirname(path).endswith("/bin")]
        say("python-distribution", found.metadata["Name"], found.version, place, size(own))

for path, says in npm.items():
    own = []
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in npm]
        own += [os.path.join(folder, name) for name in files]
    say("npm-package", says["name"], says.get("version"), path, size(own))
