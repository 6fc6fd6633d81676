import { useEffect, useRef } from 'react';

/** What keys do while a part of the page is there. Where a text is typed, or a dialog is open, they are typed and do nothing else. */
export function useKeys(actions: Readonly<Record<string, () => void>>): void {
  const latest = useRef(new Map<string, () => void>());
  useEffect(() => {
    latest.current = new Map(Object.entries(actions));
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      // A dialog that the key has just closed is still there: some browsers close it before they tell of the key.
      if (document.querySelector('dialog') !== null || isTyped(event.target)) return;
      // A key that is held down sends no command again and again.
      if (event.repeat && /^[A-Z]$/.test(event.key)) return;
      const action = latest.current.get(event.key);
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);
}

function isTyped(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['radio', 'checkbox', 'range', 'button'].includes(target.type);
  return target.matches('textarea, select, [contenteditable]');
}
