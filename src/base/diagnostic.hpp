// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace infiniedge::base {

enum class Severity { Error, Warning };

/// Something wrong at a place in a text that a person wrote.
struct Diagnostic {
  std::string file;  ///< Empty: the text has no file (a query, a request body).
  int line = 1;      ///< 1-based.
  int column = 1;    ///< 1-based, in code points.
  int end = 1;       ///< Column just past the fault, on the same line.
  Severity severity = Severity::Error;
  std::string id;          ///< "unknown-field", "R003": stable, greppable.
  std::string message;     ///< One sentence without position.
  std::string suggestion;  ///< What to write instead; empty if none.
  std::string help;        ///< A command or page that explains more.
};

using Diagnostics = std::vector<Diagnostic>;

/// GNU form with the source line and a caret:
///     site.yaml:9:5: error: unknown field "ponts" in Device pump-7 [unknown-field]
///        9 |     ponts:
///          |     ^~~~~ did you mean "points"?
///        help: infiniedge explain device
/// `source` is the whole text of the file; empty: only the first line and help are printed.
std::string format(const Diagnostic& diagnostic, std::string_view source);

}  // namespace infiniedge::base
