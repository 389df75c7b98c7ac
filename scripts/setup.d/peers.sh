# SPDX-License-Identifier: Apache-2.0
# Test peers: programs and libraries that we did not write, in a Python environment of their own.

install_peers() {
  local python=/usr/bin/python3 lock=$root/tests/peers/requirements.txt stamp=$deps/.stamps/peers
  local sha
  sha=$(sha256sum <"$lock")
  if [[ -x $deps/peers/bin/python && -f $stamp && $(<"$stamp") == "$sha" ]]; then
    outcome="ok (cached)"
    return 0
  fi
  [[ -x $python ]] || python=python3
  rm -f "$stamp"
  logged "$python" -m venv --clear "$deps/peers" || { reason="python3 -m venv failed"; return 3; }
  tried "$deps/peers/bin/python" -m pip install --disable-pip-version-check --no-deps \
    --only-binary=:all: $(peer_options "$python" "$lock") ||
    { reason="pip could not install tests/peers/requirements.txt"; return 3; }
  printf '%s\n' "$sha" >"$stamp"
}

# The lock's hashes are those of CPython 3.11; elsewhere the exact versions must do.
peer_options() {
  local python=$1 lock=$2
  if [[ $("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') == 3.11 ]]; then
    printf -- '--require-hashes --requirement %s' "$lock"
  else
    sed -e '/--hash/d' -e 's/ \\$//' "$lock" >"$deps/.cache/peers.txt"
    printf -- '--requirement %s' "$deps/.cache/peers.txt"
  fi
}
