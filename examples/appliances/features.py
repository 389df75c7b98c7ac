# SPDX-License-Identifier: Apache-2.0
"""Reference implementation of the `wave_*` functions that FEATURES.md defines.

The node computes the same row in C++; golden.json holds rows made by this file to compare with.
Everything is computed in double precision and rounded to single once, at the end, so that the two
implementations differ only by the order of a few additions.
"""

import numpy as np

ONSET_POINTS = 448
ONSET_LEAD = 64
ENVELOPE_SEGMENTS = 32
SPECTRUM_BANDS = 64
QUANTILES = 17

ONSET_LEVEL = 0.2
SPECTRUM_FLOOR = 1e-6


def clean(wave):
    """Single-precision samples as double; a sample that is not finite counts as silence."""
    w = np.asarray(wave, dtype=np.float32).astype(np.float64)
    return np.where(np.isfinite(w), w, 0.0)


def wave_rms(w):
    return np.sqrt(np.mean(w * w)) if len(w) else 0.0


def wave_peak(w):
    return np.max(np.abs(w)) if len(w) else 0.0


def wave_mean(w):
    return np.mean(w) if len(w) else 0.0


def _by_peak(w):
    peak = wave_peak(w)
    return w / peak if peak > 0 else np.zeros(len(w))


def wave_onset(w, n, lead):
    """`n` samples of w / peak around the first one that reaches a fifth of the peak."""
    out = np.zeros(n)
    peak = wave_peak(w)
    if peak == 0:
        return out
    onset = int(np.argmax(np.abs(w) >= ONSET_LEVEL * peak))
    start = max(0, onset - lead)
    part = w[start : start + n] / peak
    out[: len(part)] = part
    return out


def _segment_means(values, n):
    """Means over n equal parts of [0, len); a value that straddles a border counts by its share."""
    if len(values) == 0:
        return np.zeros(n)
    edges = np.arange(n + 1) * (len(values) / n)
    means = np.empty(n)
    for i in range(n):
        lo, hi = edges[i], edges[i + 1]
        first, last = int(np.floor(lo)), min(len(values), int(np.ceil(hi)))
        k = np.arange(first, last)
        share = np.minimum(k + 1, hi) - np.maximum(k, lo)
        means[i] = np.sum(values[first:last] * share) / (hi - lo)
    return means


def wave_envelope(w, n):
    return np.sqrt(np.maximum(_segment_means(_by_peak(w) ** 2, n), 0.0))


def wave_spectrum(w, n):
    length = len(w)
    if length == 0:
        return np.full(n, np.log10(SPECTRUM_FLOOR))
    v = _by_peak(w)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(length) + 0.5) / length)
    size = 1
    while size < max(length, 2 * n):
        size *= 2
    spectrum = np.fft.rfft((v - np.mean(v)) * window, size)
    power = np.abs(spectrum[1:]) ** 2 / np.sum(window**2)
    return np.log10(_segment_means(power, n) + SPECTRUM_FLOOR)


def wave_quantiles(w, n):
    if len(w) == 0:
        return np.zeros(n)
    v = np.sort(_by_peak(w))
    at = np.arange(n) * (len(v) - 1) / max(1, n - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(v) - 1)
    return v[low] + (at - low) * (v[high] - v[low])


def feature_row(wave):
    w = clean(wave)
    return np.concatenate(
        [
            [wave_rms(w), wave_peak(w), wave_mean(w)],
            wave_onset(w, ONSET_POINTS, ONSET_LEAD),
            wave_envelope(w, ENVELOPE_SEGMENTS),
            wave_spectrum(w, SPECTRUM_BANDS),
            wave_quantiles(w, QUANTILES),
        ]
    ).astype(np.float32)


ROW_WIDTH = 3 + ONSET_POINTS + ENVELOPE_SEGMENTS + SPECTRUM_BANDS + QUANTILES
EXPRESSION = (
    f"model('appliance', wave_rms(wave), wave_peak(wave), wave_mean(wave), "
    f"wave_onset(wave, {ONSET_POINTS}, {ONSET_LEAD}), wave_envelope(wave, {ENVELOPE_SEGMENTS}), "
    f"wave_spectrum(wave, {SPECTRUM_BANDS}), wave_quantiles(wave, {QUANTILES}))"
)
