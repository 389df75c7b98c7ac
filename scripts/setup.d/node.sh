# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # scripts/setup reads and sets the rest
# Which Node.js builds the console: the machine's own if it is new enough, else that of .deps/.

# Vite 8 needs Node.js 20.19, 22.12 or newer; its native parts need npm 11.
node_is_new_enough() {
  local major minor
  command -v node >/dev/null && command -v npm >/dev/null || return 1
  IFS=. read -r major minor _ < <(node --version | tr -d v)
  ((major > 22 || (major == 22 && minor >= 12) || (major == 20 && minor >= 19))) || return 1
  (($(npm --version | cut -d. -f1) >= 11))
}

use_our_node() {
  if [[ -x $deps/node/bin/npm ]] && ! node_is_new_enough; then PATH=$deps/node/bin:$PATH; fi
}

# Node.js carries its own list of certificate authorities; a company's own stand in the system's.
system_authorities=/etc/ssl/certs/ca-certificates.crt
if [[ -z ${NODE_EXTRA_CA_CERTS:-} && -f $system_authorities ]]; then
  export NODE_EXTRA_CA_CERTS=$system_authorities
fi
