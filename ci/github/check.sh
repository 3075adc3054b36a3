#!/usr/bin/env bash
# Second step of action.yml: one scan, all reports. Ends with 0 whatever the verdict is, so that SARIF is uploaded; the last step fails.
# Values come by environment, and each is one word of a command: nothing here is evaluated, and no name of an image reaches the log
# but through plimsoll, which disarms it.
set -euo pipefail

# output NAME VALUE: one output of this step, on one line
output() {
  printf '%s=%s\n' "$1" "${2//[$'\r\n']/ }" >>"$GITHUB_OUTPUT"
}

# refuse REASON: wrong use
refuse() {
  printf '::error title=plimsoll::%s\n' "$1"
  output verdict unverifiable
  output exit-code 2
  exit 0
}

given=0
for one in "$IMAGE" "$ARCHIVE" "$LAYOUT"; do
  if [ -n "$one" ]; then given=$((given + 1)); fi
done
[ "$given" = 1 ] || refuse 'give one of the inputs image, archive and layout'
case $SARIF_FILE in *$'\n'* | *$'\r'* | -) refuse 'sarif-file is no name of a file' ;; esac

folder=$(mktemp -d "$RUNNER_TEMP/plimsoll.XXXXXX")
arguments=(check "--policy=$POLICY" -o text=- -o "json=$folder/report.json" -o "dotenv=$folder/report.env")
if [ -n "$PLATFORM" ]; then arguments+=("--platform=$PLATFORM"); fi
if [ -n "$BASELINE" ]; then arguments+=("--baseline=$BASELINE"); fi
if [ -n "$FAIL_ON" ]; then arguments+=("--fail-on=$FAIL_ON"); fi
if [ -n "$DOCKERFILE" ]; then arguments+=("--dockerfile=$DOCKERFILE"); fi
if [ -n "$SOURCE_ROOT" ]; then arguments+=("--source-root=$SOURCE_ROOT"); fi
if [ -n "$SARIF_FILE" ]; then
  rm -f -- "$SARIF_FILE"
  arguments+=(-o "sarif=$SARIF_FILE")
  # code scanning goes by the file's own category where it has one
  if [ -n "$CATEGORY" ]; then arguments+=("--sarif-category=$CATEGORY"); fi
fi
if [ "$SUMMARY" = true ]; then arguments+=(-o "markdown=$folder/summary.md"); fi
if [ "$ANNOTATIONS" = true ]; then arguments+=(-o "github=$folder/annotations"); fi

# without colour, and on GitHub's own width
export NO_COLOR=1
status=(0 0)
if [ -n "$IMAGE" ]; then
  docker save -- "$IMAGE" | "$PLIMSOLL" "${arguments[@]}" -- - || status=("${PIPESTATUS[@]}")
else
  "$PLIMSOLL" "${arguments[@]}" -- "$ARCHIVE$LAYOUT" </dev/null || status=(0 "$?")
fi
code=${status[1]}
# docker is stopped early where plimsoll has seen enough; but no pass rests on half of what it was to write
if [ "$code" = 0 ] && [ "${status[0]}" != 0 ]; then code=3; fi

verdict=unverifiable
score=
if [ -s "$folder/report.env" ]; then
  while IFS='=' read -r name value; do
    case $name in PLIMSOLL_VERDICT) verdict=$value ;; PLIMSOLL_SCORE) score=$value ;; esac
  done <"$folder/report.env"
fi
if [ "$code" != 0 ] && [ "$verdict" = pass ]; then verdict=unverifiable; fi

if [ -s "$folder/annotations" ]; then cat "$folder/annotations"; fi
if [ -s "$folder/summary.md" ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$folder/summary.md" >>"$GITHUB_STEP_SUMMARY"; fi

output verdict "$verdict"
output score "$score"
output exit-code "$code"
if [ -s "$folder/report.json" ]; then output json-file "$folder/report.json"; fi
if [ -n "$SARIF_FILE" ] && [ -s "$SARIF_FILE" ]; then output sarif-file "$SARIF_FILE"; fi
