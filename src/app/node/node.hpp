// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/array.hpp>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/admin/node.hpp"
#include "api/auth.hpp"
#include "api/events.hpp"
#include "api/inference/host_metrics.hpp"
#include "app/config/validate.hpp"
#include "app/node/recorder.hpp"
#include "app/node/revisions.hpp"
#include "app/node/settings.hpp"
#include "app/node/trial.hpp"
#include "app/node/world.hpp"
#include "decision/acts.hpp"
#include "decision/alarms.hpp"
#include "decision/cascade.hpp"
#include "device/supervisor.hpp"
#include "hub/ingest.hpp"
#include "infiniedge/backend.hpp"
#include "model/server.hpp"
#include "model/watch.hpp"
#include "store/query.hpp"
#include "store/retention.hpp"
#include "store/seal.hpp"
#include "store/store.hpp"
#include "stream/engine.hpp"
#include "sync/uplink.hpp"

namespace infiniedge::app {

/// A running node or hub: owns every part and connects them.
///
/// Flow:   device -> store and rules -> model -> decision -> store -> uplinks; hub: nodes -> store
/// Thread: one shard.
/// Owner:  serve(); close() before destruction. World and events outlive it.
class Node final : public api::admin::Node {
 public:
  static Task<Result<std::unique_ptr<Node>>> open(World& world, Settings settings,
                                                  api::Events& events);
  Node(World& world, Settings settings, api::Events& events);
  ~Node() override;

  /// Applies the files of the command line, or the last revision. Diagnostics are printed.
  Task<Result<void>> load_site();
  /// Loads every model of the repository, then keeps watching it.
  Task<void> load_repository();
  Task<void> close();

  model::Server& models() { return *models_; }
  hub::Ingest& ingest() { return *ingest_; }
  runtime::Metrics& process_metrics() { return world_.metrics; }
  store::Store& store() { return *store_; }
  void set_started() { started_ = true; }
  bool store_failed() const { return store_failed_.has_value(); }

  // api::admin::Node
  std::string status() override;
  std::string graph() override;
  bool ready() override;
  std::string metrics() override;
  std::string alarms() override;
  std::string parts() override;
  Result<void> acknowledge_alarm(const std::string& id) override;
  Result<std::string> list(const std::string& plural) override;
  Result<std::string> get(const std::string& plural, const std::string& name) override;
  Result<std::string> explain(const std::string& plural, const std::string& name) override;
  Task<tl::expected<std::string, api::admin::Refusal>> apply(
      std::string body, api::admin::ApplyOptions options) override;
  Task<tl::expected<std::string, api::admin::Refusal>> remove(std::string plural,
                                                              std::string name) override;
  Task<Result<std::vector<PointValue>>> read_device(std::string name,
                                                    std::vector<std::string> points) override;
  Task<Result<void>> write_device(std::string name, std::vector<PointWrite> writes,
                                  bool dry_run) override;
  Task<runtime::http::Response> query(runtime::http::Request request) override;
  Task<runtime::http::Response> tap(std::string kind, std::string name, std::string where) override;

 private:
  /// A device's rows on their way into store and rules.
  class Feed final : public Outlet {
   public:
    Feed(Node& node, std::string device) : node_(node), device_(std::move(device)) {}
    Task<Result<void>> push(Batch batch) override;
    void state(Result<void>) override {}

   private:
    Node& node_;
    std::string device_;
  };
  struct Device {
    config::DeviceResource resource;
    std::unique_ptr<Feed> feed;
    std::unique_ptr<device::Supervisor> supervisor;
  };
  /// A resource that is in effect.
  struct Applied {
    config::Resource resource;
    std::string hash, origin;
    std::uint64_t version = 0;
    Timestamp since{};
  };
  /// The streams that rules may read beside rules: devices, decisions, alarms.
  class Schemas final : public stream::SchemaSource {
   public:
    SchemaPtr find(std::string_view name) const override;
    std::vector<std::string> names() const override;
    std::map<std::string, SchemaPtr, std::less<>> schemas;
  };
  struct Tap {
    std::string topic, stream, device;
    std::optional<stream::Expression> where;
  };
  struct Change {
    std::vector<std::string> added, changed, removed;
    std::size_t kept = 0;
    std::vector<std::string> reset;
    bool empty() const { return added.empty() && changed.empty() && removed.empty(); }
    bool touches(const std::string& id) const;
  };

  // node_flow.cpp
  void on_rule_rows(const std::string& stream, Batch batch);
  void on_own_rows(Batch batch);
  void publish_rows(const std::shared_ptr<const Batch>& batch);
  void publish_value(const std::string& device, const Batch& batch);
  void note_answer(const Batch& batch);
  void on_alarm(const decision::Alarm& alarm);
  void write_from_rule(const std::string& device, const std::string& point,
                       const std::string& value);
  Task<void> write_and_report(std::string device, std::string point, std::string value);
  Task<void> tick();
  void publish_second();

  // node_apply.cpp
  using Outcome = tl::expected<std::string, api::admin::Refusal>;
  config::Loaded merged(config::Loaded incoming, const api::admin::ApplyOptions& options) const;
  Change difference(const std::vector<config::Resource>& wanted) const;
  Task<Outcome> commit(config::Validated validated, Change change, std::string origin,
                       bool persist);
  Task<std::optional<api::admin::Refusal>> prepare(const config::Validated& validated,
                                                   const Change& change, bool persist);
  Task<Result<void>> load_models(const config::Site& site, const Change& change, bool lenient);
  Task<void> restore_models(const Change& change);
  Task<Result<void>> declare_streams(const config::Site& site);
  Task<void> stop_parts(const Change& change, const config::Site& next);
  void start_devices(const config::Site& site);
  void stop_rule(const std::string& name);
  std::vector<std::string> start_rules(const config::Site& site, const Change& change);
  void start_cascades(const config::Site& site);
  void start_uplinks(const config::Site& site);
  std::shared_ptr<decision::Teacher> teacher_of(const config::ModelResource& model,
                                                const config::Site& site);
  static std::string reply_of(const Change& change, std::uint64_t revision);

  // node_status.cpp
  std::string status_of(const Applied& applied) const;
  std::string device_status(const Device& device) const;
  std::string stream_status(const std::string& name) const;
  std::string model_status(const std::string& name) const;
  std::string uplink_status(const std::string& name) const;
  void graph_devices(boost::json::array& nodes, boost::json::array& edges) const;
  void graph_rules(boost::json::array& nodes, boost::json::array& edges) const;
  void graph_models(boost::json::array& nodes, boost::json::array& edges) const;
  boost::json::array uplinks_json() const;
  boost::json::array nodes_json() const;

  // node.cpp, node_query.cpp
  Task<Result<void>> open_store();
  void make_parts();
  void add_duckdb(store::Store::Environment& environment);
  void make_query();
  void make_ingest();
  Task<void> close_ingest();

  World& world_;
  api::inference::HostMetrics host_{world_.metrics};
  Settings settings_;
  api::Events& events_;
  Timestamp started_at_;
  bool started_ = false;
  std::optional<Error> store_failed_;

  std::unique_ptr<store::DuckDb> duckdb_;
  std::unique_ptr<store::ParquetSealer> sealer_;
  std::unique_ptr<store::ParquetReader> segment_reader_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Query> query_;
  std::unique_ptr<store::Retention> retention_;
  std::unique_ptr<Recorder> recorder_;
  std::vector<std::unique_ptr<infiniedge::Backend>> backends_;
  std::unique_ptr<ProcessTrial> trial_;
  std::unique_ptr<model::Server> models_;
  std::unique_ptr<model::RepositoryWatch> model_watch_;
  std::unique_ptr<decision::Alarms> alarms_;
  std::unique_ptr<decision::Acts> acts_;
  std::unique_ptr<decision::Cascade> cascade_;
  std::unique_ptr<stream::Engine> engine_;
  std::unique_ptr<hub::Ingest> ingest_;
  Schemas schemas_;
  std::map<std::string, Device, std::less<>> devices_;
  std::map<std::string, std::unique_ptr<sync::Uplink>, std::less<>> uplinks_;
  std::map<std::string, Applied> applied_;  ///< By Resource::id().
  config::Site site_;
  std::map<std::string, std::string> rule_faults_;  ///< Rules that do not run, and why.
  std::uint64_t revision_ = 0;
  std::uint64_t next_version_ = 1;
  bool applying_ = false;
  std::list<Tap> taps_;
  std::uint64_t next_tap_ = 1;
  std::map<std::string, Instant> last_value_event_;
  std::string first_inference_;  ///< JSON, once there was one.
  Revisions revisions_;
  runtime::Scope scope_;
};

}  // namespace infiniedge::app
