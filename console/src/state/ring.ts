// SPDX-License-Identifier: Apache-2.0
import { signal } from '@preact/signals';

/** The last `capacity` samples of one figure, with their times; drawn as a sparkline or a series. */
export class Ring {
  /** Milliseconds since 1970. */
  readonly t: number[] = [];
  readonly v: (number | null)[] = [];
  readonly version = signal(0);

  constructor(readonly capacity = 120) {}

  push(t: number, v: number | null): void {
    const last = this.t[this.t.length - 1];
    if (last !== undefined && t <= last) return; // Replayed after a reconnection.
    this.t.push(t);
    this.v.push(v);
    if (this.t.length > this.capacity) {
      // In blocks: a shift per sample would move the whole array each time.
      const drop = Math.ceil(this.capacity / 10);
      this.t.splice(0, drop);
      this.v.splice(0, drop);
    }
    this.version.value++;
  }
}
