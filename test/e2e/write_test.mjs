// Changes from outside: preview, plan, yes, apply; and what the database, its ledger and the log say.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { ask, issueKey, request, run, serve } from './harness.mjs';
import { makeSite } from './site.mjs';

const records = (home) => readdirSync(join(home, 'state/audit')).filter((name) => name.endsWith('.log')).sort()
	.flatMap((name) => readFileSync(join(home, 'state/audit', name), 'utf8').split('\n').map((line) => line.replace(/\0+$/, '')).filter((line) => line.startsWith('{'))).map((line) => JSON.parse(line));

const changes = {
	sources: `sources:
  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the tests change, events: [notes] }`,
	roles: `roles:
  seller: [shop.note, shop.price]
  chief: [approve.prices]`,
	limits: 'limits: { destructive: 1000/d per principal }',
};

const tools = `tools:
  add_note:
    description: Adds a note to an item.
    owner: tests
    purpose: notes
    source: shop
    requires: shop.note
    input: { item_id: { type: string, maxLength: 20 }, note: { type: string, maxLength: 50 } }
    preconditions:
      - { unless: SELECT 1 FROM items WHERE id = :item_id, say: There is no such item. }
    write: INSERT INTO notes (item_id, note) VALUES (:item_id, :note) RETURNING id, note
    effects: { notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: string } } }
    returns: { shape: one, from: { statement: 1 }, columns: { id: { type: int64, assigned: true }, note: string } }
    approval: { by: none }
    idempotency: { key: "{item_id}:{note}", within: 10m }
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
	db.exec(`ALTER TABLE items DROP COLUMN price; ALTER TABLE items ADD COLUMN price INTEGER NOT NULL DEFAULT 0; CREATE TABLE notes (id INTEGER PRIMARY KEY, item_id TEXT NOT NULL, note TEXT NOT NULL);
		DELETE FROM items; INSERT INTO items (id, name, price, stock) VALUES ('itm_0001', 'Bolt', 100, 5), ('itm_0002', 'Nut', 200, 5);`);
	db.close();
};

describe('a change', () => {
	const scope = [];
	let place, server, key;
	before(async () => {
		const t = { after: (f) => scope.push(f) };
		place = makeSite(t, { changes, tools, prepare });
		const made = await run(['install', place.config, 'shop']);
		assert.equal(made.code, 0, made.stderr);
		key = await issueKey(place.config, { subject: 'ada', roles: ['seller'] });
		server = await serve(t, place.config);
	});
	after(async () => { for (const f of scope.reverse()) await f(); });

	const call = async (name, args) => {
		const reply = await ask(server, request('tools/call', { name, arguments: args }), { key });
		return JSON.parse(reply.body);
	};
	const rows = (sql) => { const db = new DatabaseSync(join(place.home, 'shop.db'), { readOnly: true }); try { return db.prepare(sql).all(); } finally { db.close(); } };

	it('previews', async () => {
		const reply = await call('reprice_item', { item_id: 'itm_0001', cents: 150, reason: 'mistyped' });
		console.log(JSON.stringify(reply, null, 1));
		console.log(reply.result?.content?.[0]?.text);
		console.log(server.stderr.slice(-800));
		assert.equal(rows("SELECT price FROM items WHERE id = 'itm_0001'")[0].price, 100);
	});
	it('adds a note', async () => {
		const reply = await call('add_note', { item_id: 'itm_0001', note: 'hello', dry_run: false });
		console.log(JSON.stringify(reply, null, 1));
		console.log(JSON.stringify(await call('add_note', { item_id: 'itm_0001', note: 'hello', dry_run: false })));
		console.log(JSON.stringify(await call('add_note', { item_id: 'itm_0009', note: 'hello', dry_run: false })));
		console.log(JSON.stringify(await call('reprice_item', { item_id: 'itm_0001', cents: 150, reason: 'mistyped', dry_run: false })));
		console.log(rows('SELECT * FROM notes'), rows('SELECT id, call_id, plan_id, tool, intent, rows FROM postern_ledger'));
		console.log(records(place.home).filter((r) => r.e.startsWith('CALL') || r.e === 'PLAN').map((r) => JSON.stringify(r)).join('\n'));
	});
});
