// SPDX-License-Identifier: Apache-2.0
#include "api/inference/coding.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>

namespace infiniedge::api::inference {
namespace {

constexpr int kGzipWindow = 15 + 16, kZlibWindow = 15;
constexpr int kFast = 1;  // On the shard: speed before size.

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Error broken() { return {Code::Invalid, "the compressed body is broken or cut short"}; }

Result<std::string> inflate_all(std::string_view body, int window, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) return Error{Code::Exhausted, "no memory to inflate"};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  std::string out;
  int state = Z_OK;
  while (state == Z_OK && out.size() <= limit) {
    char piece[16384];
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(piece, sizeof piece - stream.avail_out);
  }
  const bool whole = state == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (out.size() > limit) {
    return Error{Code::Invalid,
                 fmt::format("the body is larger than {} bytes once decompressed", limit)};
  }
  if (!whole) return broken();
  return out;
}

double quality_of(std::string_view parameters) {
  const auto at = parameters.find("q=");
  if (at == std::string_view::npos) return 1;
  return std::strtod(std::string(parameters.substr(at + 2)).c_str(), nullptr);
}

}  // namespace

Result<std::shared_ptr<const std::string>> decode_body(std::string_view coding,
                                                       std::shared_ptr<const std::string> body,
                                                       std::size_t limit) {
  coding = trimmed(coding);
  if (coding.empty() || coding == "identity") return body;
  if (coding != "gzip" && coding != "deflate") {
    return Error{
        Code::Unsupported,
        fmt::format("Content-Encoding '{}' is not supported; use gzip or deflate", coding)};
  }
  auto plain = inflate_all(*body, coding == "gzip" ? kGzipWindow : kZlibWindow, limit);
  if (!plain) return std::move(plain).error();
  return std::make_shared<const std::string>(std::move(*plain));
}

Coding preferred_coding(std::string_view accept) {
  Coding best = Coding::Identity;
  double best_quality = 0;
  while (!accept.empty()) {
    const auto comma = std::min(accept.find(','), accept.size());
    const auto item = accept.substr(0, comma);
    accept.remove_prefix(std::min(accept.size(), comma + 1));
    const auto semicolon = std::min(item.find(';'), item.size());
    const auto name = trimmed(item.substr(0, semicolon));
    const auto quality = quality_of(item.substr(semicolon));
    const bool known = name == "gzip" || name == "deflate" || name == "identity";
    if (!known || quality <= best_quality) continue;
    best_quality = quality;
    best = name == "gzip" ? Coding::Gzip : name == "deflate" ? Coding::Deflate : Coding::Identity;
  }
  return best;
}

std::string encode_body(Coding coding, std::string_view body) {
  z_stream stream{};
  const int window = coding == Coding::Gzip ? kGzipWindow : kZlibWindow;
  deflateInit2(&stream, kFast, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace infiniedge::api::inference
