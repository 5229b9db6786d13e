#!/usr/bin/env bash
# Runs the gate over captures and writes the reports that pipelines show. Everything comes as environment variables, so
# that no text of a workflow or a branch is ever read as a command.
#
#   GHOSTSHARK_FILES     captures: paths, folders and patterns, one a line
#   GHOSTSHARK_POLICY    a policy; may be empty
#   GHOSTSHARK_BASELINE  a baseline; may be empty, and may not exist yet
#   GHOSTSHARK_FAIL_ON   the least severity that fails; may be empty
#   GHOSTSHARK_OUT       the folder for reports
#   GHOSTSHARK           the program; `ghostshark` where it is empty
#
# The exit code is that of `ghostshark check`: 0 passed, 1 failed, 2 wrong use, 3 no capture could be read.
set -euo pipefail

program="${GHOSTSHARK:-ghostshark}"
out="${GHOSTSHARK_OUT:-ghostshark-reports}"
mkdir -p "$out"

files=()
while IFS= read -r line; do
    [[ -n "$line" ]] && files+=("$line")
done <<<"${GHOSTSHARK_FILES:-}"
if ((${#files[@]} == 0)); then
    echo "GHOSTSHARK_FILES names no capture" >&2
    exit 2
fi

flags=(
    --report "html=$out/sessions.html"
    --report "junit=$out/junit.xml"
    --report "sarif=$out/ghostshark.sarif"
    --report "jsonl=$out/sessions.jsonl"
)
[[ -n "${GHOSTSHARK_POLICY:-}" ]] && flags+=(--policy "$GHOSTSHARK_POLICY" --sarif-anchor)
[[ -n "${GHOSTSHARK_FAIL_ON:-}" ]] && flags+=(--fail-on "$GHOSTSHARK_FAIL_ON")
if [[ -n "${GHOSTSHARK_BASELINE:-}" ]]; then
    if [[ -e "$GHOSTSHARK_BASELINE" ]]; then
        flags+=(--baseline "$GHOSTSHARK_BASELINE")
    else
        echo "there is no baseline $GHOSTSHARK_BASELINE yet: every finding counts" >&2
    fi
fi
# What a platform shows by itself: a summary of the step, and lines beside the change.
[[ -n "${GITHUB_STEP_SUMMARY:-}" ]] && flags+=(--report "md=$out/summary.md")
[[ -n "${GITHUB_ACTIONS:-}" ]] && flags+=(--report github=-)
[[ -n "${GITLAB_CI:-}" ]] && flags+=(--report "gitlab=$out/code-quality.json")

code=0
"$program" check "${flags[@]}" "${files[@]}" || code=$?
if [[ -n "${GITHUB_STEP_SUMMARY:-}" && -s "$out/summary.md" ]]; then
    cat "$out/summary.md" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$code"
