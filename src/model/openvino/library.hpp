// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "infiniedge/result.hpp"
#include "model/openvino/ov_table.hpp"

namespace infiniedge::model::openvino {

/// OpenVINO as found on this machine: its C library, opened at the first model, and its core.
///
/// Flow:   Backend -> [Library] -> libopenvino_c.so
/// Thread: made on a worker; afterwards immutable, any thread.
/// Owner:  shared by the backend and everything it made; the library is never closed, since its
///         threads do not survive that.
/// Errors: Unavailable when no library is found or it is another release; the message says what
///         to do.
class Library {
 public:
  /// `exact` empty: INFINIEDGE_OPENVINO, then the usual places.
  static Result<std::shared_ptr<const Library>> load(const std::string& exact);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const OvTable& table() const { return table_; }
  OvCore* core() const { return core_; }
  const std::string& version() const { return version_; }
  const std::string& path() const { return path_; }

  /// Turns a status into a Result, with what the library says about its last failure.
  Result<void> check(OvStatus status) const {
    if (status == OvStatus::Ok) [[likely]]
      return {};
    return failure(status);
  }

 private:
  Library() = default;
  Result<void> find_functions(void* handle);
  Result<void> check_version();
  Error failure(OvStatus status) const;

  OvTable table_;
  OvCore* core_ = nullptr;
  std::string path_, version_;
};

using LibraryPtr = std::shared_ptr<const Library>;

/// Owns an object of the library and frees it through `Free`, a member of the table.
template <class T, void (*OvTable::*Free)(T*)>
class Owned {
 public:
  explicit Owned(const Library& library) : table_(&library.table()) {}
  Owned(Owned&& other) noexcept
      : table_(other.table_), object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (object_ != nullptr) (table_->*Free)(object_);
  }
  T* get() const { return object_; }
  T** out() { return &object_; }

 private:
  const OvTable* table_;
  T* object_ = nullptr;
};

using Model = Owned<OvModel, &OvTable::ov_model_free>;
using CompiledModel = Owned<OvCompiledModel, &OvTable::ov_compiled_model_free>;
using Request = Owned<OvInferRequest, &OvTable::ov_infer_request_free>;
using Port = Owned<OvPort, &OvTable::ov_output_const_port_free>;
using TensorHandle = Owned<OvTensor, &OvTable::ov_tensor_free>;

}  // namespace infiniedge::model::openvino
