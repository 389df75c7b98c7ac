// SPDX-License-Identifier: Apache-2.0
// Weighs dist/ as the binary will carry it (one gzip copy) and fails the build over the budget.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const kFirstPage = 80_000;
const kAll = 300_000;
// Loaded on demand, yet drawn on the first page: they count.
const kFirstPageDynamic = ['src/routes/overview/layout.ts'];

const dist = new URL('../dist', import.meta.url).pathname;
const manifestDir = join(dist, '.vite');
const manifest = JSON.parse(readFileSync(join(manifestDir, 'manifest.json'), 'utf8'));
rmSync(manifestDir, { recursive: true });

function filesOf(key, seen = new Set()) {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`budget: "${key}" is not in the manifest; rename it here too`);
  if (seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const css of chunk.css ?? []) seen.add(css);
  for (const next of chunk.imports ?? []) filesOf(next, seen);
  return seen;
}

const first = filesOf('index.html');
for (const key of kFirstPageDynamic) filesOf(key, first);
for (const name of ['index.html', 'theme.js', 'favicon.svg']) first.add(name);

const rows = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(dist, join(entry.parentPath ?? entry.path, entry.name)))
  .map((name) => ({ name, gzip: gzipSync(readFileSync(join(dist, name)), { level: 9 }).length }))
  .sort((a, b) => b.gzip - a.gzip);

const sum = (list) => list.reduce((total, row) => total + row.gzip, 0);
const firstBytes = sum(rows.filter((row) => first.has(row.name)));
const allBytes = sum(rows);
const kB = (bytes) => (bytes / 1000).toFixed(1).padStart(7);
for (const row of rows)
  console.log(`${kB(row.gzip)} kB ${first.has(row.name) ? '*' : ' '} ${row.name}`);
console.log(`${kB(firstBytes)} kB gzip, first page (*), budget ${kFirstPage / 1000}`);
console.log(`${kB(allBytes)} kB gzip, all, budget ${kAll / 1000}`);
if (firstBytes > kFirstPage || allBytes > kAll) {
  console.error('budget: over; load more on demand or take something out');
  process.exit(1);
}
