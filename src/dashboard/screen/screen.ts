import { count } from '../../view/text/numbers.ts';
import type { KeySituation } from '../keys/key-binding.ts';
import { framed } from '../rows/frames.ts';
import type { Row } from '../rows/row.ts';
import { emptyRows } from './empty-rows.ts';
import { candidatesRegion, footerRow } from './footer.ts';
import { headerRows } from './header.ts';
import { situationOf } from './key-situation.ts';
import { footerHeight, layoutKind } from './layout.ts';
import { overlayContent } from './overlay.ts';
import { overviewBody } from './overview-body.ts';
import { panelsBody } from './panels-body.ts';
import { placeText, type Body, type Region } from './region.ts';
import type { ScreenModel } from './screen-model.ts';
import { tinyRows } from './tiny-screen.ts';

/** A whole frame, exactly as large as the window, and what keys need to know of it. */
export interface Screen extends Body {
  situation: KeySituation;
}

/** The screen for a model. Pure: the same model gives the same rows. */
export function screenOf(model: ScreenModel): Screen {
  const situation = situationOf(model);
  if (layoutKind(model.columns, model.rows) === 'tiny') {
    return {
      regions: [{ id: 'tiny', x: 0, y: 0, width: model.columns, rows: tinyRows(model) }],
      situation,
      lists: {},
      targets: [],
      overlayRows: undefined,
    };
  }
  const { columns, rows } = model;
  const header = headerRows(model);
  const body = bodyOf(model, header.length);
  const candidates = candidatesRegion(model, header.length);
  return {
    situation,
    lists: body.lists,
    targets: body.targets,
    overlayRows: body.overlayRows,
    regions: [
      { id: 'header', x: 0, y: 0, width: columns, rows: header },
      ...(candidates === undefined ? body.regions : [...covered(body.regions, candidates.y), candidates]),
      { id: 'footer', x: 0, y: rows - footerHeight, width: columns, rows: [footerRow(model, situation)] },
    ],
  };
}

/** What is left of regions above a row. */
function covered(regions: readonly Region[], y: number): Region[] {
  return regions.filter((region) => region.y < y).map((region) => ({ ...region, rows: region.rows.slice(0, y - region.y) }));
}

function bodyOf(model: ScreenModel, headerHeight: number): Body {
  const { columns, rows, ui, style, state } = model;
  const height = rows - headerHeight - footerHeight;
  const area = { x: 0, y: headerHeight, width: columns, height };
  const whole = (id: string, content: Row[]): Region => ({ id, x: 0, y: headerHeight, width: columns, rows: content });
  if (ui.overlay !== undefined) {
    const { title, rows: content, foot } = overlayContent(ui.overlay, overlayContext(model), columns - 2, style);
    const room = Math.max(1, height - 2 - foot.length);
    const top = Math.max(0, Math.min(ui.overlayTop, content.length - room));
    const place = placeText(top, room, content.length, 0);
    const frame = framed({ ...area, title, place, isFocused: true, rows: [...content.slice(top, top + room), ...foot] }, style);
    return {
      regions: [whole('overlay', frame)],
      lists: {},
      targets: [{ list: 'overlay', ...area, keys: [] }],
      overlayRows: { rows: content.length, height: room },
    };
  }
  if (ui.sessionId === undefined) return overviewBody(model, headerHeight, height);
  if (state === undefined) {
    const title = ui.history === undefined ? ui.sessionId : `History ${count(ui.history.seq)} is on its way`;
    const content = ui.history === undefined ? emptyRows(model, columns - 2) : [];
    return {
      regions: [whole('guidance', framed({ ...area, title, place: '', isFocused: false, rows: content }, style))],
      lists: {},
      targets: [],
      overlayRows: undefined,
    };
  }
  return panelsBody(model, state, headerHeight);
}

function overlayContext({ ui, live, sessions, isReadonly }: ScreenModel): Parameters<typeof overlayContent>[1] {
  const id = ui.overlay?.kind === 'stop' ? ui.overlay.sessionId : undefined;
  return { isReadonly, subject: live ?? sessions.find(({ state }) => state.session_id === id)?.state };
}
