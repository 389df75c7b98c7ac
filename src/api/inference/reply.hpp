// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "infiniedge/result.hpp"
#include "runtime/http/http.hpp"

namespace infiniedge::api::inference {

/// Status of an error at this door (not that of the administration door: clients written for
/// Triton expect 400 and 503 where others say 409 and 429).
int status_of(Code code);

/// `{"error":"sentence"}`, typed exactly `application/json`.
runtime::http::Response error_reply(const Error& error);
runtime::http::Response error_reply(int status, std::string_view sentence);
runtime::http::Response json_reply(std::string body);

/// Appends a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
/// The same for the elements of a BYTES tensor, with commas between.
void append_json_strings(std::string& out, base::ByteView elements);

}  // namespace infiniedge::api::inference
