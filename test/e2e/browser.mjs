// browser - Chromium for the pages that people see.  CHROMIUM names another program than Debian's.
//
// Pages run without JavaScript unless a test says otherwise: nothing of ours needs it.  What is looked at
// (sizes, colours, labels) is asked of the browser from outside, which works all the same.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const pictures = process.env.PICTURES; // a directory for pictures, to be looked at by a person

export const launch = () => chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });

// A person's window: its own cookies, and whatever a page did that it should not have.
export async function person(t, browser, options = {}) {
	const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1100, height: 900 }, ...options });
	const page = await context.newPage();
	page.trouble = [];
	page.on('console', (line) => page.trouble.push(line.text()));
	page.on('pageerror', (error) => page.trouble.push(String(error)));
	page.on('dialog', (dialog) => { page.trouble.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
	page.on('request', (request) => { if (!request.url().startsWith(options.only ?? 'http')) page.trouble.push(`asked for ${request.url()}`); });
	t.after(() => context.close());
	return page;
}

export async function picture(page, name) {
	if (!pictures) return;
	mkdirSync(pictures, { recursive: true });
	await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

// What a person who sees nothing, or little, needs of every page.
export async function assertUsable(page) {
	const faults = await page.evaluate(() => {
		const found = [];
		const say = (what, at) => found.push(`${what}: ${at.outerHTML?.slice(0, 120) ?? at}`);
		const all = (selector) => [...document.querySelectorAll(selector)];
		if (!document.documentElement.lang) say('no language', document.documentElement);
		if (!document.title) say('no title', document.head);
		if (all('main').length !== 1) say('not one main', document.body);
		if (all('h1').length !== 1) say('not one h1', document.body);
		let level = 0;
		for (const heading of all('h1, h2, h3, h4')) {
			if (Number(heading.tagName[1]) > level + 1) say('a heading of a level that skips one', heading);
			level = Number(heading.tagName[1]);
		}
		for (const field of all('input:not([type=hidden], [hidden]), textarea, select'))
			if (!field.labels?.length) say('a field without a label', field);
		for (const button of all('button, a'))
			if (!button.textContent.trim()) say('nothing to say what it is for', button);
		for (const table of all('table')) {
			if (!table.caption?.textContent.trim()) say('a table without a caption', table);
			for (const th of table.querySelectorAll('th')) if (!th.scope) say('a header without a scope', th);
		}
		const ids = all('[id]').map((at) => at.id);
		for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) say('an id twice', id);
		for (const at of all('[aria-describedby], [aria-labelledby]'))
			for (const id of `${at.getAttribute('aria-describedby') ?? ''} ${at.getAttribute('aria-labelledby') ?? ''}`.trim().split(/ +/))
				if (!document.getElementById(id)) say(`points at nothing (${id})`, at);
		for (const at of all('script, iframe, img, object, [style]:not([style=""]), [onclick], [onerror]')) say('does not belong here', at);
		return found;
	});
	assert.deepEqual(faults, []);
}

// Every text against what is behind it: 4.5 to 1 at least (WCAG 2.2, 1.4.3).
export async function assertContrast(page) {
	const faults = await page.evaluate(() => {
		const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
		const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
			.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
		const behind = (at) => {
			for (; at; at = at.parentElement) {
				const colour = parts(getComputedStyle(at).backgroundColor);
				if (colour.length < 4 || colour[3] > 0) return colour;
			}
			return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
		};
		const found = [];
		for (const at of document.querySelectorAll('body *')) {
			if (![...at.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
			const [a, b] = [light(parts(getComputedStyle(at).color)), light(behind(at))].sort((x, y) => y - x);
			if ((a + 0.05) / (b + 0.05) < 4.5) found.push(`${((a + 0.05) / (b + 0.05)).toFixed(2)} ${at.outerHTML.slice(0, 100)}`);
		}
		return found;
	});
	assert.deepEqual(faults, []);
}

export async function assertFits(page) {
	const { wide, window } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, window: innerWidth }));
	assert.ok(wide <= window, `the page is ${wide} wide in a window of ${window}`);
}
