// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/result.hpp"

namespace infiniedge::api::openai {

/// One field of a form; its content points into the body.
struct FormPart {
  std::string name;
  std::string filename{};  ///< Empty: not a file.
  std::string_view content{};
};

/// Reads multipart/form-data (RFC 7578). `content_type` is the request's header.
/// Errors: Invalid, saying what is missing.
Result<std::vector<FormPart>> read_form(std::string_view content_type, std::string_view body);

}  // namespace infiniedge::api::openai
