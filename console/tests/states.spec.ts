// SPDX-License-Identifier: Apache-2.0
// The states of each route, made by changing the node's answers on their way to the page.
import type { Page } from '@playwright/test';
import {
  expect,
  expectAccessible,
  expectNoSidewaysScroll,
  forgiveNetwork,
  shot,
  test,
  theme,
} from './console';

const kLists = [
  { path: '/devices', api: '**/api/v1/devices*' },
  { path: '/models', api: '**/api/v1/models*' },
  { path: '/alarms', api: '**/api/v1/alarms' },
];

async function answer(page: Page, url: string, status: number, body: unknown): Promise<void> {
  await page.route(url, (route) =>
    route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) }),
  );
}

for (const { path, api } of kLists) {
  test(`${path} empty names the command that fills it`, async ({ page }) => {
    await answer(page, api, 200, { kind: 'List', items: [] });
    await page.goto(path);
    await expect(page.getByTestId('empty')).toContainText('infiniedge ');
    await shot(page, `empty${path.replace('/', '-')}`);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  });

  test(`${path} in error tells detail and fix`, async ({ page, watched }) => {
    await answer(page, api, 503, {
      title: 'Unavailable',
      status: 503,
      detail: 'store is replaying its log',
      code: 'Unavailable',
    });
    await page.goto(path);
    await expect(page.getByTestId('error')).toContainText('store is replaying its log');
    await shot(page, `error${path.replace('/', '-')}`);
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
    await expectAccessible(page);
    forgiveNetwork(watched);
  });

  test(`${path} without permission says which role`, async ({ page, watched }) => {
    await answer(page, api, 403, {
      title: 'Denied',
      status: 403,
      detail: 'viewer may not read this',
      code: 'Denied',
    });
    await page.goto(path);
    await expect(page.getByTestId('denied')).toContainText('viewer may not read this');
    await expectAccessible(page);
    forgiveNetwork(watched);
  });

  test(`${path} while loading says so`, async ({ page }) => {
    await page.route(api, () => undefined);
    await page.goto(path);
    await expect(page.getByTestId('loading').first()).toBeVisible();
    await expectAccessible(page);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });
}

for (const which of ['light', 'dark'] as const) {
  test(`a lost node leaves its last data, with their age, in ${which}`, async ({
    page,
    watched,
  }) => {
    await theme(page, which);
    // An open stream cannot be cut from here: it is refused from the start.
    await page.route('**/api/v1/events*', (route) => route.abort());
    await page.goto('/devices');
    await expect(page.getByRole('table', { name: 'Devices' })).toBeVisible();
    await page.route('**/api/**', (route) => route.abort());
    await expect(page.getByTestId('offline-banner')).toContainText('has not answered for', {
      timeout: 20_000,
    });
    await expect(page.getByRole('table', { name: 'Devices' })).toBeVisible();
    await expectAccessible(page);
    await shot(page, `offline-${which}`);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await expect(page.getByTestId('offline-banner')).toBeHidden({ timeout: 20_000 });
    forgiveNetwork(watched);
  });

  test(`without a session the page asks for a link in ${which}`, async ({ browser, baseURL }) => {
    const context = await browser.newContext({
      storageState: { cookies: [], origins: [] },
      baseURL: baseURL ?? '',
    });
    const page = await context.newPage();
    await theme(page, which);
    await page.goto('/devices');
    await expect(page.getByTestId('signin')).toContainText('infiniedge token create');
    await shot(page, `signin-${which}`);
    await expectAccessible(page);
    await context.close();
  });
}

test('an unknown address leads back', async ({ page }) => {
  await page.goto('/nowhere');
  await expect(page.getByTestId('missing')).toBeVisible();
  await expectAccessible(page);
});

test('a wrong query points at the word', async ({ page, watched }) => {
  await page.goto('/data');
  await page.getByLabel('SQL query').fill('SELECT 1\nFORM nothing');
  await page.getByRole('button', { name: 'Run' }).click();
  await expect(page.getByTestId('sql-error')).toBeVisible();
  await shot(page, 'sql-error');
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
  forgiveNetwork(watched);
});

test('a hub lists its nodes with their high-water marks', async ({ page }) => {
  await page.route('**/api/v1/status', async (route) => {
    const body = await (await route.fetch()).json();
    const streams = [{ name: 'appliance-events', epoch: 3, high_water: 48123, rows: 48101 }];
    const nodes = [
      {
        gateway: '01J9',
        name: 'edge-01',
        connected: true,
        last_seen: new Date().toISOString(),
        streams,
      },
      {
        gateway: '01JA',
        name: 'edge-02',
        connected: false,
        last_seen: '2026-01-01T00:00:00Z',
        streams: [],
      },
    ];
    await route.fulfill({ json: { ...body, role: 'hub', nodes } });
  });
  await page.goto('/');
  await expect(page.getByRole('table', { name: 'Nodes' })).toContainText('48,123');
  await shot(page, 'hub');
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
});

test('an alarm that comes before the list does not pass for the whole list', async ({ page }) => {
  const alarm = {
    id: '1-1',
    time: '2026-01-01T00:00:00Z',
    stream: 'pump',
    severity: 'warning',
    text: 'too hot',
    state: 'closed',
    count: 1,
  };
  await page.route('**/api/v1/alarms', () => undefined);
  await page.route('**/api/v1/events*', (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body: `id: 1-1\nevent: alarm\ndata: ${JSON.stringify(alarm)}\n\n`,
    }),
  );
  const streamed = page.waitForResponse('**/api/v1/events*');
  await page.goto('/alarms');
  await (await streamed).finished();
  await expect(page.getByTestId('loading').first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'All 1' })).toHaveCount(0);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});
