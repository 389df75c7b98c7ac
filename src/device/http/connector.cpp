// SPDX-License-Identifier: Apache-2.0
#include "device/http/connector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "device/timestamp.hpp"
#include "runtime/log.hpp"

namespace infiniedge::device::http {
namespace {

constexpr std::size_t kMaxBody = 8U << 20;

/// `base` has no slash at its end.
std::string join(const std::string& base, const std::string& address) {
  if (address.starts_with('/')) return address;
  if (address.empty() || address == ".") return base.empty() ? "/" : base;
  return base + "/" + address;
}

/// A path that cannot be told from the request around it is refused.
bool is_target(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c != 0x7F && c != '#'; });
}

std::string authorisation(const DeviceSpec& device) {
  if (device.username.empty() && device.password.empty()) return {};
  if (device.username.empty()) return "Bearer " + device.password;
  return "Basic " + base64(device.username + ":" + device.password);
}

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

Connector::Connector(DeviceSpec device, Environment environment,
                     std::unique_ptr<runtime::http::Client> client, std::string host)
    : device_(std::move(device)),
      environment_(environment),
      client_(std::move(client)),
      host_(std::move(host)),
      authorisation_(authorisation(device_)),
      poller_(environment, device_, *this) {}

Result<std::unique_ptr<infiniedge::Connector>> Connector::make(DeviceSpec device,
                                                               Environment environment) {
  const auto where = "device " + device.name;
  if (!device.address.starts_with("http://") && !device.address.starts_with("https://")) {
    return Error{Code::Invalid, fmt::format("{}: address \"{}\" must begin with http:// or "
                                            "https://",
                                            where, device.address)};
  }
  auto url = runtime::http::Url::parse(device.address);
  if (!url) return Error{Code::Invalid, where, std::move(url).error()};
  INFINIEDGE_TRY(Poller::check_periods(device, "HTTP"));
  auto base = url->target;
  while (base.ends_with('/')) base.pop_back();
  const auto host = url->host + ":" + url->port;
  auto client = runtime::http::Client::make(
      environment.executor, std::move(*url),
      {.ca = device.ca, .cert = device.cert, .key = device.key, .max_body = kMaxBody});
  if (!client) return Error{client.error().code(), where, std::move(client).error()};
  std::unique_ptr<Connector> out(
      new Connector(std::move(device), environment, std::move(*client), host));
  INFINIEDGE_TRY(out->read_rules(base));
  return out;
}

Result<void> Connector::read_rules(const std::string& base) {
  OptionReader options(kSpec.options, device_.options, "device " + device_.name);
  options.refuse_unknown();
  const auto device_time = Extract::time_of(options);
  INFINIEDGE_TRY(options.fault());
  for (const auto& point : device_.points) {
    auto rule = read_rule(point, base, device_time);
    if (!rule) return rule.error();
    rules_.push_back(std::move(*rule));
  }
  return {};
}

Result<Connector::Rule> Connector::read_rule(const Point& point, const std::string& base,
                                             const std::optional<Extract>& device_time) const {
  const auto where = fmt::format("point {} of device {}", point.name, device_.name);
  OptionReader options(kSpec.point_options, point.options, where);
  options.refuse_unknown();
  Rule out{.target = join(base, point.address),
           .set = join(base, options.has("set") ? options.text("set") : point.address),
           .value = Extract::value_of(options, point),
           .time = Extract::time_of(options),
           .method = options.choice("method"),
           .body = options.text("body"),
           .content_type = options.text("content_type")};
  if (!out.time) out.time = device_time;
  INFINIEDGE_TRY(options.fault());
  for (const auto& path : {out.target, out.set}) {
    if (is_target(path)) continue;
    return Error{Code::Invalid, fmt::format("{}: \"{}\" is not a path: blanks and # must be "
                                            "percent-encoded",
                                            where, path)};
  }
  return out;
}

/// HTTP has no connection to wait for, so the first path is asked once: a device that is away
/// is seen here, and not as a feed that comes up and fails.
Task<Result<void>> Connector::open(Outlet& out) {
  if (!rules_.empty()) {
    const auto answer = co_await send("GET", rules_[0].target, {}, {});
    if (!answer) co_return answer.error();
  }
  poller_.start(out);
  co_return Result<void>{};
}

Task<Result<void>> Connector::failed() { co_return co_await poller_.failed(); }

Task<void> Connector::close() { co_await poller_.close(); }

Task<Result<std::vector<PointValue>>> Connector::read(std::vector<std::string> points) {
  co_return co_await poller_.read(std::move(points));
}

Task<Result<runtime::http::Response>> Connector::send(std::string method, std::string target,
                                                      std::string body, std::string content_type) {
  runtime::http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers.add("Accept", "*/*");
  if (!authorisation_.empty()) request.headers.add("Authorization", authorisation_);
  if (!content_type.empty()) request.headers.add("Content-Type", std::move(content_type));
  request.body = std::make_shared<const std::string>(std::move(body));
  auto answer = co_await client_->send(std::move(request), device_.timeout);
  if (answer || answer.error().code() != Code::Corrupt) co_return answer;
  // A peer that speaks something else may be restarting: worth another try later.
  co_return Error{Code::Unavailable, host_ + " does not speak HTTP", std::move(answer).error()};
}

Task<Result<void>> Connector::read_points(std::vector<std::size_t> points, Reading& reading) {
  std::map<std::string, std::vector<std::size_t>> targets;
  for (const auto point : points) targets[rules_[point].target].push_back(point);
  std::size_t answered = 0;
  std::optional<Error> silence;
  for (auto& [target, members] : targets) {
    auto read = co_await read_target(target, members, reading);
    if (read) {
      ++answered;
      continue;
    }
    const auto code = read.error().code();
    if (code != Code::Timeout && code != Code::Unavailable && code != Code::Exhausted) {
      co_return read;
    }
    silence = read.error();
    const auto reason = code == Code::Timeout     ? kBadTimeout
                        : code == Code::Exhausted ? kBadDecodingError
                                                  : kBadNoCommunication;
    for (const auto point : members) reading.cells[point] = Cell::bad(reason);
    // A body over the limit is an answer all the same.
    if (code == Code::Exhausted) ++answered;
  }
  if (silence && answered == 0) co_return std::move(*silence);
  co_return Result<void>{};
}

Task<Result<void>> Connector::read_target(std::string target, std::vector<std::size_t> points,
                                          Reading& reading) {
  auto answer = co_await send("GET", target, {}, {});
  if (!answer) co_return answer.error();
  if (answer->status < 200 || answer->status > 299) {
    refuse(answer->status, points, reading);
  } else {
    read_body(answer->body, points, reading);
  }
  co_return Result<void>{};
}

void Connector::refuse(int status, const std::vector<std::size_t>& points, Reading& reading) {
  const auto reason = status == 401 || status == 403 ? kBadUserAccessDenied : kBadDeviceFailure;
  for (const auto point : points) {
    reading.cells[point] = Cell::bad(reason);
    warn(point, fmt::format("the device answers {} to GET {}", status, rules_[point].target));
  }
}

void Connector::read_body(std::string_view body, const std::vector<std::size_t>& points,
                          Reading& reading) {
  payload_.begin(body);
  for (const auto point : points) {
    auto& rule = rules_[point];
    auto value = payload_.read(rule.value);
    if (value) {
      reading.cells[point] = {std::move(*value)};
      rule.warned = false;
    } else {
      reading.cells[point] = Cell::bad(kBadDecodingError);
      warn(point, fmt::format("GET {}: {}", rule.target, value.error().message()));
    }
    if (!rule.time || reading.time) continue;
    const auto time = payload_.read(*rule.time);
    if (time) {
      reading.time =
          rule.time->form == Extract::Form::Binary ? time_from_micros(*time) : time_from(*time);
    }
    if (!reading.time) {
      reading.floor = Quality::Uncertain;
      warn(point, fmt::format("GET {}: no source time can be read; using the time of arrival",
                              rule.target));
    }
  }
}

/// Once a point, until it is good again.
void Connector::warn(std::size_t point, std::string_view why) {
  if (std::exchange(rules_[point].warned, true)) return;
  runtime::log(runtime::Level::Warning, "device.http",
               fmt::format("point {}: {}", device_.points[point].name, why),
               {{"resource", "device/" + device_.name}});
}

Task<Result<void>> Connector::write(std::vector<PointWrite> writes) {
  for (const auto& write : writes) {
    const auto index = poller_.find(write.point);
    if (!index) co_return index.error();
    const auto& point = device_.points[*index];
    const auto& rule = rules_[*index];
    auto raw = unconvert(point, write.value);
    if (!raw) co_return raw.error();
    auto body = rule.body;
    replace_all(body, "{value}", to_json(*raw, point.type));
    auto answer = co_await send(rule.method, rule.set, std::move(body), rule.content_type);
    if (!answer) co_return answer.error();
    if (answer->status >= 200 && answer->status <= 299) continue;
    const auto code = answer->status == 401 || answer->status == 403 ? Code::Denied
                      : answer->status >= 500                        ? Code::Unavailable
                                                                     : Code::Invalid;
    co_return Error{code, fmt::format("device {} answers {} to {} {}", device_.name, answer->status,
                                      rule.method, rule.set)};
  }
  co_return Result<void>{};
}

}  // namespace infiniedge::device::http
