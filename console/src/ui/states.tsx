// SPDX-License-Identifier: Apache-2.0
// The states of every route: empty, loading, error, offline, no permission.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Problem } from '../net/api';
import type { Loader } from '../net/loader';
import { Icon } from './icon';

export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () =>
    void navigator.clipboard?.writeText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    });
  return (
    <div class="command">
      <code>
        <span class="prompt" aria-hidden="true">
          ${' '}
        </span>
        {text}
      </code>
      {/* The clipboard exists on loopback and under TLS only. */}
      {navigator.clipboard ? (
        <button type="button" class="quiet" onClick={copy}>
          {copied ? 'Copied' : 'Copy'}
        </button>
      ) : null}
    </div>
  );
}

export function Notice(props: {
  icon: string;
  title: string;
  tone?: string;
  testid?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class={`notice ${props.tone ?? ''}`} data-testid={props.testid}>
      <span class="notice-icon">
        <Icon name={props.icon} size={22} />
      </span>
      <div>
        <h2>{props.title}</h2>
        {props.children}
      </div>
    </div>
  );
}

export function Empty(props: { icon: string; title: string; text: string; command: string }) {
  return (
    <Notice icon={props.icon} title={props.title} testid="empty">
      <p>{props.text}</p>
      <Command text={props.command} />
    </Notice>
  );
}

function fixFor(problem: Problem): string {
  const own = problem.items.find((item) => item.help)?.help;
  if (own) return own;
  if (problem.status === 429) return 'The node is busy. It answers again in a moment.';
  if (problem.status === 503 || problem.status === 504)
    return 'The part behind this page is not up yet. Retrying.';
  if (problem.status === 404) return 'It may have been deleted: infiniedge get all';
  return 'Look at what the node logged: infiniedge logs --since 5m';
}

export function Failure({ problem, retry }: { problem: Problem; retry?: () => void }) {
  if (problem.status === 403) {
    return (
      <Notice icon="lock" title="Your role may not see this" tone="warn" testid="denied">
        <p>{problem.detail}</p>
        <p class="muted">Ask an administrator for a link of a higher role:</p>
        <Command text="infiniedge token create operator --link" />
      </Notice>
    );
  }
  const offline = problem.status === 0;
  return (
    <Notice
      icon={offline ? 'offline' : 'alarm'}
      tone="bad"
      title={offline ? 'The node does not answer' : problem.title}
      testid={offline ? 'offline' : 'error'}
    >
      <p>{problem.detail}</p>
      <p class="muted">
        {offline
          ? 'The page fills as soon as the node is back. Is it running? infiniedge ps'
          : fixFor(problem)}
      </p>
      {retry ? (
        <button type="button" class="button" onClick={retry}>
          Try again
        </button>
      ) : null}
    </Notice>
  );
}

export function Skeleton({ rows = 4 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading" data-testid="loading">
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}

/** Shows `children` once the answer is there; until then, or if it failed, says so. */
export function Loaded<T>(props: {
  from: Loader<T>;
  rows?: number;
  empty?: (data: T) => ComponentChildren | null;
  children: (data: T) => ComponentChildren;
}) {
  const data = props.from.data.value;
  const error = props.from.error.value;
  if (data === null) {
    if (error) return <Failure problem={error} retry={() => void props.from.load()} />;
    return <Skeleton rows={props.rows} />;
  }
  // With old data at hand only a refusal replaces it; the shell's banner tells of the rest.
  if (error?.status === 403) return <Failure problem={error} />;
  const nothing = props.empty?.(data);
  if (nothing) return <>{nothing}</>;
  return <>{props.children(data)}</>;
}
