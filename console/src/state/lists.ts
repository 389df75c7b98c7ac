// SPDX-License-Identifier: Apache-2.0
import { computed, effect, signal } from '@preact/signals';
import { signedIn } from '../net/api';
import { broken, heard, online, subscribe } from '../net/events';
import { Loader } from '../net/loader';
import type { Alarm, Device, Graph, List, Model, NodeStatus, Resource, Stream } from '../net/types';
import { parts } from '../router';

export const status = new Loader<NodeStatus>('/api/v1/status');
export const graph = new Loader<Graph>('/api/v1/graph');
export const devices = new Loader<List<Device>>('/api/v1/devices?limit=1000');
export const streams = new Loader<List<Stream>>('/api/v1/streams?limit=1000');
export const models = new Loader<List<Model>>('/api/v1/models?limit=1000');
export const uplinks = new Loader<List<Resource<unknown, unknown>>>('/api/v1/uplinks');
export const alarms = new Loader<{ items: Alarm[] }>('/api/v1/alarms');

/** One tick a second for ages; stands still while the page is hidden. */
export const now = signal(Date.now());

export const openAlarms = computed(() =>
  (alarms.data.value?.items ?? []).filter((a) => a.state === 'open'),
);

interface Loadable {
  load(): Promise<void>;
}

const kLists: Record<string, Loadable[]> = {
  '': [graph, models, devices, streams],
  devices: [devices],
  models: [models],
  data: [devices, streams, models],
};

/** Lists that the route on screen reads; the others rest. */
function wanted(): Loadable[] {
  return [status, alarms, ...(kLists[parts.value[0] ?? ''] ?? [])];
}

function topics(): string[] {
  const base = ['flow', 'alarm', 'decision', 'sync', 'devices', 'models'];
  const [route, name] = parts.value;
  if (route === 'devices') base.push(name ? `value/${name}` : 'value/*');
  return base;
}

export function reloadAll(): void {
  for (const loader of wanted()) void loader.load();
}

const kPollMs = 5000;

async function poll(): Promise<void> {
  if (!signedIn.value || document.hidden) return;
  await status.load();
  if (status.error.value?.status === 0) online.value = false;
  else heard();
  for (const loader of wanted()) if (loader !== status) void loader.load();
}

export function startLists(): void {
  effect(() => {
    if (signedIn.value) subscribe(topics());
  });
  effect(() => {
    // Entering a route fetches what it shows; `parts` is what this effect depends on.
    if (signedIn.value) for (const loader of wanted()) void loader.load();
  });
  effect(() => {
    if (broken.value > 0) void poll();
  });
  setInterval(() => void poll(), kPollMs);
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1000);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    now.value = Date.now();
    void poll();
  });
}
