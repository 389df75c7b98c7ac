// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from 'preact';

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  /** Figures align at the right. */
  right?: boolean;
  /** The cell that names the row; on a phone it becomes the heading of the list item. */
  lead?: boolean;
  wide?: boolean;
  /** Stands at the right of the heading on a phone. */
  mark?: boolean;
}

/** A table on a desk, a list on a phone. Roles are spelt out: `display: grid` would drop them. */
export function Table<T>(props: {
  label: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
  tone?: (row: T) => string;
}) {
  const classOf = (column: Column<T>) =>
    [column.right && 'right', column.lead && 'lead', column.wide && 'wide', column.mark && 'mark']
      .filter(Boolean)
      .join(' ');
  return (
    <table class="table" role="table" aria-label={props.label}>
      <thead role="rowgroup">
        <tr role="row">
          {props.columns.map((column) => (
            <th key={column.head} role="columnheader" scope="col" class={classOf(column)}>
              {column.head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {props.rows.map((row) => (
          <tr key={props.keyOf(row)} role="row" class={props.tone?.(row)}>
            {props.columns.map((column) => (
              <td key={column.head} role="cell" data-head={column.head} class={classOf(column)}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
