#!/usr/bin/env python3
"""put-images.py HOST REPOSITORY COUNT FILES BYTES: puts COUNT images into a registry over plain HTTP, tagged 1 to COUNT.

Each has one gzip layer of its own, of FILES files with BYTES bytes each, so that nothing of one image is known from another.
"""

import hashlib
import http.client
import io
import json
import random
import sys
import tarfile
import zlib

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def gzipped(content):
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(content) + packer.flush()


class Registry:
    """One connection to a registry."""

    def __init__(self, host, repository):
        self.connection = http.client.HTTPConnection(host, timeout=60)
        self.repository = repository

    def ask(self, method, path, body=None, headers=None, expected=(200, 201, 202)):
        """The answer's headers."""
        self.connection.request(method, path, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in expected:
            sys.exit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return answer.headers

    def put_blob(self, content, media_type):
        """Its descriptor."""
        location = self.ask("POST", f"/v2/{self.repository}/blobs/uploads/")["Location"]
        path = location[location.index("/v2/") :]
        digest = sha256(content)
        path += ("&" if "?" in path else "?") + f"digest={digest}"
        self.ask("PUT", path, content, {"Content-Type": "application/octet-stream"})
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def put_image(self, tag, layer):
        """Of one layer, an uncompressed tar."""
        rootfs = {"type": "layers", "diff_ids": [sha256(layer)]}
        config = {"architecture": "amd64", "os": "linux", "config": {"User": "1000"}, "rootfs": rootfs}
        config = self.put_blob(json.dumps(config).encode(), CONFIG)
        layers = [self.put_blob(gzipped(layer), LAYER)]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        path = f"/v2/{self.repository}/manifests/{tag}"
        self.ask("PUT", path, json.dumps(manifest).encode(), {"Content-Type": MANIFEST})


def main(host, repository, count, files, size):
    registry = Registry(host, repository)
    source = random.Random(1)
    # of every four bytes three are random: packed, it is a little smaller, as programs are
    pool = b"".join(source.randbytes(3) + b" " for _ in range((size + 2_000_000) // 4))
    for number in range(1, count + 1):
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for file in range(files):
                start = source.randrange(1_000_000)
                member = tarfile.TarInfo(f"srv/i{number}/d{file // 1000}/f{file}")
                member.size = size
                tar.addfile(member, io.BytesIO(pool[start : start + size]))
        registry.put_image(str(number), layer.getvalue())


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
