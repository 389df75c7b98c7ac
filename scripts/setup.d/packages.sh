# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # scripts/setup reads and sets the rest
# Debian packages: only those missing, as root or through sudo.

lists_are_fresh=false

missing_packages() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      printf '%s\n' "$package"
  done
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

apt_install() {
  if ! command -v apt-get >/dev/null; then
    reason="no apt-get here. Install the equivalents of: $*"
    return 1
  fi
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    reason="not root, and no sudo. As root, run: apt-get install --no-install-recommends $*"
    return 1
  fi
  if ((EUID != 0)); then sudo -v || { reason="sudo was refused; needed for: $*"; return 1; }; fi
  if ! $lists_are_fresh; then
    tried as_root apt-get update -q || { reason="apt-get update failed"; return 1; }
    lists_are_fresh=true
  fi
  tried as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
    --no-install-recommends "$@" || { reason="apt-get install failed for: $*"; return 1; }
}

install_packages() {
  local group=$1
  local -a wanted absent
  mapfile -t wanted < <(awk -v group="$group" '$1 == group { print $2 }' "$root/scripts/packages.apt")
  if ! command -v dpkg-query >/dev/null; then
    reason="this is no Debian. Install the equivalents of: ${wanted[*]}"
    return 1
  fi
  mapfile -t absent < <(missing_packages "${wanted[@]}")
  if ((${#absent[@]} == 0)); then
    outcome="ok (${#wanted[@]} present)"
    return 0
  fi
  apt_install "${absent[@]}" || return 1
  outcome="ok (${#absent[@]} installed)"
}
