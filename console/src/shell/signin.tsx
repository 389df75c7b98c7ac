// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';
import { openSession, Problem } from '../net/api';
import { Mark } from '../ui/icon';
import { Command } from '../ui/states';

function tokenIn(text: string): string {
  return text.includes('#t=') ? text.slice(text.indexOf('#t=') + 3).trim() : text.trim();
}

export function SignIn() {
  const [text, setText] = useState('');
  const [error, setError] = useState('');
  const submit = async (event: Event) => {
    event.preventDefault();
    setError('');
    try {
      await openSession(tokenIn(text));
    } catch (problem) {
      const used = problem instanceof Problem && problem.status === 401;
      setError(
        used
          ? 'The node refused this link: it was used, or is older than ten minutes.'
          : String(problem),
      );
    }
  };
  return (
    <main id="main" class="signin" tabIndex={-1} data-testid="signin">
      <div class="signin-card">
        <div class="brand">
          <Mark /> <span>InfiniEdge</span>
        </div>
        <h1>This console opens with a link</h1>
        <p>Make one on the node; it works once, for ten minutes:</p>
        <Command text="infiniedge token create admin --link" />
        <form onSubmit={(event) => void submit(event)}>
          <label for="link">Or paste it here</label>
          <input
            id="link"
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={text}
            aria-invalid={error !== ''}
            aria-describedby="link-error"
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <p id="link-error" class="bad-text" role="alert">
            {error}
          </p>
          <button type="submit" class="button primary" disabled={!text.trim()}>
            Open
          </button>
        </form>
      </div>
    </main>
  );
}
