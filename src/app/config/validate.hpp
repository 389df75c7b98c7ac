// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config/load.hpp"
#include "app/config/topology.hpp"

namespace infiniedge::app::config {

class ModelFiles;

struct ValidateOptions {
  bool topology = true;
  bool environment = true;  ///< Files and secrets exist; no device is contacted.
  /// If set, the environment's models are loaded, and topology holds rules against them. A node
  /// does without: it loads them anyway, and judges then.
  ModelFiles* models = nullptr;
};

/// A set of resources that has been judged; `site` is complete only if it is good.
struct Validated {
  Loaded loaded;
  Site site;

  bool good() const;  ///< No error; warnings are allowed.
};

/// Syntax was judged by load(); here follow schema, topology and environment. A step runs only
/// if the one before found no error. Diagnostics are sorted by file and place.
Validated validate(Loaded loaded, const Parts& parts, const Secrets& secrets,
                   const ValidateOptions& options = {});

/// All diagnostics in GNU form, at most 20, then a count.
std::string report(const Loaded& loaded);
/// The same as a JSON array of {file,line,column,end,severity,id,message,suggestion,help}.
std::string report_json(const base::Diagnostics& diagnostics);

}  // namespace infiniedge::app::config
