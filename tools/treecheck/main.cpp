// SPDX-License-Identifier: Apache-2.0
// Checks the rules of the house that no compiler knows: see usage() and CONTRIBUTING.md.
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>

#include "treecheck/format.hpp"
#include "treecheck/layers.hpp"
#include "treecheck/sizes.hpp"

namespace {

using namespace infiniedge::treecheck;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

constexpr int kClean = 0;
constexpr int kOffences = 1;
constexpr int kWrongUsage = 2;
constexpr int kSkipped = 77;  ///< What CTest takes for "skipped".

int usage() {
  std::cerr << "usage: treecheck layers <root> <modules.txt>   includes against the module rule\n"
               "       treecheck sizes <root>                  lengths, licence lines, names\n"
               "       treecheck format <root>                 clang-format\n";
  return kWrongUsage;
}

int report(std::string_view check, const Findings& findings) {
  for (const auto& finding : findings) std::cout << to_string(finding) << '\n';
  std::cout << check << ": " << findings.size() << (findings.size() == 1 ? " offence" : " offences")
            << '\n';
  return findings.empty() ? kClean : kOffences;
}

int layers(const fs::path& root, const fs::path& list) {
  const auto modules = parse_modules(read_file(list));
  if (modules.empty()) {
    std::cerr << "treecheck: " << list.string() << " names no module; configure with CMake first\n";
    return kWrongUsage;
  }
  return report("layers", check_layers(root, modules));
}

int format(const fs::path& root) {
  switch (check_format(root)) {
    case Formatted::Yes:
      std::cout << "format: clean\n";
      return kClean;
    case Formatted::No:
      std::cout << "format: run clang-format-19 -i on the files above\n";
      break;
    case Formatted::Unknown:
      std::cout
          << "format: skipped, clang-format-19 is not here (scripts/setup --test brings it)\n";
      return kSkipped;
  }
  return kOffences;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view check = argc > 1 ? argv[1] : "";
  if (argc < 3 || !fs::is_directory(argv[2])) return usage();
  if (check == "layers" && argc == 4) return layers(argv[2], argv[3]);
  if (check == "sizes" && argc == 3) return report("sizes", check_sizes(argv[2]));
  if (check == "format" && argc == 3) return format(argv[2]);
  return usage();
}
