import { useMemo, useSyncExternalStore } from 'react';

/** Whether a media query holds now, as `(max-width: 640px)`. */
export function useMedia(query: string): boolean {
  const list = useMemo(() => matchMedia(query), [query]);
  return useSyncExternalStore(
    (listener) => {
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    () => list.matches,
  );
}

/** Whether the page has the width of a phone: the style has the same number. */
export function useIsNarrow(): boolean {
  return useMedia('(max-width: 640px)');
}
