#!/bin/sh
# record.sh OUT: builds the Dockerfiles of this folder with buildah, with and without --layers, and writes for each image a JSON file
# with its history, and for each of its layers the files in it, which say the line that made it. Needs buildah, a static busybox, jq
# and root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
b() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$@"; }
mkdir "$work/context"
cp "$(command -v busybox)" "$work/context/busybox"
echo mark > "$work/context/mark"
for dockerfile in "$here"/*.Dockerfile; do
    name=$(basename "$dockerfile" .Dockerfile)
    for layers in true false; do
        target=
        [ "$name" = chained ] && target="--target final"
        # shellcheck disable=SC2086
        b build --layers=$layers --isolation chroot --format docker --pull-never $target -f "$dockerfile" -t "t:$name" "$work/context" >&2
        rm -rf "$work/image"
        b push "t:$name" "dir:$work/image" >&2
        config=$(jq -r .config.digest "$work/image/manifest.json")
        for layer in $(jq -r '.layers[].digest' "$work/image/manifest.json"); do
            tar -tf "$work/image/${layer#sha256:}" | jq -R . | jq -sc 'map(select(test("^/?(line-|bin/busybox)")))'
        done > "$work/layers"
        kind=layers
        [ $layers = false ] && kind=squashed
        jq -n --arg builder "$(buildah --version), --layers=$layers" --slurpfile layers "$work/layers" \
            --slurpfile config "$work/image/${config#sha256:}" \
            '{builder: $builder, layers: $layers, history: ($config[0].history | map(del(.created)))}' > "$out/$name-$kind.json"
    done
done
