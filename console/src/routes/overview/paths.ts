// SPDX-License-Identifier: Apache-2.0
import { edgeWidth, type ShownGraph } from './graph';
import type { Frame, Placed, Point } from './layout';

export interface EdgePath {
  d: string;
  width: number;
  /** Where the rate is written. */
  label: Point;
  /** No room for the rate: it shows only while the edge is lit. */
  crowded: boolean;
}

const kPortGap = 3;
const kMany = 4;
/** The room that a written rate takes. */
const kLabel = { width: 52, height: 24 };

/** Edges meet a node side by side, not in one point: the widths add up as the rates do. */
function ports(shown: ShownGraph, placed: Placed, frame: Frame, end: 'from' | 'to'): number[] {
  const other = end === 'from' ? 'to' : 'from';
  const across = (id: string) => {
    const at = placed.nodes.get(id);
    return at ? (frame.vertical ? at.x : at.y) : 0;
  };
  const offsets = new Array<number>(shown.edges.length).fill(0);
  const byNode = new Map<string, number[]>();
  shown.edges.forEach((edge, i) => byNode.set(edge[end], [...(byNode.get(edge[end]) ?? []), i]));
  for (const list of byNode.values()) {
    const widths = (i: number) => edgeWidth(shown.edges[i]?.rate ?? 0) + kPortGap;
    list.sort(
      (a, b) => across(shown.edges[a]?.[other] ?? '') - across(shown.edges[b]?.[other] ?? ''),
    );
    let at = -list.reduce((sum, i) => sum + widths(i), 0) / 2;
    for (const i of list) {
      offsets[i] = at + widths(i) / 2;
      at += widths(i);
    }
  }
  return offsets;
}

function curve(points: Point[], vertical: boolean): string {
  const [first, ...rest] = points as [Point, ...Point[]];
  let d = `M${first.x.toFixed(1)} ${first.y.toFixed(1)}`;
  let from = first;
  for (const to of rest) {
    const mx = (from.x + to.x) / 2;
    const my = (from.y + to.y) / 2;
    const a = vertical ? { x: from.x, y: my } : { x: mx, y: from.y };
    const b = vertical ? { x: to.x, y: my } : { x: mx, y: to.y };
    d += `C${a.x.toFixed(1)} ${a.y.toFixed(1)} ${b.x.toFixed(1)} ${b.y.toFixed(1)} ${to.x.toFixed(1)} ${to.y.toFixed(1)}`;
    from = to;
  }
  return d;
}

/** A point of the symmetric S-curve between `a` and `b`. */
function along(a: Point, b: Point, t: number, vertical: boolean): Point {
  const s = 3 * t * t - 2 * t * t * t; // across
  const u = 1.5 * t * (1 - t) * (1 - t) + 1.5 * t * t * (1 - t) + t * t * t; // ahead
  return vertical
    ? { x: a.x + (b.x - a.x) * s, y: a.y + (b.y - a.y) * u }
    : { x: a.x + (b.x - a.x) * u, y: a.y + (b.y - a.y) * s };
}

export function edgePaths(shown: ShownGraph, placed: Placed, frame: Frame): (EdgePath | null)[] {
  const out = ports(shown, placed, frame, 'from');
  const into = ports(shown, placed, frame, 'to');
  const degree = new Map<string, number>();
  const joining = new Map<string, number>();
  for (const edge of shown.edges) {
    degree.set(edge.from, (degree.get(edge.from) ?? 0) + 1);
    joining.set(edge.to, (joining.get(edge.to) ?? 0) + 1);
  }
  const { vertical } = frame;
  const paths = shown.edges.map((edge, i): EdgePath | null => {
    const from = placed.nodes.get(edge.from);
    const to = placed.nodes.get(edge.to);
    if (!from || !to) return null;
    const reach = vertical ? frame.nodeHeight / 2 : frame.nodeWidth / 2;
    const o = out[i] ?? 0;
    const n = into[i] ?? 0;
    const start = vertical
      ? { x: from.x + o, y: from.y + reach }
      : { x: from.x + reach, y: from.y + o };
    const end = vertical ? { x: to.x + n, y: to.y - reach } : { x: to.x - reach, y: to.y + n };
    const points = [start, ...(placed.bends[i] ?? []), end];
    // Where edges part, the rate stands at the far end; where they join, at the near one.
    const near = (degree.get(edge.from) ?? 0) < 2;
    const [a, b] = near ? [points[0], points[1]] : points.slice(-2);
    return {
      d: curve(points, vertical),
      width: edgeWidth(edge.rate),
      label: along(a as Point, b as Point, near ? 0.36 : 0.6, vertical),
      // The card of a device that feeds several streams tells the rate of each; and short edges
      // that join many others leave no room between them.
      crowded:
        (!near && edge.from.startsWith('device/')) ||
        (points.length === 2 && (joining.get(edge.to) ?? 0) >= kMany),
    };
  });
  spread(paths);
  return paths;
}

/** Of labels that would lie on one another only the first is written. */
function spread(paths: (EdgePath | null)[]): void {
  const written: Point[] = [];
  for (const path of paths) {
    if (!path || path.crowded) continue;
    path.crowded = written.some(
      (at) =>
        Math.abs(at.x - path.label.x) < kLabel.width &&
        Math.abs(at.y - path.label.y) < kLabel.height,
    );
    if (!path.crowded) written.push(path.label);
  }
}
