// SPDX-License-Identifier: Apache-2.0
// Which picture a result wants: lines over time, bars over names, or none.
import { millis } from '../../format';
import type { QueryResult, Scalar } from '../../net/types';
import type { Line } from '../../ui/chart';

export interface TimePicture {
  kind: 'time';
  x: number[];
  lines: Line[];
}

export interface BarPicture {
  kind: 'bars';
  value: string;
  bars: { name: string; value: number }[];
}

const kMaxLines = 12;
const kMaxBars = 40;

const isTime = (type: string) => /timestamp|date|time/i.test(type);
const isNumber = (type: string) => /int|double|float|decimal|real|numeric|hugeint/i.test(type);

/** Text, or the number of µs that a `timestamp` column travels as. */
function seconds(v: Scalar): number {
  return typeof v === 'string' || typeof v === 'number' ? millis(v) / 1000 : NaN;
}

export function pictureOf(result: QueryResult): TimePicture | BarPicture | null {
  const { columns } = result;
  const time = columns.findIndex((column) => isTime(column.type));
  // Numbering is not a figure.
  const numbers = columns
    .map((_, i) => i)
    .filter((i) => isNumber(columns[i]?.type ?? '') && !columns[i]?.name.startsWith('_'));
  if (result.rows.length < 2 || numbers.length === 0) return null;
  if (time >= 0) return lines(result, time, numbers);
  const name = columns.findIndex((column) => /char|text|string/i.test(column.type));
  const value = numbers[0] ?? -1;
  if (name < 0 || result.rows.length > kMaxBars) return null;
  const bars = result.rows
    .filter((row) => typeof row[value] === 'number')
    .map((row) => ({ name: String(row[name]), value: row[value] as number }));
  return bars.length ? { kind: 'bars', value: columns[value]?.name ?? '', bars } : null;
}

function lines(result: QueryResult, time: number, numbers: number[]): TimePicture | null {
  const split = splitColumn(result);
  const figures = split < 0 ? numbers : [telling(result, numbers)];
  const stamps = [...new Set(result.rows.map((row) => seconds(row[time] ?? null)))]
    .filter((t) => !Number.isNaN(t))
    .sort((a, b) => a - b);
  if (stamps.length < 2) return null;
  const at = new Map(stamps.map((t, i) => [t, i]));
  const found = new Map<string, (number | null)[]>();
  for (const row of result.rows) {
    const i = at.get(seconds(row[time] ?? null));
    if (i === undefined) continue;
    for (const column of figures) {
      const v = row[column];
      if (typeof v !== 'number') continue;
      const name = split < 0 ? '' : String(row[split]);
      const own = result.columns[column]?.name ?? '';
      const key = name ? (figures.length > 1 ? `${name} ${own}` : name) : own;
      let values = found.get(key);
      if (!values) found.set(key, (values = new Array<number | null>(stamps.length).fill(null)));
      values[i] = v;
    }
  }
  // Many devices seldom share a stamp: joining over their nulls is not bridging a gap.
  const dense = [...found]
    .slice(0, kMaxLines)
    .map(([name, values]) => ({ name, values: split < 0 ? values : carried(values) }));
  return dense.length ? { kind: 'time', x: stamps, lines: dense } : null;
}

/** Every figure of every device is a tangle: with many devices one is drawn, a measured one first. */
function telling(result: QueryResult, numbers: number[]): number {
  const measured = (i: number) => !/int/i.test(result.columns[i]?.type ?? '');
  return numbers.find(measured) ?? (numbers[0] as number);
}

function carried(values: (number | null)[]): (number | null)[] {
  let last: number | null = null;
  return values.map((v) => (last = v ?? last));
}

/** A text column of few values, such as `device`, tells the lines apart. */
function splitColumn(result: QueryResult): number {
  return result.columns.findIndex((column, i) => {
    if (!/char|text|string/i.test(column.type)) return false;
    const distinct = new Set(result.rows.map((row) => row[i]));
    return distinct.size > 1 && distinct.size <= kMaxLines;
  });
}
