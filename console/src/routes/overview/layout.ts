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
  nodeWidth: number;
  /** Centres. */
  nodes: Map<string, Point>;
  /** Bends between the two ends, in the order of the graph's edges. */
  bends: Point[][];
}

export interface Frame {
  width: number;
  /** The picture may grow to this height; 0: as low as it can be. */
  height: number;
  nodeWidth: number;
  nodeHeight: number;
  vertical: boolean;
}

type Laid = InstanceType<typeof graphlib.Graph>;

const kRoot = '\0root';
const kMaxStretch = 2.2;
const kMinNodeWidth = 72;

export function place(shown: ShownGraph, frame: Frame): Placed {
  const first = fit(lay(shown, frame), shown, frame);
  if (!frame.vertical || first.width <= frame.width) return first;
  // A phone cannot widen: the nodes give way, then the box scrolls.
  const nodeWidth = Math.max(
    kMinNodeWidth,
    Math.floor((frame.nodeWidth * frame.width) / first.width) - 4,
  );
  const narrow = { ...frame, nodeWidth };
  return fit(lay(shown, narrow), shown, narrow);
}

function lay(shown: ShownGraph, frame: Frame): Laid {
  const g = new graphlib.Graph();
  g.setGraph({
    rankdir: frame.vertical ? 'TB' : 'LR',
    nodesep: frame.vertical ? 4 : 8,
    edgesep: frame.vertical ? 4 : 10,
    ranksep: frame.vertical ? 34 : 44,
    marginx: 0,
    marginy: 0,
  });
  g.setDefaultEdgeLabel(() => ({}));
  // Devices begin the flow: a heavy common root keeps them in the first rank.
  g.setNode(kRoot, { width: 0, height: 0 });
  for (const node of shown.nodes) {
    g.setNode(node.id, { width: frame.nodeWidth, height: frame.nodeHeight });
    if (node.kind === 'device') g.setEdge(kRoot, node.id, { weight: 8 });
  }
  for (const edge of shown.edges) {
    // Both outcomes of a decision stand beside each other.
    const weight = edge.from.startsWith('device/') || edge.to.startsWith('decision/') ? 3 : 1;
    if (g.hasNode(edge.from) && g.hasNode(edge.to)) g.setEdge(edge.from, edge.to, { weight });
  }
  layout(g);
  return g;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function boxOf(g: Laid, shown: ShownGraph, frame: Frame): Box {
  const points = shown.nodes.map((node) => g.node(node.id) as Point);
  const xs = points.map((p) => p.x);
  const ys = points.map((p) => p.y);
  return {
    left: Math.min(...xs) - frame.nodeWidth / 2,
    right: Math.max(...xs) + frame.nodeWidth / 2,
    top: Math.min(...ys) - frame.nodeHeight / 2,
    bottom: Math.max(...ys) + frame.nodeHeight / 2,
  };
}

/** Uses the room that there is: ranks move apart, nodes keep their size. */
function fit(g: Laid, shown: ShownGraph, frame: Frame): Placed {
  const box = boxOf(g, shown, frame);
  const natural = box.right - box.left;
  const tall = box.bottom - box.top;
  const grow = (room: number, size: number, node: number, most: number) =>
    Math.min(most, Math.max(1, (room - node) / Math.max(1, size - node)));
  const kx = frame.vertical ? 1 : grow(frame.width, natural, frame.nodeWidth, kMaxStretch);
  const ky = frame.vertical ? 1 : grow(frame.height, tall, frame.nodeHeight, 1.5);
  const used = (natural - frame.nodeWidth) * kx + frame.nodeWidth;
  const left = Math.max(0, (frame.width - used) / 2) + frame.nodeWidth / 2;
  const move = (p: Point): Point => ({
    x: left + (p.x - box.left - frame.nodeWidth / 2) * kx,
    y: frame.nodeHeight / 2 + (p.y - box.top - frame.nodeHeight / 2) * ky,
  });
  const along = (p: Point) => Math.round(frame.vertical ? p.y : p.x);
  const levels = new Set(shown.nodes.map((node) => along(g.node(node.id) as Point)));
  const bends = shown.edges.map((edge) => {
    const found = g.edge(edge.from, edge.to) as { points?: Point[] } | undefined;
    // dagre bends between ranks too; only bends beside nodes are needed to pass them.
    const inner = (found?.points ?? []).slice(1, -1);
    return inner.filter((p) => levels.has(along(p))).map(move);
  });
  const nodes = new Map(shown.nodes.map((node) => [node.id, move(g.node(node.id) as Point)]));
  settle(shown, nodes, bends, frame);
  return {
    width: Math.max(frame.width, natural),
    height: (tall - frame.nodeHeight) * ky + frame.nodeHeight,
    nodeWidth: frame.nodeWidth,
    nodes,
    bends,
  };
}

/** Devices that feed the same streams swap places freely: by name is how people look for them. */
function settle(
  shown: ShownGraph,
  nodes: Map<string, Point>,
  bends: Point[][],
  frame: Frame,
): void {
  const groups = new Map<string, string[]>();
  for (const node of shown.nodes) {
    if (node.kind !== 'device') continue;
    const mine = shown.edges
      .map((edge, i) => ({ edge, i }))
      .filter(({ edge }) => edge.from === node.id);
    if (mine.some(({ i }) => (bends[i]?.length ?? 0) > 0)) continue;
    const key = mine
      .map(({ edge }) => edge.to)
      .sort()
      .join('\n');
    groups.set(key, [...(groups.get(key) ?? []), node.id]);
  }
  const across = (p: Point) => (frame.vertical ? p.x : p.y);
  for (const ids of groups.values()) {
    const spots = ids.map((id) => nodes.get(id) as Point).sort((a, b) => across(a) - across(b));
    ids.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    ids.forEach((id, i) => nodes.set(id, spots[i] as Point));
  }
}
