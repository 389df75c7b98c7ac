// SPDX-License-Identifier: Apache-2.0
#include "app/node/revisions.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/bytes.hpp"

namespace infiniedge::app {
namespace {

constexpr std::size_t kKept = 20;

}  // namespace

std::string Revisions::path(std::uint64_t number) const {
  return fmt::format("{}/{:08}.json", dir_, number);
}

Result<std::vector<std::uint64_t>> Revisions::numbers() {
  INFINIEDGE_TRY(disk_.make_dir(dir_));
  auto names = disk_.list(dir_);
  if (!names) return names.error();
  std::vector<std::uint64_t> out;
  for (const auto& name : *names) {
    std::uint64_t number = 0;
    const auto end = std::from_chars(name.data(), name.data() + name.size(), number).ptr;
    if (std::string_view(end) == ".json") out.push_back(number);
  }
  return out;
}

Result<std::optional<Revisions::Revision>> Revisions::latest() {
  const auto known = numbers();
  if (!known) return known.error();
  if (known->empty()) return std::optional<Revision>{};
  auto file = disk_.open(path(known->back()), runtime::Disk::Mode::Read);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  Revision out{.number = known->back(), .body = std::string(*size, '\0')};
  const auto read = (*file)->read(0, std::as_writable_bytes(std::span(out.body)));
  if (!read) return read.error();
  return std::optional<Revision>{std::move(out)};
}

Result<std::uint64_t> Revisions::append(const std::string& body) {
  const auto known = numbers();
  if (!known) return known.error();
  const auto number = known->empty() ? 1 : known->back() + 1;
  const auto temporary = path(number) + ".tmp";
  (void)disk_.unlink(temporary);
  auto file = disk_.open(temporary, runtime::Disk::Mode::Create);
  if (!file) return file.error();
  INFINIEDGE_TRY((*file)->write(0, base::as_bytes(body)));
  INFINIEDGE_TRY((*file)->sync_data());
  INFINIEDGE_TRY(disk_.rename(temporary, path(number)));
  INFINIEDGE_TRY(disk_.sync_dir(dir_));
  for (std::size_t i = 0; i + kKept <= known->size(); ++i) (void)disk_.unlink(path((*known)[i]));
  return number;
}

}  // namespace infiniedge::app
