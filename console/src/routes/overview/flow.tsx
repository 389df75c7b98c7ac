// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from 'preact/hooks';
import { bytes, count, micros, percent, rate } from '../../format';
import type { Graph, GraphEdge } from '../../net/types';
import { models, status } from '../../state/lists';
import { edges as live, syncs } from '../../state/live';
import { Icon } from '../../ui/icon';
import { Skeleton } from '../../ui/states';
import {
  condense,
  hue,
  isEscalation,
  shapeOf,
  withLive,
  type Shown,
  type ShownGraph,
} from './graph';
import type { Frame, Placed, Point } from './layout';
import { edgePaths } from './paths';

const kPhone = 640;
const kOthers = 570;
/** A narrower node needs its room for the name. */
const kIconFrom = 110;

function frameFor(width: number): Frame {
  const vertical = width < kPhone;
  const nodeWidth = vertical ? Math.min(158, (width - 12) / 2) : width < 1100 ? 132 : 186;
  // What the tiles above and the cards below leave of the window.
  const height = vertical ? 0 : window.innerHeight - kOthers;
  return { width, height, vertical, nodeWidth, nodeHeight: 52 };
}

/** The width of the box, kept true; layout depends on it. */
function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const box = ref.current;
    if (!box) return;
    setWidth(box.clientWidth);
    const watch = new ResizeObserver(() => setWidth(box.clientWidth));
    watch.observe(box);
    return () => watch.disconnect();
  }, []);
  return { ref, width };
}

function usePlaced(shown: ShownGraph, frame: Frame): Placed | null {
  const [placed, setPlaced] = useState<{ key: string; value: Placed } | null>(null);
  const key = `${frame.width}\r${shapeOf(shown)}`;
  useEffect(() => {
    if (frame.width === 0) return;
    let dropped = false;
    void import('./layout').then(({ place }) => {
      if (!dropped) setPlaced({ key, value: place(shown, frame) });
    });
    return () => {
      dropped = true;
    };
  }, [key]);
  return placed?.key === key ? placed.value : null;
}

function hrefOf(node: Shown): string | undefined {
  const name = encodeURIComponent(node.name);
  if (node.count > 1) return '/devices';
  if (node.kind === 'device') return `/devices/${name}`;
  if (node.kind === 'model') return `/models/${name}`;
  if (node.kind === 'stream') return `/data?table=${name}`;
  return node.kind === 'store' ? '/data' : undefined;
}

function sum(edges: GraphEdge[], test: (edge: GraphEdge) => boolean): number {
  return edges.reduce((total, edge) => (test(edge) ? total + edge.rate : total), 0);
}

/** The one figure that tells how this node does. */
function factOf(node: Shown, edges: GraphEdge[]): string {
  const into = sum(edges, (edge) => edge.to === node.id);
  switch (node.kind) {
    case 'device':
      return rate(node.inflow);
    case 'stream':
      return `${rate(into)} in`;
    case 'model': {
      const found = models.data.value?.items.find(
        (model) => model.metadata.name === node.name,
      )?.status;
      return found?.p99_us == null ? `${rate(into)}` : `p99 ${micros(found.p99_us)}`;
    }
    case 'decision': {
      const source = edges.find((edge) => edge.to === node.id)?.from;
      const all = sum(edges, (edge) => edge.from === source && edge.to.startsWith('decision/'));
      return all > 0 ? `${percent(into / all)} · ${rate(into)}` : rate(into);
    }
    case 'store':
      return `${count(status.data.value?.store?.rows)} rows`;
    case 'uplink': {
      const sync = syncs.value.get(node.name);
      const known = status.data.value?.uplinks?.find((uplink) => uplink.name === node.name);
      const waiting = sync?.backlog_bytes ?? known?.backlog_bytes;
      const state = sync?.state ?? known?.state ?? '';
      return waiting ? `${bytes(waiting)} waiting` : state;
    }
    default:
      return into > 0 ? rate(into) : (node.label ?? '');
  }
}

interface CardProps {
  node: Shown;
  fact: string;
  frame: Frame;
  at: Point;
  onHover: (id: string) => void;
}

function NodeCard(props: CardProps) {
  const { node, frame, at } = props;
  const style = {
    width: `${frame.nodeWidth}px`,
    height: `${frame.nodeHeight}px`,
    transform: `translate(${at.x - frame.nodeWidth / 2}px, ${at.y - frame.nodeHeight / 2}px)`,
  };
  const icon = node.kind === 'decision' ? (isEscalation(node) ? 'escalate' : 'accept') : node.kind;
  const shared = {
    class: `flow-node hue-${hue(node)} ${node.ready ? '' : 'not-ready'} ${frame.nodeWidth < kIconFrom ? 'narrow' : ''}`,
    style,
    title: node.ready ? `${node.kind} ${node.name}` : `${node.kind} ${node.name} is not ready`,
    onMouseEnter: () => props.onHover(node.id),
    onMouseLeave: () => props.onHover(''),
    onFocus: () => props.onHover(node.id),
    onBlur: () => props.onHover(''),
  };
  const inside = (
    <>
      {frame.nodeWidth < kIconFrom ? null : (
        <span class="flow-icon">
          <Icon name={icon} size={16} />
        </span>
      )}
      <span class="flow-text">
        <span class="flow-name">
          <span class="sr">{node.kind} </span>
          {node.label && node.kind === 'decision' ? node.label : node.name}
        </span>
        {node.ready ? (
          <span class="flow-fact">{props.fact || '\u00a0'}</span>
        ) : (
          <span class="flow-fact flow-bad">
            {node.count > 1 ? `${node.down} not ready` : 'not ready'}
          </span>
        )}
      </span>
    </>
  );
  const href = hrefOf(node);
  return href ? (
    <a href={href} {...shared}>
      {inside}
    </a>
  ) : (
    <div {...shared}>{inside}</div>
  );
}

/** Dots run faster where rows do, but never so fast that the page looks nervous. */
function pace(perSecond: number): string {
  return `${Math.max(0.9, 3.6 - Math.log10(1 + perSecond * 10)).toFixed(2)}s`;
}

function Edges(props: { shown: ShownGraph; placed: Placed; frame: Frame; hovered: string }) {
  const { shown, placed, frame, hovered } = props;
  const paths = edgePaths(shown, placed, frame);
  const hues = new Map(shown.nodes.map((node) => [node.id, hue(node)]));
  return (
    <svg class="flow-edges" width={placed.width} height={placed.height} aria-hidden="true">
      {shown.edges.map((edge, i) => {
        const path = paths[i];
        if (!path) return null;
        const lit = hovered !== '' && (edge.from === hovered || edge.to === hovered);
        const target = hues.get(edge.to) ?? '';
        const tone =
          target === 'escalate' || target === 'accept' ? target : (hues.get(edge.from) ?? '');
        const state = hovered === '' ? '' : lit ? 'lit' : 'dim';
        return (
          <g
            key={`${edge.from} ${edge.to}`}
            class={`flow-edge hue-${tone} ${state} ${edge.dropped ? 'drops' : ''}`}
          >
            <path class="flow-pipe" d={path.d} stroke-width={path.width} />
            {edge.rate > 0 ? (
              <path class="flow-dots" d={path.d} style={{ animationDuration: pace(edge.rate) }} />
            ) : null}
            <path class="flow-hit" d={path.d}>
              <title>
                {`${edge.from} → ${edge.to}: ${rate(edge.rate)}, p99 ${micros((edge.p99_ms ?? 0) * 1000)}, ` +
                  `${count(edge.dropped ?? 0)} dropped, ${count(edge.queue ?? 0)} queued`}
              </title>
            </path>
            {edge.rate > 0 && !frame.vertical ? (
              <text
                class={`flow-rate ${path.crowded ? 'crowded' : ''}`}
                x={path.label.x}
                y={path.label.y - path.width / 2 - 4}
              >
                {rate(edge.rate)}
              </text>
            ) : null}
          </g>
        );
      })}
    </svg>
  );
}

export function Flow({ graph }: { graph: Graph }) {
  const { ref, width } = useWidth();
  const [hovered, setHovered] = useState('');
  const asked = frameFor(width);
  const shown = condense(withLive(graph, live.value), asked.vertical ? 2 : 8, asked.vertical);
  const placed = usePlaced(shown, asked);
  const frame = { ...asked, nodeWidth: placed?.nodeWidth ?? asked.nodeWidth };
  const label = `Flow graph: ${shown.nodes.length} parts, ${shown.edges.length} links. The list holds the same figures.`;
  return (
    <div ref={ref} class="flow" role="group" aria-label={label} data-testid="flow">
      {placed ? (
        <div
          class="flow-canvas"
          style={{ width: `${placed.width}px`, height: `${placed.height}px` }}
        >
          <Edges shown={shown} placed={placed} frame={frame} hovered={hovered} />
          {shown.nodes.map((node) => {
            const at = placed.nodes.get(node.id);
            if (!at) return null;
            return (
              <NodeCard
                key={node.id}
                node={node}
                at={at}
                frame={frame}
                fact={factOf(node, shown.edges)}
                onHover={setHovered}
              />
            );
          })}
        </div>
      ) : (
        <Skeleton rows={4} />
      )}
    </div>
  );
}
