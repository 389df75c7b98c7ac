// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from 'preact';
import { bytes, count, duration, kNone, micros, percent, rate, short } from '../../format';
import type { NodeStatus } from '../../net/types';
import { alarms, models, openAlarms } from '../../state/lists';
import { decisions, history, inflow, syncs } from '../../state/live';
import type { Ring } from '../../state/ring';
import { Spark } from '../../ui/spark';

function Tile(props: {
  name: string;
  value: string;
  sub?: ComponentChildren;
  href?: string;
  ring?: Ring;
  tone?: string;
  floor?: number;
  testid?: string;
}) {
  const inside = (
    <>
      <span class="tile-name">{props.name}</span>
      <span class="tile-value">{props.value}</span>
      <span class="tile-sub">{props.sub ?? '\u00a0'}</span>
      {props.ring ? (
        <Spark ring={props.ring} tone={props.tone ?? ''} floor={props.floor ?? 0} />
      ) : null}
    </>
  );
  const shared = { class: `tile ${props.tone ?? ''}`, 'data-testid': props.testid };
  return props.href ? (
    <a href={props.href} {...shared}>
      {inside}
    </a>
  ) : (
    <div {...shared}>{inside}</div>
  );
}

/** Share of answers that needed the teacher: this session's counts first, else the node's own. */
function cloudShare(node: NodeStatus): number | null {
  const last = history.cloud.v[history.cloud.v.length - 1];
  return last ?? node.cloud_share ?? null;
}

function backlog(node: NodeStatus): {
  rows: number;
  bytes: number;
  eta: number | null;
  state: string;
} {
  const uplinks = node.uplinks ?? [];
  let rows = 0;
  let size = 0;
  let eta: number | null = null;
  for (const uplink of uplinks) {
    const sync = syncs.value.get(uplink.name);
    rows += sync?.backlog_rows ?? uplink.backlog_rows ?? 0;
    size += sync?.backlog_bytes ?? uplink.backlog_bytes ?? 0;
    if (sync?.eta_s != null) eta = Math.max(eta ?? 0, sync.eta_s);
  }
  const states = uplinks.map((uplink) => syncs.value.get(uplink.name)?.state ?? uplink.state);
  const state = states.includes('down')
    ? 'down'
    : states.includes('connecting')
      ? 'connecting'
      : 'connected';
  return { rows, bytes: size, eta, state: uplinks.length ? state : 'no uplink' };
}

function waiting(wait: ReturnType<typeof backlog>): string {
  if (wait.state !== 'connected' || wait.rows === 0) return wait.state;
  return `${bytes(wait.bytes)}${wait.eta == null ? '' : `, ${duration(wait.eta)} left`}`;
}

function latency(): { p50?: number | undefined; p99?: number | undefined } {
  let p50: number | undefined;
  let p99: number | undefined;
  for (const model of models.data.value?.items ?? []) {
    const event = decisions.value.get(model.metadata.name);
    const slow = event?.p99_us ?? model.status?.p99_us;
    if (slow == null || (p99 != null && slow < p99)) continue;
    p99 = slow;
    p50 = event?.p50_us ?? model.status?.p50_us;
  }
  return { p50, p99 };
}

function budgetShare(): number | undefined {
  const shares = (models.data.value?.items ?? []).map((model) => model.spec.cascade?.budget?.share);
  return shares.find((share) => share != null);
}

function several(n: number | undefined, what: string): string {
  return `${count(n ?? 0)} ${what}${n === 1 ? '' : 's'}`;
}

function DevicesTile({ node }: { node: NodeStatus }) {
  const counts = node.counts;
  const down = counts ? counts.devices - counts.devices_ready : 0;
  return (
    <Tile
      name="Devices ready"
      value={counts ? `${counts.devices_ready}/${counts.devices}` : kNone}
      sub={
        down > 0
          ? `${down} not ready`
          : `${several(counts?.streams, 'stream')}, ${several(counts?.models, 'model')}`
      }
      tone={down > 0 ? 'bad' : ''}
      href="/devices"
    />
  );
}

export function Tiles({ node }: { node: NodeStatus }) {
  void history.cloud.version.value;
  const counts = node.counts;
  const share = cloudShare(node);
  const wait = backlog(node);
  const { p50, p99 } = latency();
  // The list is live; the node's own count is as old as the last status.
  const open = alarms.data.value ? openAlarms.value.length : (counts?.alarms_open ?? 0);
  const budget = budgetShare();
  return (
    <div class="tiles" data-testid="tiles">
      <DevicesTile node={node} />
      <Tile name="Rows in" value={rate(inflow.value)} sub="from devices" ring={history.rows} />
      <Tile
        name="Inference p99"
        value={micros(p99)}
        sub={p50 == null ? 'no answer yet' : `p50 ${micros(p50)}`}
        ring={history.p99}
        tone="violet"
        href="/models"
      />
      <Tile
        name="Cloud share"
        value={percent(share)}
        sub={budget == null ? 'asked the teacher' : `budget ${percent(budget, 0)}`}
        ring={history.cloud}
        floor={0.02}
        tone="amber"
        testid="cloud-share"
      />
      <Tile
        name="To the hub"
        value={wait.state === 'no uplink' ? kNone : `${short(wait.rows)} rows`}
        sub={waiting(wait)}
        ring={history.backlog}
        floor={10}
        tone={wait.state === 'down' ? 'bad' : ''}
      />
      <Tile
        name="Stored"
        value={`${short(node.store?.rows)} rows`}
        sub={bytes(node.store?.disk_bytes)}
        href="/data"
      />
      <Tile
        name="Alarms open"
        value={count(open)}
        sub={open ? 'need a look' : 'all quiet'}
        tone={open ? 'bad' : ''}
        href="/alarms"
      />
    </div>
  );
}
