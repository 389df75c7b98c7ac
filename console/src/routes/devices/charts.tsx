// SPDX-License-Identifier: Apache-2.0
import { useSignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { unit } from '../../format';
import { Problem } from '../../net/api';
import type { Device, PointSpec } from '../../net/types';
import { Chart } from '../../ui/chart';
import { Panel, Segmented } from '../../ui/parts';
import { Failure, Skeleton } from '../../ui/states';
import { drawable, history, joined, kRanges, type Range, type Track } from './series';
import { valuesNow } from './value';

interface Stored {
  range: Range;
  tracks: Map<string, Track>;
}

function useHistory(device: Device, points: string[], range: Range) {
  const [stored, setStored] = useState<Stored | null>(null);
  const [error, setError] = useState<Problem | null>(null);
  // Before the first row the stream does not exist; asking for it would only be an error.
  const has = device.status?.last != null;
  useEffect(() => {
    if (!has || points.length === 0) return;
    let dropped = false;
    const seconds = kRanges.find((item) => item.value === range)?.seconds ?? 600;
    history(device, points, seconds).then(
      (tracks) => {
        if (dropped) return;
        setStored({ range, tracks });
        setError(null);
      },
      (problem: Problem) => !dropped && setError(problem),
    );
    return () => {
      dropped = true;
    };
  }, [device.metadata.name, points.join(), range, has]);
  return { stored: stored?.range === range ? stored.tracks : null, error };
}

function PointChart(props: {
  device: Device;
  point: PointSpec;
  range: Range;
  stored: Track | undefined;
  height: number;
}) {
  const { device, point, range } = props;
  const live = range === 'live';
  const track =
    live || !props.stored ? joined(device.metadata.name, point.name, props.stored) : props.stored;
  const lines = [
    {
      name: point.name,
      unit: unit(point.unit),
      values: track.values,
      band: live ? undefined : track.band,
    },
  ];
  const span = kRanges.find((item) => item.value === range)?.seconds;
  if (track.x.length === 0)
    return <p class="muted pad">{point.name}: no sample in this range yet.</p>;
  // A young device fills the width; an old one keeps the chosen span.
  const held = (track.x[track.x.length - 1] ?? 0) - (track.x[0] ?? 0);
  return (
    <Chart
      title={point.name}
      x={track.x}
      lines={lines}
      height={props.height}
      span={held < (span ?? 0) ? undefined : span}
    />
  );
}

export function Charts({ device }: { device: Device }) {
  const range = useSignal<Range>('live');
  const values = valuesNow(device);
  const specs =
    device.spec.points ??
    Object.keys(values).map((name) => ({ name, unit: values[name]?.unit }) as PointSpec);
  const points = specs.filter((point) => drawable(point, values[point.name]?.value));
  const { stored, error } = useHistory(
    device,
    points.map((point) => point.name),
    range.value,
  );
  const aside = (
    <Segmented
      label="Range"
      value={range.value}
      options={kRanges}
      onChange={(value) => (range.value = value)}
    />
  );
  return (
    <Panel title="Series" aside={aside} class="charts">
      {points.length === 0 ? (
        <p class="muted pad">This device has no numeric point to draw.</p>
      ) : null}
      {error && range.value !== 'live' ? <Failure problem={error} /> : null}
      {range.value !== 'live' && !stored && !error ? <Skeleton rows={3} /> : null}
      {range.value === 'live' || stored
        ? points.map((point) => (
            <PointChart
              key={`${point.name} ${range.value}`}
              device={device}
              point={point}
              range={range.value}
              height={points.length < 3 ? 230 : 150}
              stored={stored?.get(point.name)}
            />
          ))
        : null}
    </Panel>
  );
}
