// SPDX-License-Identifier: Apache-2.0
#include "app/node/recorder.hpp"

#include "runtime/log.hpp"

namespace infiniedge::app {

using runtime::Level;
using runtime::log;

Recorder::Recorder(boost::asio::any_io_executor executor, store::Store& store, Clock& clock,
                   runtime::Metrics& metrics)
    : store_(store),
      clock_(clock),
      lost_(metrics.counter("infiniedge_stream_lost_rows_total",
                            "Rows made on the node that could not be stored.")),
      waiting_(executor, kWaiting),
      done_(executor, 1),
      scope_(executor) {
  scope_.spawn(run());
}

void Recorder::put(Batch batch) {
  const auto rows = batch.rows();
  if (rows == 0) return;
  if (!waiting_.try_send(std::make_shared<Batch>(std::move(batch)))) {
    lost_.add(rows);
    log(Level::Warning, "app", "the store does not keep up: rows of a rule are lost");
  }
}

Task<void> Recorder::close() {
  waiting_.close();
  (void)co_await done_.receive();
  co_await scope_.close();
}

Task<void> Recorder::run() {
  while (true) {
    auto first = co_await waiting_.receive();
    if (!first) break;
    std::vector<Batch> group;
    group.push_back(std::move(**first));
    while (group.size() < kGroup) {
      auto next = waiting_.try_receive();
      if (!next || !*next) break;
      group.push_back(std::move(**next));
    }
    co_await store_group(std::move(group));
  }
  done_.try_send(true);
}

Task<Result<void>> Recorder::declare_unknown(const std::vector<Batch>& group) {
  for (const auto& batch : group) {
    if (store_.find(batch.schema->stream)) continue;
    const record::StreamPolicy policy;
    const auto declared = co_await store_.declare(batch.schema, policy);
    if (!declared) co_return declared.error();
  }
  co_return Result<void>{};
}

Task<void> Recorder::store_group(std::vector<Batch> group) {
  while (true) {
    const auto declared = co_await declare_unknown(group);
    auto copy = group;
    Result<void> outcome = declared;
    if (declared) {
      const auto stored = co_await store_.append_all(std::move(copy));
      if (!stored) outcome = stored.error();
    }
    if (outcome) co_return;
    const auto code = outcome.error().code();
    log(Level::Warning, "app", "rows of rules could not be stored",
        {{"error", outcome.error().describe()}});
    const bool retry = code == Code::Exhausted && !waiting_.closed();
    if (!retry) {
      for (const auto& batch : group) lost_.add(batch.rows());
      co_return;
    }
    if (!co_await clock_.sleep_for(Seconds{1})) co_return;
  }
}

}  // namespace infiniedge::app
