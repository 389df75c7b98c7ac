// SPDX-License-Identifier: Apache-2.0
// version and completion.
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include <boost/json.hpp>
#include <boost/version.hpp>

#include "app/commands/command.hpp"
#include "app/exit_code.hpp"
#include "app/parts.hpp"

namespace infiniedge::app {
namespace {

std::string bash_completion() {
  std::string names;
  for (const auto& command : commands()) names += fmt::format("{} ", command.name);
  std::string cases;
  for (const auto& command : commands()) {
    std::string flags;
    for (const auto& flag : command.flags) flags += fmt::format("{} ", flag.name);
    for (const auto& flag : common_flags()) flags += fmt::format("{} ", flag.name);
    cases += fmt::format("    {}) words=\"{}\" ;;\n", command.name, flags);
  }
  return fmt::format(
      "_infiniedge() {{\n  local words\n  if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"{}\"\n  else "
      "case "
      "\"${{COMP_WORDS[1]}}\" in\n{}  esac; fi\n  COMPREPLY=( $(compgen -W \"$words\" -- \"$2\") "
      ")\n"
      "  [ ${{#COMPREPLY[@]}} -eq 0 ] && COMPREPLY=( $(compgen -f -- \"$2\") )\n}}\ncomplete -F "
      "_infiniedge infiniedge\n",
      names, cases);
}

std::string fish_completion() {
  std::string out;
  for (const auto& command : commands()) {
    out += fmt::format("complete -c infiniedge -n __fish_use_subcommand -a {} -d '{}'\n",
                       command.name, command.summary);
    for (const auto& flag : command.flags) {
      out +=
          fmt::format("complete -c infiniedge -n '__fish_seen_subcommand_from {}' -l {} -d '{}'\n",
                      command.name, flag.name.substr(2), flag.doc);
    }
  }
  return out;
}

}  // namespace

int run_completion(const Call& call) {
  const auto shell = call.arguments.empty() ? std::string{} : call.arguments[0];
  if (shell == "bash")
    fmt::print("{}", bash_completion());
  else if (shell == "zsh")
    fmt::print("autoload -U +X bashcompinit && bashcompinit\n{}", bash_completion());
  else if (shell == "fish")
    fmt::print("{}", fish_completion());
  else
    return fail_with({Code::Invalid, "completion takes bash, zsh or fish"}, Input::Arguments);
  return 0;
}

int run_version(const Call& call) {
  const BuiltinParts parts;
  boost::json::array connectors;
  for (const auto& name : parts.connectors()) connectors.emplace_back(name);
  if (call.output() == "json") {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"version", INFINIEDGE_VERSION},
                                                                  {"connectors", connectors}}));
    return 0;
  }
  std::string names;
  for (const auto& name : parts.connectors()) names += " " + name;
  fmt::print("infiniedge {}\nconnectors:{}\nOpenSSL {}, SQLite {}, Boost {}\n", INFINIEDGE_VERSION,
             names, OpenSSL_version(OPENSSL_VERSION_STRING), sqlite3_libversion(),
             BOOST_LIB_VERSION);
  return 0;
}

}  // namespace infiniedge::app
