// The approval pages, in Chromium and by hand: who signs in, what is shown, what a yes is worth.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { assertContrast, assertFits, assertUsable, launch, person, picture } from './browser.mjs';
import { ask, issueKey, request, run, serve, until } from './harness.mjs';
import { makeSite } from './site.mjs';

const changes = {
	listen: 'listen: { http: { address: 127.0.0.1:8477 } }\napprovals: { address: 127.0.0.1:0 }',
	sources: `sources:
  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the tests change, events: [notes] }`,
	roles: `roles:
  seller: [shop.note, shop.price, shop.stock]
  desk: []
  chief: [approve.prices]`,
	limits: 'limits: { destructive: 1000/d per principal, pending_plans: 40 }',
};

const tools = `tools:
  reprice_item:
    description: Gives an item another price.
    owner: tests
    purpose: prices
    source: shop
    requires: shop.price
    input: { item_id: { type: string, maxLength: 20 }, cents: { type: integer, minimum: 1, maximum: 100000 }, reason: { type: string, maxLength: 200 } }
    write:
      - UPDATE items SET price = :cents WHERE id = :item_id
      - INSERT INTO notes (item_id, note) VALUES (:item_id, :reason)
    effects:
      items: { update: [price], key: [id], where: id = :item_id }
      notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: string } }
    returns: { shape: one, from: "SELECT id, price FROM items WHERE id = :item_id", columns: { id: string, price: int64 } }
    impact: { cents: items.price }
    approval: { by: requester, above: { cents: 5000, need: other, grant: approve.prices } }
`;

const prepare = (home) => {
	const db = new DatabaseSync(join(home, 'shop.db'));
	db.exec(`ALTER TABLE items DROP COLUMN price; ALTER TABLE items ADD COLUMN price INTEGER NOT NULL DEFAULT 0;
		CREATE TABLE notes (id INTEGER PRIMARY KEY, item_id TEXT NOT NULL, note TEXT NOT NULL); DELETE FROM items;`);
	for (let i = 0; i < 40; i++)
		db.prepare('INSERT INTO items (id, name, price, stock) VALUES (?, ?, 100, 5)').run(`itm_${i}`, `Item ${i}`);
	db.close();
};

async function approverKey(config, subject, role = 'desk') {
	const end = await run(['key', 'issue', config, '--subject', subject, '--role', role, '--approver']);
	assert.equal(end.code, 0, end.stderr);
	return /\bpsap_dev_[\w-]+/.exec(end.stdout)[0];
}

async function deploy(t, more = {}) {
	const place = makeSite(t, { changes: { ...changes, ...more.changes }, tools, prepare: (home) => { prepare(home); more.prepare?.(home); } });
	const made = await run(['install', place.config, 'shop']);
	assert.equal(made.code, 0, made.stderr);
	place.agent = await issueKey(place.config, { subject: 'ada', roles: ['seller'], agent: 'desk-assistant' });
	place.ada = await approverKey(place.config, 'ada');
	place.bob = await approverKey(place.config, 'bob', 'chief');
	place.eve = await approverKey(place.config, 'eve');
	place.server = await serve(t, place.config);
	place.port = Number(/approvals .*address=127\.0\.0\.1:(\d+)/.exec(place.server.stderr)[1]);
	place.origin = `http://127.0.0.1:${place.port}`;
	place.url = `${place.origin}/approvals`;
	place.rows = (sql) => {
		const db = new DatabaseSync(join(place.home, 'shop.db'), { readOnly: true });
		try { return db.prepare(sql).all(); } finally { db.close(); }
	};
	place.call = async (args) => {
		const reply = await ask(place.server, request('tools/call', { name: 'reprice_item', arguments: args }), { key: place.agent });
		return JSON.parse(reply.body).result;
	};
	// What an assistant asks for, until somebody must say yes: the plan's id.
	place.propose = async (args) => {
		const result = await place.call({ reason: 'the list price changed', dry_run: false, ...args });
		assert.equal(result.structuredContent?.error?.code, 'REQUIRES_CONFIRMATION', JSON.stringify(result));
		return result.structuredContent.error.details;
	};
	place.records = () => readdirSync(join(place.home, 'state/audit')).filter((name) => name.endsWith('.log')).sort()
		.flatMap((name) => readFileSync(join(place.home, 'state/audit', name), 'utf8').split('\n'))
		.map((line) => line.replace(/\0+$/, '')).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
	return place;
}

async function signIn(page, place, key, path = '') {
	await page.goto(`${place.url}${path}`);
	await page.getByLabel('Approver key').fill(key);
	await page.getByRole('button', { name: 'Sign in' }).click();
}

const price = (place, item) => place.rows(`SELECT price FROM items WHERE id = '${item}'`)[0].price;

describe('the approval pages', () => {
	const scope = [];
	let place, browser;
	let items = 0;
	const fresh = () => `itm_${items++}`;

	before(async () => {
		const t = { after: (f) => scope.push(f) };
		place = await deploy(t);
		browser = await launch();
		scope.push(() => browser.close());
	});
	after(async () => { for (const f of scope.reverse()) await f(); });

	it('tell whoever asks where to go, and what is approved there is what commits', async (t) => {
		const item = fresh();
		const { plan_id: plan, url } = await place.propose({ item_id: item, cents: 150 });
		assert.equal(url, `${place.url}/${plan}`);
		const page = await person(t, browser, { only: place.origin });
		await page.goto(url);
		await picture(page, 'sign-in');
		await assertUsable(page);
		await page.getByLabel('Approver key').fill(place.ada);
		await page.getByRole('button', { name: 'Sign in' }).click();
		assert.equal(page.url(), url);
		await picture(page, 'plan');
		await assertUsable(page);
		const shown = await page.locator('main').innerText();
		for (const said of ['reprice_item@1', item, 'the list price changed', 'desk-assistant', 'ada', 'development', '100', '150', 'cents', '50'])
			assert.ok(shown.includes(said), `${said} is not on the page:\n${shown}`);
		await page.getByLabel('Note (may be left out)').fill('looked at the list');
		await page.getByRole('button', { name: 'Approve exactly this' }).click();
		assert.equal(page.url(), url);
		assert.match(await page.locator('main').innerText(), /approved by ada/);
		await picture(page, 'approved');
		assert.equal(price(place, item), 100);
		const applied = await place.call({ item_id: item, cents: 150, reason: 'the list price changed', plan_id: plan });
		assert.ok(!applied.isError, JSON.stringify(applied));
		assert.equal(price(place, item), 150);
		const said = place.records().find((r) => r.e === 'APPROVAL' && JSON.stringify(r).includes(plan));
		assert.ok(said, 'no APPROVAL record');
		assert.ok(place.records().some((r) => r.e === 'SIGN_IN' && r.subj === 'ada'));
		await page.goto(`${place.url}/history`);
		assert.match(await page.locator('main').innerText(), /approved by ada/);
		await picture(page, 'history');
		await assertUsable(page);
		assert.deepEqual(page.trouble, []);
	});

	it('decline with a reason, and nothing moves', async (t) => {
		const item = fresh();
		const { plan_id: plan } = await place.propose({ item_id: item, cents: 160 });
		const page = await person(t, browser);
		await signIn(page, place, place.ada, `/${plan}`);
		await page.getByRole('button', { name: 'Decline' }).click(); // the reason is required: the browser asks for it
		assert.equal(await page.getByLabel('Reason').evaluate((at) => at.validity.valueMissing), true);
		await page.getByLabel('Reason').fill('not this month');
		await page.getByRole('button', { name: 'Decline' }).click();
		assert.match(await page.locator('main').innerText(), /declined by ada[\s\S]*not this month/);
		const refused = await place.call({ item_id: item, cents: 160, reason: 'the list price changed', plan_id: plan });
		assert.equal(refused.structuredContent.error.code, 'CONFIRMATION_INVALID');
		assert.equal(price(place, item), 100);
		assert.equal(await page.getByRole('button', { name: 'Approve exactly this' }).count(), 0);
	});

	it('show a plan to nobody else, in the words for one that is not there', async (t) => {
		const { plan_id: plan } = await place.propose({ item_id: fresh(), cents: 170 });
		const page = await person(t, browser);
		await signIn(page, place, place.eve, `/${plan}`);
		const theirs = await page.content();
		assert.match(theirs, /<h1>Not found/);
		const gone = await page.goto(`${place.url}/pl_00000000000000000000000000`);
		assert.equal(gone.status(), 404);
		assert.equal(await page.content(), theirs);
		await page.goto(place.url);
		assert.match(await page.locator('main').innerText(), /Nothing waits for you/);
	});

	it('send what is above the threshold to a second person, never to who asked', async (t) => {
		const item = fresh();
		const { plan_id: plan } = await place.propose({ item_id: item, cents: 9900 });
		const ada = await person(t, browser);
		await signIn(ada, place, place.ada, `/${plan}`);
		assert.match(await ada.locator('main').innerText(), /a second person is needed/);
		assert.equal(await ada.getByRole('button', { name: 'Approve exactly this' }).count(), 0);
		await picture(ada, 'plan-of-another');
		const bob = await person(t, browser);
		await signIn(bob, place, place.bob);
		await bob.getByRole('link', { name: 'reprice_item' }).click();
		assert.match(await bob.locator('main').innerText(), /above/);
		await picture(bob, 'plan-second-person');
		await bob.getByRole('button', { name: 'Approve exactly this' }).click();
		assert.match(await bob.locator('main').innerText(), /approved by bob/);
		const applied = await place.call({ item_id: item, cents: 9900, reason: 'the list price changed', plan_id: plan });
		assert.ok(!applied.isError, JSON.stringify(applied));
		assert.equal(price(place, item), 9900);
	});

	it('let who asked send it to a second person, with a note', async (t) => {
		const { plan_id: plan } = await place.propose({ item_id: fresh(), cents: 180 });
		const ada = await person(t, browser);
		await signIn(ada, place, place.ada, `/${plan}`);
		await ada.getByLabel('What they should know').fill('I am not sure about this one');
		await ada.getByRole('button', { name: 'Send it to them' }).click();
		assert.match(await ada.locator('main').innerText(), /a second person is needed/);
		assert.equal(await ada.getByRole('button', { name: 'Approve exactly this' }).count(), 0);
		assert.match(await ada.locator('main').innerText(), /I am not sure about this one/);
	});

	it('do not take a key of the wire, nor one that is wrong, and say the same of both', async (t) => {
		const page = await person(t, browser);
		const said = [];
		for (const key of [place.agent, place.ada.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')), 'x']) {
			await signIn(page, place, key);
			said.push(await page.locator('main').innerText());
			assert.match(page.url(), /sign-in$/);
		}
		assert.equal(new Set(said).size, 1);
		assert.match(said[0], /not an approver's key/);
		await picture(page, 'sign-in-wrong');
		await assertUsable(page);
		const refused = place.records().filter((r) => r.e === 'AUTH_FAIL');
		assert.ok(refused.length >= 2);
		assert.ok(!JSON.stringify(place.records()).includes(place.agent.slice(20)), 'a key is in the log');
	});

	it('say that a plan expired, and decide nothing then', async (t) => {
		const item = fresh();
		const { plan_id: plan } = await place.propose({ item_id: item, cents: 190 });
		const page = await person(t, browser);
		await signIn(page, place, place.ada, `/${plan}`);
		const db = new DatabaseSync(join(place.home, 'state/postern.db'));
		db.prepare('UPDATE plans SET expires_us = made_us + 1 WHERE id = ?').run(plan);
		db.close();
		await page.getByRole('button', { name: 'Approve exactly this' }).click();
		assert.match(await page.locator('main').innerText(), /expired/);
		await picture(page, 'expired');
		await assertUsable(page);
		assert.equal(await page.getByRole('button', { name: 'Approve exactly this' }).count(), 0);
		const refused = await place.call({ item_id: item, cents: 190, reason: 'the list price changed', plan_id: plan });
		assert.equal(refused.structuredContent.error.code, 'CONFIRMATION_INVALID');
	});

	it('count down without a script', async (t) => {
		const { plan_id: plan } = await place.propose({ item_id: fresh(), cents: 191 });
		const page = await person(t, browser);
		await signIn(page, place, place.ada, `/${plan}`);
		const seconds = () => page.locator('.countdown').evaluate((at) => {
			const style = getComputedStyle(at);
			return Number(style.getPropertyValue('--m')) * 60 + Number(style.getPropertyValue('--s'));
		});
		const first = await seconds();
		assert.ok(first > 500 && first <= 600, `${first}`);
		await until('a second to pass', async () => (await seconds()) < first);
		assert.match(await page.locator('.expiry').innerText(), /Expires in 9 min, at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
	});

	describe('do nothing for a page from elsewhere', () => {
		let elsewhere, other;
		before(async () => {
			elsewhere = http.createServer((request, reply) => {
				reply.setHeader('Content-Type', 'text/html');
				reply.end(other);
			});
			await new Promise((done) => elsewhere.listen(0, '127.0.0.1', done));
		});
		after(() => elsewhere.close());

		it('that posts the form, cookie and all', async (t) => {
			const item = fresh();
			const { plan_id: plan } = await place.propose({ item_id: item, cents: 200 });
			const page = await person(t, browser);
			await signIn(page, place, place.ada, `/${plan}`);
			const fields = await page.locator('form[action$="/decide"]').first().evaluate((form) => [...new FormData(form)]);
			other = `<form method=post action="${place.url}/${plan}/decide">${fields.map(([n, v]) => `<input name=${n} value="${v}">`).join('')}<button>go</button></form>`;
			await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
			await page.getByRole('button').click();
			assert.match(await page.locator('main').innerText(), /did not come from one of these pages/);
			assert.ok(place.records().some((r) => r.e === 'DENY' && r.reason === 'origin'));
			await page.goto(`${place.url}/${plan}`);
			assert.match(await page.locator('main').innerText(), /waiting for a decision/);
			assert.equal(price(place, item), 100);
		});
		it('that holds them in a frame', async (t) => {
			const page = await person(t, browser);
			await signIn(page, place, place.ada);
			other = `<iframe src="${place.url}"></iframe>`;
			await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
			await until('the frame to be refused', () => page.frames()[1]?.url().startsWith('chrome-error'));
		});
		it('that leads to a plan: whoever is signed in sees it', async (t) => {
			const { plan_id: plan } = await place.propose({ item_id: fresh(), cents: 201 });
			const page = await person(t, browser);
			await signIn(page, place, place.ada);
			other = `<a href="${place.url}/${plan}">look</a>`;
			await page.goto(`http://localhost:${elsewhere.address().port}/`); // another site: the cookie stays behind at first
			await page.getByRole('link').click();
			await until('the plan', async () => /waiting for a decision/.test(await page.locator('main').innerText().catch(() => '')));
		});
	});

	it('show hostile values as what they are', async (t) => {
		const item = fresh();
		const hostile = '<img src=x onerror=alert(1)> <script>alert(2)</script> "\'&amp; [a](javascript:alert(3)) \u202Edetrever\u202C \u{E0041}\u{E0042} a\u200Bb';
		const { plan_id: plan } = await place.propose({ item_id: item, cents: 210, reason: hostile, request: `please ${hostile}` });
		const page = await person(t, browser, { javaScriptEnabled: true, only: place.origin });
		await signIn(page, place, place.ada, `/${plan}`);
		await picture(page, 'hostile');
		await assertUsable(page);
		const shown = await page.locator('main').innerText();
		for (const said of ['<script>alert(2)</script>', 'U+202E', 'U+E0041', 'U+200B', '[a](javascript:alert(3))', '&amp;'])
			assert.ok(shown.includes(said), `${said} is not shown`);
		for (const hidden of ['\u202E', '\u200B', '\u{E0041}']) assert.ok(!(await page.content()).includes(hidden));
		const links = await page.locator('main a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
		assert.ok(links.every((href) => href.startsWith('/approvals')), links.join());
		const box = await page.locator('.told').innerText();
		assert.match(box, /Told by the assistant[\s\S]*please/);
		await page.getByRole('button', { name: 'Approve exactly this' }).click();
		assert.match(await page.locator('main').innerText(), /approved by ada/);
		assert.deepEqual(page.trouble, []);
	});

	it('work by keyboard alone', async (t) => {
		const { plan_id: plan } = await place.propose({ item_id: fresh(), cents: 220 });
		const page = await person(t, browser);
		const press = async (times = 1) => { for (let i = 0; i < times; i++) await page.keyboard.press('Tab'); };
		const here = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.name);
		const tabTo = async (name) => {
			for (let i = 0; i < 60; i++) {
				await press();
				if (name.test(await here())) return;
			}
			assert.fail(`no way by Tab to ${name}`);
		};
		await page.goto(`${place.url}/${plan}`);
		await press();
		assert.match(await here(), /Skip/);
		await tabTo(/^key$/);
		await page.keyboard.type(place.ada);
		await page.keyboard.press('Enter');
		await page.waitForURL(`${place.url}/${plan}`);
		await press();
		assert.match(await here(), /Skip/);
		await page.keyboard.press('Enter');
		await tabTo(/Approve exactly this/);
		const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
		assert.equal(outline, 'solid');
		await page.keyboard.press('Enter');
		await until('the yes', async () => /approved by ada/.test(await page.locator('main').innerText().catch(() => '')));
	});

	for (const colorScheme of ['light', 'dark'])
		it(`are read on a phone and on a desk, ${colorScheme}`, async (t) => {
			const plans = [];
			for (const cents of [300, 90000]) plans.push((await place.propose({ item_id: fresh(), cents, reason: 'a-reason-without-any-space-in-it-'.repeat(5) })).plan_id);
			for (const [name, viewport] of [['phone', { width: 360, height: 740 }], ['desk', { width: 1280, height: 900 }]]) {
				const page = await person(t, browser, { colorScheme, viewport });
				const look = async (what) => {
					await picture(page, `${name}-${colorScheme}-${what}`);
					await assertFits(page);
					await assertContrast(page);
					await assertUsable(page);
				};
				await page.goto(place.url);
				await look('sign-in');
				await signIn(page, place, place.ada);
				await look('queue');
				for (const [i, plan] of plans.entries()) {
					await page.goto(`${place.url}/${plan}`);
					await look(`plan-${i}`);
				}
				await page.goto(`${place.url}/history`);
				await look('history');
				await page.goto(`${place.url}/nothing`);
				await look('not-found');
			}
		});

	it('show what waits together, with what it sums up to', async (t) => {
		const page = await person(t, browser);
		await signIn(page, place, place.ada);
		const waiting = await page.locator('section', { hasText: 'Yours to decide' }).locator('tbody tr').count();
		assert.ok(waiting >= 2);
		assert.match(await page.locator('.totals').first().innerText(), new RegExp(`Plans\\s+${waiting}[\\s\\S]*Rows changed\\s+${waiting * 2}[\\s\\S]*cents`));
		await picture(page, 'queue');
	});

	it('say to browsers what they may do, and answer to their own name', async () => {
		const page = await fetch(`${place.url}/sign-in`);
		assert.match(page.headers.get('content-security-policy'), /^default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'/);
		assert.equal(page.headers.get('x-frame-options'), 'DENY');
		assert.equal(page.headers.get('cache-control'), 'no-store');
		assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
		const bent = await new Promise((done) => http.get({ host: '127.0.0.1', port: place.port, path: '/approvals', headers: { Host: 'rebound.example' } }, done));
		assert.equal(bent.statusCode, 403);
		bent.resume();
		const wire = await fetch(`http://127.0.0.1:${place.server.port}/approvals`);
		assert.equal(wire.status, 404);
		assert.equal((await fetch(`${place.origin}/mcp`, { method: 'POST', body: '{}' })).status, 403);
	});

	it('end a visit when its key is revoked, or its person is paused', async (t) => {
		const key = await approverKey(place.config, 'ada');
		const page = await person(t, browser);
		await signIn(page, place, key);
		assert.match(await page.locator('main').innerText(), /Waiting for a decision/);
		const kill = await run(['kill', place.config, 'principal', 'ada', '--reason', 'a test']);
		assert.equal(kill.code, 0, kill.stderr);
		await until('the pause', async () => (await page.goto(place.url)).status() === 503);
		await picture(page, 'paused');
		const resume = await run(['resume', place.config, 'principal', 'ada', '--reason', 'a test']);
		assert.equal(resume.code, 0, resume.stderr);
		await until('the end of the pause', async () => (await page.goto(place.url)).status() === 200);
		assert.equal((await run(['key', 'revoke', place.config, key.split('_')[2]])).code, 0);
		await page.goto(place.url);
		assert.match(page.url(), /sign-in/);
	});

	it('end a visit when somebody signs out', async (t) => {
		const page = await person(t, browser);
		await signIn(page, place, place.ada);
		const cookies = await page.context().cookies();
		assert.equal(cookies.length, 1);
		assert.deepEqual([cookies[0].httpOnly, cookies[0].sameSite, cookies[0].expires], [true, 'Strict', -1]);
		await page.getByRole('button', { name: 'Sign out' }).click();
		assert.match(page.url(), /sign-in/);
		assert.equal((await page.context().cookies()).length, 0);
		await page.context().addCookies(cookies);
		await page.goto(place.url);
		assert.match(page.url(), /sign-in/);
	});
});

describe('signing in', () => {
	it('is not listened to from an address with too many wrong keys', async (t) => {
		const place = await deploy(t, { changes: { limits: 'limits: { auth_failures: 3/m per address }' } });
		const post = (key) => fetch(`${place.url}/sign-in`, { method: 'POST', redirect: 'manual', headers: { Origin: place.origin, 'Content-Type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ key }) });
		for (let i = 0; i < 3; i++) assert.equal((await post('psap_dev_nobody')).status, 403);
		assert.equal((await post(place.ada)).status, 429);
	});

	it('takes a client certificate that is an approver\'s, over TLS', async (t) => {
		const place = await deploy(t, {
			prepare: (home) => {
				const openssl = (...args) => execFileSync('openssl', args, { cwd: home, stdio: 'pipe' });
				const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
				openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=test ca', '-keyout', 'ca.key', '-out', 'ca.pem');
				for (const [name, extension] of [['server', 'subjectAltName=IP:127.0.0.1'], ['ada', 'subjectAltName=email:ada@acme.example'], ['eve', 'subjectAltName=email:eve@acme.example'], ['robot', 'subjectAltName=email:robot@acme.example']]) {
					openssl('req', ...key, '-subj', `/CN=${name}`, '-addext', extension, '-keyout', `${name}.key`, '-out', `${name}.csr`);
					openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy', '-out', `${name}.pem`);
					chmodSync(join(home, `${name}.key`), 0o600);
				}
			},
			changes: {
				listen: 'listen: { http: { address: 127.0.0.1:8477 } }\napprovals: { address: 127.0.0.1:0, tls: { cert: server.pem, key: server.key, client_ca: ca.pem } }',
				identity: `identity:
  api_keys: true
  certificates:
    - { match: { san_email: ada@acme.example }, subject: ada, kind: human, roles: [desk], approver: true }
    - { match: { san_email: eve@acme.example }, subject: eve, kind: human, roles: [desk], approver: true }`,
			},
		});
		const { plan_id: plan, url } = await place.propose({ item_id: 'itm_1', cents: 150 });
		assert.equal(url, `https://127.0.0.1:${place.port}/approvals/${plan}`);
		const as = (name) => ({ cert: readFileSync(join(place.home, `${name}.pem`)), key: readFileSync(join(place.home, `${name}.key`)) });
		const go = (who, path, { body, cookie } = {}) => new Promise((done, failed) => {
			const sent = https.request({ host: '127.0.0.1', port: place.port, path, method: body ? 'POST' : 'GET', agent: false, ca: readFileSync(join(place.home, 'ca.pem')), ...as(who),
				headers: { ...(cookie ? { Cookie: cookie } : {}), ...(body ? { Origin: `https://127.0.0.1:${place.port}`, 'Content-Type': 'application/x-www-form-urlencoded' } : {}) } }, (reply) => {
				let text = '';
				reply.on('data', (data) => (text += data)).on('end', () => done({ status: reply.statusCode, text, headers: reply.headers }));
			});
			sent.on('error', failed);
			sent.end(body);
		});
		assert.match((await go('ada', '/approvals/sign-in')).text, /Continue as ada/);
		assert.doesNotMatch((await go('robot', '/approvals/sign-in')).text, /Continue as/);
		assert.equal((await go('robot', '/approvals/sign-in', { body: 'next=/approvals' })).status, 403);
		const entered = await go('ada', '/approvals/sign-in', { body: `next=/approvals/${plan}` });
		assert.equal(entered.status, 303);
		const [set] = entered.headers['set-cookie'];
		assert.match(set, /^__Host-postern-visit=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
		const cookie = set.split(';')[0];
		assert.match((await go('ada', `/approvals/${plan}`, { cookie })).text, /Approve exactly this/);
		// the cookie with another's certificate is nobody's visit
		for (const other of ['eve', 'robot']) assert.equal((await go(other, `/approvals/${plan}`, { cookie })).status, 303);
		assert.equal((await go('ada', `/approvals/${plan}`, { cookie })).status, 303, 'whose cookie others had is out');
	});
});
