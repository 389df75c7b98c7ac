// SPDX-License-Identifier: Apache-2.0
import { stored } from '../../storage';
import { alarms, graph, openAlarms, status } from '../../state/lists';
import { PageHead, Panel, Segmented } from '../../ui/parts';
import { Empty, Loaded } from '../../ui/states';
import { AlarmRows } from '../alarms/rows';
import { Flow } from './flow';
import { FlowList } from './flow_list';
import { First, Nodes, Outcomes } from './side';
import { Tiles } from './tiles';

const view = stored<'graph' | 'list'>('flow-view', 'graph');

function FlowPanel() {
  const aside = (
    <Segmented
      label="Show the flow as"
      value={view.value}
      options={[
        { value: 'graph', label: 'Graph' },
        { value: 'list', label: 'List' },
      ]}
      onChange={(value) => (view.value = value)}
    />
  );
  return (
    <Panel title="Flow" aside={aside} class="flow-panel">
      <Loaded
        from={graph}
        rows={5}
        empty={(data) =>
          data.nodes.length === 0 ? (
            <Empty
              icon="overview"
              title="Nothing flows yet"
              text="Apply a file with a device, or start the demonstration; the graph grows as parts come up."
              command="infiniedge apply -f site.yaml"
            />
          ) : null
        }
      >
        {(data) => (view.value === 'graph' ? <Flow graph={data} /> : <FlowList graph={data} />)}
      </Loaded>
    </Panel>
  );
}

export function Overview() {
  return (
    <div class="page overview">
      <PageHead title="Overview" />
      <Loaded from={status} rows={2}>
        {(node) => <Tiles node={node} />}
      </Loaded>
      <FlowPanel />
      {status.data.value?.role === 'hub' ? <Nodes nodes={status.data.value.nodes ?? []} /> : null}
      <div class="row-3">
        <Panel title="Open alarms" aside={<a href="/alarms">All alarms</a>} class="alarm-panel">
          <Loaded from={alarms} rows={2}>
            {() => <AlarmRows rows={openAlarms.value.slice(0, 5)} none="No alarm is open." />}
          </Loaded>
        </Panel>
        <Panel title="Where answers came from">
          <Outcomes />
        </Panel>
        {status.data.value ? <First node={status.data.value} /> : null}
      </div>
    </div>
  );
}
