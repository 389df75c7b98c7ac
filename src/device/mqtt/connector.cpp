// SPDX-License-Identifier: Apache-2.0
#include "device/mqtt/connector.hpp"

#include <fmt/format.h>
#include <mosquitto.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "device/timestamp.hpp"
#include "runtime/log.hpp"

namespace infiniedge::device::mqtt {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxTopics = 1024;

std::string random_suffix(runtime::Entropy& entropy) {
  return fmt::format("{:08x}", static_cast<std::uint32_t>(entropy.u64()));
}

Result<Login> read_login(const DeviceSpec& device, OptionReader& options,
                         runtime::Entropy& entropy) {
  auto broker = Endpoint::parse(device.address);
  if (!broker) return broker.error();
  if (broker->scheme != "mqtt" && broker->scheme != "mqtts") {
    return Error{Code::Invalid,
                 fmt::format("device {}: address \"{}\" must begin with mqtt:// or mqtts://",
                             device.name, device.address)};
  }
  if (broker->port == 0) broker->port = broker->scheme == "mqtts" ? 8883 : 1883;
  Login login{.broker = std::move(*broker),
              .client_id = options.text("client_id"),
              .username = device.username,
              .password = device.password,
              .ca = device.ca,
              .cert = device.cert,
              .key = device.key,
              .version5 = options.choice("version") == "5",
              .clean = options.flag("clean_start")};
  const auto expiry = options.duration("session_expiry");
  login.session_expiry =
      static_cast<std::uint32_t>(std::min<std::int64_t>(expiry.count() / 1'000'000, 0xFFFFFFFF));
  login.keepalive = static_cast<int>(
      std::clamp<std::int64_t>(options.duration("keepalive").count() / 1'000'000, 5, 65535));
  if (!login.clean && login.client_id.empty()) {
    options.fail("client_id",
                 "is missing: a session that the broker keeps (clean_start: false) "
                 "needs one, and no other client may have it");
  }
  if (login.client_id.empty()) {
    login.client_id = fmt::format("infiniedge-{}-{}", device.name, random_suffix(entropy));
  }
  return login;
}

}  // namespace

Connector::Connector(DeviceSpec device, Environment environment, Login login)
    : device_(std::move(device)),
      environment_(environment),
      inbox_(environment, device_),
      paused_(environment.metrics.counter("infiniedge_device_paused_total",
                                          "Times reading stopped because rows had no room.",
                                          {{"device", device_.name}})),
      ended_(environment.executor),
      delivered_(environment.executor),
      session_(environment, std::move(login), this),
      scope_(environment.executor) {}

Result<std::unique_ptr<infiniedge::Connector>> Connector::make(DeviceSpec device,
                                                               Environment environment) {
  OptionReader options(kSpec.options, device.options, "device " + device.name);
  const OptionValues given = device.options;
  auto login = read_login(device, options, environment.entropy);
  if (!login) return login.error();
  options.refuse_unknown();
  INFINIEDGE_TRY(options.fault());
  std::unique_ptr<Connector> out(new Connector(std::move(device), environment, std::move(*login)));
  OptionReader again(kSpec.options, given, "device " + out->device_.name);
  INFINIEDGE_TRY(out->read_rules(again));
  return out;
}

Result<void> Connector::read_rules(OptionReader& options) {
  qos_ = static_cast<int>(options.integer("qos"));
  const auto device_time = Extract::time_of(options);
  INFINIEDGE_TRY(options.fault());
  for (const auto& point : device_.points) INFINIEDGE_TRY(read_rule(point, device_time));
  return {};
}

Result<void> Connector::read_rule(const Point& point, const std::optional<Extract>& device_time) {
  const auto where = fmt::format("point {} of device {}", point.name, device_.name);
  if (mosquitto_sub_topic_check(point.address.c_str()) != MOSQ_ERR_SUCCESS) {
    return Error{Code::Invalid,
                 fmt::format("{}: address \"{}\" is not a topic filter: + stands alone between "
                             "slashes, # alone at the end",
                             where, point.address)};
  }
  OptionReader options(kSpec.point_options, point.options, where);
  options.refuse_unknown();
  Rule rule{.value = Extract::value_of(options, point),
            .time = Extract::time_of(options),
            .set = options.text("set"),
            .retain = options.flag("retain")};
  if (!rule.time) rule.time = device_time;
  INFINIEDGE_TRY(options.fault());
  if (!rule.set.empty() && mosquitto_pub_topic_check(rule.set.c_str()) != MOSQ_ERR_SUCCESS) {
    return Error{Code::Invalid,
                 fmt::format("{}: option \"set\" is \"{}\": a topic to publish to has no + or #",
                             where, rule.set)};
  }
  rules_.push_back(std::move(rule));
  return {};
}

std::vector<std::string> Connector::filters() const {
  std::vector<std::string> out;
  for (const auto& point : device_.points) out.push_back(point.address);
  std::ranges::sort(out);
  const auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
  return out;
}

Task<Result<void>> Connector::open(Outlet& out) {
  INFINIEDGE_CO_TRY(co_await session_.connect(device_.timeout));
  delivering_ = true;
  scope_.spawn(deliver(out));
  auto wanted = filters();
  if (wanted.empty()) co_return Result<void>{};
  co_return co_await session_.subscribe(std::move(wanted), qos_, device_.timeout);
}

Task<void> Connector::deliver(Outlet& out) {
  Result<void> result;
  try {
    result = co_await inbox_.deliver(out, [this] { session_.pause(false); });
  } catch (const std::exception& e) {
    result = Error{Code::Internal, fmt::format("rows cannot be passed on: {}", e.what())};
  }
  if (!result) ended_.set(std::move(result));
  delivered_.set({});
}

Task<Result<void>> Connector::failed() {
  // Either the link is gone, or the rows have nowhere to go.
  scope_.spawn(watch());
  co_return co_await ended_.wait();
}

Task<void> Connector::watch() {
  auto reason = co_await session_.lost();
  ended_.set(std::move(reason));
}

Task<void> Connector::close() {
  co_await session_.close();
  inbox_.drain();
  if (delivering_) (void)co_await delivered_.wait();
  co_await scope_.close();
}

const std::vector<std::size_t>& Connector::points_of(std::string_view topic) {
  if (const auto known = topics_.find(topic); known != topics_.end()) return known->second;
  if (topics_.size() >= kMaxTopics) topics_.clear();
  const std::string name{topic};
  std::vector<std::size_t> points;
  for (std::size_t i = 0; i < device_.points.size(); ++i) {
    bool matches = false;
    mosquitto_topic_matches_sub(device_.points[i].address.c_str(), name.c_str(), &matches);
    if (matches) points.push_back(i);
  }
  return topics_.emplace(name, std::move(points)).first->second;
}

void Connector::on_message(std::string_view topic, std::string_view payload) {
  const auto& points = points_of(topic);
  if (points.empty()) return;
  payload_.begin(payload);
  std::vector<Cell> cells(device_.points.size());
  for (const auto i : points) cells[i] = read_cell(i, topic);
  bool wanted = false;
  const auto time = read_time(points, wanted);
  if (wanted && !time) {
    warn(rules_[points[0]], topic, "no source time can be read; using the time of arrival");
  }
  inbox_.add(time.value_or(environment_.clock.wall()), std::move(cells),
             wanted && !time ? Quality::Uncertain : Quality::Good);
  if (inbox_.full()) pause();
}

void Connector::pause() {
  session_.pause(true);
  paused_.add();
  runtime::log(runtime::Level::Warning, "device.mqtt",
               "rows come faster than they can be stored; reading stops until there is room",
               {{"resource", "device/" + device_.name}});
}

Cell Connector::read_cell(std::size_t point, std::string_view topic) {
  auto& rule = rules_[point];
  auto value = payload_.read(rule.value);
  if (!value) {
    warn(rule, topic,
         fmt::format("point {}: {}", device_.points[point].name, value.error().message()));
    return Cell::bad(kBadDecodingError);
  }
  rule.warned = false;
  return {std::move(*value)};
}

/// The first point of the message that says where its time stands.
std::optional<Timestamp> Connector::read_time(const std::vector<std::size_t>& points,
                                              bool& wanted) {
  for (const auto i : points) {
    if (!rules_[i].time) continue;
    wanted = true;
    const auto value = payload_.read(*rules_[i].time);
    if (!value) return std::nullopt;
    // A binary time is in microseconds; text and JSON say themselves what they are.
    return rules_[i].time->form == Extract::Form::Binary ? time_from_micros(*value)
                                                         : time_from(*value);
  }
  return std::nullopt;
}

/// Once a point, until it is good again: a device that always sends nonsense must not fill the log.
void Connector::warn(Rule& rule, std::string_view topic, std::string_view why) {
  if (rule.warned) return;
  rule.warned = true;
  runtime::log(runtime::Level::Warning, "device.mqtt",
               fmt::format("message on topic \"{}\": {}", topic, why),
               {{"resource", "device/" + device_.name}});
}

Task<Result<void>> Connector::write(std::vector<PointWrite> writes) {
  for (const auto& write : writes) {
    const auto at = std::ranges::find(device_.points, write.point, &Point::name);
    if (at == device_.points.end()) {
      co_return Error{Code::NotFound, "there is no point " + write.point};
    }
    const auto& rule = rules_[static_cast<std::size_t>(at - device_.points.begin())];
    if (rule.set.empty()) {
      co_return Error{Code::Unsupported,
                      fmt::format("point {} of device {} has no topic to write to: give it "
                                  "options: {{set: TOPIC}}",
                                  write.point, device_.name)};
    }
    auto raw = unconvert(*at, write.value);
    if (!raw) co_return raw.error();
    const auto* text = std::get_if<std::string>(&*raw);
    auto payload = text != nullptr ? *text : to_json(*raw, at->type);
    INFINIEDGE_CO_TRY(co_await session_.publish(rule.set, std::move(payload), qos_, rule.retain,
                                                device_.timeout));
  }
  co_return Result<void>{};
}

}  // namespace infiniedge::device::mqtt
