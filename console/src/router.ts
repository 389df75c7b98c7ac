// SPDX-License-Identifier: Apache-2.0
import { computed, signal } from '@preact/signals';

export const path = signal(location.pathname);

/** "/devices/plug-1" → ["devices", "plug-1"]. */
export const parts = computed(() =>
  path.value
    .split('/')
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    }),
);

export function navigate(to: string): void {
  if (to === path.value) return;
  history.pushState(null, '', to);
  arrive();
}

function arrive(): void {
  path.value = location.pathname;
  window.scrollTo(0, 0);
  // A reader of the screen hears the new page; sighted keyboards start at its top.
  requestAnimationFrame(() => document.getElementById('main')?.focus({ preventScroll: true }));
}

function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.('a[href]');
  if (!(link instanceof HTMLAnchorElement) && !(link instanceof SVGAElement)) return;
  const href = link.getAttribute('href') ?? '';
  if (!href.startsWith('/') || href.startsWith('//') || link.hasAttribute('download')) return;
  event.preventDefault();
  navigate(href);
}

export function startRouter(): void {
  document.addEventListener('click', follow);
  window.addEventListener('popstate', () => {
    path.value = location.pathname;
  });
}
