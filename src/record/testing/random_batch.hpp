// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "infiniedge/batch.hpp"
#include "runtime/entropy.hpp"

namespace infiniedge::record::testing {

/// A schema with one field of each type.
SchemaPtr every_type(std::string stream = "lab");
/// Rows of `schema` with values of many shapes: constant, counting, noisy, extreme, null.
Batch random_batch(runtime::Entropy& entropy, const SchemaPtr& schema, std::size_t rows);

/// data.md's workload G1, one call a second of it: 100 devices, five decimals at 0.01, random walk.
class G1 {
 public:
  explicit G1(std::uint64_t seed = 42);
  const SchemaPtr& schema() const { return schema_; }
  /// The next `rows` rows, devices in turn.
  Batch next(std::size_t rows);

 private:
  double normal();
  SchemaPtr schema_;
  runtime::SeededEntropy entropy_;
  std::vector<std::string> devices_;
  std::vector<std::int64_t> values_;
  std::uint64_t row_ = 0;
};

}  // namespace infiniedge::record::testing
