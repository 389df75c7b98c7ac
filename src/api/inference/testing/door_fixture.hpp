// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "api/inference/door.hpp"
#include "model/testing/bench_server.hpp"

namespace infiniedge::api::inference::testing {

using model::testing::Bench;
using model::testing::TempRepository;
using runtime::http::Request;
using runtime::http::Response;

/// A door over a model server, asked without a socket.
struct DoorTest : ::testing::Test {
  TempRepository repository;
  Bench bench{repository.root()};
  ProtocolState state{SharedMemory(true)};
  Door door{Door::Parts{bench.server, state, bench.workers, bench.metrics}};

  void load(const std::string& name, const std::string& file) {
    repository.add(name, file);
    ASSERT_TRUE(bench.run(bench.server.load(name)));
  }
  Response ask(std::string method, std::string target, std::string body = "",
               std::vector<std::pair<std::string, std::string>> headers = {}) {
    Request request{.method = std::move(method), .target = std::move(target)};
    request.body = std::make_shared<const std::string>(std::move(body));
    for (auto& [name, value] : headers) request.headers.add(name, value);
    return bench.run(door.handle(std::move(request)));
  }
  Response infer(const std::string& model, std::string body) {
    return ask("POST", "/v2/models/" + model + "/infer", std::move(body));
  }
  static boost::json::value json(const Response& response) {
    return boost::json::parse(response.body);
  }
  std::string error(const Response& response) {
    EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
    return std::string{json(response).at("error").as_string()};
  }
};

}  // namespace infiniedge::api::inference::testing
