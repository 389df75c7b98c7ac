# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # scripts/setup reads and sets the rest
# Progress of scripts/setup: one line a step, then what is off and what failed.
# A step's function returns 0 (done), 3 (could not be reached: the part stays off) or anything else
# (failed), and leaves one word about it in $outcome, its reason in $reason.

steps_done=0
steps_total=0
started=$SECONDS
off=()
failed=()

say() { $quiet || printf '%s\n' "$*"; }

step() {
  local title=$1 begun=$SECONDS status=0
  shift
  steps_done=$((steps_done + 1))
  outcome=ok
  reason=
  $quiet || printf '[%d/%d] %s … ' "$steps_done" "$steps_total" "$title"
  "$@" || status=$?
  case $status in
    0) say "$outcome$(took "$begun")" ;;
    3) say "off: $reason"; off+=("$title: $reason") ;;
    *) say "FAILED: $reason"; failed+=("$title: $reason") ;;
  esac
}

took() { if ((SECONDS - $1 >= 2)); then printf ' (%d s)' $((SECONDS - $1)); fi; }

finish() {
  local line
  if ((${#off[@]})); then
    echo "scripts/setup: these parts are off, because they could not be fetched (run it again to retry):" >&2
    for line in "${off[@]}"; do echo "  - $line" >&2; done
  fi
  if ((${#failed[@]})); then
    echo "scripts/setup: failed:" >&2
    for line in "${failed[@]}"; do echo "  - $line" >&2; done
    exit 1
  fi
  say "ready in $((SECONDS - started)) s"
}

# Runs a command with its output in a log, whose end is shown only if it fails.
logged() {
  if silenced "$@"; then return 0; fi
  echo >&2
  tail -n 8 "$deps/.cache/last.log" | cut -c 1-200 | sed 's/^/    /' >&2
  return 1
}

silenced() { "$@" >"$deps/.cache/last.log" 2>&1 </dev/null; }

# The same, once more after a pause: a registry may be busy for a moment.
tried() { silenced "$@" || { sleep 3; logged "$@"; }; }
