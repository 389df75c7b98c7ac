// SPDX-License-Identifier: Apache-2.0
import { count, micros, percent } from '../../format';
import type { Model } from '../../net/types';
import { models } from '../../state/lists';
import { decisions } from '../../state/live';
import { PageHead, Panel, Ready } from '../../ui/parts';
import { Empty, Loaded } from '../../ui/states';
import { Table } from '../../ui/table';

/** The list says how a model stood some seconds ago; its decision events are newer. */
export function figuresOf(model: Model) {
  const event = decisions.value.get(model.metadata.name);
  const status = model.status;
  return {
    p50: event?.p50_us ?? status?.p50_us,
    p99: event?.p99_us ?? status?.p99_us,
    cloud: event?.cloud_share ?? status?.cloud_share,
  };
}

function ModelTable({ rows }: { rows: Model[] }) {
  return (
    <Table<Model>
      label="Models"
      rows={rows}
      keyOf={(model) => model.metadata.name}
      columns={[
        {
          head: 'Model',
          lead: true,
          cell: (model) => (
            <a href={`/models/${encodeURIComponent(model.metadata.name)}`}>{model.metadata.name}</a>
          ),
        },
        {
          head: 'State',
          mark: true,
          cell: (model) => <Ready conditions={model.status?.conditions} />,
        },
        { head: 'Version', cell: (model) => model.status?.version ?? '–' },
        { head: 'Task', cell: (model) => model.spec.task ?? '–' },
        {
          head: 'Backend',
          cell: (model) => <span class="tag">{model.status?.backend ?? '–'}</span>,
        },
        { head: 'Runs on', cell: (model) => model.status?.device ?? '–' },
        { head: 'p50', right: true, cell: (model) => micros(figuresOf(model).p50) },
        { head: 'p99', right: true, cell: (model) => micros(figuresOf(model).p99) },
        { head: 'Inferences', right: true, cell: (model) => count(model.status?.inferences) },
        { head: 'Cloud share', right: true, cell: (model) => percent(figuresOf(model).cloud) },
      ]}
    />
  );
}

export function Models() {
  return (
    <div class="page">
      <PageHead title="Models" sub="Each with the device that really runs it." />
      <Panel title="All models" class="bare">
        <Loaded
          from={models}
          empty={(data) =>
            data.items.length === 0 ? (
              <Empty
                icon="model"
                title="No model yet"
                text="Fetch one into the repository; a Model resource then names it."
                command="infiniedge model pull SRC"
              />
            ) : null
          }
        >
          {(data) => <ModelTable rows={data.items} />}
        </Loaded>
      </Panel>
    </div>
  );
}
