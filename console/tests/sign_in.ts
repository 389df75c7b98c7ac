// SPDX-License-Identifier: Apache-2.0
import { chromium, type FullConfig } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Opens the link once, as a person does, and keeps the cookie for all tests. */
export default async function signIn(config: FullConfig): Promise<void> {
  const use = config.projects[0]?.use;
  const state = String(use?.storageState);
  mkdirSync(dirname(state), { recursive: true });
  const browser = await chromium.launch(use?.launchOptions ?? {});
  const page = await browser.newPage();
  await page.goto(process.env.INFINIEDGE_CONSOLE_URL ?? '');
  await page.getByTestId('tiles').waitFor();
  if (page.url().includes('#t=')) throw new Error('the token stayed in the address bar');
  await page.context().storageState({ path: state });
  await browser.close();
}
