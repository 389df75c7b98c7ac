// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/value.hpp"
#include "infiniedge/result.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::device::replay {

/// One row of a recording: a value a column; monostate where the recording has none.
struct Record {
  std::optional<Timestamp> time;      ///< As recorded.
  std::optional<Micros> since_start;  ///< Where only distances are known (sound).
  std::vector<Value> fields;
};

struct ReadOptions {
  char delimiter = ',';       ///< CSV.
  std::string time_column{};  ///< CSV; empty: the first that is called like a time.
  bool transposed = false;    ///< Matrix: a line is a variable, not a sample.
  Micros chunk{Millis{100}};  ///< WAV: length of one row's window.
  Micros hop{0};              ///< WAV: from window to window; zero: chunk.
};

/// Reads a recording front to back.
///
/// Flow:   file -> [Reader] -> replay::Connector, PlugFleet
/// Thread: a worker; one at a time.
/// Errors: Invalid with `file:line:`; Corrupt for a file that ends too early. Bytes are hostile.
class Reader {
 public:
  virtual ~Reader() = default;
  /// Names that a point's address may have.
  virtual const std::vector<std::string>& columns() const = 0;
  /// The next row; nothing at the end.
  virtual Result<std::optional<Record>> next() = 0;
};

using Input = std::unique_ptr<std::istream>;
using MadeReader = Result<std::unique_ptr<Reader>>;

/// Header line, quotes as RFC 4180. Columns: the header's names.
MadeReader read_csv(Input input, std::string file, const ReadOptions& options);
/// Numbers between blanks, no header. Columns: "1", "2", …
MadeReader read_matrix(Input input, std::string file, const ReadOptions& options);
/// UCR/UEA time series with `@` directives; a row a case. Columns: `series` (or `dim0`, `dim1`,
/// … when there are several; float32 waveforms), `label`, `index` (from 0), `length`.
MadeReader read_ts(Input input, std::string file, const ReadOptions& options);
/// PCM of 16 bits, a row a window. Columns: `samples` (first channel, float32, −1 to 1), `pcm`
/// (all channels as recorded), `rms`, `peak`, `index` (from 0).
MadeReader read_wav(Input input, std::string file, const ReadOptions& options);

/// Opens a file by format: csv, matrix, ts, wav, or auto (by the name's ending).
/// Errors: NotFound, Denied; Invalid for an ending that no format has.
MadeReader open_reader(const std::string& file, std::string format, const ReadOptions& options);

}  // namespace infiniedge::device::replay
