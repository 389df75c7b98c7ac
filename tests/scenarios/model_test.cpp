// SPDX-License-Identifier: Apache-2.0
// New versions of models on a real node: what is not fit to serve leaves the old one serving.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <filesystem>

#include "one_node.hpp"

namespace infiniedge::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr auto kRow = R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]})";
constexpr auto kAnswer = R"({"outputs":[{"name":"y","shape":[1,1],"datatype":"FP32","data":[8]}]})";

class Models : public OneNode {
 protected:
  /// A file of the model `m`.
  void put(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(path("models/m/" + name)).parent_path());
    write("models/m/" + name, text);
  }
  void put_model(int version, const std::string& model) {
    const auto to = path(fmt::format("models/m/{}/model.onnx", version));
    fs::create_directories(fs::path(to).parent_path());
    fs::copy_file(fmt::format("{}/tests/models/{}.onnx", INFINIEDGE_SOURCE_DIR, model), to);
  }
  std::string load() { return request("POST", "/v2/repository/models/m/load", "{}").body; }
  /// Why version `version` does not serve.
  std::string reason(int version) {
    const auto index =
        boost::json::parse(request("POST", "/v2/repository/index", "{}").body).as_array();
    for (const auto& entry : index) {
      const auto* number = entry.as_object().if_contains("version");
      if (number == nullptr || number->as_string() != std::to_string(version)) continue;
      const auto* why = entry.as_object().if_contains("reason");
      return why == nullptr ? std::string{} : std::string{why->as_string()};
    }
    return "not in the index";
  }
  void expect_first_serves() {
    const auto answer = request("POST", "/v2/models/m/infer", kRow);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(R"("model_version":"1")"));
    EXPECT_THAT(answer.body, HasSubstr(R"("data":[8])"));
  }
};

TEST_F(Models, ACorruptFileLeavesTheOldServing) {
  put_model(1, "linear");
  up({"--models", path("models")});
  expect_first_serves();
  put("2/model.onnx", "this is no model");
  // The watch finds it by itself, and a client that asks is told.
  EXPECT_TRUE(eventually([this] {
    return reason(2).find("cannot be loaded") != std::string::npos;
  })) << reason(2);
  EXPECT_THAT(load(), HasSubstr("cannot be loaded"));
  expect_first_serves();
  fs::remove_all(path("models/m/2"));
  put_model(3, "linear");
  EXPECT_TRUE(eventually([this] {
    const auto answer = request("POST", "/v2/models/m/infer", kRow);
    return answer.body.find(R"("model_version":"3")") != std::string::npos;
  })) << reason(3);
}

TEST_F(Models, AVersionThatAnswersOtherwiseThanItsGoldenCaseIsNotServed) {
  put_model(1, "linear");
  put("golden/row.request.json", kRow);
  put("golden/row.response.json", kAnswer);
  up({"--models", path("models")});
  expect_first_serves();
  put_model(2, "opposite");
  EXPECT_THAT(load(), HasSubstr("golden case 'row'"));
  EXPECT_THAT(reason(2), HasSubstr("golden case 'row'"));
  expect_first_serves();
}

TEST_F(Models, CheckSaysWhetherAModelLoads) {
  put_model(1, "linear");
  EXPECT_EQ(command("model check " + path("models/m")), 0) << out_;
  EXPECT_EQ(command("model check " + path("models/m/1/model.onnx")), 0) << out_;
  put("1/model.onnx", "this is no model");
  EXPECT_NE(command("model check " + path("models/m")), 0);
  EXPECT_THAT(out_, HasSubstr("infiniedge: failed to load 'm' version 1"));
  EXPECT_EQ(command("model check " + path("none")), 66) << out_;
}

}  // namespace
}  // namespace infiniedge::tests
