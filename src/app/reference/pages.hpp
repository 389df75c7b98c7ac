// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace infiniedge::app {

/// A page of docs/reference/: what the tables in the code say, in Markdown.
struct Page {
  std::string file;  ///< "resources.md"
  std::string text;
};

/// Everything that this binary can do, from the same tables that it is done with.
std::vector<Page> reference_pages();

Page resources_page();
Page connectors_page();
Page settings_page();
Page commands_page();
/// The union of what processes answer to GET /metrics: only a running part registers its own.
Page metrics_page(std::span<const std::string> expositions);

/// A cell of a table: one line, and no bar of its own.
std::string cell(std::string_view text);

}  // namespace infiniedge::app
