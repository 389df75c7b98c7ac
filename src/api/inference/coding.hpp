// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "infiniedge/result.hpp"

namespace infiniedge::api::inference {

enum class Coding { Identity, Gzip, Deflate };

/// Undoes a Content-Encoding. Errors: Unsupported for others than gzip and deflate; Invalid for
/// broken data, or when more than `limit` bytes come out.
Result<std::shared_ptr<const std::string>> decode_body(std::string_view coding,
                                                       std::shared_ptr<const std::string> body,
                                                       std::size_t limit);

/// What an Accept-Encoding prefers among identity, gzip and deflate: the highest q; ties go to
/// the first listed.
Coding preferred_coding(std::string_view accept);

/// Compresses; `coding` is not Identity.
std::string encode_body(Coding coding, std::string_view body);

}  // namespace infiniedge::api::inference
