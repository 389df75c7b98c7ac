// SPDX-License-Identifier: Apache-2.0
import { useSignal } from '@preact/signals';
import { alarms } from '../../state/lists';
import { PageHead, Panel, Segmented } from '../../ui/parts';
import { Empty, Loaded } from '../../ui/states';
import { AlarmRows } from './rows';

type Show = 'open' | 'acknowledged' | 'closed' | 'all';

const kNoneOf: Record<Show, string> = {
  open: 'No alarm is open.',
  acknowledged: 'No alarm is being looked at.',
  closed: 'No alarm has closed yet.',
  all: 'No alarm so far.',
};

export function Alarms() {
  const show = useSignal<Show>('open');
  const items = alarms.data.value?.items ?? [];
  const of = (state: Show) =>
    state === 'all' ? items : items.filter((alarm) => alarm.state === state);
  const option = (value: Show, word: string) => ({ value, label: `${word} ${of(value).length}` });
  return (
    <div class="page">
      <PageHead
        title="Alarms"
        sub="Raised by the rules of streams; closed when their condition ends."
      >
        <Segmented
          label="Show alarms"
          value={show.value}
          options={[
            option('open', 'Open'),
            option('acknowledged', 'Acknowledged'),
            option('closed', 'Closed'),
            option('all', 'All'),
          ]}
          onChange={(value) => (show.value = value)}
        />
      </PageHead>
      <Panel title="Alarm list" class="bare">
        <Loaded
          from={alarms}
          empty={(data) =>
            data.items.length === 0 ? (
              <Empty
                icon="alarm"
                title="No alarm so far"
                text="A stream raises one with act: alarm. See the fields:"
                command="infiniedge explain Stream.act.alarm"
              />
            ) : null
          }
        >
          {() => (
            <AlarmRows
              rows={[...of(show.value)].sort((a, b) => b.time.localeCompare(a.time))}
              none={kNoneOf[show.value]}
            />
          )}
        </Loaded>
      </Panel>
    </div>
  );
}
