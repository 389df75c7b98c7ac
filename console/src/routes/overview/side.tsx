// SPDX-License-Identifier: Apache-2.0
import { clock, count, duration, millis, percent } from '../../format';
import type { FirstInference, HubNode, NodeStatus } from '../../net/types';
import { decisions } from '../../state/live';
import { Icon } from '../../ui/icon';
import { Age, Panel, Pill } from '../../ui/parts';
import { Table } from '../../ui/table';

export function First({ node }: { node: NodeStatus }) {
  const first = node.first_inference;
  return (
    <Panel title="First inference" class="first">
      {first ? (
        <FirstFound first={first} started={node.started} />
      ) : (
        <p class="muted pad">
          The first answer of a model appears here, with the time it took from the start.
        </p>
      )}
    </Panel>
  );
}

function FirstFound({ first, started }: { first: FirstInference; started: string }) {
  const took = (millis(first.time) - millis(started)) / 1000;
  return (
    <div class="first-body pad" data-testid="first-inference">
      <p class="first-label">
        {first.label} <span class="first-score">{percent(first.score)}</span>
      </p>
      <p>
        <a href={`/devices/${encodeURIComponent(first.device)}`}>{first.device}</a> by{' '}
        <a href={`/models/${encodeURIComponent(first.model)}`}>{first.model}</a>
      </p>
      <p class="muted">
        {clock(first.time)}
        {took >= 0
          ? `, ${took < 60 ? `${took.toFixed(1)} s` : duration(took)} after the start`
          : ''}
      </p>
    </div>
  );
}

export const kOutcomes = [
  { key: 'edge', name: 'Edge, sure', tone: 'edge' },
  { key: 'teacher', name: 'Teacher', tone: 'teacher' },
  { key: 'edge_budget', name: 'Edge, budget spent', tone: 'budget' },
  { key: 'edge_late', name: 'Edge, teacher late', tone: 'late' },
  { key: 'edge_offline', name: 'Edge, offline', tone: 'offline' },
  { key: 'abstain', name: 'No answer', tone: 'abstain' },
] as const;

/** Where answers came from, of one model or of all. */
export function Outcomes({ model }: { model?: string }) {
  const events = [...decisions.value.values()].filter((event) => !model || event.model === model);
  const rows = kOutcomes.map((outcome) => ({
    ...outcome,
    n: events.reduce((sum, event) => sum + (event[outcome.key] ?? 0), 0),
  }));
  const all = rows.reduce((sum, row) => sum + row.n, 0);
  if (all === 0)
    return <p class="muted pad">No decision yet. The counts of each route appear here.</p>;
  return (
    <div class="outcomes pad">
      <div class="stack" aria-hidden="true">
        {rows.map((row) =>
          row.n > 0 ? (
            <span key={row.key} class={`part-${row.tone}`} style={{ flexGrow: String(row.n) }} />
          ) : null,
        )}
      </div>
      <ul>
        {rows
          .filter((row) => row.n > 0 || row.key === 'edge' || row.key === 'teacher')
          .map((row) => (
            <li key={row.key}>
              <span class={`key part-${row.tone}`} aria-hidden="true" />
              <span>{row.name}</span>
              <span class="num">{count(row.n)}</span>
              <span class="num muted">{percent(row.n / all)}</span>
            </li>
          ))}
      </ul>
    </div>
  );
}

/** The hub's view: who forwards, how far it got. */
export function Nodes({ nodes }: { nodes: HubNode[] }) {
  return (
    <Panel title="Nodes" aside={<span class="muted">{nodes.length}</span>}>
      <Table<HubNode>
        label="Nodes"
        rows={nodes}
        keyOf={(node) => node.gateway}
        columns={[
          {
            head: 'Node',
            lead: true,
            cell: (node) => <strong>{node.name ?? node.gateway}</strong>,
          },
          {
            head: 'State',
            mark: true,
            cell: (node) => (
              <Pill tone={node.connected ? 'good' : 'bad'}>
                {node.connected ? 'Connected' : 'Away'}
              </Pill>
            ),
          },
          { head: 'Last seen', cell: (node) => <Age time={node.last_seen} /> },
          { head: 'Streams', right: true, cell: (node) => count(node.streams.length) },
          {
            head: 'Rows held',
            right: true,
            cell: (node) => count(node.streams.reduce((sum, stream) => sum + stream.rows, 0)),
          },
          {
            head: 'High-water marks',
            wide: true,
            cell: (node) => (
              <span class="marks">
                {node.streams.map((stream) => (
                  <span key={stream.name} class="mark-chip">
                    {stream.name} <b>{count(stream.high_water)}</b>
                  </span>
                ))}
              </span>
            ),
          },
        ]}
      />
      {nodes.length === 0 ? (
        <p class="muted pad">
          <Icon name="info" size={14} /> No node has connected. On a node: an Uplink with{' '}
          <code>to: hub</code>.
        </p>
      ) : null}
    </Panel>
  );
}
