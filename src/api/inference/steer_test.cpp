// SPDX-License-Identifier: Apache-2.0
// The routes that steer the server, and inference through shared memory.
#include <openssl/evp.h>

#include "api/inference/testing/door_fixture.hpp"
#include "api/inference/testing/shared_object.hpp"

namespace infiniedge::api::inference {
namespace {

using testing::ClientObject;
using ::testing::HasSubstr;
using testing::Response;

std::string base64_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), from,
                  static_cast<int>(bytes.size()));
  out.pop_back();
  return out;
}

constexpr auto kOneRow =
    R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]})";

struct SteerTest : testing::DoorTest {
  Response load_with(const std::string& parameters) {
    return ask("POST", "/v2/repository/models/m/load",
               fmt::format(R"({{"parameters":{{{}}}}})", parameters));
  }
  /// A call of `linear` with input and output in region "r": x at `in`, y at `out`.
  Response infer_shared(std::size_t in, std::size_t out, std::size_t out_size) {
    return infer("linear",
                 fmt::format(R"({{"inputs":[{{"name":"x","shape":[1,2],"datatype":"FP32",)"
                             R"("parameters":{{"shared_memory_region":"r",)"
                             R"("shared_memory_offset":{},"shared_memory_byte_size":8}}}}],)"
                             R"("outputs":[{{"name":"y","parameters":{{)"
                             R"("shared_memory_region":"r","shared_memory_offset":{},)"
                             R"("shared_memory_byte_size":{}}}}}]}})",
                             in, out, out_size));
  }
  Response register_region(const ClientObject& object, std::size_t size) {
    return ask("POST", "/v2/systemsharedmemory/region/r/register",
               fmt::format(R"({{"key":"{}","byte_size":{}}})", object.key(), size));
  }
};

TEST_F(SteerTest, TensorsTravelThroughSharedMemory) {
  load("linear", "linear");
  ClientObject object(32);
  const float x[] = {1, 2};
  ASSERT_TRUE(object.put(3, std::string(reinterpret_cast<const char*>(x), 8)));
  ASSERT_EQ(register_region(object, 32).status, 200);
  EXPECT_EQ(register_region(object, 32).status, 400);
  EXPECT_EQ(ask("GET", "/v2/systemsharedmemory/region/r/status").body,
            R"([{"name":"r","key":")" + object.key() + R"(","offset":0,"byte_size":32}])");
  const auto response = infer_shared(3, 17, 4);
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.body, R"({"model_name":"linear","model_version":"1","outputs":[{"name":"y",)"
                           R"("datatype":"FP32","shape":[1,1]}]})");
  float y = 0;
  std::memcpy(&y, object.get(17, 4).data(), 4);
  EXPECT_EQ(y, 8);
  EXPECT_THAT(error(infer_shared(3, 17, 3)), HasSubstr("should be at least 4 bytes"));
  EXPECT_EQ(infer_shared(30, 0, 4).status, 400);
  EXPECT_EQ(ask("POST", "/v2/systemsharedmemory/unregister").status, 200);
  EXPECT_EQ(ask("GET", "/v2/systemsharedmemory/status").body, "[]");
  EXPECT_EQ(infer_shared(3, 17, 4).status, 404);
}

TEST_F(SteerTest, AClientThatTruncatesGets400AndTheServerLives) {
  load("linear", "linear");
  ClientObject object(1 << 16);
  ASSERT_EQ(register_region(object, 1 << 16).status, 200);
  ASSERT_EQ(infer_shared(4096, 8192, 4).status, 200);
  object.resize(0);
  EXPECT_THAT(error(infer_shared(4096, 8192, 4)), HasSubstr("was truncated"));
  object.resize(1 << 16);
  EXPECT_EQ(infer_shared(4096, 8192, 4).status, 200);
}

TEST_F(SteerTest, InputsInSharedMemoryHaveABound) {
  load("linear", "linear");
  ClientObject object(std::size_t{1} << 40);  // Sparse: it costs its owner nothing.
  ASSERT_TRUE(object.good());
  ASSERT_EQ(register_region(object, std::size_t{1} << 40).status, 200);
  const auto body =
      fmt::format(R"({{"inputs":[{{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{{)"
                  R"("shared_memory_region":"r","shared_memory_byte_size":{}}}}}]}})",
                  std::size_t{1} << 40);
  EXPECT_THAT(error(infer("linear", body)), HasSubstr("more than"));
}

TEST_F(SteerTest, SharedMemoryThatIsOffIsHarmless) {
  state.memory = SharedMemory(false);
  EXPECT_EQ(ask("GET", "/v2/systemsharedmemory/status").body, "[]");
  EXPECT_EQ(ask("POST", "/v2/systemsharedmemory/unregister").status, 200);
  EXPECT_EQ(ask("POST", "/v2/systemsharedmemory/region/a/register", "{}").status, 501);
  EXPECT_THAT(ask("GET", "/v2").body, ::testing::Not(HasSubstr("shared_memory")));
}

TEST_F(SteerTest, CudaMemoryIsAnsweredWithoutAGpu) {
  EXPECT_EQ(ask("GET", "/v2/cudasharedmemory/status").body, "[]");
  EXPECT_EQ(ask("POST", "/v2/cudasharedmemory/unregister").status, 200);
  EXPECT_EQ(ask("POST", "/v2/cudasharedmemory/region/a/unregister").status, 200);
  const auto refused = ask("POST", "/v2/cudasharedmemory/region/a/register",
                           R"({"raw_handle":{"b64":"AAAA"},"device_id":0,"byte_size":16})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(error(refused), HasSubstr("GPUs not supported"));
}

TEST_F(SteerTest, LoggingIsReadAndSet) {
  const auto before = ask("GET", "/v2/logging");
  ASSERT_EQ(before.status, 200);
  EXPECT_EQ(json(before).at("log_file"), "");
  const auto set = ask("POST", "/v2/logging",
                       R"({"log_info":false,"log_verbose_level":1,"log_format":"ISO8601"})");
  ASSERT_EQ(set.status, 200) << set.body;
  EXPECT_EQ(json(set).at("log_info"), false);
  EXPECT_EQ(json(ask("GET", "/v2/logging")).at("log_verbose_level"), 1);
  EXPECT_EQ(ask("POST", "/v2/logging", R"({"log_file":"/tmp/x"})").status, 501);
  EXPECT_EQ(ask("POST", "/v2/logging", R"({"log_format":"other"})").status, 400);
  EXPECT_EQ(ask("POST", "/v2/logging", R"({"log_info":1})").status, 400);
  EXPECT_EQ(ask("PUT", "/v2/logging").headers.get("Allow"), "GET, POST");
  EXPECT_EQ(ask("POST", "/v2/logging",
                before.body.substr(0, 1) + R"("log_info":true,"log_verbose_level":0,)"
                                           R"("log_format":"default"})")
                .body,
            before.body);
}

TEST_F(SteerTest, TraceSettingsOfAModelLieOverThoseOfTheServer) {
  load("linear", "linear");
  EXPECT_EQ(json(ask("GET", "/v2/trace/setting")).at("trace_level"), (boost::json::array{"OFF"}));
  const auto server = ask("POST", "/v2/trace/setting",
                          R"({"trace_level":["TIMESTAMPS","TENSORS"],"trace_rate":"7"})");
  ASSERT_EQ(server.status, 200) << server.body;
  EXPECT_EQ(json(server).at("trace_rate"), "7");
  const auto model =
      ask("POST", "/v2/models/linear/trace/setting", R"({"trace_rate":9,"trace_count":"3"})");
  EXPECT_EQ(json(model).at("trace_rate"), "9");
  EXPECT_EQ(json(model).at("trace_level"), (boost::json::array{"TIMESTAMPS", "TENSORS"}));
  EXPECT_EQ(json(ask("GET", "/v2/trace/setting")).at("trace_rate"), "7");
  const auto cleared = ask("POST", "/v2/models/linear/trace/setting", R"({"trace_rate":null})");
  EXPECT_EQ(json(cleared).at("trace_rate"), "7");
  EXPECT_EQ(json(cleared).at("trace_count"), "3");
  for (const auto* wrong :
       {R"({"trace_rate":"0"})", R"({"trace_rate":"x"})", R"({"trace_level":[]})",
        R"({"trace_level":"LOUD"})", R"({"trace_count":{"a":1}})", "[]"}) {
    EXPECT_EQ(ask("POST", "/v2/trace/setting", wrong).status, 400) << wrong;
  }
  EXPECT_EQ(ask("POST", "/v2/trace/setting", R"({"trace_file":"/tmp/x"})").status, 501);
  EXPECT_EQ(ask("GET", "/v2/models/none/trace/setting").status, 404);
}

TEST_F(SteerTest, GenerateAnswersText) {
  load("echo", "echo_text");
  const auto response = ask("POST", "/v2/models/echo/generate",
                            R"({"id":"4","text_input":"ü \"q\"","parameters":{"stream":false}})");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.body, R"({"id":"4","model_name":"echo","model_version":"1",)"
                           R"("text_output":"ü \"q\""})");
  const auto stream = ask("POST", "/v2/models/echo/generate_stream", R"({"text_input":["a"]})");
  EXPECT_EQ(stream.headers.get("Content-Type"), "text/event-stream");
  EXPECT_EQ(stream.body,
            "data: {\"model_name\":\"echo\",\"model_version\":\"1\",\"text_output\":\"a\"}\n\n");
  EXPECT_EQ(ask("POST", "/v2/models/echo/generate", R"({"text_input":7})").status, 400);
  EXPECT_EQ(ask("POST", "/v2/models/echo/generate", "{}").status, 400);
  load("linear", "linear");
  EXPECT_THAT(error(ask("POST", "/v2/models/linear/generate", R"({"text_input":"a"})")),
              HasSubstr("use infer"));
}

TEST_F(SteerTest, AConfigurationOfAClientLastsUntilALoadWithoutOne) {
  load("m", "linear");
  const auto batch = [this] {
    return json(ask("GET", "/v2/models/m/config")).at("max_batch_size");
  };
  ASSERT_EQ(batch(), 8);
  const auto given = load_with(R"("config":"{\"max_batch_size\":3}")");
  ASSERT_EQ(given.status, 200) << given.body;
  EXPECT_EQ(batch(), 3);
  const auto wrong = load_with(R"("config":"{\"max_batchsize\":3}")");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(error(wrong), HasSubstr("did you mean 'max_batch_size'?"));
  EXPECT_EQ(batch(), 3);
  ASSERT_EQ(ask("POST", "/v2/repository/models/m/load").status, 200);
  EXPECT_EQ(batch(), 8);
}

TEST_F(SteerTest, FilesOfAClientAreServedUntilALoadWithoutThem) {
  load("m", "opposite");
  const auto file = base64_of(model::testing::model_file("linear"));
  const auto given = load_with(fmt::format(R"("config":"{{}}","file:7/model.onnx":"{}")", file));
  ASSERT_EQ(given.status, 200) << given.body;
  const auto answer = infer("m", kOneRow);
  EXPECT_THAT(answer.body, HasSubstr(R"("model_version":"7")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("data":[8])"));
  for (const auto* name : {"../1/model.onnx", "1/../../x", "/etc/x", "", "1/a b"}) {
    const auto refused = load_with(fmt::format(R"("config":"{{}}","file:{}":"{}")", name, file));
    EXPECT_EQ(refused.status, 400) << name;
    EXPECT_THAT(error(refused), HasSubstr("no path in a model's folder")) << name;
  }
  EXPECT_THAT(infer("m", kOneRow).body, HasSubstr(R"("model_version":"7")"));
  ASSERT_EQ(ask("POST", "/v2/repository/models/m/load").status, 200);
  EXPECT_EQ(ask("GET", "/v2/models/m/versions/7/ready").status, 503);
  EXPECT_EQ(ask("GET", "/v2/models/m/versions/1/ready").status, 200);
}

TEST_F(SteerTest, AnIdleModelReturnsWithTheNextRequest) {
  repository.write("m/model.yaml", "idle_unload: 10m\n");
  load("m", "linear");
  bench.clock.advance(Seconds{601});
  ASSERT_TRUE(bench.until([&] { return bench.server.ready_versions("m").empty(); }));
  EXPECT_EQ(ask("GET", "/v2/models/m/ready").status, 503);
  const auto answer = infer("m", kOneRow);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr(R"("data":[8])"));
  EXPECT_EQ(ask("GET", "/v2/models/m/ready").status, 200);
}

TEST_F(SteerTest, OnlySteeringNeedsAnOperator) {
  const auto steers = [](const char* method, const char* target) {
    return Door::steers({.method = method, .target = target});
  };
  EXPECT_TRUE(steers("POST", "/v2/logging"));
  EXPECT_TRUE(steers("POST", "/v2/repository/models/a/load"));
  EXPECT_TRUE(steers("POST", "/v2/systemsharedmemory/region/a/register"));
  EXPECT_FALSE(steers("GET", "/v2/logging"));
  EXPECT_FALSE(steers("POST", "/v2/models/a/infer"));
  EXPECT_FALSE(steers("POST", "/v2/repository/index"));
}

}  // namespace
}  // namespace infiniedge::api::inference
