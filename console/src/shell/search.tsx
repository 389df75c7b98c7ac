// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'preact/hooks';
import { kRoutes, searchOpen } from '../keys';
import { navigate } from '../router';
import { devices, models } from '../state/lists';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';

interface Hit {
  to: string;
  name: string;
  kind: string;
  icon: string;
}

const kMax = 12;

function everything(): Hit[] {
  const hits: Hit[] = kRoutes.map((route) => ({
    to: route.to,
    name: route.name,
    kind: 'page',
    icon: route.icon,
  }));
  const add = (list: { metadata: { name: string } }[] | undefined, kind: 'device' | 'model') => {
    for (const item of list ?? []) {
      const name = item.metadata.name;
      hits.push({ to: `/${kind}s/${encodeURIComponent(name)}`, name, kind, icon: kind });
    }
  };
  add(devices.data.value?.items, 'device');
  add(models.data.value?.items, 'model');
  return hits;
}

function matching(text: string): Hit[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return everything()
    .filter((hit) => words.every((word) => `${hit.kind} ${hit.name}`.toLowerCase().includes(word)))
    .slice(0, kMax);
}

function Box() {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const hits = matching(text);
  useEffect(() => {
    void devices.load();
    void models.load();
  }, []);
  const go = (hit: Hit | undefined) => {
    if (!hit) return;
    searchOpen.value = false;
    navigate(hit.to);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) setAt((at + step + hits.length) % Math.max(1, hits.length));
    else if (event.key === 'Enter') go(hits[at]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div class="search-box">
        <Icon name="search" />
        <input
          autofocus
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls="hits"
          aria-activedescendant={hits[at] ? `hit-${at}` : undefined}
          aria-label="Search pages, devices and models"
          placeholder="Devices, models, pages"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={onKey}
        />
        <kbd>Esc</kbd>
      </div>
      <div id="hits" role="listbox" aria-label="Results" class="hits">
        {hits.map((hit, i) => (
          <div
            key={hit.to}
            id={`hit-${i}`}
            role="option"
            aria-selected={i === at}
            onClick={() => go(hit)}
            onMouseEnter={() => setAt(i)}
          >
            <Icon name={hit.icon} /> <span>{hit.name}</span> <span class="muted">{hit.kind}</span>
          </div>
        ))}
      </div>
      {hits.length === 0 ? <p class="muted none">Nothing is called “{text}”.</p> : null}
    </>
  );
}

export function Search() {
  return (
    <Dialog open={searchOpen} title="Search" class="search" bare>
      <Box />
    </Dialog>
  );
}
