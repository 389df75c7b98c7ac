// SPDX-License-Identifier: Apache-2.0
import { computed, signal, type Signal } from '@preact/signals';
import { millis } from '../format';
import { on } from '../net/events';
import type {
  Alarm,
  DecisionEvent,
  GraphEdge,
  PointValue,
  SyncEvent,
  ValueEvent,
} from '../net/types';
import { Ring } from './ring';
import { alarms, devices, graph, models, reloadAll, streams, uplinks } from './lists';

const kSeriesPoints = 6000;

export const edges = signal<Map<string, GraphEdge>>(new Map());
export const decisions = signal<Map<string, DecisionEvent>>(new Map());
export const syncs = signal<Map<string, SyncEvent>>(new Map());
export const freshAlarm = signal<Alarm | null>(null);

export const history = {
  rows: new Ring(),
  p99: new Ring(),
  cloud: new Ring(),
  backlog: new Ring(),
};
export const modelHistory = new Map<string, { p50: Ring; p99: Ring; cloud: Ring }>();

const values = new Map<string, Signal<Record<string, PointValue>>>();
const series = new Map<string, Ring>();

export const edgeKey = (from: string, to: string): string => `${from}\n${to}`;

/** The live values of one device; only its own readers redraw when they change. */
export function valuesOf(device: string): Signal<Record<string, PointValue>> {
  let found = values.get(device);
  if (!found) values.set(device, (found = signal({})));
  return found;
}

export function seriesOf(device: string, point: string): Ring {
  const key = `${device}\n${point}`;
  let found = series.get(key);
  if (!found) series.set(key, (found = new Ring(kSeriesPoints)));
  return found;
}

export function modelHistoryOf(model: string): { p50: Ring; p99: Ring; cloud: Ring } {
  let found = modelHistory.get(model);
  if (!found)
    modelHistory.set(
      model,
      (found = { p50: new Ring(900), p99: new Ring(900), cloud: new Ring(900) }),
    );
  return found;
}

/** What each device brings in. Every stream that reads it sees the same rows: they count once. */
export function inflows(all: Iterable<GraphEdge>): Map<string, number> {
  const found = new Map<string, number>();
  for (const { from, rate } of all) {
    if (from.startsWith('device/')) found.set(from, Math.max(found.get(from) ?? 0, rate));
  }
  return found;
}

/** Rows a second that devices bring in. */
export const inflow = computed(() => {
  let sum = 0;
  for (const rate of inflows(edges.value.values()).values()) sum += rate;
  return sum;
});

function onFlow(data: unknown): void {
  const list = (data as { edges?: (GraphEdge & { p99?: number })[] }).edges ?? [];
  edges.value = new Map(
    list.map((edge) => [edgeKey(edge.from, edge.to), { ...edge, p99_ms: edge.p99_ms ?? edge.p99 }]),
  );
  history.rows.push(Date.now(), inflow.value);
}

function onValue(data: unknown): void {
  const event = data as ValueEvent;
  const t = millis(event.t);
  const mine = valuesOf(event.device);
  const next = { ...mine.value };
  for (const [point, [value, status]] of Object.entries(event.v)) {
    next[point] = { ...next[point], value, status, time: new Date(t).toISOString() };
    if (typeof value === 'number') seriesOf(event.device, point).push(t, value);
    else if (typeof value === 'boolean') seriesOf(event.device, point).push(t, value ? 1 : 0);
  }
  mine.value = next;
}

function onDecision(data: unknown): void {
  const event = data as DecisionEvent;
  decisions.value = new Map(decisions.value).set(event.model, event);
  const now = Date.now();
  const mine = modelHistoryOf(event.model);
  mine.p50.push(now, event.p50_us ?? null);
  mine.p99.push(now, event.p99_us ?? null);
  mine.cloud.push(now, event.cloud_share ?? null);
  let edge = 0;
  let teacher = 0;
  let p99 = 0;
  for (const one of decisions.value.values()) {
    edge += one.edge + (one.edge_late ?? 0) + (one.edge_offline ?? 0) + (one.edge_budget ?? 0);
    teacher += one.teacher;
    p99 = Math.max(p99, one.p99_us ?? 0);
  }
  history.p99.push(now, p99);
  if (edge + teacher > 0) history.cloud.push(now, teacher / (edge + teacher));
}

function onSync(data: unknown): void {
  const event = data as SyncEvent;
  syncs.value = new Map(syncs.value).set(event.uplink, event);
  let rows = 0;
  for (const one of syncs.value.values()) rows += one.backlog_rows;
  history.backlog.push(Date.now(), rows);
}

function onAlarm(data: unknown): void {
  const alarm = data as Alarm;
  const items = alarms.data.value?.items;
  if (!items) {
    // One alarm is not the list: until that has come, its others would seem not to exist.
    if (alarm.state === 'open') freshAlarm.value = alarm;
    void alarms.load();
    return;
  }
  const known = items.find((item) => item.id === alarm.id);
  alarms.data.value = {
    items: known ? items.map((item) => (item.id === alarm.id ? alarm : item)) : [alarm, ...items],
  };
  if (!known && alarm.state === 'open') freshAlarm.value = alarm;
}

interface Named {
  kind: string;
  metadata: { name: string };
}

function onResource(data: unknown): void {
  const event = data as { type: 'added' | 'modified' | 'deleted'; object: Named };
  const lists = { Device: devices, Stream: streams, Model: models, Uplink: uplinks } as const;
  const loader = lists[event.object?.kind as keyof typeof lists];
  const list = loader?.data.value as { kind: string; items: Named[] } | null | undefined;
  if (!loader || !list) return;
  const rest = list.items.filter((item) => item.metadata.name !== event.object.metadata.name);
  const items = event.type === 'deleted' ? rest : [...rest, event.object];
  items.sort((a, b) => a.metadata.name.localeCompare(b.metadata.name, 'en', { numeric: true }));
  (loader.data as Signal<unknown>).value = { ...list, items };
  if (event.type !== 'modified') void graph.load();
}

export function startLive(): void {
  on('flow', onFlow);
  on('value', onValue);
  on('decision', onDecision);
  on('sync', onSync);
  on('alarm', onAlarm);
  on('resource', onResource);
  on('resync', () => reloadAll());
}
