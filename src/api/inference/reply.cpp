// SPDX-License-Identifier: Apache-2.0
#include "api/inference/reply.hpp"

#include <fmt/format.h>

#include <iterator>

#include "base/utf8.hpp"

namespace infiniedge::api::inference {

int status_of(Code code) {
  switch (code) {
    case Code::NotFound:
      return 404;
    case Code::Denied:
      return 403;
    case Code::Unsupported:
      return 501;
    case Code::Unavailable:
    case Code::Exhausted:
    case Code::Timeout:
      return 503;
    case Code::Corrupt:
    case Code::Internal:
      return 500;
    default:
      return 400;
  }
}

runtime::http::Response json_reply(std::string body) {
  runtime::http::Response response;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

runtime::http::Response error_reply(int status, std::string_view sentence) {
  std::string body = "{\"error\":";
  append_json_string(body, sentence);
  body.push_back('}');
  auto response = json_reply(std::move(body));
  response.status = status;
  return response;
}

runtime::http::Response error_reply(const Error& error) {
  std::string sentence = error.message();
  for (const Error* cause = error.cause(); cause != nullptr; cause = cause->cause()) {
    sentence.append(": ").append(cause->message());
  }
  return error_reply(status_of(error.code()), sentence);
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    const std::size_t length = c < 0x80 ? 1 : base::utf8_length(text);
    if (length == 0) {
      out.append("\xEF\xBF\xBD");
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(text.front());
    } else if (c < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out.push_back('"');
}

void append_json_strings(std::string& out, base::ByteView elements) {
  base::Reader reader(elements);
  std::uint32_t length = 0;
  base::ByteView bytes;
  for (bool first = true; reader.read(length) && reader.read_bytes(length, bytes); first = false) {
    if (!first) out.push_back(',');
    append_json_string(out, base::as_text(bytes));
  }
}

}  // namespace infiniedge::api::inference
