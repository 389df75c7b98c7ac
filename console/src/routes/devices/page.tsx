// SPDX-License-Identifier: Apache-2.0
import { useSignal } from '@preact/signals';
import { count, rate } from '../../format';
import type { Device } from '../../net/types';
import { devices } from '../../state/lists';
import { PageHead, Panel, Ready, readiness } from '../../ui/parts';
import { Empty, Loaded } from '../../ui/states';
import { Table } from '../../ui/table';
import { Last, Reading, valuesNow } from './value';

const kShown = 3;

function Values({ device }: { device: Device }) {
  const entries = Object.entries(valuesNow(device));
  if (entries.length === 0) return <span class="muted">no value yet</span>;
  return (
    <span class="values">
      {entries.slice(0, kShown).map(([name, value]) => (
        <span key={name} class="value-chip">
          <span class="muted">{name}</span> <Reading of={value} />
        </span>
      ))}
      {entries.length > kShown ? <span class="muted">+{entries.length - kShown}</span> : null}
    </span>
  );
}

function DeviceTable({ rows }: { rows: Device[] }) {
  return (
    <Table<Device>
      label="Devices"
      rows={rows}
      keyOf={(device) => device.metadata.name}
      columns={[
        {
          head: 'Device',
          lead: true,
          cell: (device) => (
            <a href={`/devices/${encodeURIComponent(device.metadata.name)}`}>
              {device.metadata.name}
            </a>
          ),
        },
        {
          head: 'State',
          mark: true,
          cell: (device) => (
            <span title={readiness(device.status?.conditions).why}>
              <Ready conditions={device.status?.conditions} />
            </span>
          ),
        },
        {
          head: 'Connector',
          cell: (device) => <span class="tag">{device.spec.connector ?? '–'}</span>,
        },
        { head: 'Values', wide: true, cell: (device) => <Values device={device} /> },
        { head: 'Last', right: true, cell: (device) => <Last device={device} /> },
        { head: 'Rate', right: true, cell: (device) => rate(device.status?.rate) },
        {
          head: 'Bad',
          right: true,
          cell: (device) => (
            <span class={device.status?.bad ? 'bad-text' : ''}>
              {count(device.status?.bad ?? 0)}
            </span>
          ),
        },
        { head: 'Restarts', right: true, cell: (device) => count(device.status?.restarts ?? 0) },
      ]}
    />
  );
}

function sick(device: Device): number {
  return readiness(device.status?.conditions).tone === 'good' ? 1 : 0;
}

export function Devices() {
  const text = useSignal('');
  const items = devices.data.value?.items ?? [];
  const found = items.filter((device) =>
    device.metadata.name.includes(text.value.trim().toLowerCase()),
  );
  // Those that need a look come first.
  const rows = [...found].sort((a, b) => sick(a) - sick(b));
  const ready = items.filter((device) => sick(device) === 1).length;
  return (
    <div class="page">
      <PageHead
        title="Devices"
        sub={items.length ? `${ready} of ${items.length} ready` : undefined}
      >
        {items.length > 8 ? (
          <input
            class="filter"
            type="search"
            placeholder="Filter by name"
            aria-label="Filter devices by name"
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
        ) : null}
      </PageHead>
      <Panel title="All devices" class="bare">
        <Loaded
          from={devices}
          rows={6}
          empty={(data) =>
            data.items.length === 0 ? (
              <Empty
                icon="device"
                title="No device yet"
                text="Scan a network; the output is a file that is ready to apply."
                command="infiniedge device scan modbus 10.0.0.0/24 > site.yaml"
              />
            ) : null
          }
        >
          {() => <DeviceTable rows={rows} />}
        </Loaded>
      </Panel>
    </div>
  );
}
