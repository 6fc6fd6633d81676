import axe from 'axe-core';
import { expect } from 'vitest';
import type { ChromiumPage } from '../helpers/chromium.ts';

/** Notes what the page's policy had to refuse, and whether a text has run. */
const watching = `
  window.refused = []; window.ran = [];
  document.addEventListener('securitypolicyviolation', (event) => window.refused.push(event.violatedDirective + ' ' + event.blockedURI));
  window.addEventListener('error', (event) => window.refused.push(String(event.message)));
  window.alert = (text) => window.ran.push(text);
  window.told = [];
  window.isOutOfSight = false;
  window.Notification = class { static permission = 'granted'; constructor(title, { body }) { window.told.push(title + ' ' + body); } addEventListener() {} };
  Object.defineProperty(document, 'visibilityState', { get: () => (window.isOutOfSight ? 'hidden' : 'visible') });
`;

/** The page of the sessions in a browser, as a person looks at it and uses it. */
export class PageDriver {
  readonly browser: ChromiumPage;
  #isWatched = false;

  constructor(browser: ChromiumPage) {
    this.browser = browser;
  }

  /** Opens an address, and sees to it that nothing is refused or run on it. */
  async open(url: string): Promise<void> {
    if (!this.#isWatched) await this.browser.before(watching);
    this.#isWatched = true;
    await this.browser.goTo(url);
  }

  /** What is to be read on the page. */
  text(selector = 'body'): Promise<unknown> {
    return this.browser.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`);
  }

  /** Waits until a part of the page reads so. */
  async reads(selector: string, wanted: string | RegExp): Promise<void> {
    const text = expect.poll(() => this.text(selector));
    await (typeof wanted === 'string' ? text.toContain(wanted) : text.toMatch(wanted));
  }

  count(selector: string): Promise<unknown> {
    return this.browser.evaluate(`document.querySelectorAll(${JSON.stringify(selector)}).length`);
  }

  /** Clicks what a selector names and, of several, what bears these words. */
  async click(selector: string, words = ''): Promise<void> {
    const found = `[...document.querySelectorAll(${JSON.stringify(selector)})].find((each) => each.innerText.includes(${JSON.stringify(words)}) && !each.disabled)`;
    await expect
      .poll(() => this.browser.evaluate(`(() => { const found = ${found}; found?.click(); return found !== undefined; })()`))
      .toBe(true);
  }

  /** Types a text into a field, in place of what was there. */
  async type(selector: string, text: string): Promise<void> {
    await this.browser.evaluate(`(() => {
      const field = document.querySelector(${JSON.stringify(selector)});
      Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, ${JSON.stringify(text)});
      field.dispatchEvent(new Event('input', { bubbles: true }));
    })()`);
  }

  /** Nothing was refused by the page's policy, no text has run, and nothing came from elsewhere. */
  async expectClean(): Promise<void> {
    const seen = await this.browser.evaluate(`({
      refused: window.refused, ran: window.ran,
      foreign: performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => !name.startsWith(location.origin)),
    })`);
    expect(seen).toEqual({ refused: [], ran: [], foreign: [] });
  }

  /** axe-core finds nothing that keeps somebody out: in the light, nor in the dark, where only the colours are others. */
  async expectAccessible(): Promise<void> {
    // Its source is long: it is sent once to each document.
    if ((await this.browser.evaluate('window.axe === undefined')) === true) await this.browser.evaluate(`{ ${axe.source} }`);
    for (const [scheme, rules] of [
      ['dark', ['color-contrast']],
      ['light', undefined],
    ] as const) {
      await this.browser.look(scheme);
      const options = { resultTypes: ['violations'], ...(rules === undefined ? {} : { runOnly: { type: 'rule', values: rules } }) };
      const found = await this.browser.evaluate(`(async () => {
        const { violations } = await window.axe.run(document, ${JSON.stringify(options)});
        return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
          .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 200)).join(' | '));
      })()`);
      expect(found, scheme).toEqual([]);
    }
  }

  /** On a phone what is pressed is as large as a thumb, and nothing is wider than the screen, also that of a small one. */
  async expectUsableOnPhone(): Promise<void> {
    await this.browser.look('light', { width: 390, height: 844 });
    const small = `[...document.querySelectorAll('button, a, input, select, textarea, summary, .option, [role=option]')]
      .filter((each) => each.offsetParent !== null && !['radio', 'checkbox'].includes(each.type))
      .map((each) => ({ each, box: each.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 40 || box.height < 40)
      .map(({ each, box }) => each.tagName + ' ' + (each.innerText || each.ariaLabel) + ' ' + Math.round(box.width) + 'x' + Math.round(box.height))`;
    await expect.poll(() => this.browser.evaluate(small)).toEqual([]);
    await this.browser.look('light', { width: 320, height: 640 });
    await expect.poll(() => this.browser.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    await this.browser.look('light');
  }
}
