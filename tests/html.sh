#!/usr/bin/env bash
# A browser looks at the HTML report: narrow and wide, light and dark, folded and unfolded. Installs Chromium on a bare Debian machine.
# tests/html.sh [--shots FOLDER] keeps a picture of everything that was looked at.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/setup.sh

need_rust
need_packages python3=python3 chromium=chromium
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT

echo "== broken pages are refused"
python3 tests/html/check.py --broken tests/html/broken/*.html
echo "== the report's pages"
PLIMSOLL_PAGES=$pages cargo test --locked --quiet --lib -- report::html::tests::pages_are_written_for_a_browser
python3 tests/html/check.py "$@" "$pages"/*.html
echo "all pages are fit to be read after $SECONDS s"
