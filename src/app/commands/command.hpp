// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/node_client.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::app {

/// A flag of one command or of all.
struct Flag {
  std::string_view name;    ///< "--output"
  std::string_view letter;  ///< "-o", or empty.
  std::string_view value;   ///< "FORMAT"; empty: a switch.
  std::string_view doc;
  bool many = false;  ///< May be given several times.
};

struct Command;

/// One invocation: what the person typed, parsed.
struct Call {
  const Command* command = nullptr;
  std::vector<std::string> arguments;
  std::map<std::string, std::vector<std::string>, std::less<>> flags;
  std::vector<std::pair<std::string, std::string>> settings;  ///< `--a.b VALUE`.

  bool has(std::string_view flag) const { return flags.find(flag) != flags.end(); }
  std::string value(std::string_view flag, std::string fallback = {}) const;
  std::vector<std::string> values(std::string_view flag) const;
  /// table, json; csv of sql.
  std::string output(std::string fallback = "table") const {
    return value("--output", std::move(fallback));
  }
  Result<std::unique_ptr<NodeClient>> node() const;
};

/// A row of the one table that yields parser, --help and completion.
struct Command {
  std::string_view name;
  std::string_view arguments;  ///< As in the usage line.
  std::string_view summary;
  std::string_view help;  ///< Paragraphs and examples.
  std::span<const Flag> flags;
  int (*run)(const Call&);
};

std::span<const Command> commands();
std::span<const Flag> common_flags();

/// Parses and runs. Returns the exit code.
int run_command(int argc, char** argv);

// The commands, one file a group.
int run_up(const Call&);
int run_hub(const Call&);
int run_demo(const Call&);
int run_apply(const Call&);
int run_validate(const Call&);
int run_get(const Call&);
int run_describe(const Call&);
int run_delete(const Call&);
int run_tap(const Call&);
int run_sql(const Call&);
int run_logs(const Call&);
/// `model check`.
int check_model(const Call&);
int run_device(const Call&);
int run_model(const Call&);
int run_ps(const Call&);
int run_version(const Call&);
int run_explain(const Call&);
int run_reference(const Call&);
int run_completion(const Call&);

}  // namespace infiniedge::app
