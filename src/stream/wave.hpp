// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace infiniedge::stream::wave {

/// Samples of a waveform: little-endian float32; what is not finite counts as silence, a
/// ragged end is ignored.
std::vector<double> samples(std::string_view bytes);

double rms(std::span<const double> w);
double peak(std::span<const double> w);  ///< Largest absolute value.
double mean(std::span<const double> w);

// Shapes below are of w / peak(w); of silence they are zeros (the spectrum its floor).

/// `n` samples from `lead` before the first that reaches a fifth of the peak; zeros past the end.
std::vector<double> onset(std::span<const double> w, std::size_t n, std::size_t lead);
/// RMS in each of `n` equal parts.
std::vector<double> envelope(std::span<const double> w, std::size_t n);
/// log10 of the mean power in `n` equal bands up to half the sample rate: mean removed, Hann
/// window, zero-padded to a power of two; 1e-6 is the floor.
std::vector<double> spectrum(std::span<const double> w, std::size_t n);
/// `n` evenly spaced quantiles, from least to greatest, interpolated.
std::vector<double> quantiles(std::span<const double> w, std::size_t n);

/// float32, little-endian, as `bytes` columns hold waveforms.
std::string pack(std::span<const double> values);

}  // namespace infiniedge::stream::wave
