// SPDX-License-Identifier: Apache-2.0
// Whatever text a person or a program sends as a rule or an expression: it compiles or is
// refused, and what compiles runs over odd rows without harm.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "stream/predicate.hpp"
#include "stream/testing/rows.hpp"

namespace {

using namespace infiniedge;
using stream::testing::Row;

const Batch& odd_rows() {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  static const Batch kRows = stream::testing::make_batch(
      stream::testing::machine(),
      {{"a", 0, {20.5, 1.0, std::int64_t{1}, std::int64_t{1}, "text", std::string(16, '\x3f')}},
       {"b", 1, {{}, -1e308, kLeast, std::int64_t{0}, "", "odd"}},
       {"a", 2, {-0.1, 1e308, std::int64_t{-1}, {}, "\xff\xfe", {}}},
       {"a", 1.5, {}}});
  return kRows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto schema = stream::testing::machine();
  if (auto made = stream::Expression::compile(text, schema)) {
    const auto values = made->values(odd_rows());
    for (std::size_t i = 0; i < odd_rows().rows(); ++i) {
      (void)stream::display(made->field(), values, i);
    }
  }
  (void)stream::Template::compile(text, schema);
  static const stream::testing::Schemas kSchemas({schema});
  const stream::RuleSpec spec{.name = "fuzz", .sql = text, .lateness = Micros{0}};
  auto rule = stream::compile(spec, kSchemas, nullptr);
  if (!rule) {
    for (const auto& fault : rule.error()) (void)base::format(fault, text);
    return 0;
  }
  std::size_t rows = 0;
  (*rule)->collect({.out = [&](Batch batch) { rows += stream::testing::lines(batch).size(); }});
  const auto batch = std::make_shared<const Batch>(odd_rows());
  (*rule)->feed(batch, stream::testing::at(2));
  (*rule)->feed(batch, stream::testing::at(40));
  (*rule)->flush(stream::testing::at(40));
  (void)(*rule)->explain();
  return 0;
}
