// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from 'preact';
import { clock, duration, millis } from '../format';
import type { Condition, Severity } from '../net/types';
import { now } from '../state/lists';
import { Icon } from './icon';

type Tone = 'good' | 'warn' | 'bad' | 'idle' | 'info';

/** State as icon, word and colour: never colour alone. */
export function Pill({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`pill ${tone}`}>
      <span class="dot" aria-hidden="true" />
      {children}
    </span>
  );
}

export function readiness(conditions: Condition[] | undefined): {
  tone: Tone;
  word: string;
  why: string;
} {
  const ready = conditions?.find((condition) => condition.type === 'Ready');
  if (!ready) return { tone: 'idle', word: 'Unknown', why: '' };
  if (ready.status === 'True') return { tone: 'good', word: 'Ready', why: ready.message ?? '' };
  const why = [ready.reason, ready.message].filter(Boolean).join(': ');
  return {
    tone: ready.status === 'False' ? 'bad' : 'warn',
    word: ready.reason ?? 'Not ready',
    why,
  };
}

export function Ready({ conditions }: { conditions?: Condition[] | undefined }) {
  const state = readiness(conditions);
  return <Pill tone={state.tone}>{state.word}</Pill>;
}

export function SeverityTag({ severity }: { severity: Severity }) {
  return (
    <span class={`severity ${severity}`}>
      <Icon name={severity === 'info' ? 'info' : 'alarm'} size={15} />
      {severity}
    </span>
  );
}

/** "3 s ago", kept true by the clock; the exact time is the title. */
export function Age({
  time,
  plain,
}: {
  time: string | number | null | undefined;
  plain?: boolean;
}) {
  const ms = millis(time);
  if (Number.isNaN(ms)) return <span class="muted">never</span>;
  const seconds = (now.value - ms) / 1000;
  const text = seconds < 1 ? 'now' : `${duration(seconds)}${plain ? '' : ' ago'}`;
  return (
    <time dateTime={new Date(ms).toISOString()} title={clock(ms)} class="age">
      {text}
    </time>
  );
}

export function Panel(props: {
  title: string;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`panel ${props.class ?? ''}`} aria-label={props.title}>
      <header class="panel-head">
        <h2>{props.title}</h2>
        <div class="panel-aside">{props.aside}</div>
      </header>
      {props.children}
    </section>
  );
}

export function PageHead(props: {
  title: string;
  sub?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <div class="page-head">
      <div class="page-title">
        <h1>{props.title}</h1>
        {props.sub ? <p class="muted">{props.sub}</p> : null}
      </div>
      {props.children}
    </div>
  );
}

export interface Fact {
  name: string;
  value: ComponentChildren;
  title?: string;
}

export function Facts({ items }: { items: Fact[] }) {
  return (
    <dl class="facts">
      {items.map((item) => (
        <div key={item.name}>
          <dt>{item.name}</dt>
          <dd title={item.title}>{item.value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Segmented<T extends string>(props: {
  label: string;
  value: T;
  options: { value: T; label: ComponentChildren }[];
  onChange: (value: T) => void;
}) {
  return (
    <div class="segmented" role="group" aria-label={props.label}>
      {props.options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === props.value}
          onClick={() => props.onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
