// SPDX-License-Identifier: Apache-2.0
// A stand-in for the node while the console is drawn: invented figures, the node's routes and
// headers. The acceptance tests run against the real binary.
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import {
  alarms,
  devices,
  flow,
  graph,
  models,
  query,
  status,
  streams,
  sync,
  decision,
  values,
} from './fake_data.mjs';

const dist = new URL('../dist', import.meta.url).pathname;
const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const kHeaders = {
  'Content-Security-Policy': "default-src 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
};
const kToken = 'fake-link-token-000001';
const kCookie = 'infiniedge_fake=1';

function json(response, code, body, type = 'application/json') {
  response.writeHead(code, { ...kHeaders, 'Content-Type': type });
  response.end(JSON.stringify(body));
}

function problem(response, code, title, detail, errors) {
  json(
    response,
    code,
    { title, status: code, detail, code: title, errors },
    'application/problem+json',
  );
}

async function bodyOf(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

function sendFile(response, path) {
  const wanted = normalize(join(dist, path));
  const file =
    wanted.startsWith(dist) && extname(wanted) && existsSync(wanted)
      ? wanted
      : join(dist, 'index.html');
  response.writeHead(200, {
    ...kHeaders,
    'Content-Type': kTypes[extname(file)] ?? 'application/octet-stream',
  });
  createReadStream(file).pipe(response);
}

function events(response, topics) {
  response.writeHead(200, {
    ...kHeaders,
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
  });
  response.write('retry: 2000\n\n');
  const send = (name, data) => response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  const tick = () => {
    send('flow', flow());
    send('decision', decision());
    send('sync', sync());
    for (const topic of topics) {
      if (!topic.startsWith('value/')) continue;
      for (const value of values(topic.slice(6))) send('value', value);
    }
  };
  tick();
  const timer = setInterval(tick, 1000);
  response.on('close', () => clearInterval(timer));
}

const list = (kind, items) => ({ kind: `${kind}List`, metadata: { resourceVersion: '1' }, items });

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1');
  const path = url.pathname;
  if (path === '/api/v1/session') {
    if ((await bodyOf(request)).token !== kToken)
      return problem(response, 401, 'Denied', 'The link was used.');
    response.writeHead(204, { 'Set-Cookie': `${kCookie}; HttpOnly; SameSite=Strict; Path=/` });
    return response.end();
  }
  if (!path.startsWith('/api/') && path !== '/v1/query') return sendFile(response, path);
  if (!(request.headers.cookie ?? '').includes(kCookie))
    return problem(response, 401, 'Denied', 'No session.');
  if (path === '/api/v1/events')
    return events(response, (url.searchParams.get('topics') ?? '').split(','));
  if (path === '/v1/query') {
    const answer = query((await bodyOf(request)).sql);
    return answer.errors
      ? problem(response, 400, 'Invalid', answer.errors[0].message, answer.errors)
      : json(response, 200, answer);
  }
  const ack = /^\/api\/v1\/alarms\/(.+)\/ack$/.exec(path);
  if (ack) {
    const alarm = alarms.find((item) => item.id === ack[1]);
    if (!alarm) return problem(response, 404, 'NotFound', `no alarm ${ack[1]}`);
    alarm.state = 'acknowledged';
    response.writeHead(204);
    return response.end();
  }
  const routes = {
    '/api/v1/status': status,
    '/api/v1/graph': graph,
    '/api/v1/devices': () => list('Device', devices()),
    '/api/v1/streams': () => list('Stream', streams()),
    '/api/v1/models': () => list('Model', models()),
    '/api/v1/uplinks': () => list('Uplink', []),
    '/api/v1/alarms': () => ({ items: alarms }),
  };
  const route = routes[path];
  return route
    ? json(response, 200, route())
    : problem(response, 404, 'NotFound', `no route ${path}`);
});

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/#t=${kToken}`);
});
