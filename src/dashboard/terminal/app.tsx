import { Box, render, Text, Transform, useApp, type SuspendTerminal } from 'ink';
import { memo, useEffect, useLayoutEffect, type ReactNode } from 'react';

/** A region as painted: its rows are what the terminal gets. */
export interface PaintedRegion {
  id: string;
  x: number;
  y: number;
  width: number;
  rows: readonly string[];
}

export interface AppProps {
  columns: number;
  rows: number;
  /** A region that did not change is the same object as before. */
  regions: readonly PaintedRegion[];
  /** Gives what hands the terminal over to something else. */
  onReady: (suspendTerminal: SuspendTerminal) => void;
  /** The window is gone, also where a signal or `process.exit` ends the program and nothing else is asked. */
  onGone: () => void;
}

/** The window while it is on the terminal. */
export interface Window {
  draw(props: AppProps): void;
  close(): Promise<void>;
  /** @throws what went wrong while drawing */
  closed: Promise<unknown>;
}

/** Puts the window on the terminal's other screen. */
export function openWindow(props: AppProps): Window {
  const instance = render(<App {...props} />, {
    alternateScreen: true,
    incrementalRendering: true,
    maxFps: 60,
    exitOnCtrlC: false,
    interactive: true,
  });
  const closed = instance.waitUntilExit();
  return {
    draw: (next) => instance.rerender(<App {...next} />),
    closed,
    async close() {
      instance.unmount();
      await closed.catch(() => undefined);
    },
  };
}

/** All that is shown is decided elsewhere; this places it. */
function App({ columns, rows, regions, onReady, onGone }: AppProps): ReactNode {
  const { suspendTerminal } = useApp();
  useEffect(() => onReady(suspendTerminal), [onReady, suspendTerminal]);
  useLayoutEffect(() => onGone, [onGone]);
  return (
    <Box width={columns} height={rows}>
      {regions.map((region) => (
        <RegionBox key={region.id} region={region} />
      ))}
    </Box>
  );
}

const RegionBox = memo(function RegionBox({ region }: { region: PaintedRegion }): ReactNode {
  const { x, y, width, rows } = region;
  // The rows are as wide as they must be. As text, Ink would measure each of them twice a frame, which costs more than all
  // the rest: so it measures a blank for each row, and the rows stand in for these as they are written.
  return (
    <Box position="absolute" left={x} top={y} width={width} height={rows.length}>
      <Transform transform={(_, index) => rows[index] ?? ''} accessibilityLabel={rows.join('\n')}>
        <Text>{blanks(rows.length)}</Text>
      </Transform>
    </Box>
  );
});

function blanks(rows: number): string {
  return Array.from({ length: rows }, () => ' ').join('\n');
}
