// SPDX-License-Identifier: Apache-2.0
// Counts what this thread takes from the heap, to prove that a run takes nothing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "model/native/backend.hpp"
#include "model/testing/bench_server.hpp"

namespace {

thread_local std::size_t allocations = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  const auto rounded = (bytes + alignment - 1) / alignment * alignment;
  void* block = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (block == nullptr) throw std::bad_alloc{};
  return block;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

namespace infiniedge::model {
namespace {

/// Allocations of `runs` runs of 16 rows after the first.
std::size_t allocations_of(const std::string& json, std::int64_t features, std::int64_t values) {
  testing::TempRepository files;
  files.write("native.json", json);
  native::Backend backend;
  auto model = backend.load(files.root() / "native.json", {});
  EXPECT_TRUE(model.has_value()) << model.error().describe();
  if (!model) return 0;
  const auto x = testing::tensor_of("x", DataType::Fp32, {16, features},
                                    std::vector<float>(static_cast<std::size_t>(16 * features), 1));
  std::vector<std::byte> out(static_cast<std::size_t>(16 * values) * sizeof(float));
  const std::int64_t shape[] = {16, values};
  const OutputView view{DataType::Fp32, shape, out};
  const auto before = allocations;
  for (int i = 0; i < 100; ++i) {
    const auto ran = (*model)->run_into(std::span(&x, 1), std::span(&view, 1), {});
    EXPECT_TRUE(ran.has_value());
  }
  return allocations - before;
}

constexpr auto kHead = R"({"format":"infiniedge-native/1","input":{"name":"x","features":2},)"
                       R"("output":{"name":"y","values":2},)";

TEST(NativeBackend, RunNeverAllocates) {
  const auto start = allocations;
  ::operator delete(::operator new(8));  // The counter counts.
  ASSERT_EQ(allocations, start + 1);
  const std::string head = kHead;
  EXPECT_EQ(
      allocations_of(head + R"("layers":[{"weights":[[1,2],[3,4],[5,6]],"activation":"tanh"},)"
                            R"({"weights":[[1,2,3],[3,2,1]],"activation":"softmax"}]})",
                     2, 2),
      0U);
  EXPECT_EQ(allocations_of(head + R"("forest":{"combine":"mean","trees":[{"nodes":[)"
                                  R"({"feature":1,"threshold":0,"left":1,"right":2},)"
                                  R"({"value":[1,0]},{"value":[0,1]}]}]}})",
                           2, 2),
            0U);
  EXPECT_EQ(allocations_of(head + R"("thresholds":{"rules":[{"when":[{"feature":0,"above":2}],)"
                                  R"("value":[1,0]}],"otherwise":[0,1]}})",
                           2, 2),
            0U);
}

}  // namespace
}  // namespace infiniedge::model
