// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace infiniedge::runtime {

/// Gives memory back that only starting needed: free heap, and pages of code and constants.
///
/// Most of a library's code runs once, while it sets itself up, and stays resident for ever after
/// though nobody needs it. Unmapped here, such a page costs nothing; one that is needed comes
/// back from the page cache with a minor fault (sixteen neighbours at a time, about 1 µs), so the
/// first call afterwards is some tens of microseconds slower, and no file is read.
///
/// Thread: any; other threads may run in the code meanwhile.
void release_start_memory();

}  // namespace infiniedge::runtime
