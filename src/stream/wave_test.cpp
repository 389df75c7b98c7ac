// SPDX-License-Identifier: Apache-2.0
#include "stream/wave.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <numbers>

#include "base/bytes.hpp"
#include "stream/predicate.hpp"
#include "stream/testing/rows.hpp"

namespace infiniedge::stream {
namespace {

std::string arguments_of(std::string expression) {
  // "model('appliance', a(…), b(…))" → each call, in order.
  const auto from = expression.find(',');
  return expression.substr(from + 1, expression.rfind(')') - from - 1);
}

std::vector<std::string> calls_in(const std::string& list) {
  std::vector<std::string> out{""};
  int open = 0;
  for (const char c : list) {
    open += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && open == 0) {
      out.emplace_back();
    } else {
      out.back().push_back(c);
    }
  }
  return out;
}

TEST(Wave, FeatureRowsAreThoseOfTheReference) {
  const auto path =
      std::filesystem::path(INFINIEDGE_SOURCE_DIR) / "examples/appliances/golden.json";
  std::ifstream file(path);
  if (!file) GTEST_SKIP() << path << " is absent";
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto golden = boost::json::parse(text);
  const auto schema = testing::machine();
  std::vector<Expression> calls;
  for (const auto& call :
       calls_in(arguments_of(std::string(golden.at("expression").as_string())))) {
    calls.push_back(Expression::compile(call, schema).value());
  }
  for (const auto& wave : golden.at("cases").as_array()) {
    std::string samples;
    for (const auto& x : wave.at("wave").as_array()) {
      base::put(samples, static_cast<float>(x.to_number<double>()));
    }
    const auto batch = testing::make_batch(schema, {{"a", 0, {{}, {}, {}, {}, {}, samples}}});
    std::vector<float> got;
    for (auto& call : calls) {
      const auto column = call.values(batch);
      if (column.values.index() == 1) {
        got.push_back(static_cast<float>(column.floats()[0]));
        continue;
      }
      const auto bytes = base::as_bytes(column.binary()[0]);
      for (std::size_t i = 0; i < bytes.size(); i += 4) got.push_back(base::get<float>(bytes, i));
    }
    const auto& want = wave.at("x").as_array();
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_NEAR(got[i], want[i].to_number<double>(), 1e-4) << wave.at("name") << " " << i;
    }
  }
}

TEST(Wave, SilenceEmptinessAndNansAreDefined) {
  const std::vector<double> none, silent(10, 0.0);
  for (const auto& w : {none, silent}) {
    EXPECT_EQ(wave::rms(w), 0);
    EXPECT_EQ(wave::onset(w, 4, 2), std::vector<double>(4, 0));
    EXPECT_EQ(wave::envelope(w, 3), std::vector<double>(3, 0));
    EXPECT_EQ(wave::quantiles(w, 5), std::vector<double>(5, 0));
    for (const double x : wave::spectrum(w, 4)) EXPECT_NEAR(x, -6, 1e-12);
  }
  std::string bytes;
  base::put(bytes, std::numeric_limits<float>::quiet_NaN());
  base::put(bytes, 2.0F);
  bytes += "xyz";  // a ragged end
  EXPECT_EQ(wave::samples(bytes), (std::vector<double>{0, 2}));
  for (const double x : wave::spectrum(std::vector<double>{5}, 2)) EXPECT_NEAR(x, -6, 1e-12);
}

TEST(Wave, AToneStandsInItsBand) {
  std::vector<double> w(1024);
  for (std::size_t i = 0; i < w.size(); ++i) {
    w[i] = 3 * std::sin(2 * std::numbers::pi * 100 * static_cast<double>(i) / 1024);
  }
  const auto bands = wave::spectrum(w, 64);  // of 8 bins each
  EXPECT_EQ(std::max_element(bands.begin(), bands.end()) - bands.begin(), 12);
}

TEST(Wave, FewerSamplesThanPartsAreStretched) {
  EXPECT_EQ(wave::envelope(std::vector<double>{1, -1}, 4), (std::vector<double>{1, 1, 1, 1}));
  EXPECT_EQ(wave::quantiles(std::vector<double>{2}, 3), (std::vector<double>{1, 1, 1}));
}

}  // namespace
}  // namespace infiniedge::stream
