// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "record/block.hpp"
#include "record/device_table.hpp"
#include "record/testing/random_batch.hpp"

namespace infiniedge::record {
namespace {

void encode(benchmark::State& state) {
  testing::G1 workload;
  DeviceTable devices;
  const Batch batch = workload.next(static_cast<std::size_t>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state) {
    auto block = encode_block(batch, devices);
    bytes = block->size();
    benchmark::DoNotOptimize(block);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["bytes_per_row"] =
      static_cast<double>(bytes) / static_cast<double>(state.range(0));
}
BENCHMARK(encode)->Arg(100)->Arg(8192);

void decode(benchmark::State& state) {
  testing::G1 workload;
  DeviceTable devices;
  const Batch batch = workload.next(static_cast<std::size_t>(state.range(0)));
  const std::string block = *encode_block(batch, devices);
  for (auto _ : state) {
    auto back = decode_block(base::as_bytes(block), batch.schema, devices);
    benchmark::DoNotOptimize(back);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(decode)->Arg(100)->Arg(8192);

}  // namespace
}  // namespace infiniedge::record
