// SPDX-License-Identifier: Apache-2.0
import type { Page } from '@playwright/test';
import {
  expect,
  expectAccessible,
  expectNoSidewaysScroll,
  firstName,
  shot,
  test,
  theme,
} from './console';

interface Route {
  name: string;
  open: (page: Page) => Promise<void>;
}

const kRoutes: Route[] = [
  {
    name: 'overview',
    open: async (page) => {
      await page.goto('/');
      await expect(page.getByTestId('flow').locator('.flow-node').first()).toBeVisible();
      await expect(page.getByTestId('tiles')).toContainText('Cloud share');
    },
  },
  {
    name: 'devices',
    open: async (page) => {
      await page.goto('/devices');
      await expect(page.getByRole('table', { name: 'Devices' })).toBeVisible();
    },
  },
  {
    name: 'device',
    open: async (page) => {
      await page.goto('/');
      await page.goto(`/devices/${await firstName(page, 'devices')}`);
      await expect(page.getByTestId('chart').first()).toBeVisible();
    },
  },
  {
    name: 'models',
    open: async (page) => {
      await page.goto('/models');
      await expect(page.getByRole('table', { name: 'Models' })).toBeVisible();
    },
  },
  {
    name: 'model',
    open: async (page) => {
      await page.goto('/');
      await page.goto(`/models/${await firstName(page, 'models')}`);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await expect(page.getByText('Runs on')).toBeVisible();
    },
  },
  {
    name: 'data',
    open: async (page) => {
      await page.goto('/data');
      await page.locator('.table-name').first().click();
      await expect(page.getByTestId('result')).toBeVisible();
    },
  },
  {
    name: 'alarms',
    open: async (page) => {
      await page.goto('/alarms');
      await page.getByRole('button', { name: /^All/ }).click();
      await expect(page.getByTestId('alarm').first().or(page.getByTestId('empty'))).toBeVisible();
    },
  },
];

for (const route of kRoutes) {
  for (const which of ['light', 'dark'] as const) {
    test(`${route.name} is accessible, fits and asks no one else in ${which}`, async ({ page }) => {
      await theme(page, which);
      await route.open(page);
      if (process.env.INFINIEDGE_CONSOLE_SHOTS) await page.waitForTimeout(4000); // Some live values.
      await shot(page, `${route.name}-${which}`);
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    });
  }
}

test('the flow graph has an equal list', async ({ page }) => {
  await page.goto('/');
  const nodes = page.getByTestId('flow').locator('.flow-node');
  await expect(nodes.first()).toBeVisible();
  await page.getByRole('button', { name: 'List' }).click();
  const graph = await (await page.request.get('/api/v1/graph')).json();
  await expect(page.getByRole('table', { name: 'Flow' }).locator('tbody tr')).toHaveCount(
    graph.edges.length,
  );
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
});

test('rates in the graph are alive', async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('.flow-dots').first()).toBeAttached({ timeout: 20_000 });
});
