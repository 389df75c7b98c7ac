// SPDX-License-Identifier: Apache-2.0
#pragma once

// For fuzzers that read YAML: libfyaml 0.7.12 loses 4 KiB when a quoted scalar has very many
// escapes (fy_atom_format_text); nothing of ours can free it.
extern "C" const char* __lsan_default_suppressions() { return "leak:libfyaml\n"; }
