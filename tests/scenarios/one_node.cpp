// SPDX-License-Identifier: Apache-2.0
#include "one_node.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "runtime/http/client.hpp"

namespace infiniedge::tests {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace http = runtime::http;
using app::demo::Process;

OneNode::OneNode() {
  std::string pattern = (fs::temp_directory_path() / "infiniedge-node-XXXXXX").string();
  dir_ = mkdtemp(pattern.data());
}

OneNode::~OneNode() {
  node_.reset();
  std::error_code error;
  fs::remove_all(dir_, error);
}

std::string OneNode::write(const std::string& name, const std::string& text) const {
  std::ofstream(path(name)) << text;
  return path(name);
}

std::string OneNode::read(const std::string& name) const {
  std::ifstream file(path(name));
  return {std::istreambuf_iterator<char>(file), {}};
}

void OneNode::up(const std::vector<std::string>& more, const std::vector<std::string>& through) {
  auto command = through;
  for (const auto& word : {std::string{INFINIEDGE_BINARY}, std::string{"up"}, std::string{"--http"},
                           std::string{"127.0.0.1:0"}, std::string{"--data"}, path("data"),
                           std::string{"--ready-file"}, path("ready")}) {
    command.push_back(word);
  }
  command.insert(command.end(), more.begin(), more.end());
  fs::remove(path("ready"));
  auto started = Process::start(
      {.command = command,
       .environment = {{"RUNTIME_DIRECTORY", dir_}, {"CONFIGURATION_DIRECTORY", dir_}},
       .log = path("log")});
  ASSERT_TRUE(started.has_value());
  node_.emplace(std::move(*started));
  ASSERT_TRUE(eventually([this] { return fs::exists(path("ready")) || !node_->running(); }, 30));
  ASSERT_TRUE(fs::exists(path("ready"))) << log();
}

void OneNode::kill() {
  node_->signal(SIGKILL);
  while (node_->running()) std::this_thread::yield();
}

int OneNode::command(const std::string& arguments) {
  const auto line = fmt::format(
      "RUNTIME_DIRECTORY={0} CONFIGURATION_DIRECTORY={0} {1} {2} > {0}/out 2>&1 < /dev/null", dir_,
      INFINIEDGE_BINARY, arguments);
  const int status = std::system(line.c_str());
  out_ = read("out");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

http::Response OneNode::request(const std::string& method, const std::string& target,
                                const std::string& body) {
  asio::io_context context;
  auto url = http::Url::parse("unix:" + path("node.sock"));
  auto client = http::Client::make(context.get_executor(), std::move(*url), {});
  http::Request request;
  request.method = method;
  request.target = target;
  request.headers.set("content-type", "application/json");
  request.body = std::make_shared<const std::string>(body);
  http::Response out;
  asio::co_spawn(context, (*client)->send(std::move(request), Seconds{10}),
                 [&](std::exception_ptr, Result<http::Response> response) {
                   if (response)
                     out = std::move(*response);
                   else
                     ADD_FAILURE() << response.error().describe() << "\n" << log();
                   context.stop();
                 });
  context.run();
  return out;
}

std::string OneNode::ask(const std::string& sql) {
  const auto body = boost::json::serialize(boost::json::object{{"sql", sql}});
  const auto response = request("POST", "/v1/query", body);
  if (response.status != 200) return response.body;
  const auto reply = boost::json::parse(response.body);
  const auto& rows = reply.at("rows").as_array();
  if (rows.empty()) return {};
  const auto& cell = rows[0].as_array()[0];
  return cell.is_string() ? std::string{cell.as_string()} : boost::json::serialize(cell);
}

std::string OneNode::metric(const std::string& series) {
  const auto text = request("GET", "/metrics").body;
  const auto at = text.find("\n" + series + " ");
  if (at == std::string::npos) return {};
  const auto from = at + series.size() + 2;
  return text.substr(from, text.find('\n', from) - from);
}

bool eventually(const std::function<bool()>& holds, int seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < end) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return holds();
}

}  // namespace infiniedge::tests
