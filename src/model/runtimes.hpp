// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "infiniedge/result.hpp"
#include "model/config.hpp"

namespace infiniedge::model {

/// Settles which backend runs a model and which file it loads: by `backend`, else `platform`,
/// else the file name that the configuration gives, else the file that lies in `version` (the
/// newest version's folder). A name that no built-in runtime has may be that of a plugin; its
/// file is the only one in the folder.
/// Errors: Unsupported for runtimes that are not served here; Invalid for a bad file name or
///         where it stays open which file is meant.
Result<void> settle_runtime(ModelConfig& config, const std::filesystem::path& version);

}  // namespace infiniedge::model
