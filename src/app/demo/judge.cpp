// SPDX-License-Identifier: Apache-2.0
#include "app/demo/judge.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <map>
#include <set>

#include "app/commands/print.hpp"

namespace infiniedge::app::demo {
namespace {

namespace json = boost::json;

Result<json::array> rows(NodeClient& node, const std::string& sql) {
  const auto body = json::serialize(json::object{{"sql", sql}, {"max_rows", 1'000'000}});
  auto reply = node.call("POST", "/v1/query", body);
  if (!reply) return reply.error();
  const auto* found = reply->is_object() ? reply->as_object().if_contains("rows") : nullptr;
  if (found == nullptr || !found->is_array())
    return Error{Code::Corrupt, "the query's answer has no rows"};
  return found->as_array();
}

std::string text(const json::value& value) {
  return value.is_string() ? std::string{value.as_string()} : "";
}

double number(const json::value& value, const char* pointer) {
  boost::system::error_code error;
  const auto* found = value.find_pointer(pointer, error);
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// A recording may come twice (at least once delivery): the first answer counts.
Result<void> score(NodeClient& node, const std::vector<std::string>& labels, Summary& out) {
  const auto found =
      rows(node,
           "SELECT w.recording, d.route, d.label, d.teacher_label FROM watch w JOIN "
           "appliance__decision d "
           "ON w.device = d.device AND w.ts = d.ts WHERE w.recording IS NOT NULL ORDER BY d._seq");
  if (!found) return found.error();
  std::set<std::int64_t> seen;
  std::uint64_t student = 0, given = 0, accepted_right = 0;
  for (const auto& row : *found) {
    const auto& cells = row.as_array();
    const auto recording = cells[0].to_number<std::int64_t>();
    if (recording < 0 || static_cast<std::size_t>(recording) >= labels.size()) continue;
    if (!seen.insert(recording).second) continue;
    const auto& truth = labels[static_cast<std::size_t>(recording)];
    const bool taught = text(cells[1]) == "teacher";
    const bool student_right = text(cells[2]) == truth;
    student += student_right ? 1 : 0;
    given += (taught ? text(cells[3]) == truth : student_right) ? 1 : 0;
    taught ? ++out.escalated : ++out.edge_answers;
    accepted_right += !taught && student_right ? 1 : 0;
  }
  out.answered = seen.size();
  out.accuracy_edge = share(student, out.answered);
  out.accuracy_all = share(given, out.answered);
  out.accuracy_accepted = share(accepted_right, out.edge_answers);
  return {};
}

/// Sequence numbers of one stream on one side, or nothing if the stream has no rows there yet.
std::map<std::uint64_t, int> sequence(NodeClient& side, const std::string& stream) {
  std::map<std::uint64_t, int> out;
  const auto found = rows(side, fmt::format("SELECT _seq FROM {}", stream));
  if (!found) return out;
  for (const auto& row : *found) ++out[row.as_array()[0].to_number<std::uint64_t>()];
  return out;
}

void compare(NodeClient& node, NodeClient& hub, Summary& out) {
  for (const auto* stream : {"appliances", "energy"}) {
    const auto here = sequence(node, stream);
    const auto there = sequence(hub, stream);
    out.rows_stored += here.size();
    for (const auto& [seq, count] : there) {
      out.rows_at_hub += static_cast<std::uint64_t>(count);
      if (count > 1) out.rows_lost += static_cast<std::uint64_t>(count - 1);
    }
    for (const auto& [seq, count] : here) out.rows_lost += there.contains(seq) ? 0 : 1;
  }
}

}  // namespace

Result<Summary> judge(NodeClient& node, NodeClient& hub, const std::vector<std::string>& labels,
                      std::uint64_t published, double start_ms) {
  Summary out{.recordings = published, .start_ms = start_ms};
  INFINIEDGE_TRY(score(node, labels, out));
  compare(node, hub, out);
  const auto status = node.get("/api/v1/status");
  if (!status) return status.error();
  out.node_rss_mib = number(*status, "/rss_bytes") / (1 << 20);
  const auto model = node.get("/api/v1/models/appliance");
  if (!model) return model.error();
  out.model_p50_us = number(*model, "/status/p50_us");
  out.model_p99_us = number(*model, "/status/p99_us");
  out.decision_p99_ms = number(*model, "/status/decision_p99_ms");
  const auto alarms = node.get("/api/v1/alarms");
  if (!alarms) return alarms.error();
  out.alarm_count = alarms->at("items").as_array().size();
  return out;
}

std::string Summary::json() const {
  return json::serialize(json::object{{"recordings", recordings},
                                      {"edge_answers", edge_answers},
                                      {"escalated", escalated},
                                      {"accuracy_edge", accuracy_edge},
                                      {"accuracy_accepted", accuracy_accepted},
                                      {"accuracy_all", accuracy_all},
                                      {"rows_stored", rows_stored},
                                      {"rows_at_hub", rows_at_hub},
                                      {"rows_lost", rows_lost},
                                      {"alarm_count", alarm_count},
                                      {"model_p50_us", model_p50_us},
                                      {"model_p99_us", model_p99_us},
                                      {"decision_p99_ms", decision_p99_ms},
                                      {"node_rss_mib", node_rss_mib},
                                      {"start_ms", start_ms}});
}

std::vector<std::string> Summary::faults() const {
  std::vector<std::string> out;
  if (recordings == 0) out.emplace_back("the plugs published nothing");
  if (answered < recordings)
    out.push_back(fmt::format("{} recordings have no answer", recordings - answered));
  if (rows_lost > 0) out.push_back(fmt::format("{} rows are lost or double", rows_lost));
  if (rows_at_hub == 0) out.emplace_back("nothing reached the hub");
  if (escalated == 0) out.emplace_back("the teacher answered nothing");
  if (alarm_count == 0) out.emplace_back("no alarm was raised");
  if (accuracy_all < accuracy_edge) {
    out.push_back(fmt::format("asking the teacher made it worse: {:.3f} < {:.3f}", accuracy_all,
                              accuracy_edge));
  }
  return out;
}

}  // namespace infiniedge::app::demo
