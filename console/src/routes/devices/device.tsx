// SPDX-License-Identifier: Apache-2.0
import { count, rate } from '../../format';
import type { Device, PointValue } from '../../net/types';
import { devices } from '../../state/lists';
import { Age, Facts, PageHead, Panel, Ready, readiness } from '../../ui/parts';
import { Loaded, Notice } from '../../ui/states';
import { Table } from '../../ui/table';
import { Charts } from './charts';
import { tableOf } from './series';
import { Last, Quality, Reading, valuesNow } from './value';

type Row = [string, PointValue];

function Points({ device }: { device: Device }) {
  const rows = Object.entries(valuesNow(device));
  if (rows.length === 0) return <p class="muted pad">No value has arrived yet.</p>;
  return (
    <Table<Row>
      label="Points"
      rows={rows}
      keyOf={([name]) => name}
      columns={[
        { head: 'Point', lead: true, cell: ([name]) => name },
        { head: 'Value', right: true, mark: true, cell: ([, value]) => <Reading of={value} /> },
        { head: 'Quality', cell: ([, value]) => <Quality status={value.status} /> },
        { head: 'Age', right: true, cell: ([, value]) => <Age time={value.time} plain /> },
      ]}
    />
  );
}

function Found({ device }: { device: Device }) {
  const state = readiness(device.status?.conditions);
  const name = device.metadata.name;
  return (
    <>
      <PageHead title={name} sub={device.spec.address}>
        <Ready conditions={device.status?.conditions} />
      </PageHead>
      {state.tone === 'good' || !state.why ? null : (
        <p class="why" role="status">
          {state.why}
        </p>
      )}
      <div class="split">
        <div class="split-side">
          <Panel title="Points">
            <Points device={device} />
          </Panel>
          <Panel title="Feed">
            <Facts
              items={[
                { name: 'Connector', value: device.spec.connector ?? '–' },
                { name: 'Rate', value: rate(device.status?.rate) },
                { name: 'Bad samples', value: count(device.status?.bad ?? 0) },
                { name: 'Restarts', value: count(device.status?.restarts ?? 0) },
                { name: 'Last sample', value: <Last device={device} /> },
                {
                  name: 'Stored as',
                  value: (
                    <a href={`/data?table=${encodeURIComponent(tableOf(device))}`}>
                      {tableOf(device)}
                    </a>
                  ),
                },
              ]}
            />
          </Panel>
        </div>
        <Charts device={device} />
      </div>
    </>
  );
}

export function DevicePage({ name }: { name: string }) {
  return (
    <div class="page">
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href="/devices">Devices</a>
      </nav>
      <Loaded from={devices} rows={6}>
        {(data) => {
          const device = data.items.find((item) => item.metadata.name === name);
          if (device) return <Found device={device} />;
          return (
            <Notice icon="device" title={`No device is called ${name}`} testid="missing">
              <p>
                It may have been deleted. <a href="/devices">All devices</a>
              </p>
            </Notice>
          );
        }}
      </Loaded>
    </div>
  );
}
