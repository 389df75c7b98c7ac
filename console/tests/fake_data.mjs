// SPDX-License-Identifier: Apache-2.0
// Invented figures of a small site: four plugs, two streams, a student and its teacher.

const started = Date.now() - 754_000;
const plugs = ['plug-1', 'plug-2', 'plug-3', 'plug-4'];
const iso = (ms) => new Date(ms).toISOString();
const wave = (seed, t = Date.now()) =>
  Math.sin(t / 9000 + seed * 2) + 0.3 * Math.sin(t / 1700 + seed);
const power = (i, t = Date.now()) => Math.max(0, [42, 1840, 620, 9][i] * (1 + 0.12 * wave(i, t)));
const elapsed = () => (Date.now() - started) / 1000;
const ready = (ok = true, reason, message) => ({
  conditions: [
    {
      type: 'Ready',
      status: ok ? 'True' : 'False',
      reason,
      message,
      lastTransitionTime: iso(started),
    },
  ],
});

export const status = () => ({
  node: 'edge-01',
  role: 'node',
  version: '0.1.0',
  started: iso(started),
  uptime_s: elapsed(),
  ready: true,
  rss_bytes: 31e6,
  health: { ok: true, reasons: [] },
  first_inference: {
    time: iso(started + 2140),
    model: 'appliance',
    label: 'Hairdryer',
    score: 0.973,
    device: 'plug-2',
  },
  cloud_share: 0.081,
  counts: {
    devices: 5,
    devices_ready: 4,
    streams: 2,
    models: 1,
    alarms_open: alarms.filter((a) => a.state === 'open').length,
  },
  store: { rows: Math.round(18420 + elapsed() * 4), disk_bytes: 1_840_000 },
  uplinks: [
    {
      name: 'site-hub',
      to: 'hub',
      state: 'connected',
      backlog_rows: 12,
      backlog_bytes: 2210,
      acked_seq: 18400,
    },
  ],
  nodes: [],
});

const nodes = [
  ...plugs.map((name) => ({ id: `device/${name}`, kind: 'device', name, ready: true })),
  { id: 'device/boiler', kind: 'device', name: 'boiler', ready: false },
  { id: 'stream/appliance-events', kind: 'stream', name: 'appliance-events', ready: true },
  { id: 'stream/heater-watch', kind: 'stream', name: 'heater-watch', ready: true },
  { id: 'model/appliance', kind: 'model', name: 'appliance', ready: true },
  { id: 'decision/appliance/accept', kind: 'decision', name: 'accept', ready: true },
  { id: 'decision/appliance/escalate', kind: 'decision', name: 'escalate', ready: true },
  { id: 'store/local', kind: 'store', name: 'store', ready: true },
  { id: 'uplink/site-hub', kind: 'uplink', name: 'site-hub', ready: true },
  { id: 'hub/site-hub', kind: 'hub', name: 'hub-01', ready: true },
];

const links = [
  ...plugs.map((name, i) => [`device/${name}`, 'stream/appliance-events', 1 + 0.2 * i]),
  ['device/plug-2', 'stream/heater-watch', 1],
  ['device/boiler', 'stream/heater-watch', 0],
  ['stream/appliance-events', 'model/appliance', 0.9],
  ['model/appliance', 'decision/appliance/accept', 0.83],
  ['model/appliance', 'decision/appliance/escalate', 0.07],
  ['decision/appliance/accept', 'store/local', 0.83],
  ['decision/appliance/escalate', 'hub/site-hub', 0.07],
  ['stream/heater-watch', 'store/local', 2],
  ['store/local', 'uplink/site-hub', 2.8],
  ['uplink/site-hub', 'hub/site-hub', 2.8],
];

const edges = () =>
  links.map(([from, to, rate], i) => ({
    from,
    to,
    rate: rate === 0 ? 0 : Math.max(0.01, rate * (1 + 0.15 * wave(i))),
    p99_ms: 0.2 + 0.05 * i,
    dropped: 0,
    queue: 0,
  }));

export const graph = () => ({ nodes, edges: edges() });
export const flow = () => ({ edges: edges() });

export const decision = () => ({
  model: 'appliance',
  edge: Math.round(elapsed() * 0.83),
  teacher: Math.round(elapsed() * 0.07),
  edge_late: 2,
  edge_offline: 0,
  edge_budget: 11,
  abstain: 0,
  cloud_share: 0.075 + 0.008 * wave(3),
  p50_us: 38 + 3 * wave(1),
  p99_us: 121 + 18 * wave(2),
});

export const sync = () => ({
  uplink: 'site-hub',
  state: 'connected',
  backlog_rows: Math.round(12 + 10 * (1 + wave(4))),
  backlog_bytes: 2210,
  rate_rows: 4.2,
  eta_s: 3,
});

export function* values(which) {
  for (const [i, device] of plugs.entries()) {
    if (which !== '*' && which !== device) continue;
    const watts = power(i);
    yield {
      device,
      t: iso(Date.now()),
      v: {
        power: [Number(watts.toFixed(2)), 'good'],
        voltage: [229.8 + wave(i), i === 3 ? 'uncertain' : 'good'],
      },
    };
  }
}

const points = [
  { name: 'power', unit: 'W', type: 'float64', range: [0, 3680] },
  { name: 'voltage', unit: 'V', type: 'float64' },
  { name: 'waveform', type: 'bytes' },
];

export const devices = () => [
  ...plugs.map((name, i) => ({
    apiVersion: 'infiniedge.io/v1',
    kind: 'Device',
    metadata: { name },
    spec: { connector: 'mqtt', address: 'mqtt://127.0.0.1:1883', points },
    status: {
      ...ready(),
      rate: 1 + 0.2 * i,
      bad: i === 3 ? 7 : 0,
      last: iso(Date.now() - 400),
      restarts: 0,
      values: {
        power: { value: power(i), status: 'good', time: iso(Date.now() - 400), unit: 'W' },
      },
    },
  })),
  {
    apiVersion: 'infiniedge.io/v1',
    kind: 'Device',
    metadata: { name: 'boiler' },
    spec: {
      connector: 'modbus',
      address: 'tcp://10.0.0.21:502',
      points: [{ name: 'flow_temp', unit: 'Cel' }],
    },
    status: {
      ...ready(false, 'Unavailable', 'connection refused by 10.0.0.21:502; next try in 14 s'),
      rate: 0,
      bad: 0,
      restarts: 9,
      values: {},
    },
  },
];

export const streams = () => [
  {
    kind: 'Stream',
    metadata: { name: 'appliance-events' },
    spec: { sql: 'SELECT …' },
    status: {
      ...ready(),
      rate: 0.9,
      schema: [
        { name: 'label', type: 'string' },
        { name: 'score', type: 'float64' },
        { name: 'power', type: 'float64', unit: 'W' },
      ],
    },
  },
  {
    kind: 'Stream',
    metadata: { name: 'heater-watch' },
    spec: {},
    status: { ...ready(), schema: [{ name: 'on_time', type: 'float64', unit: 's' }] },
  },
];

export const models = () => [
  {
    kind: 'Model',
    metadata: { name: 'appliance' },
    spec: {
      source: 'file:models/appliance',
      task: 'classify',
      classes: [
        'Air conditioner',
        'Fan',
        'Fridge',
        'Hairdryer',
        'Heater',
        'Laptop',
        'Microwave',
        'Vacuum',
      ],
      cascade: {
        teacher: 'hub:appliance-large',
        risk: 0.02,
        budget: { share: 0.1, burst: 20 },
        offline: 'answer',
      },
    },
    status: {
      ...ready(),
      version: '3',
      state: 'READY',
      backend: 'onnxruntime',
      device: 'cpu',
      p50_us: 38,
      p99_us: 121,
      inferences: Math.round(elapsed() * 0.9),
      batch_mean: 1.08,
      cloud_share: 0.081,
      escalated: 52,
      edge: 640,
      threshold: 0.82,
      budget_left: 17.4,
    },
  },
];

export const alarms = [
  {
    id: 'a-3',
    time: iso(Date.now() - 64_000),
    stream: 'heater-watch',
    severity: 'critical',
    text: 'Heater on plug-2 has been on for 42 min',
    state: 'open',
    count: 1,
  },
  {
    id: 'a-2',
    time: iso(Date.now() - 320_000),
    stream: 'heater-watch',
    severity: 'warning',
    text: 'Power of plug-3 above 600 W',
    state: 'open',
    count: 4,
  },
  {
    id: 'a-1',
    time: iso(Date.now() - 700_000),
    stream: 'appliance-events',
    severity: 'info',
    text: 'New appliance seen on plug-4',
    state: 'closed',
    count: 1,
  },
];

function series(columns, seconds, step, rowOf) {
  const rows = [];
  for (let t = Date.now() - seconds * 1000; t < Date.now(); t += step * 1000)
    rows.push(...rowOf(t));
  return { columns, rows, truncated: false, elapsed_ms: 3.4 };
}

export function query(sql) {
  const wrong = /\b(FORM|frm|SELEC|plug_9)\b/.exec(sql);
  if (wrong) {
    const before = sql.slice(0, wrong.index).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    const suggestion = { FORM: 'FROM', frm: 'FROM', SELEC: 'SELECT', plug_9: 'plug_1' }[wrong[1]];
    return {
      errors: [
        {
          line: before.length,
          column,
          end: column + wrong[1].length,
          severity: 'error',
          id: 'R002',
          message: `unknown name "${wrong[1]}"`,
          suggestion,
          help: 'infiniedge sql "SELECT * FROM streams"',
        },
      ],
    };
  }
  if (/time_bucket/.test(sql)) {
    const step = Number(/INTERVAL '(\d+)/.exec(sql)?.[1] ?? 2);
    const from = Date.parse(/TIMESTAMP '([^']+)'/.exec(sql)?.[1].replace(' ', 'T') + 'Z');
    const i = plugs.findIndex((name) => sql.includes(`'${name}'`));
    const heads = ['t', 'a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name, type: 'DOUBLE' }));
    return series(heads, (Date.now() - from) / 1000, step, (t) => {
      const watts = power(Math.max(0, i), t);
      return [[iso(t), watts, watts * 0.93, watts * 1.08, 230 + wave(i, t), 229, 231]];
    });
  }
  if (/count/i.test(sql)) {
    const columns = [
      { name: 'label', type: 'VARCHAR' },
      { name: 'n', type: 'BIGINT' },
    ];
    return {
      columns,
      rows: [
        ['Laptop', 212],
        ['Fridge', 171],
        ['Hairdryer', 96],
        ['Heater', 61],
        ['Fan', 40],
      ],
      elapsed_ms: 1.9,
    };
  }
  const columns = [
    { name: 'ts', type: 'TIMESTAMP' },
    { name: 'device', type: 'VARCHAR' },
    { name: '_seq', type: 'UBIGINT' },
    { name: 'power', type: 'DOUBLE' },
  ];
  let seq = 18000;
  return series(columns, 120, 2, (t) =>
    plugs.slice(0, 3).map((device, i) => [iso(t), device, seq++, power(i, t)]),
  );
}
