// SPDX-License-Identifier: Apache-2.0
// The node's HTTP contract as the console reads it. Fields the node may not know yet are optional:
// the console shows a dash, never a guess.

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface Resource<Spec, Status> {
  apiVersion?: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec: Spec;
  status?: Status & { conditions?: Condition[] };
}

export interface List<T> {
  kind: string;
  metadata?: { resourceVersion?: string };
  items: T[];
}

export type Scalar = number | string | boolean | null;

export interface PointValue {
  value: Scalar;
  status: string | number;
  time?: string;
  unit?: string;
}

export interface PointSpec {
  name: string;
  unit?: string;
  type?: string;
  range?: [number, number];
  write?: unknown;
}

export type Device = Resource<
  { connector?: string; address?: string; every?: string; stream?: string; points?: PointSpec[] },
  {
    rate?: number;
    bad?: number;
    last?: string;
    restarts?: number;
    values?: Record<string, PointValue>;
  }
>;

export type Stream = Resource<
  { sql?: string },
  {
    rate?: number;
    in_rows?: number;
    out_rows?: number;
    dropped?: number;
    lag_s?: number;
    schema?: { name: string; type: string; unit?: string }[];
  }
>;

export interface ModelSpec {
  source?: string;
  task?: string;
  classes?: string[];
  require?: string;
  cascade?: {
    teacher?: string;
    risk?: number;
    offline?: string;
    budget?: { share?: number; burst?: number };
  };
}

export type Model = Resource<
  ModelSpec,
  {
    version?: string | number;
    state?: string;
    backend?: string;
    device?: string;
    p50_us?: number;
    p99_us?: number;
    inferences?: number;
    batch_mean?: number;
    cloud_share?: number;
    escalated?: number;
    edge?: number;
    threshold?: number;
    budget_left?: number;
  }
>;

export interface UplinkState {
  name: string;
  to: string;
  state: 'connected' | 'connecting' | 'down';
  backlog_rows?: number;
  backlog_bytes?: number;
  acked_seq?: number;
  last_error?: string | null;
}

export interface HubNode {
  gateway: string;
  name?: string;
  connected: boolean;
  last_seen?: string;
  streams: { name: string; epoch: number; high_water: number; rows: number }[];
}

export interface FirstInference {
  time: string;
  model: string;
  label: string;
  score: number;
  device: string;
}

export interface NodeStatus {
  node: string;
  role: 'node' | 'hub';
  version: string;
  started: string;
  uptime_s: number;
  ready: boolean;
  rss_bytes?: number;
  health?: { ok: boolean; reasons: string[] };
  first_inference?: FirstInference | null;
  cloud_share?: number | null;
  counts?: {
    devices: number;
    devices_ready: number;
    streams: number;
    models: number;
    alarms_open: number;
  };
  store?: { rows: number; disk_bytes: number };
  uplinks?: UplinkState[];
  nodes?: HubNode[];
}

export type GraphKind = 'device' | 'stream' | 'model' | 'decision' | 'store' | 'uplink' | 'hub';

export interface GraphNode {
  id: string;
  kind: GraphKind;
  name: string;
  ready: boolean;
  label?: string;
}

export interface GraphEdge {
  from: string;
  to: string;
  rate: number;
  p99_ms?: number;
  dropped?: number;
  queue?: number;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export type Severity = 'info' | 'warning' | 'critical';

export interface Alarm {
  id: string;
  time: string;
  stream: string;
  severity: Severity;
  text: string;
  state: 'open' | 'acknowledged' | 'closed';
  count: number;
}

export interface QueryResult {
  columns: { name: string; type: string }[];
  rows: Scalar[][];
  truncated?: boolean;
  elapsed_ms?: number;
}

export interface ProblemItem {
  line?: number;
  column?: number;
  end?: number;
  severity?: string;
  id?: string;
  message: string;
  suggestion?: string;
  help?: string;
}

export interface DecisionEvent {
  model: string;
  edge: number;
  teacher: number;
  edge_late?: number;
  edge_offline?: number;
  edge_budget?: number;
  abstain?: number;
  cloud_share?: number;
  p50_us?: number;
  p99_us?: number;
}

export interface SyncEvent {
  uplink: string;
  state: UplinkState['state'];
  backlog_rows: number;
  backlog_bytes: number;
  rate_rows?: number;
  eta_s?: number | null;
}

export interface ValueEvent {
  device: string;
  t: string | number;
  v: Record<string, [Scalar, string | number]>;
}
