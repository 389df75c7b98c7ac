// SPDX-License-Identifier: Apache-2.0
#include "api/openai/multipart.hpp"

#include <algorithm>
#include <cctype>

namespace infiniedge::api::openai {
namespace {

constexpr std::size_t kMostParts = 64;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// `key=value` or `key="value"` among the parameters of a header's value.
std::string parameter(std::string_view value, std::string_view key) {
  const auto lowered = lower(value);
  const auto wanted = std::string{key} + "=";
  for (auto at = lowered.find(wanted); at != std::string::npos; at = lowered.find(wanted, at + 1)) {
    // "name=" also ends "filename=".
    if (at > 0 && lowered[at - 1] != ' ' && lowered[at - 1] != ';') continue;
    auto rest = value.substr(at + wanted.size());
    if (!rest.starts_with('"')) return std::string{rest.substr(0, rest.find_first_of("; "))};
    rest.remove_prefix(1);
    return std::string{rest.substr(0, rest.find('"'))};
  }
  return {};
}

Result<FormPart> read_part(std::string_view part) {
  const auto end = part.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return Error{Code::Invalid, "a part of the form has no end of its header"};
  }
  FormPart out;
  out.content = part.substr(end + 4);
  auto head = part.substr(0, end + 2);
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
    if (!lower(line).starts_with("content-disposition:")) continue;
    out.name = parameter(line, "name");
    out.filename = parameter(line, "filename");
  }
  if (out.name.empty()) return Error{Code::Invalid, "a part of the form has no name"};
  return out;
}

}  // namespace

Result<std::vector<FormPart>> read_form(std::string_view content_type, std::string_view body) {
  const auto boundary = parameter(content_type, "boundary");
  if (!lower(content_type).starts_with("multipart/form-data") || boundary.empty()) {
    return Error{Code::Invalid, "expected multipart/form-data with a boundary"};
  }
  const auto mark = "--" + boundary;
  if (!body.starts_with(mark)) return Error{Code::Invalid, "the form does not begin with its mark"};
  const auto divider = "\r\n" + mark;
  std::vector<FormPart> out;
  body.remove_prefix(mark.size());
  while (!body.starts_with("--")) {
    const auto end = body.find(divider);
    if (!body.starts_with("\r\n") || end == std::string_view::npos || out.size() == kMostParts) {
      return Error{Code::Invalid, "the form is cut off or has too many parts"};
    }
    auto part = read_part(body.substr(2, std::max<std::size_t>(end, 2) - 2));
    if (!part) return part.error();
    out.push_back(std::move(*part));
    body.remove_prefix(end + divider.size());
  }
  return out;
}

}  // namespace infiniedge::api::openai
