// SPDX-License-Identifier: Apache-2.0
import { signal } from '@preact/signals';
import { signedIn } from './api';

export type Handler = (data: unknown) => void;

/** Milliseconds since 1970 of the last sign of life of the node; 0 before the first. */
export const lastHeard = signal(0);
export const online = signal(true);
/** Counts broken streams: a broken stream is a reason to ask, not yet a lost node. */
export const broken = signal(0);

const kNames = ['resource', 'value', 'flow', 'alarm', 'decision', 'sync', 'resync', 'job', 'log'];
const handlers = new Map<string, Handler[]>();
let source: EventSource | null = null;
let wanted = '';
let retryTimer = 0;
let retryMs = 1000;

export function on(name: string, handler: Handler): void {
  handlers.set(name, [...(handlers.get(name) ?? []), handler]);
}

function dispatch(name: string, text: string): void {
  heard();
  let data: unknown = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    return; // A half-written event of a dying node: the next `resync` repairs it.
  }
  for (const handler of handlers.get(name) ?? []) handler(data);
}

export function heard(): void {
  lastHeard.value = Date.now();
  online.value = true;
  retryMs = 1000;
}

/** Keeps one stream open for these topics: browsers allow six connections a host (HTTP/1.1). */
export function subscribe(topics: string[]): void {
  const next = [...new Set(topics)].sort().join(',');
  if (next === wanted && source && source.readyState !== EventSource.CLOSED) return;
  wanted = next;
  open();
}

function open(): void {
  clearTimeout(retryTimer);
  source?.close();
  if (!signedIn.value || !wanted) return;
  source = new EventSource(`/api/v1/events?topics=${encodeURIComponent(wanted)}`);
  const current = source;
  current.onopen = () => heard();
  current.onerror = () => {
    if (current !== source) return;
    broken.value++;
    // The browser retries a dropped stream itself, but gives up on any answer other than 200.
    if (current.readyState === EventSource.CLOSED) {
      retryTimer = window.setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, 15000);
    }
  };
  for (const name of kNames) {
    current.addEventListener(name, (event) => dispatch(name, (event as MessageEvent<string>).data));
  }
}
