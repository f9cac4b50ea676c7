// Large plans: before whoever decides, before a client that does not read, and for everybody else.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import net from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { ask, issueKey, modernHeaders, post, request, serve } from './harness.mjs';
import { decide, makeShop } from './shop.mjs';

const more = `  restock_all:
    description: Adds to the stock of many items.
    owner: tests
    purpose: stock
    source: shop
    requires: shop.note
    input: { name: { type: string, maxLength: 20 }, note: { type: string, maxLength: 100000 }, reason: { type: string, maxLength: 200 } }
    write:
      - UPDATE items SET name = name || substr(:note, 1, 2000), stock = stock + 1 WHERE name LIKE :name || '%'
      - INSERT INTO notes (item_id, note) VALUES ('itm_0001', :reason)
    effects:
      items: { update: [stock, name], key: [id], rows: 0..10000, where: name LIKE :name || '%' }
      notes: { insert: true, key: [id], volatile: [id], where: item_id = 'itm_0001', columns: { id: int64, note: string } }
    approval: { by: requester }
`;
const parts = { listen: 'listen: { http: { address: 127.0.0.1:8477 } }', approvals: 'approvals: { address: 127.0.0.1:0 }' };

async function open(t, rows) {
	const site = await makeShop(t, { parts, more });
	const db = new DatabaseSync(join(site.home, 'shop.db'));
	db.exec(`INSERT INTO items (id, name, price, stock) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT 'x' || i, 'many', 1, 1 FROM n`);
	db.close();
	site.key = await issueKey(site.config, { subject: 'ada', roles: ['seller'] });
	site.yes = await site.approver('ada', 'seller');
	site.server = await serve(t, site.config);
	site.desk = Number(/approvals address=127\.0\.0\.1:(\d+)/.exec(site.server.stderr)?.[1]);
	return site;
}
const call = async (site, args) => (await ask(site.server, request('tools/call', { name: 'restock_all', arguments: args }), { key: site.key, deadlineMs: 60000 })).json;

async function visit(site, path) {
	const origin = `http://127.0.0.1:${site.desk}`;
	const entered = await fetch(`${origin}/approvals/sign-in`, { method: 'POST', redirect: 'manual', headers: { Origin: origin, 'Content-Type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ key: site.yes }) });
	assert.equal(entered.status, 303);
	const start = Date.now();
	const page = await fetch(origin + path, { headers: { Cookie: entered.headers.get('set-cookie').split(';')[0] } }).catch((e) => ({ status: 0, headers: new Map(), text: async () => String(e.cause ?? e) }));
	const text = await page.text();
	return { status: page.status, text, ms: Date.now() - start };
}

for (const [rows, note] of [[30, '\x7f'.repeat(100000)], [900, 'x'.repeat(2000)], [9900, 'x']])
	describe(`a plan of ${rows} rows and ${note.length} bytes`, () => {
		it('is made, looked at, and the server lives', async (t) => {
			const site = await open(t, rows);
			const start = Date.now();
			const { result } = await call(site, { name: 'many', note, reason: 'a lot of it' });
			t.diagnostic(`preview ${Date.now() - start} ms, ${JSON.stringify(result).length} bytes ${JSON.stringify(result.structuredContent.error ?? {})}`);
			const id = result.structuredContent.plan?.id;
			if (id) {
				const page = await visit(site, `/approvals/${id}`);
				t.diagnostic(`page ${page.status} ${page.text.length} bytes, ${page.ms} ms: ${page.text.slice(0, 80)}`);
				assert.notEqual(page.status, 0);
				const queue = await visit(site, '/approvals');
				assert.equal(queue.status, 200, queue.text.slice(0, 200));
			}
			await site.server.alive();
		});
	});

describe('a client that does not read its preview', () => {
	it('holds nobody up', async (t) => {
		const site = await open(t, 5000);
		const message = request('tools/call', { name: 'restock_all', arguments: { name: 'many', note: 'x', reason: 'a lot of it' } });
		const sockets = Array.from({ length: 6 }, () => net.connect(site.server.port, '127.0.0.1'));
		for (const s of sockets) { s.on('error', () => {}); s.pause(); s.write(post(site.server, message, { key: site.key, headers: modernHeaders(message) })); }
		t.after(() => sockets.forEach((s) => s.destroy()));
		await new Promise((done) => setTimeout(done, 6000));
		const start = Date.now();
		const { result } = await call(site, { name: 'Bolt 1', note: 'y', reason: 'a little of it' });
		assert.ok(!result.isError, JSON.stringify(result).slice(0, 500));
		assert.ok(Date.now() - start < 3000, `${Date.now() - start} ms`);
	});
});
