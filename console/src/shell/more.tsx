// SPDX-License-Identifier: Apache-2.0
import { duration } from '../format';
import { kRoutes, moreOpen } from '../keys';
import { status } from '../state/lists';
import { theme, type Theme } from '../theme';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { Segmented } from '../ui/parts';

const kThemes: { value: Theme; label: string }[] = [
  { value: 'system', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

/** What does not fit the phone's bottom bar. */
export function More() {
  const node = status.data.value;
  return (
    <Dialog open={moreOpen} title="More" class="sheet">
      <div class="sheet-links">
        {kRoutes
          .filter((route) => route.to === '/data')
          .map((route) => (
            <a key={route.to} href={route.to} onClick={() => (moreOpen.value = false)}>
              <Icon name={route.icon} /> {route.name}
              <span class="muted">SQL, table, chart</span>
            </a>
          ))}
      </div>
      <Segmented
        label="Theme"
        value={theme.value}
        options={kThemes}
        onChange={(value) => (theme.value = value)}
      />
      {node ? (
        <p class="muted">
          {node.node} · {node.version} · up {duration(node.uptime_s)}
        </p>
      ) : null}
    </Dialog>
  );
}
