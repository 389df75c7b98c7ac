// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them. Nothing known prints as an en dash, never as 0.

export const kNone = '–';

const grouped = new Intl.NumberFormat('en-GB');

export function count(n: number | null | undefined): string {
  if (n == null || !Number.isFinite(n)) return kNone;
  return grouped.format(Math.round(n));
}

/** 1,234 · 12.3 k · 4.56 M: at most four figures, for tiles and edges. */
export function short(n: number | null | undefined): string {
  if (n == null || !Number.isFinite(n)) return kNone;
  const a = Math.abs(n);
  if (a >= 1e9) return `${trim(n / 1e9)} G`;
  if (a >= 1e6) return `${trim(n / 1e6)} M`;
  if (a >= 1e4) return `${trim(n / 1e3)} k`;
  return a >= 100 || Number.isInteger(n) ? grouped.format(Math.round(n)) : trim(n);
}

function trim(n: number): string {
  const a = Math.abs(n);
  const digits = a >= 100 ? 0 : a >= 10 ? 1 : a >= 0.1 || a === 0 ? 2 : 3;
  return String(Number(n.toFixed(digits)));
}

export function rate(n: number | null | undefined): string {
  if (n == null || !Number.isFinite(n)) return kNone;
  if (n > 0 && n < 0.01) return '<0.01/s';
  return `${short(n)}/s`;
}

export function percent(n: number | null | undefined, digits = 1): string {
  if (n == null || !Number.isFinite(n)) return kNone;
  return `${(n * 100).toFixed(digits)} %`;
}

export function bytes(n: number | null | undefined): string {
  if (n == null || !Number.isFinite(n)) return kNone;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  let v = n;
  while (v >= 1024 && i < units.length - 1) {
    v /= 1024;
    i++;
  }
  return `${i === 0 ? v : trim(v)} ${units[i]}`;
}

export function micros(us: number | null | undefined): string {
  if (us == null || !Number.isFinite(us)) return kNone;
  if (us >= 1e6) return `${trim(us / 1e6)} s`;
  if (us >= 1e3) return `${trim(us / 1e3)} ms`;
  return `${trim(us)} µs`;
}

export function duration(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return kNone;
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 && s < 600 ? ` ${s % 60} s` : ''}`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** The node may send RFC 3339 text, or seconds, ms or µs since 1970: the size tells which. */
export function millis(t: string | number | null | undefined): number {
  if (t == null) return NaN;
  if (typeof t === 'string')
    return Date.parse(/[Zz]|[+-]\d\d:?\d\d$/.test(t) ? t : `${t.replace(' ', 'T')}Z`);
  if (t > 1e17) return t / 1e6;
  if (t > 1e14) return t / 1e3;
  return t > 1e11 ? t : t * 1e3;
}

const pad = (n: number): string => String(n).padStart(2, '0');

export function clock(t: string | number | null | undefined): string {
  const ms = millis(t);
  if (Number.isNaN(ms)) return kNone;
  const d = new Date(ms);
  const time = `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
  if (d.toDateString() === new Date().toDateString()) return time;
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${time}`;
}

const kUnits: Record<string, string> = {
  Cel: '°C',
  '%': '%',
  '1': '',
  deg: '°',
  Ohm: 'Ω',
  'm/s2': 'm/s²',
};

/** UCUM is for machines; these few read better the usual way. */
export function unit(ucum: string | undefined): string {
  return ucum == null ? '' : (kUnits[ucum] ?? ucum);
}

export function value(v: unknown): string {
  if (v == null) return kNone;
  if (typeof v === 'number') {
    if (!Number.isFinite(v)) return String(v);
    if (Number.isInteger(v)) return Math.abs(v) < 1e15 ? grouped.format(v) : String(v);
    const a = Math.abs(v);
    return a >= 1e6 || a < 1e-3
      ? v.toPrecision(4)
      : String(Number(v.toFixed(a >= 100 ? 1 : a >= 1 ? 2 : 4)));
  }
  if (typeof v === 'boolean') return v ? 'true' : 'false';
  return typeof v === 'object' ? JSON.stringify(v) : String(v);
}

const kQuality = ['good', 'uncertain', 'substituted', 'stale', 'bad'];

export function quality(status: string | number | undefined): string {
  if (status == null) return 'unknown';
  if (typeof status === 'number') return kQuality[status] ?? 'bad';
  return status.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}
