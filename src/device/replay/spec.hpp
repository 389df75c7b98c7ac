// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "infiniedge/spec.hpp"

namespace infiniedge::device::replay {

inline constexpr std::array<std::string_view, 5> kFormats{"auto", "csv", "matrix", "ts", "wav"};

inline constexpr std::array<Option, 11> kOptions{{
    {.name = "format",
     .type = OptionType::Enum,
     .doc = "Form of the recording. csv: header line, columns by name. matrix: numbers between "
            "blanks, columns 1, 2, …. ts: UCR/UEA time series, a row a case: series (or dim0, "
            "dim1, …), label, index, length. wav: PCM of 16 bits, a row a chunk: samples, pcm, "
            "rms, peak, index. auto: by the file's ending.",
     .fallback = "auto",
     .values = kFormats},
    {.name = "speed",
     .doc = "real: as it was recorded; a number: so many times faster; max: as fast as rows are "
            "taken.",
     .fallback = "real"},
    {.name = "loop",
     .type = OptionType::Bool,
     .doc = "Begin again at the end; times go on rising.",
     .fallback = "false"},
    {.name = "start",
     .doc = "Time of the first row: recorded (as in the file; now where the file has none), now, "
            "or RFC 3339.",
     .fallback = "recorded"},
    {.name = "period",
     .type = OptionType::Duration,
     .doc = "From row to row where the recording has no times. Not set: the device's every."},
    {.name = "limit",
     .type = OptionType::Integer,
     .doc = "Stop after so many rows; 0: never.",
     .fallback = "0",
     .min = 0,
     .max = 1e15},
    {.name = "time",
     .doc = "csv: the column of the time. Not set: the first called timestamp, time, ts, datetime "
            "or date."},
    {.name = "delimiter", .doc = "csv: one character, or tab.", .fallback = ","},
    {.name = "transposed",
     .type = OptionType::Bool,
     .doc = "matrix: a line is a variable, not a sample.",
     .fallback = "false"},
    {.name = "chunk",
     .type = OptionType::Duration,
     .doc = "wav: length of one row's window.",
     .fallback = "100ms"},
    {.name = "hop",
     .type = OptionType::Duration,
     .doc = "wav: from window to window. Not set: chunk, so that windows do not overlap."},
}};

inline constexpr Spec kReplaySpec{
    .name = "replay",
    .summary =
        "A recording played as if it were a device. A point's address is a column of the "
        "recording.",
    .address = "file:PATH",
    .options = kOptions,
    .point_options = {}};

}  // namespace infiniedge::device::replay
