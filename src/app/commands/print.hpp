// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/resource.hpp"
#include "base/suggest.hpp"

namespace infiniedge::app {

/// The scalar at a JSON pointer as people read it; empty if it is not there.
std::string text_at(const boost::json::value& value, const char* pointer);
/// Percent-encodes a value of a query or a segment of a path.
std::string url_encode(std::string_view text);
/// The Ready condition; null if it is not there.
boost::json::value ready_condition(const boost::json::value& resource);
/// The same in a word: True, False with its reason, or empty.
std::string ready_text(const boost::json::value& resource);
/// Any JSON as block YAML, for reading.
std::string as_yaml(const boost::json::value& value, int indent = 0);
/// Resources as documents in the full spelling, for the API.
std::string full_body(const std::vector<config::Resource>& resources);
/// "added device/x" lines of an apply reply.
std::string change_text(const boost::json::value& reply, bool dry_run);
std::size_t change_count(const boost::json::value& reply);

}  // namespace infiniedge::app
