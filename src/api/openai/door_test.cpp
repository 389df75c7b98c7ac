// SPDX-License-Identifier: Apache-2.0
// The door against OpenAI's own clients, in Python and Node.js, which we did not write. Only the
// upstream of chat is a stand-in: a server on a real socket that answers as OpenAI documents.
#include "api/openai/door.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>

#include "api/inference/testing/peer.hpp"
#include "model/testing/bench_server.hpp"
#include "runtime/clock.hpp"
#include "runtime/http/server.hpp"
#include "runtime/shard.hpp"

namespace infiniedge::api::openai {
namespace {

namespace http = runtime::http;
using inference::testing::peer_python;
using inference::testing::peer_script;
using inference::testing::run_command;

/// What the upstream was sent last.
struct Seen {
  std::string authorization;
  boost::json::object body;
};

/// Answers chat, and keeps what it was sent.
class StandIn final : public http::Handler {
 public:
  Task<http::Response> handle(http::Request request) override {
    seen.authorization = request.headers.get("authorization");
    seen.body = boost::json::parse(*request.body).as_object();
    const auto& last = seen.body;
    http::Response out;
    out.headers.set("content-type", "application/json");
    if (last.at("model") == "upstream-busy") {
      out.status = 429;
      out.body = R"({"error":{"message":"later","type":"requests","code":"slow_down"}})";
      co_return out;
    }
    const auto* stream = last.if_contains("stream");
    if (stream != nullptr && stream->as_bool()) {
      out.headers.set("content-type", "text/event-stream");
      out.stream = [](std::shared_ptr<http::BodyWriter> writer) { return events(writer); };
      co_return out;
    }
    out.body =
        R"({"id":"1","object":"chat.completion","created":1,"model":"upstream-small","choices":)"
        R"([{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":)"
        R"("you said hello"}}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}})";
    co_return out;
  }

  Seen seen;  ///< The shard's.

 private:
  static Task<void> events(std::shared_ptr<http::BodyWriter> writer) {
    for (const auto* text : {"you ", "said ", "hello"}) {
      const std::string event =
          R"(data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m",)"
          R"("choices":[{"index":0,"delta":{"content":")";
      const auto written = co_await writer->write(event + text + "\"}}]}\n\n");
      if (!written) co_return;
    }
    (void)co_await writer->write(
        "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
        "\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3}}\n\n");
    (void)co_await writer->write("data: [DONE]\n\n");
  }
};

/// Door and stand-in, each on a port of one shard.
class Live final : public http::Handler {
 public:
  explicit Live(std::filesystem::path repository)
      : models_(shard_.executor(), clock_, workers_, metrics_,
                {.repository = std::move(repository)}) {
    models_.add(backend_);
    upstream_server_ = http::Server::make(shard_.executor(), upstream_, {});
    server_ = http::Server::make(shard_.executor(), *this, {});
    shard_.start();
    on_shard(open());
  }
  ~Live() override {
    on_shard(close());
    shard_.stop();
  }

  Task<http::Response> handle(http::Request request) override {
    return door_->handle(std::move(request));
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  bool load(const std::string& name) { return on_shard(models_.load(name)).has_value(); }
  std::string metrics() const { return metrics_.text(); }
  Seen upstream_saw() { return on_shard(look()); }

 private:
  template <class T>
  T on_shard(Task<T> task) {
    return boost::asio::co_spawn(shard_.context(), std::move(task), boost::asio::use_future).get();
  }
  Task<Seen> look() { co_return upstream_.seen; }
  Task<void> open() {
    const auto upstream_port = upstream_server_->listen("127.0.0.1:0").value();
    Upstream settings{.url = "http://127.0.0.1:" + std::to_string(upstream_port) + "/v1",
                      .key = "upstream-secret",
                      .aliases = {{"small", "upstream-small"}, {"busy", "upstream-busy"}}};
    const Door::Parts parts{shard_.executor(), models_, workers_, metrics_};
    door_ = std::make_unique<Door>(parts, std::move(settings));
    port_ = server_->listen("127.0.0.1:0").value();
    co_return;
  }
  Task<void> close() {
    co_await server_->close(Millis{100});
    co_await door_->close();
    co_await upstream_server_->close(Millis{100});
    co_await models_.close();
  }

  StandIn upstream_;
  runtime::Shard shard_{"live"};
  runtime::SystemClock clock_;
  runtime::Workers workers_{"compute", 1};
  runtime::Metrics metrics_;
  model::onnx::Backend backend_;
  model::Server models_;
  std::unique_ptr<Door> door_;
  std::unique_ptr<http::Server> upstream_server_, server_;
  std::uint16_t port_ = 0;
};

class OpenAi : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto deps = std::filesystem::path{INFINIEDGE_DEPS_DIR};
    model_ = deps / "models/minilm.onnx";
    vocabulary_ = deps / "models/minilm.vocab.txt";
    for (const auto& needed : {peer_python("openai"), model_, vocabulary_}) {
      if (!std::filesystem::exists(needed)) {
        GTEST_SKIP() << needed << " is absent; scripts/setup --test fetches it";
      }
    }
    repository_.add("add_sub", "add_sub");
    std::filesystem::create_directories(repository_.root() / "minilm/1");
    std::filesystem::create_symlink(model_, repository_.root() / "minilm/1/model.onnx");
    std::filesystem::create_symlink(vocabulary_, repository_.root() / "minilm/vocab.txt");
    live_ = std::make_unique<Live>(repository_.root());
    ASSERT_TRUE(live_->load("minilm"));
    ASSERT_TRUE(live_->load("add_sub"));
  }

  model::testing::TempRepository repository_;
  std::filesystem::path model_, vocabulary_;
  std::unique_ptr<Live> live_;
};

TEST_F(OpenAi, ItsPythonClientWorks) {
  std::string command = peer_python("openai").string() + " " + peer_script("openai_client.py") +
                        " " + live_->url() + " " + model_.string() + " " + vocabulary_.string();
  const std::filesystem::path sound = "/usr/share/sounds/alsa/Front_Center.wav";
  const bool speech = !Recogniser::name().empty() && std::filesystem::exists(sound);
  if (speech) command += " " + sound.string();
  const auto [out, status] = run_command(command);
  EXPECT_EQ(status, 0) << out;
  EXPECT_NE(out.find("all checks passed"), std::string::npos) << out;
  EXPECT_EQ(live_->upstream_saw().authorization, "Bearer upstream-secret");
  EXPECT_NE(
      live_->metrics().find(R"(infiniedge_openai_tokens_total{call="chat",kind="completion"} 6)"),
      std::string::npos)
      << live_->metrics();
  if (!speech) GTEST_SKIP() << "speech was not tried: PocketSphinx or alsa-utils is absent";
}

TEST_F(OpenAi, ItsNodeClientWorks) {
  const auto package =
      std::filesystem::path{INFINIEDGE_DEPS_DIR} / "openai-node/node_modules/openai";
  if (!std::filesystem::exists(package)) {
    GTEST_SKIP() << package << " is absent; scripts/setup --test fetches it";
  }
  const auto [out, status] = run_command("node " + peer_script("openai_client.mjs") + " " +
                                         package.string() + " " + live_->url());
  EXPECT_EQ(status, 0) << out;
  EXPECT_NE(out.find("all checks passed"), std::string::npos) << out;
}

TEST_F(OpenAi, UnknownFieldsArePassedOnAndTheClientsCredentialIsNot) {
  const auto [out, status] =
      run_command("curl -s " + live_->url() +
                  "/chat/completions -H 'Authorization: Bearer client-secret' -d "
                  R"('{"model":"small","messages":[],"seed":7,"x_new":{"a":[1]}}')");
  EXPECT_EQ(status, 0) << out;
  EXPECT_EQ(boost::json::serialize(live_->upstream_saw().body),
            R"({"model":"upstream-small","messages":[],"seed":7,"x_new":{"a":[1]}})");
  EXPECT_EQ(live_->upstream_saw().authorization, "Bearer upstream-secret");
}

}  // namespace
}  // namespace infiniedge::api::openai
