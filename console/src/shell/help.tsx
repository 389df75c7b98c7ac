// SPDX-License-Identifier: Apache-2.0
import { helpOpen, kRoutes, singleKeys } from '../keys';
import { Dialog } from '../ui/dialog';

const kKeys: [string[], string][] = [
  [['/'], 'Search'],
  [['?'], 'This list'],
  [['Esc'], 'Close'],
  [['Ctrl', 'Enter'], 'Run the query'],
  [['←', '→'], 'Move the cursor of a chart'],
];

export function Help() {
  return (
    <Dialog open={helpOpen} title="Keyboard" class="help">
      <dl class="keys">
        {kRoutes.map((route) => (
          <div key={route.key}>
            <dt>
              <kbd>g</kbd> <kbd>{route.key}</kbd>
            </dt>
            <dd>{route.name}</dd>
          </div>
        ))}
        {kKeys.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={singleKeys.value}
          onChange={(event) => (singleKeys.value = event.currentTarget.checked)}
        />
        Single keys are on
      </label>
    </Dialog>
  );
}
