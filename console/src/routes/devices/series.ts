// SPDX-License-Identifier: Apache-2.0
import { millis } from '../../format';
import { post } from '../../net/api';
import type { Device, PointSpec, QueryResult } from '../../net/types';
import { seriesOf } from '../../state/live';

export type Range = 'live' | '1h' | '24h' | '7d';

export const kRanges: { value: Range; label: string; seconds: number }[] = [
  { value: 'live', label: '10 min', seconds: 600 },
  { value: '1h', label: '1 h', seconds: 3600 },
  { value: '24h', label: '24 h', seconds: 86400 },
  { value: '7d', label: '7 d', seconds: 604800 },
];

const kBuckets = 360;

export interface Track {
  x: number[];
  values: (number | null)[];
  band?: { low: (number | null)[]; high: (number | null)[] };
}

/** In SQL a resource's "-" is "_". */
export function tableOf(device: Device): string {
  return (device.spec.stream ?? device.metadata.name).replaceAll('-', '_');
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** Numbers can be drawn; pictures, sound and text cannot. */
export function drawable(point: PointSpec, sample: unknown): boolean {
  if (['string', 'bytes', 'image', 'audio'].includes(point.type ?? '')) return false;
  return sample == null || typeof sample === 'number' || typeof sample === 'boolean';
}

/** Stored history of the points, in buckets with their range, so that no peak is lost. */
export async function history(
  device: Device,
  points: string[],
  seconds: number,
): Promise<Map<string, Track>> {
  const bucket = Math.max(1, Math.round(seconds / kBuckets));
  const from = new Date(Date.now() - seconds * 1000).toISOString().replace('T', ' ').slice(0, 19);
  const columns = points
    .map((point) => `avg(${quoted(point)}), min(${quoted(point)}), max(${quoted(point)})`)
    .join(', ');
  const sql =
    `SELECT time_bucket(INTERVAL '${bucket} seconds', ts) AS t, ${columns} FROM ${quoted(tableOf(device))} ` +
    `WHERE device = ${text(device.metadata.name)} AND ts >= TIMESTAMP '${from}' GROUP BY 1 ORDER BY 1`;
  const result = await post<QueryResult>('/v1/query', { sql, max_rows: kBuckets * 2 });
  return tracks(result?.rows ?? [], points, bucket);
}

function tracks(rows: unknown[][], points: string[], bucket: number): Map<string, Track> {
  const found = new Map<string, Track>();
  points.forEach((point, i) => {
    const track: Track & { band: { low: (number | null)[]; high: (number | null)[] } } = {
      x: [],
      values: [],
      band: { low: [], high: [] },
    };
    let last = NaN;
    for (const row of rows) {
      const t = millis(row[0] as string | number) / 1000;
      // A missing bucket is a gap: the line must not bridge it.
      if (t - last > bucket * 3) push(track, last + bucket, null, null, null);
      const at = 1 + i * 3;
      push(track, t, number(row[at]), number(row[at + 1]), number(row[at + 2]));
      last = t;
    }
    found.set(point, track);
  });
  return found;
}

function push(
  track: Track & { band: { low: (number | null)[]; high: (number | null)[] } },
  t: number,
  mean: number | null,
  low: number | null,
  high: number | null,
): void {
  track.x.push(t);
  track.values.push(mean);
  track.band.low.push(low);
  track.band.high.push(high);
}

function number(v: unknown): number | null {
  return typeof v === 'number' ? v : typeof v === 'boolean' ? Number(v) : null;
}

/** Stored rows up to where the live ones begin, then the live ones. */
export function joined(device: string, point: string, stored: Track | undefined): Track {
  const ring = seriesOf(device, point);
  void ring.version.value;
  const x = ring.t.map((t) => t / 1000);
  if (!stored) return { x, values: [...ring.v] };
  const first = x[0] ?? Infinity;
  const cut = stored.x.findIndex((t) => t >= first);
  const n = cut < 0 ? stored.x.length : cut;
  return { x: [...stored.x.slice(0, n), ...x], values: [...stored.values.slice(0, n), ...ring.v] };
}
