// SPDX-License-Identifier: Apache-2.0
#include "stream/model_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/bytes.hpp"
#include "stream/batch_rows.hpp"

namespace infiniedge::stream {
namespace {

/// Numbers give one value, bytes all of their float32. False: a NULL, so there is no sample.
bool append_features(const Vec& value, std::size_t row, std::vector<float>& out) {
  if (value.null(row)) return false;
  if (value.is_text()) {
    const auto bytes = base::as_bytes(value.view(row));
    for (std::size_t i = 0; i + sizeof(float) <= bytes.size(); i += sizeof(float)) {
      out.push_back(base::get<float>(bytes, i));
    }
  } else {
    out.push_back(static_cast<float>(value.is_float() ? value.number(row)
                                                      : static_cast<double>(value.integer(row))));
  }
  return true;
}

std::vector<Prediction> all_failed(std::size_t rows, const std::string& why) {
  return std::vector<Prediction>(rows, Prediction{.error = why});
}

}  // namespace

ModelStage::ModelStage(std::shared_ptr<const Plan> plan, Predictor* predictor, Done done)
    : plan_(std::move(plan)), predictor_(predictor), done_(std::move(done)) {}

void ModelStage::open(runtime::Scope& scope, Clock& clock) {
  scope_ = &scope;
  clock_ = &clock;
  idle_ = std::make_unique<boost::asio::steady_timer>(scope.executor(),
                                                      boost::asio::steady_timer::time_point::max());
}

ModelStage::GroupPtr ModelStage::start_group(Frame& frame) {
  auto group = std::make_shared<Group>();
  group->samples.resize(plan_->models.size());
  group->asked.resize(plan_->models.size());
  group->answers.resize(plan_->models.size());
  for (const auto index : plan_->carried) {
    group->carried.emplace(index, Vec::make(frame.column(index).type, kRows));
  }
  return group;
}

void ModelStage::add(Frame& frame, std::int64_t now) {
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    if (pending_ >= kMaxPending || scope_ == nullptr) {
      ++dropped_;
      continue;
    }
    if (!gathering_) {
      gathering_ = start_group(frame);
      scope_->spawn(expire(shared_from_this(), gathering_));
    }
    take_row(*gathering_, frame, row, now);
    ++pending_;
    if (gathering_->rows->rows() >= kRows) flush();
  }
}

void ModelStage::take_row(Group& group, Frame& frame, std::size_t row, std::int64_t now) {
  const auto at = static_cast<std::uint32_t>(group.rows->rows());
  append_row(*group.rows, frame.device(row), frame.ts(row),
             stale_if_future(frame.quality(row), frame.ts(row), now));
  for (auto& [index, values] : group.carried) values.push_from(frame.column(index), row);
  for (std::size_t m = 0; m < plan_->models.size(); ++m) {
    Sample sample{.device = std::string(frame.device(row)), .ts = from_us(frame.ts(row))};
    bool complete = true;
    for (const auto& arg : plan_->models[m].args) {
      complete = complete && append_features(frame.eval(*arg), row, sample.features);
    }
    if (!complete) continue;
    group.samples[m].push_back(std::move(sample));
    group.asked[m].push_back(at);
  }
}

void ModelStage::flush() {
  if (!gathering_) return;
  queue_.push_back(std::move(gathering_));
  gathering_ = nullptr;
  pump();
}

/// A coroutine may run to its end within spawn(), and lead back here: nothing is held meanwhile.
void ModelStage::pump() {
  while (in_flight_ < kInFlight) {
    const auto next = std::find_if(queue_.begin(), queue_.end(),
                                   [](const GroupPtr& group) { return !group->sent; });
    if (next == queue_.end()) return;
    const auto group = *next;
    group->sent = true;
    ++in_flight_;
    scope_->spawn(ask(shared_from_this(), group));
  }
}

Task<void> ModelStage::expire(std::shared_ptr<ModelStage> self, GroupPtr group) {
  const auto slept = co_await self->clock_->sleep_for(kWait);
  if (slept && self->gathering_ == group) self->flush();
}

Task<void> ModelStage::ask(std::shared_ptr<ModelStage> self, GroupPtr group) {
  for (std::size_t m = 0; m < self->plan_->models.size(); ++m) {
    const auto rows = group->samples[m].size();
    if (rows == 0) continue;
    if (self->predictor_ == nullptr) {
      group->answers[m] = all_failed(rows, "there is no model server");
      continue;
    }
    auto samples = std::move(group->samples[m]);
    const auto& model = self->plan_->models[m].model;
    auto answers = co_await self->predictor_->predict(model, std::move(samples));
    if (!answers) {
      group->answers[m] = all_failed(rows, answers.error().describe());
    } else if (answers->size() != rows) {
      group->answers[m] = all_failed(
          rows, fmt::format("model {} answered {} of {} rows", model, answers->size(), rows));
    } else {
      group->answers[m] = std::move(*answers);
    }
  }
  group->done = true;
  --self->in_flight_;
  self->deliver();
  self->pump();
}

void ModelStage::deliver() {
  if (delivering_) return;  // done_ led back here; the outer loop goes on.
  delivering_ = true;
  while (!queue_.empty() && queue_.front()->done) {
    const auto group = std::move(queue_.front());
    queue_.pop_front();
    Frame frame(group->rows);
    for (auto& [index, values] : group->carried) frame.put(index, std::move(values));
    for (std::size_t m = 0; m < plan_->models.size(); ++m) {
      add_answers(plan_->models[m], m, *group, frame);
    }
    pending_ -= group->rows->rows();
    if (done_) done_(frame);
  }
  delivering_ = false;
  if (pending_ == 0 && idle_) idle_->cancel();
}

void ModelStage::add_answers(const ModelCall& call, std::size_t model, const Group& group,
                             Frame& frame) {
  const auto rows = group.rows->rows();
  auto label = Vec::make(Type::String, rows), route = Vec::make(Type::String, rows);
  auto error = Vec::make(Type::String, rows);
  auto score = Vec::make(Type::Float, rows);
  std::size_t next = 0;
  for (std::uint32_t row = 0; row < rows; ++row) {
    const bool asked = next < group.asked[model].size() && group.asked[model][next] == row;
    const Prediction* answer = asked ? &group.answers[model][next++] : nullptr;
    const bool good = answer != nullptr && answer->error.empty();
    failures_ += answer != nullptr && !good ? 1 : 0;
    good && !answer->label.empty() ? label.push_text(answer->label) : label.push_null();
    good ? score.push_float(answer->score) : score.push_null();
    answer != nullptr ? route.push_text(to_string(answer->route)) : route.push_null();
    answer != nullptr && !good ? error.push_text(answer->error) : error.push_null();
  }
  frame.put(call.first_column, std::move(label));
  frame.put(call.first_column + 1, std::move(score));
  frame.put(call.first_column + 2, std::move(route));
  frame.put(call.first_column + 3, std::move(error));
}

Task<void> ModelStage::drain(std::shared_ptr<ModelStage> self) {
  self->flush();
  while (self->pending_ > 0 && self->scope_ != nullptr && !self->scope_->cancelled()) {
    co_await self->idle_->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
}

}  // namespace infiniedge::stream
