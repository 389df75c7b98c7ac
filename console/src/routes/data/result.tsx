// SPDX-License-Identifier: Apache-2.0
import { useSignal } from '@preact/signals';
import { count, value as show } from '../../format';
import type { QueryResult, Scalar } from '../../net/types';
import { Chart } from '../../ui/chart';
import { download, toCsv } from '../../ui/csv';
import { Icon } from '../../ui/icon';
import { Panel, Segmented } from '../../ui/parts';
import { pictureOf, type BarPicture } from './shape';

const kRowsShown = 500;

function cellOf(v: Scalar, type: string): string {
  if (v == null) return 'null';
  if (typeof v === 'string' && /timestamp/i.test(type))
    return v.replace('T', ' ').replace(/(\.\d{3})\d*/, '$1');
  // Figures as stored: rounding would hide what a query is after.
  if (typeof v === 'number')
    return Number.isInteger(v) ? String(v) : String(Number(v.toPrecision(9)));
  return typeof v === 'object' ? JSON.stringify(v) : String(v);
}

function Rows({ result }: { result: QueryResult }) {
  const shown = result.rows.slice(0, kRowsShown);
  const numeric = result.columns.map((column) =>
    /int|double|float|decimal|real/i.test(column.type),
  );
  return (
    <div class="grid-scroll" tabIndex={0} role="region" aria-label="Rows of the result">
      <table class="grid" data-testid="result">
        <thead>
          <tr>
            {result.columns.map((column, i) => (
              <th key={i} scope="col" class={numeric[i] ? 'right' : ''}>
                {column.name} <span class="type">{column.type.toLowerCase()}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, r) => (
            <tr key={r}>
              {row.map((v, i) => (
                <td key={i} class={`${numeric[i] ? 'right' : ''} ${v == null ? 'null' : ''}`}>
                  {cellOf(v, result.columns[i]?.type ?? '')}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {result.rows.length > kRowsShown ? (
        <p class="muted pad">
          {count(kRowsShown)} of {count(result.rows.length)} rows are drawn; the CSV holds all.
        </p>
      ) : null}
    </div>
  );
}

function Bars({ picture }: { picture: BarPicture }) {
  const most = Math.max(...picture.bars.map((bar) => Math.abs(bar.value))) || 1;
  return (
    <table class="bars" data-testid="chart" data-points={picture.bars.length}>
      <caption class="sr">{picture.value}</caption>
      <tbody>
        {picture.bars.map((bar) => (
          <tr key={bar.name}>
            <th scope="row">{bar.name}</th>
            <td>
              <span class="bar" style={{ width: `${(Math.abs(bar.value) / most) * 100}%` }} />
            </td>
            <td class="right num">{show(bar.value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Result({ result }: { result: QueryResult }) {
  const view = useSignal<'both' | 'table' | 'chart'>('both');
  const picture = pictureOf(result);
  const csv = () =>
    download(
      'infiniedge.csv',
      new Blob(
        [
          toCsv(
            result.columns.map((column) => column.name),
            result.rows,
          ),
        ],
        { type: 'text/csv' },
      ),
    );
  const aside = (
    <>
      {picture ? (
        <Segmented
          label="Show the result as"
          value={view.value}
          options={[
            { value: 'both', label: 'Both' },
            { value: 'table', label: 'Table' },
            { value: 'chart', label: 'Chart' },
          ]}
          onChange={(value) => (view.value = value)}
        />
      ) : null}
      <button type="button" class="button" onClick={csv}>
        <Icon name="down" size={15} /> CSV
      </button>
    </>
  );
  const rows = count(result.rows.length);
  const title = `${rows}${result.truncated ? '+' : ''} ${result.rows.length === 1 ? 'row' : 'rows'}${
    result.elapsed_ms == null ? '' : ` in ${show(result.elapsed_ms)} ms`
  }`;
  return (
    <Panel title={title} aside={aside} class="result">
      {picture && view.value !== 'table' ? (
        picture.kind === 'time' ? (
          <Chart title="Query result" x={picture.x} lines={picture.lines} height={220} noCsv />
        ) : (
          <Bars picture={picture} />
        )
      ) : null}
      {view.value === 'chart' && picture ? null : <Rows result={result} />}
    </Panel>
  );
}
