// SPDX-License-Identifier: Apache-2.0
// The reference page of commands, flags and exit codes.
#include <fmt/format.h>

#include "api/problem.hpp"
#include "app/commands/command.hpp"
#include "app/exit_code.hpp"
#include "app/reference/pages.hpp"

namespace infiniedge::app {
namespace {

constexpr Code kCodes[] = {Code::Invalid, Code::Unsupported, Code::NotFound, Code::Exists,
                           Code::Denied,  Code::Unavailable, Code::Timeout,  Code::Exhausted,
                           Code::Stale,   Code::Cancelled,   Code::Corrupt,  Code::Internal};

std::string flag_rows(std::span<const Flag> flags) {
  std::string out = "\n| Flag | |\n|---|---|\n";
  for (const auto& flag : flags) {
    const auto letter = flag.letter.empty() ? "" : fmt::format("`{}`, ", flag.letter);
    const auto value = flag.value.empty() ? "" : fmt::format(" {}", flag.value);
    out += fmt::format("| {}`{}{}` | {} |\n", letter, flag.name, value, cell(flag.doc));
  }
  return out;
}

/// The help of a command: paragraphs as they are, lines that are indented by two as examples.
std::string help_text(std::string_view help) {
  std::string out;
  bool example = false;
  while (help.ends_with('\n')) help.remove_suffix(1);
  while (!help.empty()) {
    const auto line = help.substr(0, help.find('\n'));
    help.remove_prefix(std::min(help.size(), line.size() + 1));
    const bool here = line.starts_with("  ");
    if (here != example) out += here ? "```sh\n" : "```\n";
    example = here;
    out += fmt::format("{}\n", here ? line.substr(2) : line);
  }
  return example ? out + "```\n" : out;
}

std::string status(Code code, Input input) { return std::to_string(exit_code(code, input)); }

std::string exit_rows() {
  std::string out = "\n| Error | Exit | Admin HTTP | What to do |\n|---|---|---|---|\n";
  for (const auto code : kCodes) {
    auto text = status(code, Input::Data);
    if (status(code, Input::Configuration) != text) {
      text = fmt::format("{} in configuration, {} in arguments, else {}",
                         status(code, Input::Configuration), status(code, Input::Arguments), text);
    }
    out += fmt::format("| {} | {} | {} | {} |\n", to_string(code), text,
                       api::http_status(code, true), advice(code));
  }
  return out;
}

}  // namespace

Page commands_page() {
  std::string out =
      "<!-- Written by `infiniedge reference docs/reference`; change the tables in the code. -->\n"
      "# Commands\n\nResults go to standard output, all else to standard error.\n";
  for (const auto& command : commands()) {
    out += fmt::format("\n## {}\n\n{}.\n\n`infiniedge {}{}{}`\n\n{}", command.name, command.summary,
                       command.name, command.arguments.empty() ? "" : " ", command.arguments,
                       help_text(command.help));
    if (!command.flags.empty()) out += flag_rows(command.flags);
  }
  out += "\n## Flags of every command\n" + flag_rows(common_flags());
  out +=
      "\n## Exit codes\n\n0: done. 1: done, and the answer is no (a dry run that would change "
      "something, a demonstration that failed its check).\n" +
      exit_rows();
  return {"commands.md", std::move(out)};
}

}  // namespace infiniedge::app
