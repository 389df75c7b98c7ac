// SPDX-License-Identifier: Apache-2.0
import { useEffect } from 'preact/hooks';
import { devices, streams } from '../../state/lists';
import { PageHead, Panel } from '../../ui/parts';
import { Empty, Failure, Loaded, Skeleton } from '../../ui/states';
import { Editor, SqlError } from './editor';
import { Result } from './result';
import { problem, result, run, running, sql } from './state';
import { newestOf, Tables, tables } from './tables';

/** A link may name a stream: its newest rows are what the reader came for. */
function useLink(): void {
  useEffect(() => {
    const table = new URLSearchParams(location.search).get('table');
    if (!table) return;
    sql.value = newestOf(table.replaceAll('-', '_'));
    history.replaceState(null, '', '/data');
    void run();
  }, []);
}

function Answer() {
  const wrong = problem.value;
  const found = result.value;
  if (running.value && !found) return <Skeleton rows={6} />;
  if (wrong) {
    if (wrong.code === 'Cancelled') return <p class="muted pad">Cancelled.</p>;
    if (wrong.status === 400 || wrong.status === 404) return <SqlError of={wrong} />;
    return <Failure problem={wrong} retry={() => void run()} />;
  }
  if (!found) {
    const first = tables()[0]?.name;
    return (
      <p class="muted pad hint">
        {first
          ? 'Pick a stream for its newest rows, or write a query. Answers with a time column are drawn.'
          : 'Write a query; one SELECT, read-only.'}
      </p>
    );
  }
  return (
    <div class={running.value ? 'busy' : ''} aria-busy={running.value}>
      <Result result={found} />
    </div>
  );
}

export function Data() {
  useLink();
  return (
    <div class="page data">
      <PageHead title="Data" sub="Every stream the node keeps, in SQL. Read-only." />
      <div class="split narrow">
        <Panel title="Streams" class="tables-panel">
          <Loaded
            from={devices}
            empty={() =>
              tables().length === 0 && streams.data.value ? (
                <Empty
                  icon="data"
                  title="Nothing is kept yet"
                  text="Rows of each device and stream are kept as they come. Start with the demonstration:"
                  command="infiniedge demo"
                />
              ) : null
            }
          >
            {() => <Tables />}
          </Loaded>
        </Panel>
        <div class="split-main">
          <Panel title="Query" class="bare">
            <Editor />
          </Panel>
          <Answer />
        </div>
      </div>
    </div>
  );
}
