// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "infiniedge/result.hpp"
#include "model/native/model.hpp"

namespace infiniedge::model::native {

/// Reads a model of docs/formats/native.md. Strict: an unknown, repeated or missing member, a
/// length that does not fit and a number out of range are errors, each with its JSON path.
/// Errors: Invalid.
Result<Model> read_model(std::string_view json);

}  // namespace infiniedge::model::native
