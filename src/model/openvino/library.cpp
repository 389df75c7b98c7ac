// SPDX-License-Identifier: Apache-2.0
#include "model/openvino/library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>

namespace infiniedge::model::openvino {
namespace {

constexpr std::string_view kRelease = "2026.";
constexpr auto kInstall =
    "run scripts/setup --openvino, or set INFINIEDGE_OPENVINO to the libopenvino_c.so of an "
    "OpenVINO 2026";

std::vector<std::string> search_path() {
  if (const char* exact = std::getenv("INFINIEDGE_OPENVINO"); exact != nullptr && *exact != 0) {
    return {exact};
  }
  std::vector<std::string> places;
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    const auto prefix = self.parent_path().parent_path();
    places.push_back((prefix / "lib/infiniedge/openvino/libopenvino_c.so").string());
  }
  places.push_back(INFINIEDGE_DEPS_DIR "/openvino/libopenvino_c.so");
  return places;
}

Result<void*> open_first(const std::string& exact, std::string& found) {
  const auto places = exact.empty() ? search_path() : std::vector{exact};
  std::string reason = "no such file";
  for (const auto& place : places) {
    std::error_code ignored;
    // The library finds its plugins beside itself, where a link would not lead it.
    const auto real = std::filesystem::canonical(place, ignored);
    if (ignored) continue;
    if (void* handle = dlopen(real.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      found = real.string();
      return handle;
    }
    const char* text = dlerror();
    reason = text != nullptr ? text : "dlopen failed";
  }
  return Error{Code::Unavailable, fmt::format("OpenVINO cannot be loaded ({}; looked at {}): {}",
                                              reason, fmt::join(places, ", "), kInstall)};
}

Code code_of(OvStatus status) {
  switch (status) {
    case OvStatus::NotImplemented:
      return Code::Unsupported;
    case OvStatus::ParameterMismatch:
      return Code::Invalid;
    case OvStatus::NotFound:
      return Code::NotFound;
    case OvStatus::InferCancelled:
      return Code::Cancelled;
    default:
      return Code::Internal;
  }
}

}  // namespace

Result<LibraryPtr> Library::load(const std::string& exact) {
  std::shared_ptr<Library> library(new Library);
  auto handle = open_first(exact, library->path_);
  if (!handle) return std::move(handle).error();
  INFINIEDGE_TRY(library->find_functions(*handle));
  INFINIEDGE_TRY(library->check_version());
  INFINIEDGE_TRY(library->check(library->table_.ov_core_create(&library->core_)));
  return LibraryPtr{std::move(library)};
}

Result<void> Library::find_functions(void* handle) {
  const char* missing = nullptr;
  const auto find = [&](const char* name, auto& function) {
    void* symbol = dlsym(handle, name);
    if (symbol == nullptr && missing == nullptr) missing = name;
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
  };
#define INFINIEDGE_OPENVINO_FIND(name, result, arguments) find(#name, table_.name);
  INFINIEDGE_OPENVINO_FUNCTIONS(INFINIEDGE_OPENVINO_FIND)
#undef INFINIEDGE_OPENVINO_FIND
  if (missing == nullptr) return {};
  return Error{Code::Unavailable,
               fmt::format("{} lacks the function {}: {}", path_, missing, kInstall)};
}

Result<void> Library::check_version() {
  OvVersion version{};
  INFINIEDGE_TRY(check(table_.ov_get_openvino_version(&version)));
  version_ = version.build_number;
  table_.ov_version_free(&version);
  if (version_.starts_with(kRelease)) return {};
  return Error{Code::Unavailable,
               fmt::format("{} is OpenVINO {}, whose interface may number its types differently: "
                           "{}",
                           path_, version_, kInstall)};
}

Error Library::failure(OvStatus status) const {
  std::string text = table_.ov_get_error_info(status);
  if (const char* last = table_.ov_get_last_err_msg(); last != nullptr) {
    if (*last != 0) text = last;
    table_.ov_free(last);
  }
  return {code_of(status), std::move(text)};
}

Library::~Library() {
  if (core_ != nullptr) table_.ov_core_free(core_);
}

}  // namespace infiniedge::model::openvino
