// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef } from 'preact/hooks';
import type { Problem } from '../../net/api';
import { Icon } from '../../ui/icon';
import { cancel, problem, ran, recent, run, running, sql } from './state';

const kMinLines = 5;
const kMaxLines = 24;

/** Lines are counted here and not wrapped, so that a line of an error is a line on screen. */
function Gutter({ lines, bad }: { lines: number; bad: number | undefined }) {
  return (
    <div class="gutter" aria-hidden="true">
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} class={bad === i + 1 ? 'bad' : ''}>
          {i + 1}
        </span>
      ))}
    </div>
  );
}

export function Editor() {
  const ref = useRef<HTMLTextAreaElement>(null);
  const lines = Math.min(kMaxLines, Math.max(kMinLines, sql.value.split('\n').length));
  const bad = ran.value === sql.value.trim() ? problem.value?.items[0]?.line : undefined;
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void run();
  };
  return (
    <div class="editor">
      <div class="editor-box">
        <Gutter lines={lines} bad={bad} />
        <textarea
          ref={ref}
          aria-label="SQL query"
          aria-keyshortcuts="Control+Enter"
          aria-invalid={bad !== undefined}
          wrap="off"
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          rows={lines}
          placeholder="SELECT …"
          value={sql.value}
          onInput={(event) => (sql.value = event.currentTarget.value)}
          onKeyDown={onKey}
        />
      </div>
      <div class="editor-bar">
        {running.value ? (
          <button type="button" class="button" onClick={cancel}>
            <Icon name="stop" size={15} /> Cancel
          </button>
        ) : (
          <button
            type="button"
            class="button primary"
            onClick={() => void run()}
            disabled={!sql.value.trim()}
          >
            <Icon name="run" size={15} /> Run
          </button>
        )}
        <span class="muted wide-only">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd>
        </span>
        <Recent onPick={() => ref.current?.focus()} />
      </div>
    </div>
  );
}

function Recent({ onPick }: { onPick: () => void }) {
  const select = useRef<HTMLSelectElement>(null);
  useEffect(() => {
    if (select.current) select.current.value = '';
  });
  if (recent.value.length === 0) return null;
  return (
    <select
      ref={select}
      class="recent"
      aria-label="Recent queries"
      onChange={(event) => {
        sql.value = recent.value[Number(event.currentTarget.value)] ?? sql.value;
        onPick();
      }}
    >
      <option value="">Recent queries</option>
      {recent.value.map((text, i) => (
        <option key={text} value={i}>
          {text.replace(/\s+/g, ' ').slice(0, 70)}
        </option>
      ))}
    </select>
  );
}

/** The compiler's way: the line, a caret under the word, what was probably meant. */
export function SqlError({ of }: { of: Problem }) {
  const lines = ran.value.split('\n');
  return (
    <div class="sql-error" role="alert" data-testid="sql-error">
      <p>
        <strong>{of.title}</strong> {of.items.length === 0 ? of.detail : null}
      </p>
      {of.items.map((item, i) => {
        const line = item.line ? lines[item.line - 1] : undefined;
        const column = Math.max(1, item.column ?? 1);
        const length = Math.max(1, (item.end ?? column + 1) - column);
        return (
          <div key={i}>
            <p>
              {item.line ? `${item.line}:${column}: ` : ''}
              {item.message} {item.id ? <span class="muted">[{item.id}]</span> : null}
            </p>
            {line === undefined ? null : (
              <pre>
                {line}
                {'\n'}
                {' '.repeat(column - 1)}
                <b>
                  ^{'~'.repeat(length - 1)}
                  {item.suggestion ? ` did you mean "${item.suggestion}"?` : ''}
                </b>
              </pre>
            )}
            {item.suggestion && line !== undefined ? (
              <button
                type="button"
                class="button"
                onClick={() => repair(item.line ?? 1, column, length, item.suggestion ?? '')}
              >
                Use “{item.suggestion}”
              </button>
            ) : null}
            {item.help ? <p class="muted">{item.help}</p> : null}
          </div>
        );
      })}
    </div>
  );
}

function repair(line: number, column: number, length: number, word: string): void {
  const lines = ran.value.split('\n');
  const old = [...(lines[line - 1] ?? '')]; // Columns count code points.
  old.splice(column - 1, length, word);
  lines[line - 1] = old.join('');
  sql.value = lines.join('\n');
  void run();
}
