// SPDX-License-Identifier: Apache-2.0
// INFINIEDGE_CONSOLE_URL: the address that the node printed, with its #t= token.
import { defineConfig } from '@playwright/test';

const address = process.env.INFINIEDGE_CONSOLE_URL;
if (!address) throw new Error('set INFINIEDGE_CONSOLE_URL to the link that the node prints');

const kArgs = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export default defineConfig({
  testDir: '.',
  outputDir: './results',
  // A link token works once: one worker signs in, its cookie serves every test.
  workers: 1,
  fullyParallel: false,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  globalSetup: './sign_in.ts',
  use: {
    baseURL: new URL(address).origin,
    storageState: new URL('./results/session.json', import.meta.url).pathname,
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: kArgs },
    trace: 'off',
  },
  projects: [
    { name: 'desktop', use: { viewport: { width: 1920, height: 1080 } } },
    {
      name: 'mobile',
      use: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    },
  ],
});
