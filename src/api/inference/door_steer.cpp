// SPDX-License-Identifier: Apache-2.0
// The routes of Door that steer the server: repository, shared memory, logging, tracing.
#include "api/inference/describe.hpp"
#include "api/inference/door.hpp"
#include "api/inference/options.hpp"
#include "api/inference/reply.hpp"

namespace infiniedge::api::inference {

Task<Door::Response> Door::index(Request request) {
  auto options = read_index_options(*request.body);
  if (!options) co_return error_reply(options.error());
  auto entries = co_await parts_.server.index(options->ready);
  if (!entries) co_return refused(entries.error(), nullptr);
  co_return json_reply(index_json(*entries));
}

Task<Door::Response> Door::load(Request request, Target target) {
  auto options = read_load_options(*request.body);
  if (!options) co_return error_reply(options.error());
  const bool loading = target.kind == Target::Kind::Load;
  auto name = std::move(target.model);
  Result<void> done;
  if (loading) {
    done = co_await parts_.server.load(name, std::move(options->given));
  } else if (options->unload_dependents) {
    done = co_await parts_.server.unload_with_parts(name);
  } else {
    done = co_await parts_.server.unload(name);
  }
  if (done) co_return json_reply("");
  auto response = refused(done.error(), nullptr);
  if (response.status == 404) response.status = 400;  // As Triton has it for load and unload.
  co_return response;
}

Door::Response Door::shared_memory(const Request& request, const Target& target) {
  auto& memory = parts_.state.memory;
  if (target.action == "unregister") {
    target.region.empty() ? memory.remove_all() : memory.remove(target.region);
    return json_reply("");
  }
  if (target.action == "status") {
    if (target.region.empty()) return json_reply(regions_json(memory.list()));
    auto region = memory.find(target.region);
    if (!region) return refused(region.error(), nullptr);
    return json_reply(regions_json({*region}));
  }
  auto region = read_region(target.region, *request.body);
  if (!region && memory.enabled()) return refused(region.error(), nullptr);
  auto added = memory.add(region ? std::move(*region) : SharedRegion{});
  return added ? json_reply("") : refused(added.error(), nullptr);
}

/// There is no GPU: nothing is ever registered, and taking nothing away succeeds.
Door::Response Door::cuda_shared_memory(const Target& target) const {
  if (target.action == "unregister") return json_reply("");
  if (target.action == "register") return error_reply(no_gpu(target.region));
  if (target.region.empty()) return json_reply("[]");
  return error_reply(404, "Unable to find cuda shared memory region: '" + target.region + "'");
}

Door::Response Door::logging(const Request& request) {
  if (request.method == "POST") {
    auto changes = read_log_settings(*request.body);
    if (!changes) return error_reply(changes.error());
    if (auto changed = change_log(*changes); !changed) return error_reply(changed.error());
  }
  return json_reply(log_json(current_log()));
}

Door::Response Door::trace(const Request& request, const Target& target) {
  if (!target.model.empty()) {
    // A model without a ready version may be prepared all the same.
    auto served = parts_.server.find(target.model);
    if (!served && served.error().code() == Code::NotFound) return error_reply(served.error());
  }
  auto& trace = parts_.state.trace;
  if (request.method == "POST") {
    auto changes = read_trace_update(*request.body);
    if (!changes) return error_reply(changes.error());
    if (auto changed = trace.update(target.model, *changes); !changed) {
      return error_reply(changed.error());
    }
  }
  return json_reply(trace_json(trace.of(target.model)));
}

}  // namespace infiniedge::api::inference
