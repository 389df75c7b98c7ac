// SPDX-License-Identifier: Apache-2.0
#include "runtime/memory.hpp"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace infiniedge::runtime {
namespace {

/// Only segments that were never writable: the loader's relocations make pages of the others
/// private, and dropping those would lose them.
int release_segments(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const auto from = (object->dlpi_addr + segment.p_vaddr) / page * page;
    const auto end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    // Whole pages only: the last one may be shared with the segment that follows.
    const auto size = (end - from) / page * page;
    if (size > 0) (void)::madvise(reinterpret_cast<void*>(from), size, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void release_start_memory() {
  ::malloc_trim(0);
  ::dl_iterate_phdr(release_segments, nullptr);
}

}  // namespace infiniedge::runtime
