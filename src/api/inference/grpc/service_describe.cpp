// SPDX-License-Identifier: Apache-2.0
// The methods of Service that describe: what HTTP says in JSON, as protobuf.
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "api/inference/describe.hpp"
#include "api/inference/grpc/infer_read.hpp"
#include "api/inference/grpc/json_wire.hpp"
#include "api/inference/grpc/service.hpp"
#include "api/inference/grpc/wire.hpp"

namespace infiniedge::api::inference::grpc {
namespace {

/// Requests of several methods: a model and, perhaps, one of its versions.
struct Named {
  std::string model, version;
};

Result<Named> read_named(const rpc::Message& message) {
  Named out;
  INFINIEDGE_TRY(each_field(*message, [&](const Field& field) -> Result<void> {
    if (field.number != 1 && field.number != 2) return {};
    auto text = read_text(field, field.number == 1 ? "name" : "version");
    if (!text) return std::move(text).error();
    (field.number == 1 ? out.model : out.version) = std::move(*text);
    return {};
  }));
  INFINIEDGE_TRY(check_version(out.version));
  return out;
}

rpc::Payload payload_of(std::string text) {
  rpc::Payload out;
  out.text() = std::move(text);
  return out;
}

rpc::Payload flag_payload(bool value) {
  std::string text;
  put_integer(text, 1, value ? 1 : 0);
  return payload_of(std::move(text));
}

rpc::Payload described(const std::string& text, Schema schema) {
  return payload_of(to_wire(boost::json::parse(text), schema));
}

}  // namespace

Task<Service::Reply> Service::server_live(rpc::Message) { co_return flag_payload(true); }

Task<Service::Reply> Service::server_ready(rpc::Message) {
  co_return flag_payload(parts_.server.ready());
}

/// Not ready is an answer: clients raise what comes as an error.
Task<Service::Reply> Service::model_ready(rpc::Message message) {
  const auto named = read_named(message);
  if (!named) co_return named.error();
  co_return flag_payload(parts_.server.find(named->model, named->version).has_value());
}

Task<Service::Reply> Service::server_metadata(rpc::Message) {
  co_return described(server_json(parts_.server.options(), parts_.state), kServerMetadata);
}

Task<Service::Reply> Service::model_metadata(rpc::Message message) {
  const auto named = read_named(message);
  if (!named) co_return named.error();
  const auto served = parts_.server.find(named->model, named->version);
  if (!served) co_return served.error();
  co_return described(model_json(**served, parts_.server.ready_versions(named->model)),
                      kModelMetadata);
}

Task<Service::Reply> Service::model_config(rpc::Message message) {
  const auto named = read_named(message);
  if (!named) co_return named.error();
  const auto served = parts_.server.find(named->model, named->version);
  if (!served) co_return served.error();
  std::string text;
  put_bytes(text, 1,
            to_wire(boost::json::parse(model::to_json((*served)->config())), kModelConfig));
  co_return payload_of(std::move(text));
}

Task<Service::Reply> Service::model_statistics(rpc::Message message) {
  const auto named = read_named(message);
  if (!named) co_return named.error();
  auto served = statistics_of(parts_.server, named->model, named->version);
  if (!served) co_return Error{Code::Invalid, served.error().message()};
  co_return described(statistics_json(*served), kModelStatistics);
}

Task<Service::Reply> Service::repository_index(rpc::Message message) {
  bool ready = false;
  const auto read = each_field(*message, [&](const Field& field) -> Result<void> {
    if (field.number == 2) ready = field.flag();
    return {};
  });
  if (!read) co_return read.error();
  const auto entries = co_await parts_.server.index(ready);
  if (!entries) co_return entries.error();
  std::string text;
  const auto lines = boost::json::parse(index_json(*entries));
  for (const auto& line : lines.get_array()) {
    put_bytes(text, 1, to_wire(line, kModelIndex));
  }
  co_return payload_of(std::move(text));
}

/// SERVING iff ready; of this service, or of the server as a whole.
Task<Service::Reply> Service::health_check(rpc::Message message) {
  std::string service;
  const auto read = each_field(*message, [&](const Field& field) -> Result<void> {
    if (field.number == 1) service = field.bytes;
    return {};
  });
  if (!read) co_return read.error();
  if (!service.empty() && service != "inference.GRPCInferenceService") {
    co_return Error{Code::NotFound, "this server has no such service"};
  }
  std::string text;
  put_integer(text, 1, parts_.server.ready() ? 1 : 2);
  co_return payload_of(std::move(text));
}

}  // namespace infiniedge::api::inference::grpc
