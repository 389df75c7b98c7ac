// SPDX-License-Identifier: Apache-2.0
import { count, micros, rate } from '../../format';
import type { Graph, GraphEdge } from '../../net/types';
import { edges as live, edgeKey } from '../../state/live';
import { Table } from '../../ui/table';
import { edgeWidth, withLive } from './graph';

const kinds = (id: string) => id.split('/')[0] ?? '';
const names = (id: string) => id.slice(id.indexOf('/') + 1);

function Part({ id }: { id: string }) {
  return (
    <>
      <span class="muted">{kinds(id)}</span> {names(id)}
    </>
  );
}

/** The flow graph as figures: equal to the picture, for those who do not see it. */
export function FlowList({ graph }: { graph: Graph }) {
  const edges = withLive(graph, live.value).edges;
  return (
    <Table<GraphEdge>
      label="Flow"
      rows={edges}
      keyOf={(edge) => edgeKey(edge.from, edge.to)}
      columns={[
        {
          head: 'From → to',
          lead: true,
          cell: (edge) => (
            <>
              <Part id={edge.from} /> <span aria-label="to">→</span> <Part id={edge.to} />
            </>
          ),
        },
        {
          head: 'Rate',
          right: true,
          cell: (edge) => (
            <span class="bar-cell">
              <span class="bar" style={{ width: `${edgeWidth(edge.rate) * 6}px` }} />
              {rate(edge.rate)}
            </span>
          ),
        },
        {
          head: 'p99',
          right: true,
          cell: (edge) => (edge.p99_ms ? micros(edge.p99_ms * 1000) : '–'),
        },
        { head: 'Queue', right: true, cell: (edge) => count(edge.queue ?? 0) },
        {
          head: 'Dropped',
          right: true,
          cell: (edge) => (
            <span class={edge.dropped ? 'bad-text' : ''}>{count(edge.dropped ?? 0)}</span>
          ),
        },
      ]}
    />
  );
}
