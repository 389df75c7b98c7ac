// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/node/settings.hpp"

namespace infiniedge::app {

/// Runs a node or hub until SIGTERM or SIGINT. Returns the exit code.
int serve(Settings settings);

}  // namespace infiniedge::app
