// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "infiniedge/connector.hpp"
#include "infiniedge/result.hpp"
#include "infiniedge/task.hpp"
#include "runtime/http/http.hpp"

namespace infiniedge::api::admin {

/// A failure with the places in the text at fault, if it is about a text.
struct Refusal {
  Error error;
  base::Diagnostics diagnostics;
};

struct ApplyOptions {
  bool dry_run = false;
  bool prune = false;
  std::string origin = "api";
  /// Absolute paths that the body was read from: what the node itself read there may change.
  std::vector<std::string> sources{};
};

/// What the administration door needs from the running node or hub. Texts are JSON.
///
/// Thread: the node's shard.
/// Owner:  app; outlives the door.
class Node {
 public:
  virtual ~Node() = default;

  virtual std::string status() = 0;
  virtual std::string graph() = 0;
  virtual bool ready() = 0;
  virtual std::string metrics() = 0;
  virtual std::string alarms() = 0;
  virtual std::string parts() = 0;  ///< For `ps`.
  virtual Result<void> acknowledge_alarm(const std::string& id) = 0;

  /// `{kind: "DeviceList", metadata, items}`. Errors: NotFound.
  virtual Result<std::string> list(const std::string& plural) = 0;
  virtual Result<std::string> get(const std::string& plural, const std::string& name) = 0;
  virtual Result<std::string> explain(const std::string& plural, const std::string& name) = 0;

  /// One transaction: {revision, added, changed, removed, kept, reset, warnings}.
  virtual Task<tl::expected<std::string, Refusal>> apply(std::string body,
                                                         ApplyOptions options) = 0;
  /// Removes one resource. Errors: NotFound; Invalid while others need it.
  virtual Task<tl::expected<std::string, Refusal>> remove(std::string plural, std::string name) = 0;

  virtual Task<Result<std::vector<PointValue>>> read_device(std::string name,
                                                            std::vector<std::string> points) = 0;
  virtual Task<Result<void>> write_device(std::string name, std::vector<PointWrite> writes,
                                          bool dry_run) = 0;

  /// POST /v1/query, whole: the body is {sql, params, max_rows, timeout_ms, read_after}.
  virtual Task<runtime::http::Response> query(runtime::http::Request request) = 0;
  /// GET /tap/{kind}/{name}: rows passing, as SSE events `row`.
  virtual Task<runtime::http::Response> tap(std::string kind, std::string name,
                                            std::string where) = 0;
};

}  // namespace infiniedge::api::admin
