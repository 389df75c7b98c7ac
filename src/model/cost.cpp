// SPDX-License-Identifier: Apache-2.0
#include "model/cost.hpp"

#include <algorithm>

namespace infiniedge::model {
namespace {

constexpr double kRefresh = 0.05;   // Weight of a new execution.
constexpr double kNearBest = 1.03;  // A smaller batch is preferred within this factor.
constexpr double kWorthIt = 0.9;    // Less gain than this is not worth the wait.

}  // namespace

CostModel::CostModel(int max_batch) {
  for (int size = 1; size < std::max(1, max_batch); size *= 2) sizes_.push_back(size);
  sizes_.push_back(std::max(1, max_batch));
  cost_ns_.resize(sizes_.size());
}

void CostModel::measured(int batch, Nanos cost) {
  const auto at = std::find(sizes_.begin(), sizes_.end(), batch);
  if (at == sizes_.end()) return;
  cost_ns_[static_cast<std::size_t>(at - sizes_.begin())] = static_cast<double>(cost.count());
}

void CostModel::observed(std::int64_t batch, Nanos cost) {
  const auto at = std::find(sizes_.begin(), sizes_.end(), batch);
  if (at == sizes_.end()) return;
  auto& known = cost_ns_[static_cast<std::size_t>(at - sizes_.begin())];
  if (known > 0) known += kRefresh * (static_cast<double>(cost.count()) - known);
}

CostModel::Nanos CostModel::of(std::int64_t batch) const {
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    if (sizes_[i] >= batch && cost_ns_[i] > 0) return Nanos{static_cast<std::int64_t>(cost_ns_[i])};
  }
  // Larger than all that is known: no less than in proportion.
  return Nanos{static_cast<std::int64_t>(cost_ns_[0] * static_cast<double>(batch))};
}

int CostModel::best() const {
  if (std::any_of(cost_ns_.begin(), cost_ns_.end(), [](double c) { return c <= 0; })) return 1;
  const auto unit = [this](std::size_t i) { return cost_ns_[i] / sizes_[i]; };
  double least = unit(0);
  for (std::size_t i = 1; i < sizes_.size(); ++i) least = std::min(least, unit(i));
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    if (unit(i) > kNearBest * least) continue;
    return unit(i) > kWorthIt * unit(0) ? 1 : sizes_[i];
  }
  return 1;
}

CostModel::Nanos CostModel::item() const {
  const int batch = best();
  return of(batch) / batch;
}

}  // namespace infiniedge::model
