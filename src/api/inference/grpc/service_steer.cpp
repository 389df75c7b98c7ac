// SPDX-License-Identifier: Apache-2.0
// The methods of Service that steer the server: repository, shared memory, tracing, logging.
#include <fmt/format.h>

#include "api/inference/grpc/parameter.hpp"
#include "api/inference/grpc/service.hpp"
#include "api/inference/grpc/wire.hpp"
#include "api/inference/log_settings.hpp"
#include "api/inference/options.hpp"

namespace infiniedge::api::inference::grpc {
namespace {

/// repository_name, model_name and parameters of a load or unload.
struct RepositoryCall {
  std::string model;
  LoadOptions options{};
};

Result<void> read_load_parameter(const Field& field, LoadOptions& options) {
  const auto parameter = read_parameter(field);
  if (!parameter) return parameter.error();
  const auto* text = std::get_if<std::string_view>(&parameter->value);
  if (parameter->name == "config" || parameter->name.starts_with("file:")) {
    if (text == nullptr) {
      return Error{Code::Invalid,
                   fmt::format("parameter '{}' takes text or bytes", parameter->name)};
    }
    if (parameter->name == "config") {
      options.given.config = std::string{*text};
    } else {
      options.given.files[std::string{parameter->name.substr(5)}] = std::string{*text};
    }
  } else if (parameter->name == "unload_dependents") {
    const auto* flag = std::get_if<bool>(&parameter->value);
    if (flag == nullptr) return Error{Code::Invalid, "parameter 'unload_dependents' takes a bool"};
    options.unload_dependents = *flag;
  }
  return {};
}

Result<RepositoryCall> read_repository_call(const rpc::Message& message) {
  RepositoryCall out;
  INFINIEDGE_TRY(each_field(*message, [&](const Field& field) -> Result<void> {
    if (field.number == 1 && !field.bytes.empty()) {
      return Error{Code::Unsupported, "there is one model repository here, without a name"};
    }
    if (field.number == 3) return read_load_parameter(field, out.options);
    if (field.number != 2) return {};
    auto name = read_text(field, "model_name");
    if (!name) return std::move(name).error();
    out.model = std::move(*name);
    return {};
  }));
  if (!out.options.given.files.empty() && !out.options.given.config) {
    return Error{Code::Invalid, "parameters 'file:…' need 'config' beside them"};
  }
  return out;
}

rpc::Payload nothing() { return {}; }

rpc::Payload payload_of(std::string text) {
  rpc::Payload out;
  out.text() = std::move(text);
  return out;
}

/// A request whose fields are name=1, key=2, offset=3, byte_size=4, or the first of them.
Result<SharedRegion> read_region(const rpc::Message& message) {
  SharedRegion out;
  INFINIEDGE_TRY(each_field(*message, [&](const Field& field) -> Result<void> {
    if (field.number == 3) out.offset = field.value;
    if (field.number == 4) out.byte_size = field.value;
    if (field.number != 1 && field.number != 2) return {};
    auto text = read_text(field, field.number == 1 ? "name" : "key");
    if (!text) return std::move(text).error();
    (field.number == 1 ? out.name : out.key) = std::move(*text);
    return {};
  }));
  return out;
}

void put_region(std::string& out, const SharedRegion& region) {
  std::string status, entry;
  put_bytes(status, 1, region.name);
  put_bytes(status, 2, region.key);
  put_integer(status, 3, region.offset);
  put_integer(status, 4, region.byte_size);
  put_bytes(entry, 1, region.name);
  put_bytes(entry, 2, status);
  put_bytes(out, 1, entry);
}

/// Reads the entries of a map<string, SettingValue>; `take(key, value)` gets the value's field.
template <class Take>
Result<void> read_setting(const Field& entry, Take take) {
  std::string key, value;
  INFINIEDGE_TRY(each_field(entry.bytes, [&](const Field& field) -> Result<void> {
    if (field.number == 1) key = field.bytes;
    if (field.number == 2) value = field.bytes;
    return {};
  }));
  take(key, std::nullopt);
  return each_field(value, [&](const Field& field) -> Result<void> {
    take(key, std::optional(field));
    return {};
  });
}

void note_log_setting(LogSettings& changes, std::string_view key, const Field& value) {
  const bool flag = value.flag();
  if (key == "log_file") changes.log_file = std::string{value.bytes};
  if (key == "log_format") changes.log_format = std::string{value.bytes};
  if (key == "log_info") changes.log_info = flag;
  if (key == "log_warning") changes.log_warning = flag;
  if (key == "log_error") changes.log_error = flag;
  if (key == "log_verbose_level") {
    changes.log_verbose_level = static_cast<std::uint32_t>(value.value);
  }
}

void put_setting(std::string& out, std::string_view name, std::string_view value) {
  std::string entry;
  put_bytes(entry, 1, name);
  put_bytes(entry, 2, value);
  put_bytes(out, 1, entry);
}

std::string log_wire(const LogSettings& now) {
  std::string out;
  const auto flag = [&](std::string_view name, bool value) {
    std::string setting;
    put_integer(setting, 1, value ? 1 : 0);
    put_setting(out, name, setting);
  };
  const auto text = [&](std::string_view name, std::string_view value) {
    std::string setting;
    put_bytes(setting, 3, value);
    put_setting(out, name, setting);
  };
  text("log_file", now.log_file.value_or(""));
  flag("log_info", now.log_info.value_or(false));
  flag("log_warning", now.log_warning.value_or(false));
  flag("log_error", now.log_error.value_or(false));
  std::string level;
  put_integer(level, 2, now.log_verbose_level.value_or(0));
  put_setting(out, "log_verbose_level", level);
  text("log_format", now.log_format.value_or("default"));
  return out;
}

}  // namespace

Task<Service::Reply> Service::load(rpc::Message message) {
  auto wanted = read_repository_call(message);
  if (!wanted) co_return wanted.error();
  const auto done =
      co_await parts_.server.load(std::move(wanted->model), std::move(wanted->options.given));
  if (done) co_return nothing();
  co_return done.error();
}

Task<Service::Reply> Service::unload(rpc::Message message) {
  auto wanted = read_repository_call(message);
  if (!wanted) co_return wanted.error();
  Result<void> done;
  if (wanted->options.unload_dependents) {
    done = co_await parts_.server.unload_with_parts(std::move(wanted->model));
  } else {
    done = co_await parts_.server.unload(std::move(wanted->model));
  }
  if (done) co_return nothing();
  co_return done.error();
}

// --- Shared memory ---------------------------------------------------------------------------

Task<Service::Reply> Service::system_shared_memory_status(rpc::Message message) {
  const auto wanted = read_region(message);
  if (!wanted) co_return wanted.error();
  std::string out;
  if (wanted->name.empty()) {
    for (const auto& region : parts_.state.memory.list()) put_region(out, region);
    co_return payload_of(std::move(out));
  }
  const auto region = parts_.state.memory.find(wanted->name);
  if (!region) co_return region.error();
  put_region(out, *region);
  co_return payload_of(std::move(out));
}

Task<Service::Reply> Service::system_shared_memory_register(rpc::Message message) {
  auto region = read_region(message);
  if (!region) co_return region.error();
  const auto added = parts_.state.memory.add(std::move(*region));
  if (!added) co_return added.error();
  co_return nothing();
}

Task<Service::Reply> Service::system_shared_memory_unregister(rpc::Message message) {
  const auto wanted = read_region(message);
  if (!wanted) co_return wanted.error();
  auto& memory = parts_.state.memory;
  wanted->name.empty() ? memory.remove_all() : memory.remove(wanted->name);
  co_return nothing();
}

/// There is no GPU: nothing is ever registered, and taking nothing away succeeds.
Task<Service::Reply> Service::cuda_shared_memory_status(rpc::Message) { co_return nothing(); }
Task<Service::Reply> Service::cuda_shared_memory_unregister(rpc::Message) { co_return nothing(); }
Task<Service::Reply> Service::cuda_shared_memory_register(rpc::Message message) {
  std::string name;
  const auto read = each_field(*message, [&](const Field& field) -> Result<void> {
    if (field.number == 1) name = field.bytes;
    return {};
  });
  if (!read) co_return read.error();
  co_return no_gpu(name);
}

// --- Settings --------------------------------------------------------------------------------

Task<Service::Reply> Service::trace_setting(rpc::Message message) {
  std::string model;
  TraceSettings::Update changes;
  const auto read = each_field(*message, [&](const Field& field) -> Result<void> {
    if (field.number == 2) model = field.bytes;
    if (field.number != 1) return {};
    return read_setting(field, [&](const std::string& key, const std::optional<Field>& value) {
      auto& values = changes[key];  // Without a value it is cleared.
      if (!value) return;
      if (!values) values.emplace();
      values->emplace_back(value->bytes);
    });
  });
  if (!read) co_return read.error();
  if (!model.empty()) {
    // A model without a ready version may be prepared all the same.
    const auto served = parts_.server.find(model);
    if (!served && served.error().code() == Code::NotFound) co_return served.error();
  }
  auto& trace = parts_.state.trace;
  if (!changes.empty()) {
    const auto changed = trace.update(model, changes);
    if (!changed) co_return changed.error();
  }
  std::string out;
  for (const auto& [name, values] : trace.of(model)) {
    std::string setting;
    for (const auto& value : values) put_bytes(setting, 1, value);
    put_setting(out, name, setting);
  }
  co_return payload_of(std::move(out));
}

Task<Service::Reply> Service::log_settings(rpc::Message message) {
  LogSettings changes;
  const auto read = each_field(*message, [&](const Field& field) -> Result<void> {
    if (field.number != 1) return {};
    return read_setting(field, [&](const std::string& key, const std::optional<Field>& value) {
      if (value) note_log_setting(changes, key, *value);
    });
  });
  if (!read) co_return read.error();
  const auto changed = change_log(changes);
  if (!changed) co_return changed.error();
  co_return payload_of(log_wire(current_log()));
}

}  // namespace infiniedge::api::inference::grpc
