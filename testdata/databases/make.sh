#!/usr/bin/env bash
# Makes the databases of this folder with rpm itself: builds the packages of sample.spec, and enters them into a database of
# each kind that this rpm writes. Says what `rpm -qa` says of each; the tests say the same of the files.
# Needs rpm and rpmbuild 4.16 or newer. Debian's rpm does not write ndb: RPM=PATH names one that does (its source package,
# configured with --enable-ndb). Nobody's rpm writes Berkeley DB any more. Only the times of installation differ between runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

export SOURCE_DATE_EPOCH=1700000000
rpmbuild --quiet -bb sample.spec --target x86_64 --define "_topdir $scratch" --define '_buildhost localhost' \
  --define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1' --define '_build_id_links none' \
  --define '__os_install_post %{nil}' --define 'debug_package %{nil}'

# make KIND FILE
make() {
  local rpm=("${RPM:-rpm}" --dbpath "$scratch/$1" --define "_db_backend $1")
  mkdir "$scratch/$1"
  "${rpm[@]}" --install --justdb --nodeps --ignorearch --nosignature "$scratch"/RPMS/*/*.rpm
  "${rpm[@]}" --erase --justdb --nodeps plimsoll-sample-gone
  echo "$1: $("${rpm[@]}" --version)"
  "${rpm[@]}" -qa --queryformat '%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH}\n[%{FILENAMES} %{FILEMODES:octal}\n]' | sort | grep -v a-file-with-a-long-name
  gzip -9 --no-name --stdout "$scratch/$1/$2" > "$2.gz"
}
make sqlite rpmdb.sqlite
make ndb Packages.db
