// SPDX-License-Identifier: Apache-2.0
import { signal } from '@preact/signals';
import { post, Problem } from '../../net/api';
import type { QueryResult } from '../../net/types';
import { stored } from '../../storage';

const kMaxRows = 5000;
const kRecent = 8;

export const sql = stored<string>('sql', '');
export const recent = stored<string[]>('recent-sql', []);
export const result = signal<QueryResult | null>(null);
export const problem = signal<Problem | null>(null);
export const running = signal(false);
/** What produced `result` or `problem`; the editor may have moved on. */
export const ran = signal('');

let abort: AbortController | null = null;

export async function run(): Promise<void> {
  const text = sql.value.trim();
  if (!text || running.value) return;
  abort = new AbortController();
  running.value = true;
  try {
    result.value = await post<QueryResult>(
      '/v1/query',
      { sql: text, max_rows: kMaxRows },
      abort.signal,
    );
    problem.value = null;
    recent.value = [text, ...recent.value.filter((old) => old !== text)].slice(0, kRecent);
  } catch (error) {
    problem.value =
      error instanceof Problem ? error : new Problem(0, 'Unreadable answer', String(error));
  } finally {
    ran.value = text;
    running.value = false;
  }
}

export function cancel(): void {
  abort?.abort();
}
