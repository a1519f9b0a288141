import { type ReactNode, useEffect, useId, useRef } from 'react';

/**
 * A modal dialog: the browser's own, which keeps the focus inside, hides the rest from screen readers,
 * and gives the focus back at the end.
 * @param onClose null: it cannot be closed by the user
 */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: (() => void) | null;
  children: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      <div className="dialog">
        <div className="panel-head">
          <h2 id={id}>{title}</h2>
          {onClose !== null && (
            <button type="button" className="button small" onClick={onClose}>
              Close
            </button>
          )}
        </div>
        {children}
      </div>
    </dialog>
  );
}
