# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # scripts/setup reads and sets the rest
# Test peers: programs and libraries that we did not write, in a Python environment of their own.

# One environment a lock: tests/peers/requirements.txt is .deps/peers, and what cannot live beside
# it, requirements-NAME.txt, is .deps/NAME.
peer_locks() { printf '%s\n' "$root"/tests/peers/requirements*.txt; }

peer_name() {
  local name=${1##*/requirements}
  name=${name%.txt}
  printf '%s\n' "${name#-}"
}

install_peers() {
  local lock=$1 name python=/usr/bin/python3 sha
  name=$(peer_name "$lock")
  name=${name:-peers}
  local stamp=$deps/.stamps/$name
  sha=$(sha256sum <"$lock")
  if [[ -x $deps/$name/bin/python && -f $stamp && $(<"$stamp") == "$sha" ]]; then
    outcome="ok (cached)"
    return 0
  fi
  [[ -x $python ]] || python=python3
  rm -f "$stamp"
  logged "$python" -m venv --clear "$deps/$name" || { reason="python3 -m venv failed"; return 3; }
  choose_peers_lock "$python" "$lock"
  tried "$deps/$name/bin/python" -m pip install --disable-pip-version-check --no-deps \
    --only-binary=:all: "${peers_options[@]}" ||
    { reason="pip could not install ${lock#"$root"/}"; return 3; }
  printf '%s\n' "$sha" >"$stamp"
}

# The lock's hashes are those of CPython 3.11; elsewhere the exact versions must do.
choose_peers_lock() {
  local python=$1 lock=$2
  if [[ $("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') == 3.11 ]]; then
    peers_options=(--require-hashes --requirement "$lock")
  else
    sed -e '/--hash/d' -e 's/ \\$//' "$lock" >"$deps/.cache/peers.txt"
    peers_options=(--requirement "$deps/.cache/peers.txt")
  fi
}
