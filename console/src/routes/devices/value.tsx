// SPDX-License-Identifier: Apache-2.0
import { quality, unit, value as show } from '../../format';
import type { Device, PointValue } from '../../net/types';
import { valuesOf } from '../../state/live';
import { Age, Pill } from '../../ui/parts';

/** What the node said last, overlaid by what the event stream said since. */
export function valuesNow(device: Device): Record<string, PointValue> {
  const kept = device.status?.values ?? {};
  const live = valuesOf(device.metadata.name).value;
  const names = [
    ...(device.spec.points ?? []).map((point) => point.name),
    ...Object.keys(kept),
    ...Object.keys(live),
  ];
  const all: Record<string, PointValue> = {};
  for (const name of names) {
    const found = { ...kept[name], ...live[name] };
    if (Object.keys(found).length === 0) continue;
    const spec = device.spec.points?.find((point) => point.name === name);
    all[name] = { unit: spec?.unit, ...found } as PointValue;
  }
  return all;
}

/** Arrays and pictures are told by their size: the value itself would fill the page. */
export function brief(v: unknown): string {
  if (Array.isArray(v)) return `${v.length} samples`;
  if (typeof v === 'string' && v.length > 48) return `${v.slice(0, 45)}…`;
  return show(v);
}

export function Reading({ of }: { of: PointValue }) {
  return (
    <span class="reading">
      <b class="num">{brief(of.value)}</b> <span class="muted">{unit(of.unit)}</span>
    </span>
  );
}

export function Quality({ status }: { status: string | number | undefined }) {
  const word = quality(status);
  const tone =
    word === 'good'
      ? 'good'
      : word.startsWith('bad')
        ? 'bad'
        : word === 'unknown'
          ? 'idle'
          : 'warn';
  return <Pill tone={tone}>{word}</Pill>;
}

export function Last({ device }: { device: Device }) {
  let newest = device.status?.last ?? '';
  for (const value of Object.values(valuesOf(device.metadata.name).value)) {
    if (value.time && value.time > newest) newest = value.time;
  }
  return <Age time={newest || null} />;
}
