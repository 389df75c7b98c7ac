// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from 'preact';
import { duration } from '../format';
import { helpOpen, kRoutes, moreOpen, searchOpen } from '../keys';
import { lastHeard, online } from '../net/events';
import { parts } from '../router';
import { now, openAlarms, status } from '../state/lists';
import { freshAlarm } from '../state/live';
import { cycleTheme, theme } from '../theme';
import { Icon, Mark } from '../ui/icon';
import { Pill } from '../ui/parts';
import { Help } from './help';
import { More } from './more';
import { Search } from './search';

const kSilentMs = 12_000;

/** Nothing heard for a while, or the stream broke: what is on screen is the past. */
export function isOffline(): boolean {
  if (!online.value) return true;
  return lastHeard.value > 0 && now.value - lastHeard.value > kSilentMs;
}

function RailLink({ route }: { route: (typeof kRoutes)[number] }) {
  const here = `/${parts.value[0] ?? ''}` === route.to;
  const open = route.to === '/alarms' ? openAlarms.value.length : 0;
  const counts = status.data.value?.counts;
  const total =
    route.to === '/devices' ? counts?.devices : route.to === '/models' ? counts?.models : undefined;
  return (
    <a
      href={route.to}
      class={`rail-link at-${route.icon}`}
      aria-current={here ? 'page' : undefined}
    >
      <Icon name={route.icon} />
      <span class="rail-name">{route.name}</span>
      {open ? (
        <span class="badge">
          {open}
          <span class="sr"> open</span>
        </span>
      ) : null}
      {total ? <span class="rail-count">{total}</span> : null}
    </a>
  );
}

function Rail() {
  const node = status.data.value;
  return (
    <nav class="rail" aria-label="Pages">
      <a class="brand" href="/" aria-label="InfiniEdge overview">
        <Mark /> <span>InfiniEdge</span>
      </a>
      <div class="rail-links">
        {kRoutes.map((route) => (
          <RailLink key={route.to} route={route} />
        ))}
        <button type="button" class="rail-link rail-more" onClick={() => (moreOpen.value = true)}>
          <Icon name="more" />
          <span class="rail-name">More</span>
        </button>
      </div>
      {node ? (
        <p class="rail-foot">
          {node.version}
          <br />
          up {duration(node.uptime_s)}
        </p>
      ) : null}
    </nav>
  );
}

function NodeState() {
  const node = status.data.value;
  if (!node) return <Pill tone="idle">connecting</Pill>;
  if (isOffline()) return <Pill tone="bad">offline</Pill>;
  const reasons = node.health?.reasons ?? [];
  if (!node.ready) return <Pill tone="bad">not ready</Pill>;
  if (node.health && !node.health.ok) {
    return (
      <span title={reasons.join('\n')}>
        <Pill tone="warn">degraded</Pill>
      </span>
    );
  }
  return <Pill tone="good">ready</Pill>;
}

function Top() {
  const node = status.data.value;
  return (
    <header class="top">
      <a class="brand top-brand" href="/" aria-label="InfiniEdge overview">
        <Mark />
      </a>
      <div class="node-name">
        <strong>{node?.node ?? 'InfiniEdge'}</strong>
        {node?.role === 'hub' ? <span class="tag">hub</span> : null}
        <NodeState />
      </div>
      <button
        type="button"
        class="search-button"
        aria-haspopup="dialog"
        onClick={() => (searchOpen.value = true)}
      >
        <Icon name="search" size={16} />
        <span>Search</span>
        <kbd>/</kbd>
      </button>
      <button
        type="button"
        class="quiet icon-button wide-only"
        aria-label="Keyboard shortcuts"
        aria-haspopup="dialog"
        onClick={() => (helpOpen.value = true)}
      >
        <Icon name="help" />
      </button>
      <button
        type="button"
        class="quiet icon-button"
        aria-label={`Theme: ${theme.value}. Change`}
        title={`Theme: ${theme.value}`}
        onClick={cycleTheme}
      >
        <Icon name={theme.value} />
      </button>
    </header>
  );
}

function Banner() {
  const node = status.data.value;
  if (isOffline() && node) {
    const since = lastHeard.value || status.at.value;
    return (
      <div class="banner" role="status" data-testid="offline-banner">
        <Icon name="offline" />
        <span>
          <strong>The node has not answered for {duration((now.value - since) / 1000)}.</strong>{' '}
          What you see is from then; the console keeps trying.
        </span>
      </div>
    );
  }
  const reasons = node?.health && !node.health.ok ? node.health.reasons : [];
  if (reasons.length === 0) return null;
  return (
    <div class="banner warn" role="status">
      <Icon name="alarm" />
      <span>
        <strong>Degraded.</strong> {reasons.join(' · ')}
      </span>
    </div>
  );
}

export function Shell({ children }: { children: ComponentChildren }) {
  const alarm = freshAlarm.value;
  const stale = isOffline() && status.data.value !== null;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <Rail />
      <div class="column">
        <Top />
        <Banner />
        <main id="main" tabIndex={-1} class={stale ? 'stale' : ''}>
          {children}
        </main>
      </div>
      <div class="sr" role="alert">
        {alarm ? `Alarm, ${alarm.severity}: ${alarm.text}` : ''}
      </div>
      <Search />
      <Help />
      <More />
    </>
  );
}
