// SPDX-License-Identifier: Apache-2.0
import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icon';

/** The browser's own dialog: Esc closes, focus stays inside and goes back where it was. */
export function Dialog(props: {
  open: Signal<boolean>;
  title: string;
  class?: string;
  bare?: boolean;
  children: ComponentChildren;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const open = props.open.value;
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  const close = () => (props.open.value = false);
  return (
    <dialog
      ref={ref}
      class={props.class}
      aria-label={props.title}
      onClose={close}
      onClick={(event) => {
        if (event.target === ref.current) close(); // The backdrop belongs to the dialog.
      }}
    >
      {open ? (
        <div class="dialog-body">
          {props.bare ? null : (
            <header class="dialog-head">
              <h2>{props.title}</h2>
              <button type="button" class="quiet icon-button" aria-label="Close" onClick={close}>
                <Icon name="close" />
              </button>
            </header>
          )}
          {props.children}
        </div>
      ) : null}
    </dialog>
  );
}
