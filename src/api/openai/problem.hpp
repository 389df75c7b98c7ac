// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "infiniedge/result.hpp"
#include "runtime/http/http.hpp"

namespace infiniedge::api::openai {

/// {"error": {message, type, param, code}}, as OpenAI's clients read it. `param` names the field
/// of the request that is wrong; empty: null.
runtime::http::Response problem(const Error& error, std::string_view param = {},
                                bool with_credential = true);
/// The same, 404, for a model that is not there.
runtime::http::Response no_model(std::string_view model);

}  // namespace infiniedge::api::openai
