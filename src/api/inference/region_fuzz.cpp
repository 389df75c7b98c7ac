// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "api/inference/options.hpp"

/// The bodies of every route that steers the server; the first byte chooses. What is registered is
/// looked for under a name that cannot exist, so that no input opens an object of this machine.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace inference = infiniedge::api::inference;
  if (size == 0) return 0;
  const std::string body(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 4) {
    case 0: {
      auto region = inference::read_region("r", body);
      if (!region) return 0;
      region->key.insert(0, "/infiniedge-none/");
      inference::SharedMemory memory(true);
      (void)memory.add(*region);
      (void)memory.use({"r", region->offset, region->byte_size});
      return 0;
    }
    case 1: {
      const auto update = inference::read_trace_update(body);
      inference::TraceSettings trace;
      if (update && trace.update("m", *update)) (void)trace.of("m");
      return 0;
    }
    case 2:
      (void)inference::read_log_settings(body);
      return 0;
    default:
      (void)inference::read_load_options(body);
      return 0;
  }
}
