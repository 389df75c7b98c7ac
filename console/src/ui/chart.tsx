// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { clock, value as show } from '../format';
import { dark } from '../theme';
import { download, toCsv } from './csv';
import { Icon } from './icon';

export interface Line {
  name: string;
  unit?: string | undefined;
  values: (number | null)[];
  /** Lines of a range: drawn as a band between the two, without a legend of their own. */
  band?: { low: (number | null)[]; high: (number | null)[] } | undefined;
}

export interface ChartProps {
  title: string;
  /** Seconds since 1970, ascending. */
  x: number[];
  lines: Line[];
  height?: number;
  /** Seconds; the axis ends at the newest sample and spans this much, so live data does not jump. */
  span?: number | undefined;
  /** The page has a CSV of its own. */
  noCsv?: boolean;
}

const kDashes = [[], [6, 3], [2, 3], [8, 3, 2, 3]];
const kColours = 8;

function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** A line of one sample would be no line at all. */
const few = (plot: uPlot): boolean => plot.data[0].length < 3;

// Seconds; below one second a label would say the same twice.
const kSteps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800,
  604800,
];

function tick(t: number, stepSeconds: number): string {
  const d = new Date(t * 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  if (stepSeconds >= 86400) return day;
  const time = `${two(d.getHours())}:${two(d.getMinutes())}`;
  if (stepSeconds >= 21600) return `${day} ${time}`;
  return stepSeconds >= 60 ? time : `${time}:${two(d.getSeconds())}`;
}

function seriesOf(lines: Line[]): uPlot.Series[] {
  const series: uPlot.Series[] = [{}];
  lines.forEach((line, i) => {
    const stroke = css(`--series-${(i % kColours) + 1}`);
    const dash = kDashes[Math.floor(i / kColours) % kDashes.length] ?? [];
    series.push({
      label: line.name,
      stroke,
      width: 1.5,
      dash,
      points: { show: few },
      spanGaps: false,
    });
    if (line.band) {
      const edge: uPlot.Series = { label: '', width: 0, stroke, points: { show: false } };
      series.push({ ...edge }, { ...edge });
    }
  });
  return series;
}

function bandsOf(lines: Line[]): uPlot.Band[] {
  const bands: uPlot.Band[] = [];
  let at = 1;
  lines.forEach((line, i) => {
    if (line.band)
      bands.push({ series: [at + 2, at + 1], fill: css(`--series-${(i % kColours) + 1}`) + '2e' });
    at += line.band ? 3 : 1;
  });
  return bands;
}

function dataOf(x: number[], lines: Line[]): uPlot.AlignedData {
  const columns: (number[] | (number | null)[])[] = [x];
  for (const line of lines) {
    columns.push(line.values);
    if (line.band) columns.push(line.band.low, line.band.high);
  }
  return columns as uPlot.AlignedData;
}

function optionsOf(props: ChartProps, width: number, hold: (on: boolean) => void): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: css('--muted'),
    grid: { stroke: css('--line'), width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
  };
  return {
    width,
    height: props.height ?? 200,
    series: seriesOf(props.lines),
    bands: bandsOf(props.lines),
    axes: [
      {
        ...axis,
        size: 28,
        space: 84,
        incrs: kSteps,
        values: (_, ticks, __, ___, step) => ticks.map((t) => tick(t, step)),
      },
      { ...axis, size: 54, values: (_, ticks) => ticks.map((t) => show(t)) },
    ],
    legend: { show: false },
    cursor: {
      sync: { key: 'time' },
      points: { size: 6 },
      drag: { x: true, y: false, setScale: true },
    },
    padding: [8, 26, 0, 0],
    hooks: {
      setSelect: [(plot) => hold(plot.select.width > 0)],
    },
  };
}

/** One sentence that tells what the picture tells. */
function summary(props: ChartProps): string {
  const parts = props.lines.map((line) => {
    const seen = line.values.filter((v): v is number => v != null);
    if (seen.length === 0) return `${line.name}: no samples`;
    let low = Infinity;
    let high = -Infinity;
    for (const v of seen) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
    return `${line.name}: ${seen.length} samples, from ${show(low)} to ${show(high)}, last ${show(seen[seen.length - 1])} ${line.unit ?? ''}`;
  });
  return `${props.title}. ${parts.join('. ')}`;
}

function step(plot: uPlot, by: number): void {
  const x = plot.data[0];
  const at = plot.cursor.idx ?? x.length - 1;
  const next = Math.max(0, Math.min(x.length - 1, at + by));
  plot.setCursor({ left: plot.valToPos(x[next] as number, 'x'), top: 20 });
}

interface Held {
  plot: uPlot | null;
  zoomed: boolean;
}

/** Builds the plot anew when its form changes, and only feeds it when its data do. */
function usePlot(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const held = useRef<Held>({ plot: null, zoomed: false });
  const [index, setIndex] = useState<number | null>(null);
  const form = props.lines.map((line) => `${line.name}${line.band ? '=' : ''}`).join('\n');
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    let gone = false;
    let watch: ResizeObserver | null = null;
    void import('./uplot').then(({ UPlot }) => {
      const host = box.current;
      if (gone || !host) return;
      const hold = (on: boolean) => (held.current.zoomed = on);
      const options = optionsOf(latest.current, host.clientWidth, hold);
      options.hooks = {
        ...options.hooks,
        setCursor: [(plot) => setIndex(plot.cursor.idx ?? null)],
      };
      const plot = new UPlot(options, dataOf(latest.current.x, latest.current.lines), host);
      plot.over.addEventListener('dblclick', () => hold(false));
      held.current = { plot, zoomed: false };
      feed(plot, latest.current, false);
      watch = new ResizeObserver(() =>
        plot.setSize({ width: host.clientWidth, height: latest.current.height ?? 200 }),
      );
      watch.observe(host);
    });
    return () => {
      gone = true;
      watch?.disconnect();
      held.current.plot?.destroy();
      held.current.plot = null;
    };
  }, [form, dark.value]);
  useEffect(() => {
    if (held.current.plot) feed(held.current.plot, props, held.current.zoomed);
  });
  return { box, held, index };
}

function feed(plot: uPlot, props: ChartProps, zoomed: boolean): void {
  // Zoomed in, the picture stands still: a reader is looking at something.
  if (zoomed) return;
  plot.setData(dataOf(props.x, props.lines), props.span == null);
  const end = props.x[props.x.length - 1];
  if (props.span != null && end != null) plot.setScale('x', { min: end - props.span, max: end });
}

function Legend({ props, index }: { props: ChartProps; index: number | null }) {
  const at = index ?? props.x.length - 1;
  const time = props.x[at];
  return (
    <div class="legend" aria-hidden="true">
      {props.lines.map((line, i) => (
        <span key={line.name}>
          <i class={`swatch s${(i % kColours) + 1}`} /> {line.name}{' '}
          <b class="num">{show(line.values[at])}</b> {line.unit ?? ''}
        </span>
      ))}
      <span class="muted num">{time == null || index == null ? '' : clock(time * 1000)}</span>
    </div>
  );
}

function Actions({
  props,
  canvas,
}: {
  props: ChartProps;
  canvas: () => HTMLCanvasElement | null | undefined;
}) {
  const name = props.title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const csv = () => {
    const heads = ['time', ...props.lines.map((line) => line.name)];
    const rows = props.x.map((t, i) => [
      new Date(t * 1000).toISOString(),
      ...props.lines.map((line) => line.values[i] ?? null),
    ]);
    download(`${name}.csv`, new Blob([toCsv(heads, rows)], { type: 'text/csv' }));
  };
  const png = () => canvas()?.toBlob((blob) => blob && download(`${name}.png`, blob));
  return (
    <div class="chart-actions">
      {props.noCsv ? null : (
        <button type="button" class="quiet" onClick={csv} aria-label={`${props.title} as CSV`}>
          <Icon name="down" size={14} /> CSV
        </button>
      )}
      <button type="button" class="quiet" onClick={png} aria-label={`${props.title} as PNG`}>
        <Icon name="down" size={14} /> PNG
      </button>
    </div>
  );
}

export function Chart(props: ChartProps) {
  const { box, held, index } = usePlot(props);
  const onKey = (event: KeyboardEvent) => {
    const plot = held.current.plot;
    if (!plot || (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight')) return;
    event.preventDefault();
    step(plot, (event.key === 'ArrowLeft' ? -1 : 1) * (event.shiftKey ? 10 : 1));
  };
  return (
    <figure class="chart" data-testid="chart" data-points={props.x.length}>
      <figcaption>
        <Legend props={props} index={index} />
        <Actions props={props} canvas={() => box.current?.querySelector('canvas')} />
      </figcaption>
      <div
        ref={box}
        class="plot"
        role="img"
        aria-label={summary(props)}
        tabIndex={0}
        onKeyDown={onKey}
        style={{ minHeight: `${props.height ?? 200}px` }}
      />
    </figure>
  );
}
