// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "model/model_yaml.hpp"

// libfyaml 0.7.12 loses 4 KiB when a quoted scalar has very many escapes (fy_atom_format_text);
// nothing of ours can free it.
extern "C" const char* __lsan_default_suppressions() { return "leak:libfyaml\n"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  infiniedge::model::ModelConfig config{.name = "m"};
  std::vector<std::string> warnings;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)infiniedge::model::read_model_yaml(text, "file", config, warnings);
  return 0;
}
