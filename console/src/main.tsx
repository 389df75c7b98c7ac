// SPDX-License-Identifier: Apache-2.0
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/charts.css';
import './styles/flow.css';
import './styles/pages.css';
import { render } from 'preact';
import { App } from './app';
import { startKeys } from './keys';
import { openSession, signedIn, takeToken } from './net/api';
import { startRouter } from './router';
import { startLists } from './state/lists';
import { startLive } from './state/live';
import { startTheme } from './theme';

async function main(): Promise<void> {
  startTheme();
  startRouter();
  startKeys();
  const token = takeToken();
  // A used link is no reason to stop: the cookie of its first use may still be good.
  if (token) await openSession(token).catch(() => (signedIn.value = true));
  startLive();
  startLists();
  const root = document.getElementById('app');
  if (root) render(<App />, root);
}

void main();
