// SPDX-License-Identifier: Apache-2.0
// Whatever comes in wrong gets a clear answer, and everything else goes on. Real processes.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>

#include "app/commands/print.hpp"
#include "app/node_client.hpp"
#include "device/testing/broker.hpp"
#include "one_node.hpp"

namespace infiniedge::tests {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using device::testing::Broker;
using testing::HasSubstr;
using testing::Not;

const std::string kModels = std::string{INFINIEDGE_SOURCE_DIR} + "/tests/models/";

std::size_t occurrences(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
  return n;
}

std::string mqtt_site(const std::string& broker) {
  return fmt::format(R"(infiniedge: v1
devices:
  hall-1:
    connector: mqtt
    address: {}
    every: 0s
    points:
    - {{name: temp, address: hall1/climate, options: {{json: /temperature}}}}
    - {{name: note, address: hall1/note, type: string}}
)",
                     broker);
}

class BadInput : public OneNode {
 protected:
  /// A device that never answers, the model `linear` of two numbers, and a rule that asks it.
  std::string model_site(const std::string& arguments, const std::string& more = "") {
    return write("site.yaml", fmt::format(R"(infiniedge: v1
devices:
  pump-7:
    connector: modbus
    address: tcp://127.0.0.1:1
    points: [{{name: x, address: "ir:0"}}]
models:
  two:
    source: file:{0}/linear.onnx
    task: regress
{2}streams:
  answers:
    sql: |
      SELECT device, model('two', {1}) AS a FROM pump_7
)",
                                          dir_, arguments, more));
  }
  void copy_model(const std::string& name) {
    fs::copy_file(kModels + name, path(name), fs::copy_options::overwrite_existing);
  }
  bool broker_up() {
    return eventually([this] {
      return command("get device/hall-1 -o json") == 0 &&
             out_.find("\"Connected\"") != std::string::npos;
    });
  }
};

TEST_F(BadInput, AnUnreadableMqttPayloadIsCountedAndTheNextGoodOneStored) {
  if (!Broker::available()) GTEST_SKIP() << "mosquitto is not installed: run scripts/setup";
  Broker broker;
  up({"-f", write("site.yaml", mqtt_site(broker.address()))});
  ASSERT_TRUE(broker_up()) << log();
  for (const auto* bad : {"{\"temperature\": 2", "{\"humidity\": 4}", "\xFF\xFE"})
    ASSERT_TRUE(broker.publish("hall1/climate", bad));
  ASSERT_TRUE(broker.publish("hall1/climate", "{\"temperature\": 21.5}"));
  const auto stored = [&] {
    return ask("SELECT max(temp)::VARCHAR FROM hall_1 WHERE _q = 0") == "21.5";
  };
  EXPECT_TRUE(eventually(stored)) << log();
  EXPECT_EQ(metric("infiniedge_device_bad_samples_total{device=\"hall-1\"}"), "3");
  EXPECT_EQ(ask("SELECT count(*) FROM hall_1 WHERE _q = 4 AND temp IS NULL"), "3");
  EXPECT_EQ(occurrences(log(), "message on topic \\\"hall1/climate\\\""), 1U) << log();
  EXPECT_THAT(log(), HasSubstr("point temp"));
  EXPECT_THAT(log(), testing::ContainsRegex("byte [0-9]+")) << "the warning names the place";
}

TEST_F(BadInput, AWrongTensorShapeIsRefusedByName) {
  copy_model("linear.onnx");
  up({"-f", model_site("x, x")});
  const auto infer = [&](const std::string& shape, const std::string& data) {
    return request("POST", "/v2/models/two/infer",
                   fmt::format(R"({{"inputs":[{{"name":"x","shape":{},"datatype":"FP32",)"
                               R"("data":{}}}]}})",
                               shape, data));
  };
  const auto wrong = infer("[1,3]", "[1,2,3]");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr("input 'x' for model 'two'. Expected [-1,2], got [1,3]"));
  EXPECT_EQ(infer("[1,2]", "[1,2,3]").status, 400);
  EXPECT_EQ(infer("[1,-2]", "[1,2]").status, 400);
  EXPECT_EQ(infer("[9223372036854775807,2]", "[1,2]").status, 400);
  EXPECT_EQ(infer("[1,2]", "[1,2]").status, 200);
}

TEST_F(BadInput, ARuleThatFeedsAModelTheWrongShapeIsRefusedAndTheOldOneStays) {
  copy_model("linear.onnx");
  up({"-f", model_site("x, x")});
  model_site("x, x, x");
  for (const auto* verb : {"validate ", "apply -f "}) {
    EXPECT_EQ(command(verb + path("site.yaml")), 78) << out_;
    EXPECT_THAT(out_, HasSubstr("model \"two\" takes 2 values, these arguments give 3 [R009]"));
    EXPECT_THAT(out_, HasSubstr("site.yaml:1"));
  }
  EXPECT_EQ(request("GET", "/readyz").status, 200);
  EXPECT_EQ(command("get stream/answers"), 0);
  EXPECT_THAT(out_, HasSubstr("True")) << out_;
}

TEST_F(BadInput, ARuleThatAsksAModelThatIsNotThereIsRefused) {
  copy_model("linear.onnx");
  auto site = model_site("x, x");
  write("site.yaml",
        std::regex_replace(read("site.yaml"), std::regex("model\\('two'"), "model('tow'"));
  EXPECT_EQ(command("validate " + site), 78) << out_;
  EXPECT_THAT(out_, HasSubstr("no model \"tow\""));
  EXPECT_EQ(command("up --http 127.0.0.1:0 --data " + path("data") + " -f " + site), 78) << out_;
  EXPECT_THAT(out_, HasSubstr("no model \"tow\""));
}

TEST_F(BadInput, AModelFileThatIsMissingOrBrokenIsRefusedAndChangesNothing) {
  copy_model("linear.onnx");
  up({"-f", model_site("x, x")});
  const auto broken =
      "  broken:\n    source: file:" + path("broken.onnx") + "\n    task: regress\n";
  model_site("x, x", broken);
  EXPECT_EQ(command("apply -f " + path("site.yaml")), 78) << out_;
  EXPECT_THAT(out_, HasSubstr("broken.onnx does not exist"));
  write("broken.onnx", "this is no model");
  EXPECT_EQ(command("validate " + path("site.yaml")), 78) << out_;
  EXPECT_THAT(out_, HasSubstr("the model file cannot be read"));
  EXPECT_NE(command("apply -f " + path("site.yaml")), 0) << out_;
  EXPECT_THAT(out_, HasSubstr("broken"));
  EXPECT_EQ(request("GET", "/readyz").status, 200) << "a refused model is not waited for";
  EXPECT_EQ(request("GET", "/v2/models/two/ready").status, 200);
}

TEST_F(BadInput, AModelFileThatVanishedDoesNotKeepTheRestFromStarting) {
  copy_model("linear.onnx");
  copy_model("sure.onnx");
  up({"-f", model_site("x, x", "  other:\n    source: file:" + path("sure.onnx") +
                                   "\n    task: classify\n")});
  kill();
  fs::remove(path("linear.onnx"));
  up({});
  EXPECT_EQ(request("GET", "/v2/models/other/ready").status, 200) << log();
  const auto index = request("POST", "/v2/repository/index", "{}").body;
  EXPECT_THAT(index, HasSubstr("linear.onnx")) << index;
  EXPECT_EQ(command("get models"), 0);
  EXPECT_THAT(out_, HasSubstr("two    False")) << out_;
  EXPECT_EQ(request("GET", "/readyz").status, 503) << "a required model is not there";
  EXPECT_EQ(request("GET", "/healthz").status, 200);
}

TEST_F(BadInput, AModelDirectoryInARepositoryThatCannotBeReadLeavesTheOthers) {
  fs::create_directories(path("models/good/1"));
  fs::create_directories(path("models/bad/1"));
  fs::copy_file(kModels + "linear.onnx", path("models/good/1/model.onnx"));
  write("models/bad/1/model.onnx", "this is no model");
  up({"--models", path("models")});
  EXPECT_EQ(request("GET", "/v2/models/good/ready").status, 200);
  const auto index = json::parse(request("POST", "/v2/repository/index", "{}").body);
  for (const auto& model : index.as_array()) {
    const bool good = model.at("name").as_string() == "good";
    EXPECT_EQ(model.at("state").as_string() == "READY", good) << json::serialize(model);
    if (!good) EXPECT_THAT(app::text_at(model, "/reason"), HasSubstr("cannot be read"));
  }
  EXPECT_EQ(request("GET", "/v2/models/bad/ready").status, 503);
}

TEST_F(BadInput, AnUnknownStreamInSqlPointsAtItAndSuggestsOne) {
  up({"-f", write("site.yaml", mqtt_site("mqtt://127.0.0.1:1"))});
  for (const auto* format : {"", "-o json ", "-o csv "}) {
    EXPECT_EQ(command(fmt::format("sql {}'SELECT temp FROM hall1'", format)), 65) << out_;
    EXPECT_THAT(out_, HasSubstr("sql:1:18: error: unknown stream \"hall1\""));
    EXPECT_THAT(out_, HasSubstr("     |                  ^~~~~ did you mean \"hall_1\"?"));
  }
  EXPECT_EQ(command("sql 'SELECT tmep FROM hall_1'"), 65) << out_;
  EXPECT_THAT(out_, HasSubstr("did you mean \"temp\"?"));
  EXPECT_EQ(command("sql 'SELECT count(*) FROM hall_1'"), 0) << out_;
}

TEST_F(BadInput, ATakenPortNamesItsHolderAndTheWayOut) {
  up({});
  const auto address = app::text_at(json::parse(read("ready")), "/http").substr(7);
  EXPECT_EQ(command("up --http " + address + " --data " + path("other")), 69) << out_;
  EXPECT_THAT(out_, HasSubstr("port " + address.substr(address.rfind(':') + 1)));
  EXPECT_THAT(out_, HasSubstr(fmt::format("infiniedge (pid {})", node_->pid())));
  EXPECT_THAT(out_, HasSubstr("--http 127.0.0.1:0"));
  EXPECT_EQ(request("GET", "/readyz").status, 200);
}

TEST_F(BadInput, ASecondProcessOnTheSameDataNamesTheFirst) {
  up({});
  EXPECT_EQ(command("up --http 127.0.0.1:0 --data " + path("data")), 73) << out_;
  EXPECT_THAT(out_, HasSubstr(fmt::format("is held by process {}", node_->pid())));
  EXPECT_EQ(request("GET", "/readyz").status, 200);
}

/// A tmpfs as data directory, in a mount namespace of the node's own.
class FullDisk : public BadInput {
 protected:
  std::vector<std::string> mount() const {
    return {"unshare",   "-rm", "sh", "-c", "mount -t tmpfs -o size=96m none \"$0\" && exec \"$@\"",
            path("data")};
  }
  /// The data directory as the node sees it.
  std::string inside(const std::string& name) const {
    return fmt::format("/proc/{}/root{}/data/{}", node_->pid(), dir_, name);
  }
  void fill() const {
    const std::string block(64U << 10, 'x');
    std::ofstream file(inside("ballast"), std::ios::binary);
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
};

TEST_F(FullDisk, IsSaidAndWaitedOutWithoutLosingARow) {
  if (std::system("unshare -rm sh -c 'mount -t tmpfs none /mnt' 2>/dev/null") != 0)
    GTEST_SKIP() << "no file system may be mounted here, so none can be filled";
  if (!Broker::available()) GTEST_SKIP() << "mosquitto is not installed: run scripts/setup";
  Broker broker;
  fs::create_directories(path("data"));
  up({"-f", write("site.yaml", mqtt_site(broker.address()))}, mount());
  ASSERT_TRUE(broker_up()) << log();
  fill();
  const std::string note(200'000, 'n');
  const auto file = write("note", note);
  int sent = 0;
  const auto full = [&] {
    return request("GET", "/api/v1/status").body.find("the disk is full") != std::string::npos;
  };
  while (sent < 40 && !full()) {
    ASSERT_TRUE(broker.publish_file("hall1/note", file));
    ++sent;
  }
  ASSERT_TRUE(eventually(full)) << log();
  EXPECT_EQ(request("GET", "/readyz").status, 503);
  EXPECT_EQ(request("GET", "/healthz").status, 200);
  EXPECT_EQ(metric("infiniedge_degraded{mode=\"disk_full\"}"), "1");
  EXPECT_THAT(log(), HasSubstr("wait for space"));
  const auto stored = ask("SELECT count(*) FROM hall_1");
  EXPECT_GT(std::atoi(stored.c_str()), 5) << "it goes on answering";
  fs::remove(inside("ballast"));
  EXPECT_TRUE(eventually([&] {
    return ask("SELECT count(*) FROM hall_1") == std::to_string(sent);
  })) << sent
      << " sent, " << ask("SELECT count(*) FROM hall_1") << " stored\n"
      << log();
  EXPECT_EQ(request("GET", "/readyz").status, 200);
  EXPECT_EQ(metric("infiniedge_degraded{mode=\"disk_full\"}"), "0");
}

/// A hub that shows its own certificate, and a node that expects another.
class OtherHub : public BadInput {
 protected:
  void start_hub() {
    auto started = app::demo::Process::start(
        {.command = {INFINIEDGE_BINARY, "hub", "--tls", "--http", "127.0.0.1:0", "--data",
                     path("hub"), "--node-token-file", write("token", "ie1_node\n"), "--ready-file",
                     path("hub.ready")},
         .environment = {{"CONFIGURATION_DIRECTORY", path("hub-config")}},
         .log = path("hub.log")});
    ASSERT_TRUE(started.has_value());
    hub_.emplace(std::move(*started));
    ASSERT_TRUE(eventually([this] { return fs::exists(path("hub.ready")); }, 30));
    ready_ = json::parse(read("hub.ready"));
  }
  std::string uplink_site(const std::string& trust) {
    fs::create_directories(path("secrets"));
    write("secrets/hub", "ie1_node");
    return write("site.yaml", fmt::format(R"(infiniedge: v1
devices:
  pump-7:
    connector: modbus
    address: tcp://127.0.0.1:1
    points: [{{name: x, address: "ir:0"}}]
    route: [{{do: [keep, send: plant]}}]
uplinks:
  plant:
    to: hub
    address: {}
{}
)",
                                          app::text_at(ready_, "/http"), trust));
  }
  json::value hub_status() {
    app::NodeClient::Options options{.node = app::text_at(ready_, "/http"),
                                     .token_file = write("admin", app::text_at(ready_, "/token"))};
    options.fingerprint = app::text_at(ready_, "/fingerprint");
    auto client = app::NodeClient::open(options);
    const auto status = (*client)->get("/api/v1/status");
    return status ? *status : json::value{};
  }
  /// The uplink is down and says why; the hub saw nobody; the node goes on.
  void expect_refused() {
    const auto error = [this] {
      return app::text_at(json::parse(request("GET", "/api/v1/status").body),
                          "/uplinks/0/last_error");
    };
    ASSERT_TRUE(eventually([&] { return !error().empty(); })) << log();
    EXPECT_THAT(error(), HasSubstr("Denied"));
    EXPECT_THAT(error(), HasSubstr("certificate"));
    EXPECT_THAT(error(), HasSubstr("`fingerprint` (or `ca`) and `token` of Uplink plant"));
    EXPECT_EQ(command("get uplinks"), 0);
    EXPECT_THAT(out_, HasSubstr("plant  False")) << out_;
    EXPECT_TRUE(hub_status().at("nodes").as_array().empty());
    EXPECT_THAT(read("hub.log"), Not(HasSubstr("connected")));
    EXPECT_EQ(request("GET", "/readyz").status, 200);
    EXPECT_EQ(ask("SELECT count(*) FROM pump_7"), "0");
  }
  std::optional<app::demo::Process> hub_;
  json::value ready_;
};

TEST_F(OtherHub, IsRefusedWhenItsFingerprintIsNotThePinnedOne) {
  start_hub();
  up({"-f", uplink_site("    options: {fingerprint: " + std::string(64, 'a') +
                        "}\n    credentials: {token: {secretRef: {name: hub}}}")});
  expect_refused();
}

TEST_F(OtherHub, IsRefusedWhenAnotherCaSignedIt) {
  start_hub();
  const auto make = fmt::format(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
      "'/CN=Plant CA' -keyout {0}/ca.key -out {0}/ca.pem 2>/dev/null",
      dir_);
  if (std::system(make.c_str()) != 0) GTEST_SKIP() << "openssl is not installed";
  up({"-f", uplink_site("    credentials: {ca: " + path("ca.pem") +
                        ", token: {secretRef: {name: hub}}}")});
  expect_refused();
}

}  // namespace
}  // namespace infiniedge::tests
