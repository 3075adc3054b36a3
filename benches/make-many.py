#!/usr/bin/env python3
"""make-many.py FILES FOLDER: an OCI layout of one layer with FILES small files, 1,000 to a folder.

For what grows with the number of entries: `/usr/bin/time -v plimsoll check FOLDER`.
"""

import hashlib
import io
import json
import pathlib
import sys
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def main(files, folder):
    blobs = pathlib.Path(folder, "blobs", "sha256")
    blobs.mkdir(parents=True)

    def put(content, media_type):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number in range(files):
            member = tarfile.TarInfo(f"srv/d{number // 1000}/file-{number}.py")
            member.size = 10
            tar.addfile(member, io.BytesIO(b"0123456789"))
    layer = put(layer.getvalue(), "application/vnd.oci.image.layer.v1.tar")
    rootfs = {"type": "layers", "diff_ids": [layer["digest"]]}
    config = {"architecture": "amd64", "os": "linux", "config": {"User": "1000"}, "rootfs": rootfs}
    config = put(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    manifest = put(json.dumps(manifest).encode(), MANIFEST)
    pathlib.Path(folder, "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    pathlib.Path(folder, "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(int(sys.argv[1]), sys.argv[2])
