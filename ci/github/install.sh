#!/usr/bin/env bash
# First step of action.yml: says where plimsoll is (output `path`), and fetches the pinned release when the caller names none.
# Nothing is fetched whose SHA-256 does not stand in binaries.txt beside this file.
set -euo pipefail

RELEASES=https://github.com/plimsoll/plimsoll/releases/download

fail() {
  printf '::error title=plimsoll::%s\n' "$1"
  exit 2
}

# found PATH: the output of this step
found() {
  case $1 in *$'\n'* | *$'\r'*) fail 'the path of plimsoll holds a line break' ;; esac
  printf 'path=%s\n' "$1" >>"$GITHUB_OUTPUT"
}

platform() {
  local system machine
  system=$(uname -s)
  machine=$(uname -m)
  case $system in Linux) system=linux ;; Darwin) system=macos ;; esac
  case $machine in arm64) machine=aarch64 ;; amd64) machine=x86_64 ;; esac
  printf '%s-%s' "$system" "$machine"
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum -- "$1"; else shasum -a 256 -- "$1"; fi | cut -d ' ' -f 1
}

# fetch: the release for this platform, into a folder of its own
fetch() {
  local platform version expected file folder
  platform=$(platform)
  read -r version expected < <(
    while read -r version name digest; do
      if [ "$name" = "$platform" ]; then echo "$version $digest"; fi
    done <"$(dirname "${BASH_SOURCE[0]}")/binaries.txt"
  ) || fail "no release for $platform is pinned: build plimsoll from source, and give plimsoll-path (docs/ci.md)"
  [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ && $expected =~ ^[0-9a-f]{64}$ ]] || fail "binaries.txt is malformed for $platform"
  file=plimsoll-$version-$platform.tar.gz
  folder=$(mktemp -d "$RUNNER_TEMP/plimsoll.XXXXXX")
  curl -sSfL --proto '=https' --proto-redir '=https' --retry 3 -o "$folder/$file" "$RELEASES/v$version/$file" \
    || fail "cannot fetch $file"
  [ "$(sha256 "$folder/$file")" = "$expected" ] || fail "$file is not the file that is pinned: its SHA-256 differs"
  tar -xzf "$folder/$file" -C "$folder" plimsoll
  found "$folder/plimsoll"
}

if [ -n "${PLIMSOLL_PATH:-}" ]; then
  path=$(command -v -- "$PLIMSOLL_PATH") || fail 'plimsoll-path names no program'
  found "$path"
else
  fetch
fi
