// SPDX-License-Identifier: Apache-2.0
// One test an action, with nothing but keys.
import { expect, expectAccessible, firstName, firstTable, tabTo, test } from './console';

// A phone has no keyboard; the desktop project proves these.
test.skip(({ isMobile }) => isMobile, 'keys belong to the desk');

test('an alarm is acknowledged', async ({ page }) => {
  test.setTimeout(180_000);
  // The rule of the node under test raises one in its own time.
  await expect
    .poll(
      async () => {
        const answer = await page.request.get('/api/v1/alarms');
        const items = (await answer.json()).items as { state: string }[];
        return items.filter((item) => item.state === 'open').length;
      },
      { timeout: 120_000 },
    )
    .toBeGreaterThan(0);
  await page.goto('/');
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await expect(page).toHaveURL(/\/alarms$/);
  const rows = page.locator('[data-testid=alarm][data-state=open]');
  const before = await rows.count();
  const told = page.waitForResponse((response) => response.url().endsWith('/ack') && response.ok());
  await tabTo(page, /^Acknowledge: /);
  await page.keyboard.press('Enter');
  await told;
  await expect.poll(() => rows.count()).toBeLessThan(before);
});

test('a query runs with Ctrl+Enter', async ({ page }) => {
  await page.goto('/');
  const name = await firstTable(page);
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  await expect(page).toHaveURL(/\/data$/);
  await tabTo(page, /SQL query/);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type(`SELECT ts, device, _seq FROM ${name} ORDER BY ts DESC LIMIT 5`);
  await page.keyboard.press('Control+Enter');
  await expect(page.getByTestId('result')).toBeVisible();
  await page.keyboard.press('Tab');
});

test('search opens a device', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByTestId('tiles')).toBeVisible();
  const name = await firstName(page, 'devices');
  await page.keyboard.press('/');
  await expect(page.getByRole('combobox')).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.type(name);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/devices/${name}$`));
});

test('the list of keys opens, can turn single keys off, and closes', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByTestId('tiles')).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel('Single keys are on').focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toBeHidden();
});

test('the theme changes and is remembered', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByTestId('tiles')).toBeVisible();
  await tabTo(page, /^Theme: system/);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});
