// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "api/inference/log_settings.hpp"
#include "api/inference/protocol_state.hpp"
#include "model/server.hpp"

namespace infiniedge::api::inference {

/// Bodies of the describing routes, as JSON.
std::string server_json(const model::Server::Options& options, const ProtocolState& state);
std::string model_json(const model::Served& served, const std::vector<std::int64_t>& versions);
/// The versions that a question for statistics means: of all models, of one, or one of its.
/// Errors: those of Server::find().
Result<std::vector<std::shared_ptr<model::Served>>> statistics_of(const model::Server& server,
                                                                  const std::string& model,
                                                                  const std::string& version);
std::string statistics_json(const std::vector<std::shared_ptr<model::Served>>& served);
std::string index_json(const std::vector<model::IndexEntry>& entries);
std::string regions_json(const std::vector<SharedRegion>& regions);
std::string trace_json(const TraceSettings::Values& values);
std::string log_json(const LogSettings& settings);

/// Extensions that work here and now.
std::vector<std::string> extensions(const ProtocolState& state);

}  // namespace infiniedge::api::inference
