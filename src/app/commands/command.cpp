// SPDX-License-Identifier: Apache-2.0
#include "app/commands/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "app/config/scalar.hpp"
#include "app/exit_code.hpp"
#include "base/suggest.hpp"

namespace infiniedge::app {
namespace {

const Command* find(std::string_view name) {
  for (const auto& command : commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

std::string flag_line(const Flag& flag) {
  auto left =
      fmt::format("{}{}{}{}", flag.letter.empty() ? "    " : fmt::format("{}, ", flag.letter),
                  flag.name, flag.value.empty() ? "" : " ", flag.value);
  return fmt::format("  {:<26} {}\n", left, flag.doc);
}

void print_overview() {
  fmt::print(
      "InfiniEdge runs AI inference where data is born.\n\nusage: infiniedge COMMAND [ARGUMENTS] "
      "[FLAGS]\n\n");
  for (const auto& command : commands()) fmt::print("  {:<12} {}\n", command.name, command.summary);
  fmt::print("\nFlags of every command:\n");
  for (const auto& flag : common_flags()) fmt::print("{}", flag_line(flag));
  fmt::print("\n`infiniedge COMMAND --help` shows more. First steps: infiniedge demo\n");
}

void print_help(const Command& command) {
  fmt::print("infiniedge {}: {}\n\nusage: infiniedge {} {}\n\n{}\n", command.name, command.summary,
             command.name, command.arguments, command.help);
  for (const auto& flag : command.flags) fmt::print("{}", flag_line(flag));
  fmt::print("Flags of every command:\n");
  for (const auto& flag : common_flags()) fmt::print("{}", flag_line(flag));
}

/// GNU syntax: `--name value`, `--name=value`, `-x value`, `--` ends flags. No abbreviations.
class Parser {
 public:
  Parser(const Command& command, Call& call) : command_(command), call_(call) {}

  Result<void> run(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto& word = words[i];
      if (only_arguments_ || word.size() < 2 || word[0] != '-') {
        call_.arguments.push_back(word);
      } else if (word == "--") {
        only_arguments_ = true;
      } else {
        INFINIEDGE_TRY(flag(words, i));
      }
    }
    return {};
  }

 private:
  Result<void> flag(const std::vector<std::string>& words, std::size_t& i) {
    const auto equals = words[i].find('=');
    const auto name = words[i].substr(0, equals);
    const auto* known = find_flag(name);
    const bool setting =
        known == nullptr && name.starts_with("--") && name.find('.') != std::string::npos;
    if (known == nullptr && !setting) return unknown(name);
    std::string value;
    const bool takes_value = setting || !known->value.empty();
    if (takes_value && equals != std::string::npos) {
      value = words[i].substr(equals + 1);
    } else if (takes_value) {
      if (i + 1 >= words.size()) return Error{Code::Invalid, fmt::format("{} needs a value", name)};
      value = words[++i];
    } else if (equals != std::string::npos) {
      return Error{Code::Invalid, fmt::format("{} takes no value", name)};
    }
    if (setting)
      call_.settings.emplace_back(name.substr(2), value);
    else
      call_.flags[std::string{known->name}].push_back(value);
    return {};
  }

  const Flag* find_flag(std::string_view name) const {
    for (const auto flags : {command_.flags, common_flags()}) {
      for (const auto& flag : flags) {
        if (flag.name == name || (!flag.letter.empty() && flag.letter == name)) return &flag;
      }
    }
    return nullptr;
  }

  Error unknown(const std::string& name) const {
    std::vector<std::string> names{"--help"};
    for (const auto flags : {command_.flags, common_flags()}) {
      for (const auto& flag : flags) names.emplace_back(flag.name);
    }
    const auto near = base::suggest(name, names);
    return Error{Code::Invalid,
                 fmt::format("unknown flag {} of {}{}", name, command_.name,
                             near ? fmt::format(": did you mean {}?", *near)
                                  : fmt::format("; see infiniedge {} --help", command_.name))};
  }

  const Command& command_;
  Call& call_;
  bool only_arguments_ = false;
};

int unknown_command(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& command : commands()) names.emplace_back(command.name);
  const auto near = base::suggest(name, names);
  return fail_with(
      {Code::Invalid, fmt::format("unknown command \"{}\"{}", name,
                                  near ? fmt::format(": did you mean \"{}\"?", *near)
                                       : std::string{"; infiniedge --help lists them"})},
      Input::Arguments);
}

}  // namespace

std::string Call::value(std::string_view flag, std::string fallback) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? std::move(fallback) : found->second.back();
}

std::vector<std::string> Call::values(std::string_view flag) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? std::vector<std::string>{} : found->second;
}

Result<std::unique_ptr<NodeClient>> Call::node() const {
  NodeClient::Options options{
      .node = value("--node"), .token_file = value("--token-file"), .ca = value("--ca")};
  if (const auto given = value("--timeout"); !given.empty()) {
    const auto timeout = config::parse_duration(given);
    if (!timeout) return timeout.error();
    options.timeout = *timeout;
  }
  return NodeClient::open(options);
}

int run_command(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_overview();
    return words.empty() ? 64 : 0;
  }
  const auto name = words[0] == "--version" ? std::string{"version"} : words[0];
  const auto* command = find(name);
  if (command == nullptr) return unknown_command(name);
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  if (std::find(rest.begin(), rest.end(), "--help") != rest.end() ||
      std::find(rest.begin(), rest.end(), "-h") != rest.end()) {
    print_help(*command);
    return 0;
  }
  Call call{.command = command};
  if (const auto parsed = Parser(*command, call).run(rest); !parsed)
    return fail_with(parsed.error(), Input::Arguments);
  return command->run(call);
}

}  // namespace infiniedge::app
