// SPDX-License-Identifier: Apache-2.0
import { signal } from '@preact/signals';
import { Problem, get } from './api';

/** One GET kept fresh: the last good answer stays while a newer one fails, with its age. */
export class Loader<T> {
  readonly data = signal<T | null>(null);
  readonly error = signal<Problem | null>(null);
  /** When `data` arrived, in ms since 1970. */
  readonly at = signal(0);
  private flight: Promise<void> | null = null;
  private again = false;

  constructor(readonly path: string) {}

  /** Loads now. A call during a load makes it run once more: events may tell of something newer. */
  load(): Promise<void> {
    if (this.flight) {
      this.again = true;
      return this.flight;
    }
    this.flight = this.run().finally(() => {
      this.flight = null;
      if (this.again) {
        this.again = false;
        void this.load();
      }
    });
    return this.flight;
  }

  private async run(): Promise<void> {
    try {
      this.data.value = await get<T>(this.path);
      this.error.value = null;
      this.at.value = Date.now();
    } catch (error) {
      this.error.value =
        error instanceof Problem ? error : new Problem(0, 'Unreadable answer', String(error));
    }
  }
}
