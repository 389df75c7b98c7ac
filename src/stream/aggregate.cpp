// SPDX-License-Identifier: Apache-2.0
#include "stream/aggregate.hpp"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <new>

#include "base/bytes.hpp"
#include "stream/sketch.hpp"

namespace infiniedge::stream {
namespace {

constexpr std::size_t kMaxCollected = 1000;

constexpr std::array kNames = std::to_array<std::string_view>(
    {"count", "sum", "avg", "min", "max", "first", "last", "var", "stddev", "rms", "p2p", "slope",
     "percentile", "count_distinct", "collect"});

/// A state class has add(value, ts) and merge(other); `In` picks the value.
template <class State, class In, Type Out>
class Holding : public Aggregate {
 public:
  std::size_t size() const override { return (sizeof(State) + 7) / 8 * 8; }
  void create(std::byte* state) const override { new (state) State(); }
  void destroy(std::byte* state) const override { reinterpret_cast<State*>(state)->~State(); }
  void add(std::span<std::byte* const> states, std::size_t offset,
           const AggregateInput& input) const override {
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (states[i] != nullptr) Holding::add_row(states[i] + offset, input, i);
    }
  }
  void add_row(std::byte* state, const AggregateInput& input, std::size_t i) const final {
    if (input.filter != nullptr && !input.filter->truth(i)) return;
    if (input.value != nullptr && input.value->null(i)) return;
    reinterpret_cast<State*>(state)->add(In::get(input.value, i), input.ts[i]);
  }
  void merge(std::byte* into, const std::byte* from) const override {
    reinterpret_cast<State*>(into)->merge(*reinterpret_cast<const State*>(from));
  }
  Type result_type() const override { return Out; }
};

/// … and one whose state gives the result by itself.
template <class State, class In, Type Out>
class Of final : public Holding<State, In, Out> {
 public:
  void result(const std::byte* state, Vec& out) const override {
    reinterpret_cast<const State*>(state)->result(out);
  }
};

struct Ints {
  static std::int64_t get(const Vec* v, std::size_t i) { return v->integer(i); }
};
struct Floats {
  static double get(const Vec* v, std::size_t i) { return v->number(i); }
};
struct Texts {
  static std::string_view get(const Vec* v, std::size_t i) { return v->view(i); }
};
struct Nothing {
  static int get(const Vec*, std::size_t) { return 0; }
};

struct Count {
  std::int64_t n = 0;
  template <class T>
  void add(const T&, std::int64_t) {
    ++n;
  }
  void merge(const Count& o) { n += o.n; }
  void result(Vec& out) const { out.push_int(n); }
};

struct SumInt {
  std::int64_t n = 0, sum = 0;
  bool overflow = false;
  void add(std::int64_t x, std::int64_t) {
    ++n;
    overflow |= __builtin_add_overflow(sum, x, &sum);
  }
  void merge(const SumInt& o) {
    n += o.n;
    overflow |= o.overflow || __builtin_add_overflow(sum, o.sum, &sum);
  }
  void result(Vec& out) const {
    if (overflow) return out.push_error();
    n > 0 ? out.push_int(sum) : out.push_null();
  }
};

/// A sum with the rounding errors kept aside (Neumaier 1974): the order of rows and panes does
/// not show.
struct Exact {
  double sum = 0, rest = 0;
  void add(double x) {
    const double t = sum + x;
    rest += std::abs(sum) >= std::abs(x) ? (sum - t) + x : (x - t) + sum;
    sum = t;
  }
  void add(const Exact& o) {
    add(o.sum);
    rest += o.rest;
  }
  double value() const { return sum + rest; }
};

void push_finite(Vec& out, double value) {
  std::isfinite(value) ? out.push_float(value) : out.push_error();
}

struct SumFloat {
  std::int64_t n = 0;
  Exact sum;
  void add(double x, std::int64_t) {
    ++n;
    sum.add(x);
  }
  void merge(const SumFloat& o) {
    n += o.n;
    sum.add(o.sum);
  }
  void result(Vec& out) const { n > 0 ? push_finite(out, sum.value()) : out.push_null(); }
};

struct Average : SumFloat {
  void result(Vec& out) const {
    n > 0 ? push_finite(out, sum.value() / static_cast<double>(n)) : out.push_null();
  }
};

struct RootMeanSquare {
  std::int64_t n = 0;
  Exact squares;
  void add(double x, std::int64_t) {
    ++n;
    squares.add(x * x);
  }
  void merge(const RootMeanSquare& o) {
    n += o.n;
    squares.add(o.squares);
  }
  void result(Vec& out) const {
    if (n == 0) return out.push_null();
    push_finite(out, std::sqrt(squares.value() / static_cast<double>(n)));
  }
};

/// Sample variance, one pass (Welford 1962), merged as Chan, Golub, LeVeque 1979.
struct Variance {
  std::int64_t n = 0;
  double mean = 0, m2 = 0;
  void add(double x, std::int64_t) {
    ++n;
    const double d = x - mean;
    mean += d / static_cast<double>(n);
    m2 += d * (x - mean);
  }
  void merge(const Variance& o) {
    if (o.n == 0) return;
    const auto a = static_cast<double>(n), b = static_cast<double>(o.n);
    const double d = o.mean - mean;
    m2 += o.m2 + d * d * a * b / (a + b);
    mean += d * b / (a + b);
    n += o.n;
  }
  double value() const { return m2 / static_cast<double>(n - 1); }
  void result(Vec& out) const { n > 1 ? push_finite(out, value()) : out.push_null(); }
};

struct Deviation : Variance {
  void result(Vec& out) const { n > 1 ? push_finite(out, std::sqrt(value())) : out.push_null(); }
};

struct PeakToPeak {
  bool any = false;
  double low = 0, high = 0;
  void add(double x, std::int64_t) {
    low = any ? std::min(low, x) : x;
    high = any ? std::max(high, x) : x;
    any = true;
  }
  void merge(const PeakToPeak& o) {
    if (!o.any) return;
    add(o.low, 0);
    add(o.high, 0);
  }
  void result(Vec& out) const { any ? push_finite(out, high - low) : out.push_null(); }
};

/// Least squares over time in seconds since the first row, so that large times lose no digits.
struct Slope {
  std::int64_t n = 0, origin = 0;
  double mt = 0, mx = 0, stt = 0, stx = 0;
  void add(double x, std::int64_t ts) {
    if (n == 0) origin = ts;
    const double t = static_cast<double>(ts - origin) * 1e-6;
    ++n;
    const double dt = t - mt;
    mt += dt / static_cast<double>(n);
    mx += (x - mx) / static_cast<double>(n);
    stt += dt * (t - mt);
    stx += dt * (x - mx);
  }
  void merge(const Slope& o) {
    if (o.n == 0) return;
    if (n == 0) {
      *this = o;
      return;
    }
    const auto a = static_cast<double>(n), b = static_cast<double>(o.n);
    const double dt = o.mt + static_cast<double>(o.origin - origin) * 1e-6 - mt;
    const double dx = o.mx - mx;
    stt += o.stt + dt * dt * a * b / (a + b);
    stx += o.stx + dt * dx * a * b / (a + b);
    mt += dt * b / (a + b);
    mx += dx * b / (a + b);
    n += o.n;
  }
  void result(Vec& out) const { stt > 0 ? push_finite(out, stx / stt) : out.push_null(); }
};

void push_value(Vec& out, std::int64_t value) { out.push_int(value); }
void push_value(Vec& out, double value) { out.push_float(value); }
void push_value(Vec& out, const std::string& value) { out.push_text(value); }

template <class T, bool Greatest>
struct Extreme {
  bool any = false;
  T best{};
  template <class V>
  void add(const V& x, std::int64_t) {
    if (any && !(Greatest ? best < x : x < best)) return;
    best = T(x);
    any = true;
  }
  void merge(const Extreme& o) {
    if (o.any) add(o.best, 0);
  }
  void result(Vec& out) const { any ? push_value(out, best) : out.push_null(); }
};

/// By time; of equal times the earlier arrival is first, the later one last.
template <class T, bool Last>
struct Edge {
  bool any = false;
  std::int64_t at = 0;
  T value{};
  template <class V>
  void add(const V& x, std::int64_t ts) {
    if (any && !(Last ? ts >= at : ts < at)) return;
    any = true;
    at = ts;
    value = T(x);
  }
  void merge(const Edge& o) {
    if (o.any) add(o.value, o.at);
  }
  void result(Vec& out) const { any ? push_value(out, value) : out.push_null(); }
};

struct Distinct {
  DistinctSketch sketch;
  void add(std::int64_t x, std::int64_t) { sketch.add(XXH3_64bits(&x, sizeof x)); }
  void add(double x, std::int64_t) {
    if (x == 0) x = 0;  // −0 is 0
    sketch.add(XXH3_64bits(&x, sizeof x));
  }
  void add(std::string_view x, std::int64_t) { sketch.add(XXH3_64bits(x.data(), x.size())); }
  void merge(const Distinct& o) { sketch.merge(o.sketch); }
  void result(Vec& out) const { out.push_int(sketch.estimate()); }
};

struct Quantiles {
  QuantileSketch sketch;
  void add(double x, std::int64_t) { sketch.add(x); }
  void merge(const Quantiles& o) { sketch.merge(o.sketch); }
};

class Percentile final : public Holding<Quantiles, Floats, Type::Float> {
 public:
  explicit Percentile(double p) : p_(p) {}
  void result(const std::byte* state, Vec& out) const override {
    const auto& sketch = reinterpret_cast<const Quantiles*>(state)->sketch;
    sketch.count() > 0 ? out.push_float(sketch.quantile(p_)) : out.push_null();
  }

 private:
  double p_;
};

struct CollectFloats {
  std::string packed;
  void add(double x, std::int64_t) {
    if (packed.size() < kMaxCollected * sizeof(float)) base::put(packed, static_cast<float>(x));
  }
  void merge(const CollectFloats& o) {
    packed.append(o.packed, 0, kMaxCollected * sizeof(float) - packed.size());
  }
  void result(Vec& out) const { out.push_text(packed); }
};

struct CollectTexts {
  std::vector<std::string> texts;
  void add(std::string_view x, std::int64_t) {
    if (texts.size() < kMaxCollected) texts.emplace_back(x);
  }
  void merge(const CollectTexts& o) {
    for (const auto& text : o.texts) add(text, 0);
  }
  void result(Vec& out) const {
    std::string json = "[";
    for (const auto& text : texts) {
      if (json.size() > 1) json += ",";
      json += '"';
      for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20) {
          json += fmt::format("\\u{:04x}", static_cast<int>(c));
          continue;
        }
        if (c == '"' || c == '\\') json += '\\';
        json += c;
      }
      json += '"';
    }
    out.push_text(json + "]");
  }
};

using Made = std::unique_ptr<Aggregate>;

template <class State>
Made for_number(Type type) {
  if (type != Type::Float) return nullptr;
  return std::make_unique<Of<State, Floats, Type::Float>>();
}

/// The same state template over whole numbers, numbers and texts.
template <template <class> class State>
Made for_any(Type type) {
  switch (type) {
    case Type::Bool:
      return std::make_unique<Of<State<std::int64_t>, Ints, Type::Bool>>();
    case Type::Int:
      return std::make_unique<Of<State<std::int64_t>, Ints, Type::Int>>();
    case Type::Float:
      return std::make_unique<Of<State<double>, Floats, Type::Float>>();
    case Type::String:
      return std::make_unique<Of<State<std::string>, Texts, Type::String>>();
    default:
      return std::make_unique<Of<State<std::string>, Texts, Type::Bytes>>();
  }
}

template <class T>
using Min = Extreme<T, false>;
template <class T>
using Max = Extreme<T, true>;
template <class T>
using First = Edge<T, false>;
template <class T>
using Last = Edge<T, true>;

Made make_distinct(Type type) {
  if (type == Type::Float) return std::make_unique<Of<Distinct, Floats, Type::Int>>();
  if (type == Type::String || type == Type::Bytes) {
    return std::make_unique<Of<Distinct, Texts, Type::Int>>();
  }
  return std::make_unique<Of<Distinct, Ints, Type::Int>>();
}

Made make_collect(Type type) {
  if (type == Type::Float) return std::make_unique<Of<CollectFloats, Floats, Type::Bytes>>();
  if (type == Type::String) return std::make_unique<Of<CollectTexts, Texts, Type::String>>();
  return nullptr;
}

}  // namespace

bool is_aggregate(std::string_view name) {
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::span<const std::string_view> aggregate_names() { return kNames; }

Made make_aggregate(const AggregateSpec& spec) {
  const auto& name = spec.name;
  const auto type = spec.type;
  if (name == "count_distinct" || (name == "count" && spec.distinct)) return make_distinct(type);
  if (name == "count") return std::make_unique<Of<Count, Nothing, Type::Int>>();
  if (name == "sum" && type == Type::Int) {
    return std::make_unique<Of<SumInt, Ints, Type::Int>>();
  }
  if (name == "sum") return for_number<SumFloat>(type);
  if (name == "avg") return for_number<Average>(type);
  if (name == "var") return for_number<Variance>(type);
  if (name == "stddev") return for_number<Deviation>(type);
  if (name == "rms") return for_number<RootMeanSquare>(type);
  if (name == "p2p") return for_number<PeakToPeak>(type);
  if (name == "slope") return for_number<Slope>(type);
  if (name == "min") return for_any<Min>(type);
  if (name == "max") return for_any<Max>(type);
  if (name == "first") return for_any<First>(type);
  if (name == "last") return for_any<Last>(type);
  if (name == "collect") return make_collect(type);
  if (name == "percentile" && type == Type::Float) {
    return std::make_unique<Percentile>(spec.parameter);
  }
  return nullptr;
}

AggregateSet::AggregateSet(std::vector<Made> aggregates) : aggregates_(std::move(aggregates)) {
  for (const auto& aggregate : aggregates_) {
    offsets_.push_back(size_);
    size_ += aggregate->size();
  }
}

AggregateSet::Block AggregateSet::create() const {
  auto* block = static_cast<std::byte*>(::operator new(std::max<std::size_t>(size_, 8)));
  for (std::size_t i = 0; i < count(); ++i) at(i).create(block + offsets_[i]);
  return Block(block, Deleter{this});
}

void AggregateSet::Deleter::operator()(std::byte* block) const {
  for (std::size_t i = 0; i < set->count(); ++i) set->at(i).destroy(block + set->offsets_[i]);
  ::operator delete(block);
}

void AggregateSet::merge(std::byte* into, const std::byte* from) const {
  for (std::size_t i = 0; i < count(); ++i) at(i).merge(into + offsets_[i], from + offsets_[i]);
}

}  // namespace infiniedge::stream
