// SPDX-License-Identifier: Apache-2.0
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';

/** Every page is watched: an error on its console or a request to another origin fails the test. */
export const test = base.extend<{ watched: string[] }>({
  watched: [
    async ({ page, baseURL }, use) => {
      const wrong: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') wrong.push(`console: ${message.text()}`);
      });
      page.on('pageerror', (error) => wrong.push(`exception: ${error.message}`));
      page.on('request', (request) => {
        const url = request.url();
        if (!url.startsWith(`${baseURL}/`) && !url.startsWith('blob:'))
          wrong.push(`foreign request: ${url}`);
      });
      await use(wrong);
      expect(wrong).toEqual([]);
    },
    { auto: true },
  ],
});

/** Tests that break the network on purpose forgive the browser's own note of it. */
export function forgiveNetwork(wrong: string[]): void {
  const kept = wrong.filter((line) => !/Failed to load resource|ERR_/.test(line));
  wrong.splice(0, wrong.length, ...kept);
}

export async function theme(page: Page, which: 'light' | 'dark'): Promise<void> {
  await page.addInitScript((value) => localStorage.setItem('theme', value), which);
}

export async function expectAccessible(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])
    .analyze();
  const told = found.violations.map(
    (v) => `${v.id}: ${v.nodes.map((node) => `${node.target} ${node.failureSummary}`).join(' | ')}`,
  );
  expect(told).toEqual([]);
}

export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const over = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(over).toBeLessThanOrEqual(0);
}

const kShots = process.env.INFINIEDGE_CONSOLE_SHOTS;

/** A picture for the eye, only when asked for. */
export async function shot(page: Page, name: string): Promise<void> {
  if (!kShots) return;
  await page.screenshot({
    path: `${kShots}/${test.info().project.name}-${name}.png`,
    fullPage: true,
  });
}

/** First names of the lists, asked from the node: the tests know no device by heart. */
export async function firstName(page: Page, plural: 'devices' | 'models'): Promise<string> {
  const answer = await page.request.get(`/api/v1/${plural}`);
  const items = (await answer.json()).items as { metadata: { name: string } }[];
  const name = items[0]?.metadata.name;
  expect(name, `the node under test has ${plural}`).toBeTruthy();
  return name ?? '';
}

/** Where the rows of the first device are kept: devices may share a stream. */
export async function firstTable(page: Page): Promise<string> {
  const answer = await page.request.get('/api/v1/devices');
  const [device] = (await answer.json()).items as {
    metadata: { name: string };
    spec: { stream?: string };
  }[];
  expect(device, 'the node under test has devices').toBeTruthy();
  return (device?.spec.stream ?? device?.metadata.name ?? '').replaceAll('-', '_');
}

/** Follows Tab until the wanted element has the focus; a keyboard has no other way. */
export async function tabTo(page: Page, label: RegExp, limit = 80): Promise<void> {
  for (let i = 0; i < limit; i++) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      const focused = document.activeElement;
      return focused?.getAttribute('aria-label') ?? focused?.textContent ?? '';
    });
    if (label.test(name)) return;
  }
  throw new Error(`Tab never reached ${label}`);
}

export { expect };
