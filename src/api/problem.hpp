// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/diagnostic.hpp"
#include "infiniedge/result.hpp"
#include "runtime/http/http.hpp"

namespace infiniedge::api {

/// HTTP status of an error at the administration door. `with_credential`: 403 instead of 401.
int http_status(Code code, bool with_credential);

/// RFC 9457 problem details: {type, title, status, detail, code, errors?}.
runtime::http::Response problem(const Error& error, bool with_credential = true,
                                const base::Diagnostics& diagnostics = {});

/// 200 with a JSON body.
runtime::http::Response json_response(std::string body, int status = 200);

}  // namespace infiniedge::api
