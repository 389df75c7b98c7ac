// SPDX-License-Identifier: Apache-2.0
#include "app/demo/story.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "app/paths.hpp"

namespace infiniedge::app::demo {
namespace {

namespace fs = std::filesystem;

std::string first_existing(const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    std::error_code error;
    if (fs::exists(path, error)) return fs::absolute(path, error).string();
  }
  return "";
}

/// Beside an installed binary, or in the source tree that it was built from.
std::string find_file(const std::string& folder, const std::string& name) {
  const auto share = executable_directory() + "/../share/infiniedge/";
  return first_existing(
      {share + name, std::string{INFINIEDGE_SOURCE_DIR} + "/" + folder + "/" + name});
}

std::string plug_yaml(int n) {
  return fmt::format(R"(  plug-{0}:
    <<: *plug
    points:
    - {{name: power, address: plugs/{0}/power, unit: W, resolution: 0.1, options: {{json: /power, time: /time}}}}
    - {{name: recording, address: plugs/{0}/switch-on, type: uint32, options: {{binary: {{offset: 8, type: uint32}}, time: {{offset: 0}}}}}}
    - {{name: wave, address: plugs/{0}/switch-on, type: bytes, options: {{binary: {{offset: 12, type: bytes}}, time: {{offset: 0}}}}}}
)",
                     n);
}

constexpr std::string_view kRules = R"(streams:
  watch:
    # Every row of every plug; a switch-on is named by the student, or by the teacher if unsure.
    sql: |
      SELECT device, power, recording,
             model('appliance', wave_rms(wave), wave_peak(wave), wave_mean(wave),
                   wave_onset(wave, 448, 64), wave_envelope(wave, 32),
                   wave_spectrum(wave, 64), wave_quantiles(wave, 17)) AS answer
      FROM plugs
    keep: 1d
  appliances:
    sql: |
      SELECT device, recording, answer_label AS appliance, answer_score AS score, answer_route AS route
      FROM watch WHERE recording IS NOT NULL
    route:
    - {do: [keep, send: hub]}
  energy:
    sql: |
      SELECT device, avg(power) AS power, max(power) AS peak, count(power) AS readings
      FROM plugs WHERE power IS NOT NULL GROUP BY device, TUMBLE(10s)
    route:
    - {do: [keep, send: hub]}
  heater-watch:
    sql: |
      SELECT device, power, latest(answer_label) AS appliance FROM watch
    keep: 1d
    act:
    - when: appliance IN ('heater', 'hairdryer') AND power > 0
      hold: 8s
      cooldown: 30s
      alarm: {severity: warning, text: "{appliance} on {device} has been on for more than 8 s"}
)";

std::string devices_yaml(const StoryOptions& options) {
  std::string out;
  for (int n = 1; n <= options.plugs; ++n) {
    auto text = plug_yaml(n);
    if (n == 1) {
      // The first plug says what all have in common.
      const auto common = fmt::format(
          "    connector: mqtt\n    address: mqtt://127.0.0.1:{}\n    every: 0s\n    stream: "
          "plugs\n"
          "    credentials:\n      username: {}\n      password: {{secretRef: {{name: broker}}}}\n",
          options.broker_port, options.broker_user);
      constexpr std::string_view kReference = "    <<: *plug\n";
      text.replace(text.find(kReference), kReference.size(), common);
      text.replace(text.find("plug-1:"), 7, "plug-1: &plug");
    }
    out += text;
  }
  return out;
}

}  // namespace

Result<Assets> Assets::find() {
  Assets out{.student = find_file("examples/appliances", "student.onnx"),
             .teacher = find_file("examples/appliances", "teacher.onnx"),
             .labels = find_file("examples/appliances", "labels.txt"),
             .recordings = find_file(".deps/plaid", "PLAID_TEST.ts")};
  if (out.student.empty() || out.teacher.empty() || out.labels.empty()) {
    return Error{Code::NotFound,
                 "the models of the demonstration are missing: run it from its source tree"};
  }
  if (out.recordings.empty()) {
    return Error{Code::NotFound,
                 "the PLAID recordings are missing: run scripts/setup to fetch them"};
  }
  return out;
}

std::string site_yaml(const StoryOptions& options, const Assets& assets) {
  auto out = "infiniedge: v1\ndevices:\n" + devices_yaml(options);
  out += fmt::format(R"(models:
  appliance:
    source: file:{}
    task: classify
    classes: [air conditioner, compact fluorescent lamp, fan, fridge, hairdryer, heater, incandescent light bulb, laptop, microwave, vacuum, washing machine]
    cascade: {{teacher: "hub:appliance-large", threshold: 0.83, budget: {{share: 0.5, burst: 100}}}}
)",
                     assets.student);
  out += kRules;
  out += fmt::format(R"(uplinks:
  hub:
    to: hub
    address: {}
    credentials: {{token: {{secretRef: {{name: hub}}}}}}
    options: {{fingerprint: "{}"}}
)",
                     options.hub_address, options.hub_fingerprint);
  return out;
}

Result<void> write_private(const std::string& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Error{Code::Denied, fmt::format("cannot write {}", path)};
  const bool whole = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  if (!whole) return Error{Code::Exhausted, fmt::format("cannot write {}: no space", path)};
  return {};
}

Result<void> write_files(const StoryOptions& options, const Assets& assets) {
  INFINIEDGE_TRY(write_private(
      options.dir + "/broker.conf",
      fmt::format("listener {} 127.0.0.1\nallow_anonymous false\npassword_file {}/broker.passwd\n"
                  "persistence false\nlog_dest stderr\nmax_queued_messages 0\n",
                  options.broker_port, options.dir)));
  INFINIEDGE_TRY(write_private(options.dir + "/config/secrets/broker", options.broker_password));
  INFINIEDGE_TRY(write_private(options.dir + "/config/secrets/hub", options.hub_token));
  INFINIEDGE_TRY(write_private(options.dir + "/hub.token", options.hub_token));
  const auto version = options.dir + "/models/appliance-large/1";
  std::error_code error;
  fs::create_directories(version, error);
  fs::copy_file(assets.teacher, version + "/model.onnx", fs::copy_options::overwrite_existing,
                error);
  if (error)
    return Error{Code::Exhausted,
                 fmt::format("cannot copy {}: {}", assets.teacher, error.message())};
  return {};
}

}  // namespace infiniedge::app::demo
