// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/server.hpp"

namespace infiniedge::api::inference {

/// Bodies of the describing routes, as JSON.
std::string server_json(const model::Server::Options& options);
std::string model_json(const model::Served& served, const std::vector<std::int64_t>& versions);
std::string statistics_json(const std::vector<std::shared_ptr<model::Served>>& served);
std::string index_json(const std::vector<model::IndexEntry>& entries);

}  // namespace infiniedge::api::inference
