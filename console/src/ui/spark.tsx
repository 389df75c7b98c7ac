// SPDX-License-Identifier: Apache-2.0
import type { Ring } from '../state/ring';

const kWidth = 120;
const kHeight = 30;
const kWindowMs = 120_000;

interface Scale {
  x: (t: number) => number;
  y: (v: number) => number;
}

function linePath(ring: Ring, from: number, scale: Scale): string {
  let d = '';
  let pen = false;
  for (let i = 0; i < ring.t.length; i++) {
    const v = ring.v[i];
    const t = ring.t[i] as number;
    if (t < from) continue;
    if (v == null) {
      pen = false; // A gap stays a gap.
      continue;
    }
    d += `${pen ? 'L' : 'M'}${scale.x(t).toFixed(1)} ${scale.y(v).toFixed(1)}`;
    pen = true;
  }
  return d;
}

/** The last two minutes of one figure. A picture only: the number beside it says the same. */
export function Spark({
  ring,
  floor = 0,
  tone = '',
}: {
  ring: Ring;
  floor?: number;
  tone?: string;
}) {
  void ring.version.value;
  const end = ring.t[ring.t.length - 1] ?? 0;
  // A young page stretches what it has instead of hiding it in the corner.
  const start = Math.max(end - kWindowMs, ring.t[0] ?? 0);
  const seen = ring.v.filter((v, i): v is number => v != null && (ring.t[i] as number) >= start);
  const high = Math.max(floor, ...seen) || 1;
  const low = Math.min(...seen, high);
  const base = low > high * 0.6 ? low - (high - low) * 0.5 : 0;
  const span = high - base || 1;
  const scale: Scale = {
    x: (t) => (end === start ? 0 : ((t - start) / (end - start)) * kWidth),
    y: (v) => kHeight - 2 - ((v - base) / span) * (kHeight - 4),
  };
  const line = linePath(ring, start, scale);
  return (
    <svg
      class={`spark ${tone}`}
      viewBox={`0 0 ${kWidth} ${kHeight}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {seen.length > 1 ? (
        <path class="spark-area" d={`${line}L${kWidth} ${kHeight}L0 ${kHeight}Z`} />
      ) : null}
      {seen.length > 1 ? (
        <path class="spark-line" d={line} />
      ) : (
        <path class="spark-none" d="M0 28H120" />
      )}
    </svg>
  );
}
