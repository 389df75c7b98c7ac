// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

namespace infiniedge::model {

/// Memory that models may take together, reserved before a version is built and given back when
/// it is gone.
///
/// Thread: the server's shard.
/// Owner:  Server; shared with the reservations, which may end after it.
class MemoryBudget : public std::enable_shared_from_this<MemoryBudget> {
 public:
  /// Gives its bytes back at its end.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept : budget_(std::move(other.budget_)), bytes_(other.bytes_) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Lease() {
      if (budget_) budget_->used_ -= bytes_;
    }
    std::uint64_t bytes() const { return budget_ ? bytes_ : 0; }

   private:
    friend class MemoryBudget;
    Lease(std::shared_ptr<MemoryBudget> budget, std::uint64_t bytes)
        : budget_(std::move(budget)), bytes_(bytes) {}
    std::shared_ptr<MemoryBudget> budget_;
    std::uint64_t bytes_ = 0;
  };

  explicit MemoryBudget(std::uint64_t limit) : limit_(limit) {}

  /// Nothing when the rest of the budget is less.
  std::optional<Lease> reserve(std::uint64_t bytes) {
    if (bytes > limit_ || used_ > limit_ - bytes) return std::nullopt;
    used_ += bytes;
    return Lease(shared_from_this(), bytes);
  }

  std::uint64_t limit() const { return limit_; }
  std::uint64_t used() const { return used_; }

 private:
  std::uint64_t limit_;
  std::uint64_t used_ = 0;
};

/// Share of the process's memory that models may take.
constexpr std::uint64_t kModelPercent = 60;

/// What one instance of the model in `file` will need: measured on runtimes that keep the file's
/// weights, a packed copy of them and room for intermediate tensors.
std::uint64_t estimated_memory(const std::filesystem::path& file);

}  // namespace infiniedge::model
