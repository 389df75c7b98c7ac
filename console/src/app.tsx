// SPDX-License-Identifier: Apache-2.0
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { kRoutes } from './keys';
import { signedIn } from './net/api';
import { parts } from './router';
import { Overview } from './routes/overview/page';
import { openAlarms, status } from './state/lists';
import { Shell } from './shell/shell';
import { SignIn } from './shell/signin';
import { Notice, Skeleton } from './ui/states';

type Page = ComponentType<{ name: string }>;

// On demand: the first page must not wait for charts and SQL.
const kPages: Record<string, () => Promise<Page>> = {
  devices: () => import('./routes/devices/page').then((m) => m.Devices),
  device: () => import('./routes/devices/device').then((m) => m.DevicePage),
  models: () => import('./routes/models/page').then((m) => m.Models),
  model: () => import('./routes/models/model').then((m) => m.ModelPage),
  data: () => import('./routes/data/page').then((m) => m.Data),
  alarms: () => import('./routes/alarms/page').then((m) => m.Alarms),
};

const loaded = new Map<string, Page>();

function pageKey(route: string, name: string | undefined): string {
  if (!name) return route;
  return route === 'devices' ? 'device' : route === 'models' ? 'model' : 'none';
}

function OnDemand({ page, name }: { page: string; name: string }) {
  const [, redraw] = useState(0);
  const [failed, setFailed] = useState(false);
  const Ready = loaded.get(page);
  useEffect(() => {
    if (loaded.has(page)) return;
    kPages[page]?.().then(
      (component) => {
        loaded.set(page, component);
        redraw((n) => n + 1);
      },
      () => setFailed(true),
    );
  }, [page]);
  if (Ready) return <Ready key={`${page}/${name}`} name={name} />;
  if (!failed) return <Skeleton rows={6} />;
  return (
    <Notice icon="offline" title="This page could not be loaded" tone="bad" testid="offline">
      <p>The node did not send it: it is down, or was updated. Reload once it is back.</p>
    </Notice>
  );
}

function Route() {
  const [route = '', name] = parts.value;
  if (route === '') return <Overview />;
  const key = pageKey(route, name);
  if (kPages[key] && parts.value.length <= 2) return <OnDemand page={key} name={name ?? ''} />;
  return (
    <Notice icon="search" title="Nothing is at this address" testid="missing">
      <p>
        The console has no page <code>/{parts.value.join('/')}</code>.{' '}
        <a href="/">Go to the overview</a>
      </p>
    </Notice>
  );
}

function useTitle(): void {
  const [route = '', name] = parts.value;
  const page = name ?? kRoutes.find((item) => item.to === `/${route}`)?.name ?? 'Not found';
  const open = openAlarms.value.length;
  const node = status.data.value?.node;
  const title = [open ? `(${open}) ${page}` : page, node, 'InfiniEdge'].filter(Boolean).join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
}

export function App() {
  useTitle();
  if (!signedIn.value) return <SignIn />;
  return (
    <Shell>
      <Route />
    </Shell>
  );
}
