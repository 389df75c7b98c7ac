// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/inference/coding.hpp"
#include "api/inference/testing/door_fixture.hpp"

namespace infiniedge::api::inference {
namespace {

using testing::DoorTest;
using ::testing::HasSubstr;

std::string floats(std::initializer_list<float> values) {
  std::string out;
  for (const float value : values) out.append(reinterpret_cast<const char*>(&value), 4);
  return out;
}

constexpr auto kLinear = R"({"id":"7","inputs":[{"name":"x","shape":[2,2],"datatype":"FP32",)"
                         R"("data":[[1,2],[10,20.0]]}]})";

TEST_F(DoorTest, HealthAndMetadata) {
  load("linear", "linear");
  EXPECT_EQ(ask("GET", "/v2/health/live").body, R"({"live":true})");
  EXPECT_EQ(json(ask("GET", "/v2/health/ready")).at("ready"), true);
  EXPECT_EQ(json(ask("GET", "/v2/?x=1")).at("name"), "triton");
  EXPECT_EQ(ask("GET", "/v2/models/linear/ready").status, 200);
  EXPECT_EQ(ask("GET", "/v2/models/none/ready").status, 404);
  const auto meta = json(ask("GET", "/v2/models/linear/versions/1"));
  EXPECT_EQ(meta.at("inputs").at(0).at("shape"), (boost::json::array{-1, 2}));
  EXPECT_EQ(meta.at("versions"), (boost::json::array{"1"}));
  EXPECT_EQ(meta.at("platform"), "onnxruntime_onnx");
  const auto config = json(ask("GET", "/v2/models/linear/config"));
  EXPECT_EQ(config.at("max_batch_size"), 8);
  EXPECT_EQ(config.at("input").at(0).at("data_type"), "TYPE_FP32");
  EXPECT_TRUE(config.as_object().contains("dynamic_batching"));
}

TEST_F(DoorTest, RoutesKnowTheirVerbs) {
  load("linear", "linear");
  const auto wrong = ask("GET", "/v2/models/linear/infer");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.get("Allow"), "POST");
  for (const auto* path : {"/v2/nothing", "/v2/models", "/v2/models/linear/versions/x/infer",
                           "/v2/models/a/b/c/d/e/f/g/h", "/v1/models"}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
  EXPECT_EQ(ask("POST", "/v2/repository/mine/models/linear/load").status, 501);
  EXPECT_EQ(ask("GET", "/v2/models/lin%65ar/ready").status, 200);
}

TEST_F(DoorTest, InfersFromJson) {
  load("linear", "linear");
  const auto response = infer("linear", kLinear);
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.body,
            R"({"id":"7","model_name":"linear","model_version":"1","outputs":[{"name":"y",)"
            R"("datatype":"FP32","shape":[2,1],"data":[8,80]}]})");
}

TEST_F(DoorTest, MembersMayComeInAnyOrder) {
  load("linear", "linear");
  const auto response = infer(
      "linear", R"({"model_name":"ignored","inputs":[{"data":[1,2],"parameters":{},"datatype":)"
                R"("FP32","shape":[1,2],"name":"x"}],"parameters":{"custom":1},"more":{"a":[1]}})");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, HasSubstr("\"data\":[8]"));
}

TEST_F(DoorTest, InfersFromBinaryTensors) {
  load("linear", "linear");
  const std::string head =
      R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":)"
      R"({"binary_data_size":8}}],"outputs":[{"name":"y","parameters":{"binary_data":true}}]})";
  const auto length = std::to_string(head.size());
  const auto response = ask("POST", "/v2/models/linear/infer", head + floats({1, 2}),
                            {{"Inference-Header-Content-Length", length}});
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.headers.get("Content-Type"), "application/octet-stream");
  const auto cut = std::stoul(std::string{response.headers.get("Inference-Header-Content-Length")});
  EXPECT_EQ(
      response.body.substr(0, cut),
      R"({"model_name":"linear","model_version":"1","outputs":[{"name":"y","datatype":"FP32",)"
      R"("shape":[1,1],"parameters":{"binary_data_size":4}}]})");
  EXPECT_EQ(response.body.substr(cut), floats({8}));
}

TEST_F(DoorTest, EveryHeaderLengthIsJudged) {
  load("linear", "linear");
  const auto with = [&](const std::string& length, const std::string& body) {
    return ask("POST", "/v2/models/linear/infer", body,
               {{"Inference-Header-Content-Length", length}});
  };
  const std::string json = kLinear;
  EXPECT_EQ(with(std::to_string(json.size()), json).status, 200);
  EXPECT_EQ(with("-1", json).status, 400);
  EXPECT_EQ(with("abc", json).status, 400);
  EXPECT_EQ(with(std::to_string(json.size() + 1), json).status, 400);
  EXPECT_THAT(error(with(std::to_string(json.size()), json + "xx")), HasSubstr("left over"));
  const auto raw = with("0", floats({1, 2}));
  ASSERT_EQ(raw.status, 200) << raw.body;
  EXPECT_EQ(raw.body.substr(raw.body.size() - 4), floats({8}));
  EXPECT_EQ(with("0", floats({1, 2, 3})).status, 400);
  const std::string head = R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32",)"
                           R"("parameters":{"binary_data_size":8}}]})";
  EXPECT_THAT(error(with(std::to_string(head.size()), head + "1234")),
              HasSubstr("announces 8 bytes, the body has 4"));
}

TEST_F(DoorTest, RawBytesInferTheOpenDimension) {
  load("text", "identity_fp32");
  const auto response = ask("POST", "/v2/models/text/infer", floats({1, 2, 3}),
                            {{"Inference-Header-Content-Length", "0"}});
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, HasSubstr("\"shape\":[1,3]"));
}

TEST_F(DoorTest, ErrorsNameThePathAndTheRange) {
  load("bytes", "identity_int8");
  load("wide", "identity_uint64");
  const auto request = [](const std::string& type, const std::string& data,
                          const std::string& shape = "[1,2]") {
    return R"({"inputs":[{"name":"x","shape":)" + shape + R"(,"datatype":")" + type +
           R"(","data":)" + data + "}]}";
  };
  EXPECT_EQ(error(infer("bytes", request("INT8", "[1,300]"))),
            "inputs[0].data[1]: expected an integer from -128 to 127");
  EXPECT_EQ(error(infer("bytes", request("INT8", "[[1,\"a\"]]"))),
            "inputs[0].data[0][1]: expected an integer from -128 to 127");
  EXPECT_THAT(error(infer("bytes", request("INT8", "[1]"))), HasSubstr("1 elements given"));
  EXPECT_THAT(error(infer("bytes", request("INT8", "[1,2,3]"))), HasSubstr("more elements"));
  EXPECT_THAT(error(infer("bytes", request("INT9", "[1,2]"))), HasSubstr("inputs[0].datatype"));
  EXPECT_THAT(error(infer("bytes", request("INT8", "[1,2]", "[1,-2]"))),
              HasSubstr("inputs[0].shape[1]: a dimension cannot be negative"));
  EXPECT_THAT(error(infer("bytes", request("INT8", "[1.5,2]"))), HasSubstr("expected an integer"));
  EXPECT_THAT(error(infer("bytes", request("FP16", "[1,2]"))), HasSubstr("no JSON form"));
  EXPECT_THAT(error(infer("bytes", "{\"inputs\":[")), HasSubstr("valid JSON"));
  EXPECT_THAT(error(infer("bytes", "")), HasSubstr("valid JSON"));
  EXPECT_THAT(error(infer("bytes", "{}")), HasSubstr("'inputs' is missing"));
  EXPECT_THAT(error(infer("bytes", "[]")), HasSubstr("expected an object"));
  EXPECT_THAT(error(infer("bytes", request("INT8", "[1,2]") + " {}")), HasSubstr("JSON"));
  EXPECT_THAT(error(infer("none", kLinear)), HasSubstr("unknown model: 'none' is not found"));
  const auto big = infer("wide", request("UINT64", "[18446744073709551615,0]"));
  EXPECT_THAT(big.body, HasSubstr("\"data\":[18446744073709551615,0]"));
  std::string deep(200, '[');
  EXPECT_EQ(infer("bytes", request("INT8", deep + "1" + std::string(200, ']'))).status, 400);
}

TEST_F(DoorTest, NumbersThatAreNotFiniteBecomeNull) {
  load("same", "identity_fp32");
  const auto response = infer("same", R"({"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32",)"
                                      R"("data":[NaN, Infinity, -Infinity, 0.1]}]})");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"("parameters":{"nonfinite":"y"})"));
  EXPECT_THAT(response.body, HasSubstr("\"data\":[null,null,null,0.1]"));
}

TEST_F(DoorTest, TextTravelsWithEveryCharacter) {
  load("text", "identity_string");
  const auto response = infer("text", R"({"inputs":[{"name":"x","shape":[3,1],"datatype":"BYTES",)"
                                      R"("data":["a\"b\\\n","\u00e4\ud83d\ude00","c\u0000d"]}]})");
  ASSERT_EQ(response.status, 200) << response.body;
  const auto data = json(response).at("outputs").at(0).at("data").as_array();
  EXPECT_EQ(data.at(0), "a\"b\\\n");
  EXPECT_EQ(data.at(1), "ä😀");
  EXPECT_EQ(data.at(2).as_string(), std::string_view("c\0d", 3));
}

TEST_F(DoorTest, ClassificationPicksTheBest) {
  repository.write("m/labels.txt", "zero\none\n");
  repository.write("m/model.yaml", "outputs: [{name: y, labels: labels.txt}]\n");
  load("m", "identity_fp32");
  const auto response = infer("m", R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32",)"
                                   R"("data":[0.5,3.3,-1]}],"outputs":[{"name":"y","parameters":)"
                                   R"({"classification":2}}]})");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"("datatype":"BYTES","shape":[1,2],"data":)"
                                       R"(["3.300000:1:one","0.500000:0:zero"])"));
}

TEST_F(DoorTest, ClassificationPutsWhatIsNoNumberLast) {
  load("m", "identity_fp32");
  const auto response = infer("m", R"({"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32",)"
                                   R"("data":[NaN,1,NaN,2]}],"outputs":[{"name":"y","parameters":)"
                                   R"({"classification":2}}]})");
  EXPECT_THAT(response.body, HasSubstr(R"(["2.000000:3","1.000000:1"])"));
}

TEST_F(DoorTest, CompressedBothWays) {
  load("linear", "linear");
  load("same", "identity_fp32");
  const auto packed = encode_body(Coding::Gzip, kLinear);
  auto response = ask("POST", "/v2/models/linear/infer", packed, {{"Content-Encoding", "gzip"}});
  ASSERT_EQ(response.status, 200) << response.body;
  response =
      ask("POST", "/v2/models/linear/infer", packed.substr(0, 20), {{"Content-Encoding", "gzip"}});
  EXPECT_EQ(response.status, 400);
  response = ask("POST", "/v2/models/linear/infer", packed, {{"Content-Encoding", "br"}});
  EXPECT_EQ(response.status, 501);
  EXPECT_EQ(response.headers.get("Accept-Encoding"), "gzip, deflate");
  std::string numbers = "0";
  for (int i = 0; i < 999; ++i) numbers += ",0";
  const auto body =
      R"({"inputs":[{"name":"x","shape":[1,1000],"datatype":"FP32","data":[)" + numbers + "]}]}";
  response = ask("POST", "/v2/models/same/infer", body, {{"Accept-Encoding", "deflate, gzip"}});
  ASSERT_EQ(response.headers.get("Content-Encoding"), "deflate");
  const auto plain =
      decode_body("deflate", std::make_shared<const std::string>(response.body), 1U << 20);
  ASSERT_TRUE(plain.has_value());
  EXPECT_THAT(**plain, HasSubstr("\"shape\":[1,1000]"));
  EXPECT_EQ(preferred_coding("gzip;q=0.1, identity"), Coding::Identity);
}

TEST_F(DoorTest, RepositoryIsSteeredAndListed) {
  repository.add("m", "linear");
  EXPECT_EQ(ask("POST", "/v2/repository/index").body, R"([{"name":"m"}])");
  EXPECT_EQ(ask("POST", "/v2/repository/models/m/load").status, 200);
  EXPECT_EQ(json(ask("POST", "/v2/repository/index", R"({"ready":true})")).at(0).at("state"),
            "READY");
  EXPECT_EQ(
      ask("POST", "/v2/repository/models/m/unload", R"({"parameters":{"unload_dependents":false}})")
          .status,
      200);
  EXPECT_EQ(ask("GET", "/v2/models/m/ready").status, 503);
  EXPECT_THAT(error(ask("POST", "/v2/repository/models/none/load")),
              HasSubstr("failed to load 'none'"));
  EXPECT_EQ(ask("POST", "/v2/repository/models/none/load").status, 400);
  repository.write("m/1/model.onnx", "broken");
  EXPECT_EQ(ask("POST", "/v2/repository/models/m/load").status, 500);
  // `file:` needs a `config` beside it, and base64.
  const auto load = "/v2/repository/models/m/load";
  EXPECT_EQ(ask("POST", load, R"({"parameters":{"file:1/model.onnx":"AAAA"}})").status, 400);
  EXPECT_EQ(ask("POST", load, R"({"parameters":{"config":"{}","file:1/a":"?"}})").status, 400);
}

TEST_F(DoorTest, StatisticsCountRequestsAndExecutions) {
  load("linear", "linear");
  ASSERT_EQ(infer("linear", kLinear).status, 200);
  const auto stats = json(ask("GET", "/v2/models/linear/stats")).at("model_stats").at(0);
  EXPECT_EQ(stats.at("inference_count"), 2);
  EXPECT_EQ(stats.at("execution_count"), 1);
  EXPECT_EQ(stats.at("version"), "1");
  EXPECT_EQ(stats.at("inference_stats").at("success").at("count"), 1);
  EXPECT_EQ(stats.at("inference_stats").at("compute_infer").at("count"), 1);
  EXPECT_EQ(stats.at("batch_stats").at(0).at("batch_size"), 2);
  EXPECT_EQ(ask("GET", "/v2/models/none/stats").status, 400);
  EXPECT_EQ(ask("GET", "/v2/models/stats").status, 200);
}

}  // namespace
}  // namespace infiniedge::api::inference
