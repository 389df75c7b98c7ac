// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace infiniedge::model {

/// A place in a text that a person wrote; 1-based.
struct Position {
  int line = 1, column = 1;
};

}  // namespace infiniedge::model
