// SPDX-License-Identifier: Apache-2.0
import { signal } from '@preact/signals';
import { navigate } from './router';
import { stored } from './storage';

export const searchOpen = signal(false);
export const helpOpen = signal(false);
export const moreOpen = signal(false);

/** Single keys disturb speech input: WCAG 2.1.4 asks for a switch. */
export const singleKeys = stored<boolean>('single-keys', true);

export const kRoutes = [
  { key: 'o', to: '/', name: 'Overview', icon: 'overview' },
  { key: 'd', to: '/devices', name: 'Devices', icon: 'device' },
  { key: 'm', to: '/models', name: 'Models', icon: 'model' },
  { key: 'q', to: '/data', name: 'Data', icon: 'data' },
  { key: 'a', to: '/alarms', name: 'Alarms', icon: 'alarm' },
] as const;

const kPrefixMs = 1200;
let prefixAt = 0;

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('input, textarea, select, [contenteditable], dialog') !== null
  );
}

function onKey(event: KeyboardEvent): void {
  if (!singleKeys.value || event.defaultPrevented) return;
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (Date.now() - prefixAt < kPrefixMs) {
    prefixAt = 0;
    const route = kRoutes.find((item) => item.key === event.key);
    if (!route) return;
    event.preventDefault();
    navigate(route.to);
    return;
  }
  if (event.key === 'g') prefixAt = Date.now();
  else if (event.key === '/') searchOpen.value = true;
  else if (event.key === '?') helpOpen.value = true;
  else return;
  event.preventDefault();
}

export function startKeys(): void {
  document.addEventListener('keydown', onKey);
}
