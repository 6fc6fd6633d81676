import { useLayoutEffect, useRef, type ReactNode } from 'react';

/** A dialog above the page: the browser keeps the keys in it, and closes it at Esc. What bears `data-first` has the focus at first. */
export function Modal({
  title,
  children,
  onClose,
  isSide = false,
}: {
  title: string;
  children: ReactNode;
  onClose: () => void;
  isSide?: boolean;
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  // It is closed before it goes, so that the focus is given back to what had it.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    shown?.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={isSide ? 'modal side' : 'modal'}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className="modal-body">
        <header>
          <h2>{title}</h2>
          <button type="button" className="quiet" aria-label="Close" onClick={onClose}>
            ✕
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
