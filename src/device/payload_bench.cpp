// SPDX-License-Identifier: Apache-2.0
// From a message body to a batch: what an MQTT or HTTP device costs besides its socket.
#include <benchmark/benchmark.h>

#include "base/bytes.hpp"
#include "device/payload.hpp"
#include "device/row.hpp"

namespace infiniedge::device {
namespace {

DeviceSpec device_of(const std::vector<std::pair<std::string, Type>>& fields) {
  DeviceSpec out{.name = "bench"};
  auto schema = std::make_shared<Schema>();
  for (const auto& [name, type] : fields) {
    Point point{.name = name, .type = type == Type::Bytes ? "bytes" : "float64"};
    point.field = {.id = static_cast<std::uint16_t>(kFirstField + schema->fields.size()),
                   .name = name,
                   .type = type};
    schema->fields.push_back(point.field);
    out.points.push_back(std::move(point));
  }
  out.schema = std::move(schema);
  return out;
}

void json_of_three_points(benchmark::State& state) {
  const auto device = device_of({{"a", Type::Float}, {"b", Type::Float}, {"c", Type::Float}});
  const std::vector<Extract> extracts{{.form = Extract::Form::Json, .pointer = "/a"},
                                      {.form = Extract::Form::Json, .pointer = "/inner/b"},
                                      {.form = Extract::Form::Json, .pointer = "/list/2"}};
  const std::string body = R"({"time":1767225600000000,"a":21.5,"inner":{"b":-3},"list":[1,2,3]})";
  PayloadReader reader;
  RowBuilder rows(device, nullptr);
  for (auto _ : state) {
    reader.begin(body);
    std::vector<Cell> cells;
    for (const auto& extract : extracts) cells.push_back({*reader.read(extract)});
    rows.add(from_us(1), std::move(cells));
    if (rows.rows() == 1024) benchmark::DoNotOptimize(rows.take());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(json_of_three_points);

void binary_waveform_of_2_kib(benchmark::State& state) {
  const auto device = device_of({{"index", Type::Float}, {"wave", Type::Bytes}});
  const std::vector<Extract> extracts{
      {.form = Extract::Form::Binary, .offset = 8, .type = "uint32"},
      {.form = Extract::Form::Binary, .offset = 12, .type = "bytes"}};
  std::string body(12 + 2048, '\1');
  PayloadReader reader;
  RowBuilder rows(device, nullptr);
  for (auto _ : state) {
    reader.begin(body);
    std::vector<Cell> cells;
    for (const auto& extract : extracts) cells.push_back({*reader.read(extract)});
    rows.add(from_us(1), std::move(cells));
    if (rows.rows() == 1024) benchmark::DoNotOptimize(rows.take());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(binary_waveform_of_2_kib);

}  // namespace
}  // namespace infiniedge::device
