// SPDX-License-Identifier: Apache-2.0
import { signal } from '@preact/signals';
import type { ProblemItem } from './types';

/** What went wrong, in the node's own words (RFC 9457). Status 0: the node did not answer. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly code = '',
    readonly items: ProblemItem[] = [],
  ) {
    super(detail || title);
  }
}

/** False once the node refused our cookie: the shell then asks for a link. */
export const signedIn = signal(true);

async function problemOf(response: Response): Promise<Problem> {
  const fallback = `The node answered ${response.status}.`;
  try {
    const body = await response.json();
    return new Problem(
      response.status,
      String(body.title ?? response.statusText),
      String(body.detail ?? fallback),
      String(body.code ?? ''),
      Array.isArray(body.errors) ? body.errors : [],
    );
  } catch {
    return new Problem(response.status, response.statusText || 'Error', fallback);
  }
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (cause) {
    if (init.signal?.aborted)
      throw new Problem(0, 'Cancelled', 'The request was cancelled.', 'Cancelled');
    throw new Problem(
      0,
      'No answer',
      `The node did not answer: ${String((cause as Error).message)}.`,
    );
  }
  if (response.ok) return response;
  if (response.status === 401) signedIn.value = false;
  throw await problemOf(response);
}

export async function get<T>(path: string): Promise<T> {
  const response = await send(path, { headers: { Accept: 'application/json' } });
  return (await response.json()) as T;
}

export async function post<T>(
  path: string,
  body?: unknown,
  abort?: AbortSignal,
): Promise<T | null> {
  const response = await send(path, {
    method: 'POST',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    body: JSON.stringify(body ?? {}),
    signal: abort ?? null,
  });
  const text = await response.text();
  return text ? (JSON.parse(text) as T) : null;
}

/** Trades the link's token for a cookie. A fragment reaches no log; it leaves the address bar too. */
export async function openSession(token: string): Promise<void> {
  await post('/api/v1/session', { token });
  signedIn.value = true;
}

export function takeToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('t');
  if (token) history.replaceState(null, '', location.pathname + location.search);
  return token;
}
