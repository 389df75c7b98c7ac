// SPDX-License-Identifier: Apache-2.0
// Loaded on demand: dagre is a fifth of the first page, and text can be read before the picture.
import { graphlib, layout } from '@dagrejs/dagre';
import type { ShownGraph } from './graph';

export interface Point {
  x: number;
  y: number;
}

export interface Placed {
  width: number;
  height: number;
  /** Centres. */
  nodes: Map<string, Point>;
  /** Bends between the two ends, in the order of the graph's edges. */
  bends: Point[][];
}

export interface Frame {
  width: number;
  nodeWidth: number;
  nodeHeight: number;
  vertical: boolean;
}

const kMinGap = 44;
const kMaxStretch = 2.2;

export function place(shown: ShownGraph, frame: Frame): Placed {
  const g = new graphlib.Graph();
  g.setGraph({
    rankdir: frame.vertical ? 'TB' : 'LR',
    nodesep: frame.vertical ? 10 : 16,
    ranksep: frame.vertical ? 34 : kMinGap,
    marginx: 0,
    marginy: 0,
  });
  g.setDefaultEdgeLabel(() => ({}));
  for (const node of shown.nodes) g.setNode(node.id, { width: frame.nodeWidth, height: frame.nodeHeight });
  for (const edge of shown.edges) if (g.hasNode(edge.from) && g.hasNode(edge.to)) g.setEdge(edge.from, edge.to, {});
  layout(g);
  return fit(g, shown, frame);
}

/** Uses the width that there is: ranks move apart, nodes keep their size. */
function fit(g: InstanceType<typeof graphlib.Graph>, shown: ShownGraph, frame: Frame): Placed {
  const size = g.graph() as { width?: number; height?: number };
  const natural = size.width ?? 0;
  const half = frame.nodeWidth / 2;
  const room = (frame.width - frame.nodeWidth) / Math.max(1, natural - frame.nodeWidth);
  const stretch = frame.vertical ? 1 : Math.min(kMaxStretch, Math.max(1, room));
  const width = Math.max(frame.width, natural);
  const used = (natural - frame.nodeWidth) * stretch + frame.nodeWidth;
  const left = Math.max(0, (frame.width - used) / 2);
  const move = (p: Point): Point => ({ x: left + half + (p.x - half) * stretch, y: p.y });
  const nodes = new Map<string, Point>();
  const levels = new Set<number>();
  for (const node of shown.nodes) {
    const at = g.node(node.id) as Point;
    levels.add(Math.round(frame.vertical ? at.y : at.x));
    nodes.set(node.id, move(at));
  }
  const bends = shown.edges.map((edge) => {
    const found = g.edge(edge.from, edge.to) as { points?: Point[] } | undefined;
    // dagre bends between ranks too; only bends beside nodes are needed to pass them.
    return (found?.points ?? [])
      .slice(1, -1)
      .filter((p) => levels.has(Math.round(frame.vertical ? p.y : p.x)))
      .map(move);
  });
  return { width, height: size.height ?? 0, nodes, bends };
}
