// SPDX-License-Identifier: Apache-2.0
import type { Graph, GraphEdge, GraphNode } from '../../net/types';
import { edgeKey, inflows } from '../../state/live';

export interface Shown extends GraphNode {
  /** How many devices this node stands for. */
  count: number;
  /** How many of them are not ready. */
  down: number;
  /** Rows a second that it brings in; only devices do. */
  inflow: number;
}

export interface ShownGraph {
  nodes: Shown[];
  edges: GraphEdge[];
}

/** Forty plugs that feed the same streams are one thought: beyond `above` they become one node;
 * `mixed` joins them whatever they feed, where there is room for one only. */
export function condense(graph: Graph, above: number, mixed: boolean): ShownGraph {
  const targets = new Map<string, string[]>();
  for (const edge of graph.edges)
    targets.set(edge.from, [...(targets.get(edge.from) ?? []), edge.to]);
  const brought = inflows(graph.edges);
  const groups = new Map<string, GraphNode[]>();
  for (const node of graph.nodes) {
    if (node.kind !== 'device') continue;
    const key = mixed ? '' : (targets.get(node.id) ?? []).sort().join('\n');
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  const alias = new Map<string, string>();
  const nodes: Shown[] = [];
  for (const members of groups.values()) {
    if (members.length <= above) {
      for (const node of members) nodes.push(single(node, brought));
      continue;
    }
    const id = `device/${members.length}:${members[0]?.name}`;
    for (const node of members) alias.set(node.id, id);
    const down = members.filter((node) => !node.ready).length;
    const name = `${members.length} devices`;
    const inflow = members.reduce((sum, node) => sum + (brought.get(node.id) ?? 0), 0);
    const ready = down === 0;
    nodes.push({ id, kind: 'device', name, ready, count: members.length, down, inflow });
  }
  for (const node of graph.nodes) if (node.kind !== 'device') nodes.push(single(node, brought));
  return { nodes, edges: merge(graph.edges, alias) };
}

function single(node: GraphNode, brought: Map<string, number>): Shown {
  return { ...node, count: 1, down: node.ready ? 0 : 1, inflow: brought.get(node.id) ?? 0 };
}

function merge(edges: GraphEdge[], alias: Map<string, string>): GraphEdge[] {
  const merged = new Map<string, GraphEdge>();
  for (const edge of edges) {
    const from = alias.get(edge.from) ?? edge.from;
    const key = edgeKey(from, edge.to);
    const old = merged.get(key);
    merged.set(key, {
      from,
      to: edge.to,
      rate: (old?.rate ?? 0) + edge.rate,
      p99_ms: Math.max(old?.p99_ms ?? 0, edge.p99_ms ?? 0),
      dropped: (old?.dropped ?? 0) + (edge.dropped ?? 0),
      queue: (old?.queue ?? 0) + (edge.queue ?? 0),
    });
  }
  return [...merged.values()];
}

/** The graph with the newest figures of each edge. */
export function withLive(graph: Graph, live: Map<string, GraphEdge>): Graph {
  return {
    nodes: graph.nodes,
    edges: graph.edges.map((edge) => live.get(edgeKey(edge.from, edge.to)) ?? edge),
  };
}

/** What the picture is laid out by; figures may change without moving a node. */
export function shapeOf(graph: ShownGraph): string {
  return [
    ...graph.nodes.map((node) => node.id),
    ...graph.edges.map((edge) => edgeKey(edge.from, edge.to)),
  ].join('\r');
}

/** A tenfold rate is a step wider: rates span five decades, widths cannot. */
export function edgeWidth(rate: number): number {
  if (!(rate > 0)) return 1.25;
  return Math.min(14, 2 + 2.6 * Math.log10(1 + rate * 4));
}

export function isEscalation(node: GraphNode): boolean {
  return node.kind === 'decision' && /escal|teacher|cloud|offload/.test(`${node.id} ${node.name}`);
}

export function hue(node: GraphNode): string {
  if (node.kind !== 'decision') return node.kind;
  if (/abstain/.test(node.id)) return 'abstain';
  return isEscalation(node) ? 'escalate' : 'accept';
}
