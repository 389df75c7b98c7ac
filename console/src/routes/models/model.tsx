// SPDX-License-Identifier: Apache-2.0
import { count, micros, percent, value } from '../../format';
import type { Model } from '../../net/types';
import { models } from '../../state/lists';
import { modelHistoryOf } from '../../state/live';
import { Chart } from '../../ui/chart';
import { Facts, PageHead, Panel, Ready, readiness } from '../../ui/parts';
import { Loaded, Notice } from '../../ui/states';
import { Outcomes } from '../overview/side';
import { figuresOf } from './page';

function LatencyChart({ name }: { name: string }) {
  const { p50, p99 } = modelHistoryOf(name);
  void p99.version.value;
  if (p99.t.length < 2) return <p class="muted pad">Latency is drawn from the second answer on.</p>;
  return (
    <Chart
      title={`Latency of ${name}`}
      x={p99.t.map((t) => t / 1000)}
      lines={[
        { name: 'p50', unit: 'µs', values: p50.v },
        { name: 'p99', unit: 'µs', values: p99.v },
      ]}
      height={190}
    />
  );
}

function CloudChart({ name, budget }: { name: string; budget: number | undefined }) {
  const { cloud } = modelHistoryOf(name);
  void cloud.version.value;
  if (cloud.t.length < 2)
    return <p class="muted pad">The share is drawn from the second decision on.</p>;
  const lines = [
    { name: 'cloud share', unit: '%', values: cloud.v.map((v) => (v == null ? null : v * 100)) },
  ];
  if (budget != null)
    lines.push({ name: 'budget', unit: '%', values: cloud.v.map(() => budget * 100) });
  return (
    <Chart
      title={`Cloud share of ${name}`}
      x={cloud.t.map((t) => t / 1000)}
      lines={lines}
      height={190}
    />
  );
}

function Serving({ model }: { model: Model }) {
  const status = model.status;
  const { p50, p99 } = figuresOf(model);
  return (
    <Panel title="Serving">
      <Facts
        items={[
          { name: 'Version', value: status?.version ?? '–' },
          { name: 'State', value: status?.state ?? '–' },
          { name: 'Backend', value: status?.backend ?? '–' },
          {
            name: 'Runs on',
            value: status?.device ?? '–',
            title: 'The device whose counters moved',
          },
          { name: 'p50', value: micros(p50) },
          { name: 'p99', value: micros(p99) },
          { name: 'Inferences', value: count(status?.inferences) },
          ...(status?.batch_mean == null
            ? []
            : [{ name: 'Mean batch', value: value(status.batch_mean) }]),
          { name: 'Task', value: model.spec.task ?? '–' },
          { name: 'Source', value: <code>{model.spec.source ?? '–'}</code> },
        ]}
      />
    </Panel>
  );
}

function Cascade({ model }: { model: Model }) {
  const status = model.status;
  const cascade = model.spec.cascade;
  if (!cascade && status?.threshold == null) {
    return (
      <Panel title="Cascade">
        <p class="muted pad">Every answer stays here: this model names no teacher.</p>
      </Panel>
    );
  }
  return (
    <Panel title="Cascade">
      <Facts
        items={[
          { name: 'Teacher', value: cascade?.teacher ?? '–' },
          { name: 'Cloud share', value: percent(figuresOf(model).cloud) },
          { name: 'Budget', value: percent(cascade?.budget?.share, 0) },
          { name: 'Budget left', value: value(status?.budget_left) },
          { name: 'Accept from score', value: value(status?.threshold) },
          ...(cascade?.risk == null
            ? []
            : [{ name: 'Risk bound', value: percent(cascade.risk) }]),
          { name: 'Answered here', value: count(status?.edge) },
          { name: 'Escalated', value: count(status?.escalated) },
          { name: 'Offline', value: cascade?.offline ?? 'answer' },
        ]}
      />
    </Panel>
  );
}

function Found({ model }: { model: Model }) {
  const name = model.metadata.name;
  const state = readiness(model.status?.conditions);
  const classes = model.spec.classes ?? [];
  return (
    <>
      <PageHead title={name} sub={classes.length ? classes.join(', ') : undefined}>
        <Ready conditions={model.status?.conditions} />
      </PageHead>
      {state.tone === 'good' || !state.why ? null : (
        <p class="why" role="status">
          {state.why}
        </p>
      )}
      <div class="split">
        <div class="split-side">
          <Serving model={model} />
          <Cascade model={model} />
        </div>
        <div class="split-main">
          <Panel title="Where answers came from">
            <Outcomes model={name} />
          </Panel>
          <Panel title="Latency">
            <LatencyChart name={name} />
          </Panel>
          <Panel title="Cloud share">
            <CloudChart name={name} budget={model.spec.cascade?.budget?.share} />
          </Panel>
        </div>
      </div>
    </>
  );
}

export function ModelPage({ name }: { name: string }) {
  return (
    <div class="page">
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href="/models">Models</a>
      </nav>
      <Loaded from={models} rows={6}>
        {(data) => {
          const model = data.items.find((item) => item.metadata.name === name);
          if (model) return <Found model={model} />;
          return (
            <Notice icon="model" title={`No model is called ${name}`} testid="missing">
              <p>
                It may have been deleted. <a href="/models">All models</a>
              </p>
            </Notice>
          );
        }}
      </Loaded>
    </div>
  );
}
