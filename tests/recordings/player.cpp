// SPDX-License-Identifier: Apache-2.0
#include "player.hpp"

#include <fmt/format.h>

#include <cmath>

#include "device/deadline.hpp"
#include "device/replay/connector.hpp"
#include "runtime/testing/run.hpp"

namespace infiniedge::tests {
namespace {

using runtime::testing::run;

constexpr Seconds kLongest{60};

Cell cell_of(const Field& field, const Column& column, std::size_t row) {
  if (column.is_null(row)) return {};
  if (const auto* floats = std::get_if<std::vector<double>>(&column.values)) return (*floats)[row];
  if (std::holds_alternative<Binary>(column.values)) {
    ADD_FAILURE() << "column " << field.name << " is not a number";
    return {};
  }
  const auto whole = column.ints()[row];
  if (field.type != Type::Decimal) return whole;
  return static_cast<double>(whole) / std::pow(10.0, field.resolution->scale);
}

DeviceSpec as_fast_as_possible(DeviceSpec device) {
  device.options["speed"] = "max";
  return device;
}

}  // namespace

Player::Player(DeviceSpec device)
    : device_(as_fast_as_possible(std::move(device))),
      engine_(context_.get_executor(), clock_, schemas_, nullptr,
              [this](const std::string& stream, Batch batch) { take(stream, std::move(batch)); }) {
  registry_.add<device::replay::Connector>();
  schemas_.add(device_.schema);
}

Player::~Player() {
  if (supervisor_) run(context_, supervisor_->stop());
  run(context_, engine_.close());
}

void Player::rule(stream::RuleSpec spec) {
  const auto made = engine_.put(spec);
  if (made) return;
  for (const auto& fault : made.error()) ADD_FAILURE() << base::format(fault, spec.sql);
}

void Player::play(std::size_t rows) {
  const device::Environment environment{context_.get_executor(), clock_, entropy_, workers_,
                                        metrics_};
  supervisor_ = std::make_unique<device::Supervisor>("replay", device_, registry_, environment,
                                                     static_cast<Outlet&>(*this));
  supervisor_->start();
  const auto came = run(context_, wait_for(rows));
  EXPECT_TRUE(came) << came.error().describe();
  EXPECT_TRUE(state_) << state_.error().describe();
  EXPECT_EQ(seen_, rows);
  EXPECT_EQ(supervisor_->status().bad, 0U);
  engine_.flush();
}

Task<Result<void>> Player::wait_for(std::size_t rows) {
  struct Wait {
    static Task<Result<void>> until(Player& player, std::size_t rows) {
      while (player.seen_ < rows && player.state_) {
        INFINIEDGE_CO_TRY(co_await player.clock_.sleep_for(Millis{1}));
      }
      // The one worker reads in order: after this, the connector has seen what follows.
      auto nothing = [] { return Result<void>{}; };
      for (int i = 0; i < 2; ++i) {
        INFINIEDGE_CO_TRY(co_await runtime::run_on(player.workers_, nothing));
      }
      co_return Result<void>{};
    }
  };
  co_return co_await device::within(clock_, kLongest, Wait::until(*this, rows),
                                    fmt::format("{} plays for too long", device_.address));
}

Task<Result<void>> Player::push(Batch batch) {
  seen_ += batch.rows();
  engine_.push(std::make_shared<const Batch>(std::move(batch)));
  co_return Result<void>{};
}

/// A rule's rows are kept, and are the input of the rules that read it.
void Player::take(const std::string& stream, Batch batch) {
  auto& table = tables_[stream];
  if (table.columns.empty()) {
    table.columns.emplace_back("ts");
    for (const auto& field : batch.schema->fields) table.columns.push_back(field.name);
  }
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    std::vector<Cell> cells{batch.ts[row]};
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
      cells.push_back(cell_of(batch.schema->fields[i], batch.columns[i], row));
    }
    table.rows.push_back(std::move(cells));
  }
  engine_.push(std::make_shared<const Batch>(std::move(batch)));
}

Table Player::settled(const std::string& rule) {
  Table out = rows(rule);
  const bool versioned = !out.columns.empty() && out.columns.back() == "_version";
  std::map<Cell, std::vector<Cell>> last;
  for (auto& row : out.rows) last[row[0]] = std::move(row);
  out.rows.clear();
  for (auto& [end, row] : last) {
    if (versioned) row.pop_back();
    out.rows.push_back(std::move(row));
  }
  if (versioned) out.columns.pop_back();
  return out;
}

std::size_t Player::updates(const std::string& rule) {
  return rows(rule).rows.size() - settled(rule).rows.size();
}

stream::RuleStats Player::stats(const std::string& rule) const {
  return engine_.find(rule)->stats(clock_.wall());
}

}  // namespace infiniedge::tests
