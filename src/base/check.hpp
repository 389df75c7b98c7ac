// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>

namespace infiniedge::base {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: invariant broken: %s\n", file, line, condition);
  std::abort();
}

}  // namespace infiniedge::base

/// Aborts on a broken invariant, in every build. Never judges input, network or disk.
#define INFINIEDGE_CHECK(condition) \
  (static_cast<bool>(condition)     \
       ? static_cast<void>(0)       \
       : ::infiniedge::base::check_failed(#condition, __FILE__, __LINE__))

/// States an invariant; checked in debug builds only.
#ifdef NDEBUG
#define INFINIEDGE_ASSERT(condition) static_cast<void>(0)
#else
#define INFINIEDGE_ASSERT(condition) INFINIEDGE_CHECK(condition)
#endif
