// SPDX-License-Identifier: Apache-2.0
import { effect, signal, type Signal } from '@preact/signals';

/** A signal that outlives the page; strings are kept bare so that theme.js can read them. */
export function stored<T>(key: string, fallback: T): Signal<T> {
  const kept = signal<T>(read(key, fallback));
  effect(() => {
    const text = typeof kept.value === 'string' ? kept.value : JSON.stringify(kept.value);
    try {
      localStorage.setItem(key, text);
    } catch {
      // Storage refused (private window): the choice lasts as long as the page.
    }
  });
  return kept;
}

function read<T>(key: string, fallback: T): T {
  try {
    const text = localStorage.getItem(key);
    if (text == null) return fallback;
    return typeof fallback === 'string' ? (text as T) : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}
