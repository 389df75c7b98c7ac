// SPDX-License-Identifier: Apache-2.0
#include "stream/analytic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>

#include "base/bytes.hpp"

namespace infiniedge::stream {
namespace {

constexpr std::size_t kMaxKeys = 100'000;

constexpr std::array kNames = std::to_array<std::string_view>(
    {"lag", "latest", "had_changed", "changed_col", "delta", "rate", "deadband", "ewma", "acc_sum",
     "acc_min", "acc_max", "acc_count", "acc_avg"});

using ArgList = std::span<const Vec* const>;

bool is_null(const Scalar& value) { return std::holds_alternative<std::monostate>(value); }
bool flag(const AnalyticCall& call, std::size_t index) {
  return index < call.options.size() && !is_null(call.options[index]) &&
         std::get<std::int64_t>(call.options[index]) != 0;
}
double number(const Scalar& value) { return std::get<double>(value); }

class Lag final : public AnalyticState {
 public:
  explicit Lag(const AnalyticCall& call)
      : n_(static_cast<std::size_t>(std::get<std::int64_t>(call.options[0]))),
        fallback_(call.options[1]),
        ignore_null_(flag(call, 2)) {}
  void step(ArgList args, std::size_t row, std::int64_t, Vec& out) override {
    out.push(seen_.size() < n_ ? fallback_ : seen_.front());
    if (ignore_null_ && args[0]->null(row)) return;
    seen_.push_back(args[0]->scalar(row));
    if (seen_.size() > n_) seen_.pop_front();
  }

 private:
  std::size_t n_;
  Scalar fallback_;
  bool ignore_null_;
  std::deque<Scalar> seen_;
};

class Latest final : public AnalyticState {
 public:
  explicit Latest(const AnalyticCall& call) : value_(call.options[0]) {}
  void step(ArgList args, std::size_t row, std::int64_t, Vec& out) override {
    if (!args[0]->null(row)) value_ = args[0]->scalar(row);
    out.push(value_);
  }

 private:
  Scalar value_;
};

/// The first row changes whatever is not NULL: before it there was nothing.
class Change final : public AnalyticState {
 public:
  explicit Change(const AnalyticCall& call)
      : ignore_null_(flag(call, 0)), gives_value_(call.name == "changed_col") {}
  void step(ArgList args, std::size_t row, std::int64_t, Vec& out) override {
    previous_.resize(args.size());
    bool changed = false;
    for (std::size_t k = 0; k < args.size(); ++k) {
      auto value = args[k]->scalar(row);
      if (ignore_null_ && is_null(value)) continue;
      if (value == previous_[k]) continue;
      changed = true;
      previous_[k] = std::move(value);
    }
    if (!gives_value_) return out.push_int(changed);
    changed ? out.push_from(*args[0], row) : out.push_null();
  }

 private:
  bool ignore_null_, gives_value_;
  std::vector<Scalar> previous_;
};

class Delta final : public AnalyticState {
 public:
  void step(ArgList args, std::size_t row, std::int64_t, Vec& out) override {
    if (args[0]->null(row)) return out.push_null();
    if (args[0]->is_float()) {
      push_difference(args[0]->number(row), out);
    } else {
      push_difference(args[0]->integer(row), out);
    }
    previous_ = args[0]->scalar(row);
  }

 private:
  void push_difference(double x, Vec& out) const {
    if (is_null(previous_)) return out.push_null();
    const double d = x - number(previous_);
    std::isfinite(d) ? out.push_float(d) : out.push_error();
  }
  void push_difference(std::int64_t x, Vec& out) const {
    if (is_null(previous_)) return out.push_null();
    std::int64_t d = 0;
    if (__builtin_sub_overflow(x, std::get<std::int64_t>(previous_), &d)) return out.push_error();
    out.push_int(d);
  }
  Scalar previous_;
};

class Rate final : public AnalyticState {
 public:
  explicit Rate(const AnalyticCall& call) : counter_(flag(call, 0)) {}
  void step(ArgList args, std::size_t row, std::int64_t ts, Vec& out) override {
    if (args[0]->null(row)) return out.push_null();
    const double x = args[0]->number(row);
    const bool usable = any_ && ts > at_;
    if (usable) {
      const double rise = counter_ && x < previous_ ? x : x - previous_;
      const double rate = rise / (static_cast<double>(ts - at_) * 1e-6);
      std::isfinite(rate) ? out.push_float(rate) : out.push_error();
    } else {
      out.push_null();
    }
    if (any_ && ts < at_) return;  // An older row does not become the one before the next.
    any_ = true;
    at_ = ts;
    previous_ = x;
  }

 private:
  bool counter_, any_ = false;
  std::int64_t at_ = 0;
  double previous_ = 0;
};

class Deadband final : public AnalyticState {
 public:
  explicit Deadband(const AnalyticCall& call)
      : width_(number(call.options[0])),
        gap_(is_null(call.options[1]) ? 0 : std::get<std::int64_t>(call.options[1])) {}
  void step(ArgList args, std::size_t row, std::int64_t ts, Vec& out) override {
    if (args[0]->null(row)) return out.push_int(0);
    const double x = args[0]->number(row);
    // Reporting values have few digits; without this 0.3 − 0.2 would not reach 0.1.
    const double slack = 1e-12 * std::max(std::abs(x), std::abs(reported_));
    const bool moved = std::abs(x - reported_) >= width_ - slack;
    const bool due = gap_ > 0 && ts - at_ >= gap_;
    const bool reports = !any_ || moved || due;
    if (reports) {
      any_ = true;
      at_ = ts;
      reported_ = x;
    }
    out.push_int(reports);
  }

 private:
  double width_;
  std::int64_t gap_, at_ = 0;
  bool any_ = false;
  double reported_ = 0;
};

class Ewma final : public AnalyticState {
 public:
  explicit Ewma(const AnalyticCall& call)
      : half_life_(static_cast<double>(std::get<std::int64_t>(call.options[0]))) {}
  void step(ArgList args, std::size_t row, std::int64_t ts, Vec& out) override {
    if (args[0]->null(row)) return any_ ? out.push_float(value_) : out.push_null();
    const double x = args[0]->number(row);
    const auto elapsed = static_cast<double>(std::max<std::int64_t>(0, ts - at_));
    const double alpha = any_ ? 1 - std::exp2(-elapsed / half_life_) : 1;
    value_ += alpha * (x - value_);
    at_ = any_ ? std::max(at_, ts) : ts;
    any_ = true;
    out.push_float(value_);
  }

 private:
  double half_life_;
  bool any_ = false;
  std::int64_t at_ = 0;
  double value_ = 0;
};

class Accumulate final : public AnalyticState {
 public:
  explicit Accumulate(const AnalyticCall& call) : what_(call.name.substr(4)) {}
  void step(ArgList args, std::size_t row, std::int64_t, Vec& out) override {
    if (!args[0]->null(row)) take(what_ == "count" ? 0 : args[0]->number(row));
    if (what_ == "count") return out.push_int(count_);
    if (count_ == 0) return out.push_null();
    const double value = what_ == "min"   ? min_
                         : what_ == "max" ? max_
                         : what_ == "avg" ? sum_ / static_cast<double>(count_)
                                          : sum_;
    std::isfinite(value) ? out.push_float(value) : out.push_error();
  }

 private:
  void take(double x) {
    min_ = count_ == 0 ? x : std::min(min_, x);
    max_ = count_ == 0 ? x : std::max(max_, x);
    sum_ += x;
    ++count_;
  }
  std::string what_;
  std::int64_t count_ = 0;
  double sum_ = 0, min_ = 0, max_ = 0;
};

}  // namespace

bool is_analytic(std::string_view name) {
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::span<const std::string_view> analytic_names() { return kNames; }

std::unique_ptr<AnalyticState> make_analytic(const AnalyticCall& call) {
  if (call.name == "lag") return std::make_unique<Lag>(call);
  if (call.name == "latest") return std::make_unique<Latest>(call);
  if (call.name == "had_changed" || call.name == "changed_col") {
    return std::make_unique<Change>(call);
  }
  if (call.name == "delta") return std::make_unique<Delta>();
  if (call.name == "rate") return std::make_unique<Rate>(call);
  if (call.name == "deadband") return std::make_unique<Deadband>(call);
  if (call.name == "ewma") return std::make_unique<Ewma>(call);
  return std::make_unique<Accumulate>(call);
}

void append_key(std::string& key, const Vec& value, std::size_t row) {
  if (value.null(row)) {
    key.push_back('n');
  } else if (value.is_text()) {
    key.push_back('t');
    base::put(key, static_cast<std::uint32_t>(value.view(row).size()));
    key.append(value.view(row));
  } else if (value.is_float()) {
    key.push_back('f');
    base::put(key, value.number(row) == 0 ? 0.0 : value.number(row));
  } else {
    key.push_back('i');
    base::put(key, value.integer(row));
  }
}

Analytics::Analytics(std::span<const AnalyticCall> calls) {
  for (const auto& call : calls) slots_.push_back(Slot{.call = &call});
}

void Analytics::apply(Frame& frame) {
  for (auto& slot : slots_) run(slot, frame);
}

AnalyticState* Analytics::state_of(Slot& slot, const std::string& key) {
  if (const auto found = slot.states.find(key); found != slot.states.end()) {
    return found->second.get();
  }
  if (slot.states.size() >= kMaxKeys) {
    ++refused_;
    return nullptr;
  }
  return slot.states.emplace(key, make_analytic(*slot.call)).first->second.get();
}

void Analytics::run(Slot& slot, Frame& frame) {
  const auto& call = *slot.call;
  std::vector<const Vec*> args, partition;
  for (const auto& arg : call.args) args.push_back(&frame.eval(*arg));
  for (const auto& part : call.partition) partition.push_back(&frame.eval(*part));
  const Vec* when = call.when ? &frame.eval(*call.when) : nullptr;
  auto out = Vec::make(call.type, frame.rows());
  // Rows of one device come together: its state is looked up once a batch.
  std::vector<AnalyticState*> by_device(frame.batch().devices.size(), nullptr);
  std::string key;
  for (std::size_t row = 0; row < frame.rows(); ++row) {
    const bool per_device = call.scope == AnalyticCall::Scope::Device;
    AnalyticState* state = per_device ? by_device[frame.device_id(row)] : nullptr;
    if (state == nullptr || when != nullptr) {
      key.assign(per_device ? frame.device(row) : std::string_view{});
      for (const auto* part : partition) append_key(key, *part, row);
      state = state_of(slot, key);
      if (per_device) by_device[frame.device_id(row)] = state;
    }
    if (state == nullptr) {
      out.push_null();
    } else if (when == nullptr) {
      state->step(args, row, frame.ts(row), out);
    } else if (when->truth(row)) {
      state->step(args, row, frame.ts(row), out);
      slot.last[key] = out.scalar(row);
    } else {
      out.push(slot.last[key]);
    }
  }
  frame.add(std::move(out));
}

bool Analytics::adopt(std::size_t call, Analytics& from) {
  auto& slot = slots_[call];
  for (auto& other : from.slots_) {
    if (other.call->state_key != slot.call->state_key || other.states.empty()) continue;
    slot.states = std::move(other.states);
    slot.last = std::move(other.last);
    other.states.clear();
    return true;
  }
  return false;
}

std::size_t Analytics::keys() const {
  std::size_t n = 0;
  for (const auto& slot : slots_) n += slot.states.size();
  return n;
}

}  // namespace infiniedge::stream
