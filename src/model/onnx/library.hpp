// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "infiniedge/result.hpp"
#include "model/onnx/ort_table.hpp"

namespace infiniedge::model::onnx {

/// ONNX Runtime as found on this machine: the shared library, its table, and the one
/// environment of the process with its thread pool.
///
/// Flow:   Backend -> [Library] -> libonnxruntime.so
/// Thread: made on a worker; afterwards immutable, any thread.
/// Owner:  shared by the backend and by every session and value it made; never unloaded, since
///         the runtime's threads and thread-local storage do not survive dlclose.
/// Errors: Unavailable when no library is found or it is too old; the message says what to do.
class Library {
 public:
  struct Options {
    std::string path{};  ///< Exact file; empty: INFINIEDGE_ONNXRUNTIME, then the usual places.
    /// Threads shared by executions that use just as many; 1: none are made. A session with
    /// another number of threads brings its own.
    int pool_threads = 1;
  };
  static Result<std::shared_ptr<const Library>> load(const Options& options);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  /// Calls a slot whose return value is not a status.
  template <class S, class... Args>
  auto raw(Args... args) const {
    return reinterpret_cast<typename S::Pointer>(const_cast<void*>(table_[S::kIndex]))(args...);
  }
  /// Calls a slot that returns a status and turns that into a Result.
  template <class S, class... Args>
  Result<void> call(Args... args) const {
    OrtStatus* status = raw<S>(args...);
    if (status == nullptr) [[likely]]
      return {};
    return failure(status);
  }

  const std::string& version() const { return version_; }
  const std::string& path() const { return path_; }
  int pool_threads() const { return pool_threads_; }
  const OrtEnv* env() const { return env_; }
  const OrtMemoryInfo* memory() const { return memory_; }
  OrtAllocator* allocator() const { return allocator_; }

 private:
  Library() = default;
  Result<void> open_table(void* handle);
  Result<void> make_environment();
  Error failure(OrtStatus* status) const;

  std::string path_, version_;
  int pool_threads_ = 1;
  const void* const* table_ = nullptr;
  OrtEnv* env_ = nullptr;
  OrtMemoryInfo* memory_ = nullptr;
  OrtAllocator* allocator_ = nullptr;
};

using LibraryPtr = std::shared_ptr<const Library>;

/// Owns an object of the table and frees it through its release slot.
template <class T, class Release>
class Owned {
 public:
  explicit Owned(const Library& library) : library_(&library) {}
  Owned(Owned&& other) noexcept
      : library_(other.library_), object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (object_ != nullptr) library_->raw<Release>(object_);
  }
  T* get() const { return object_; }
  T** out() { return &object_; }
  T* release() { return std::exchange(object_, nullptr); }

 private:
  const Library* library_;
  T* object_ = nullptr;
};

/// Where a library is looked for, in order, when Options::path is empty.
std::vector<std::string> search_path();

}  // namespace infiniedge::model::onnx
