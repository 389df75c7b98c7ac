// SPDX-License-Identifier: Apache-2.0
import { devices, models, streams } from '../../state/lists';
import { unit } from '../../format';
import { tableOf } from '../devices/series';
import { run, sql } from './state';

interface TableInfo {
  name: string;
  kind: string;
  columns: { name: string; type?: string | undefined; unit?: string | undefined }[];
}

/** What a FROM can name: rows of streams, of devices, and the decisions of each model. */
export function tables(): TableInfo[] {
  const found = new Map<string, TableInfo>();
  const add = (info: TableInfo) => {
    if (!found.has(info.name)) found.set(info.name, info);
  };
  for (const stream of streams.data.value?.items ?? []) {
    add({
      name: stream.metadata.name.replaceAll('-', '_'),
      kind: 'stream',
      // What begins with "_" is the store's own.
      columns: (stream.status?.schema ?? []).filter((column) => !column.name.startsWith('_')),
    });
  }
  for (const model of models.data.value?.items ?? []) {
    if (!model.spec.cascade) continue;
    add({
      name: `${model.metadata.name.replaceAll('-', '_')}__decision`,
      kind: 'decisions',
      columns: [],
    });
  }
  for (const device of devices.data.value?.items ?? []) {
    add({ name: tableOf(device), kind: 'device', columns: device.spec.points ?? [] });
  }
  return [...found.values()];
}

export function newestOf(table: string): string {
  return `SELECT *\nFROM ${table}\nORDER BY ts DESC\nLIMIT 200`;
}

export function Tables() {
  return (
    <nav class="tables" aria-label="Streams to query">
      <ul>
        {tables().map((table) => (
          <li key={table.name}>
            <button
              type="button"
              class="table-name"
              title={`Newest rows of ${table.name}`}
              onClick={() => {
                sql.value = newestOf(table.name);
                void run();
              }}
            >
              <span>{table.name}</span> <span class="muted">{table.kind}</span>
            </button>
            {table.columns.length ? (
              <p class="columns">
                {table.columns.map((column) => (
                  <span key={column.name}>
                    {column.name}
                    {column.unit ? <span class="muted"> {unit(column.unit)}</span> : null}
                  </span>
                ))}
              </p>
            ) : null}
          </li>
        ))}
      </ul>
    </nav>
  );
}
