#!/usr/bin/env bash
# Last step of action.yml: fails with plimsoll's exit code; what has none was not verified.
set -euo pipefail

case ${EXIT_CODE:-} in
  0) [ "${VERDICT:-}" = pass ] || exit 3 ;;
  1 | 2 | 3) exit "$EXIT_CODE" ;;
  *)
    echo '::error title=plimsoll::the image was not checked'
    exit 3
    ;;
esac
