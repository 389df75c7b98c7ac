// SPDX-License-Identifier: Apache-2.0
import { computed, effect, signal } from '@preact/signals';
import { stored } from './storage';

export type Theme = 'system' | 'light' | 'dark';

export const theme = stored<Theme>('theme', 'system');
const systemDark = signal(matchMedia('(prefers-color-scheme: dark)').matches);

/** What is really on screen; charts redraw when it changes. */
export const dark = computed(() =>
  theme.value === 'system' ? systemDark.value : theme.value === 'dark',
);

export function startTheme(): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', (event) => {
    systemDark.value = event.matches;
  });
  effect(() => {
    if (theme.value === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
  });
}

export function cycleTheme(): void {
  const order: Theme[] = ['system', 'light', 'dark'];
  theme.value = order[(order.indexOf(theme.value) + 1) % order.length] ?? 'system';
}
