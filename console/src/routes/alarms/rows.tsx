// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';
import { clock } from '../../format';
import { post, Problem } from '../../net/api';
import type { Alarm } from '../../net/types';
import { alarms, status } from '../../state/lists';
import { Icon } from '../../ui/icon';
import { Age, SeverityTag } from '../../ui/parts';

/** Shown at once, confirmed by the node; put back when it refuses. */
async function acknowledge(alarm: Alarm): Promise<void> {
  const set = (state: Alarm['state']) => {
    const items = alarms.data.value?.items ?? [];
    alarms.data.value = {
      items: items.map((item) => (item.id === alarm.id ? { ...item, state } : item)),
    };
  };
  set('acknowledged');
  try {
    await post(`/api/v1/alarms/${encodeURIComponent(alarm.id)}/ack`);
  } catch (error) {
    set(alarm.state);
    throw error;
  }
  void alarms.load();
  void status.load();
}

function Acknowledge({ alarm }: { alarm: Alarm }) {
  const [error, setError] = useState('');
  const act = (event: MouseEvent) => {
    setError('');
    // The button goes away with the click: a keyboard goes on at the next one.
    const list = (event.currentTarget as Element).closest('.panel');
    acknowledge(alarm).catch((problem: Problem) => setError(problem.message));
    requestAnimationFrame(() => {
      const next =
        list?.querySelector<HTMLElement>('.alarm .button') ?? document.getElementById('main');
      next?.focus({ preventScroll: true });
    });
  };
  return (
    <>
      <button type="button" class="button" onClick={act} aria-label={`Acknowledge: ${alarm.text}`}>
        Acknowledge
      </button>
      {error ? (
        <p class="bad-text" role="alert">
          {error}
        </p>
      ) : null}
    </>
  );
}

export function AlarmRows({ rows, none }: { rows: Alarm[]; none: string }) {
  if (rows.length === 0) {
    return (
      <p class="quiet-line pad">
        <Icon name="accept" size={16} /> {none}
      </p>
    );
  }
  return (
    <ul class="alarms">
      {rows.map((alarm) => (
        <li
          key={alarm.id}
          class={`alarm ${alarm.severity} ${alarm.state}`}
          data-testid="alarm"
          data-state={alarm.state}
        >
          <SeverityTag severity={alarm.severity} />
          <div class="alarm-text">
            <p>
              {alarm.text}
              {alarm.count > 1 ? <span class="times"> ×{alarm.count}</span> : null}
            </p>
            <p class="muted">
              {alarm.stream} · <span title={clock(alarm.time)}>{clock(alarm.time)}</span> ·{' '}
              <Age time={alarm.time} />
            </p>
          </div>
          {alarm.state === 'open' ? (
            <Acknowledge alarm={alarm} />
          ) : (
            <span class="tag">{alarm.state}</span>
          )}
        </li>
      ))}
    </ul>
  );
}
