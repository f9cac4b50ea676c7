// What a hostile tester tried on the write path, each as it was first reproduced.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { ask, issueKey, request, run, serve } from './harness.mjs';
import { decide, makeShop } from './shop.mjs';

const parts = {
	roles: `roles:
  seller: [shop.note, shop.price, shop.rename, shop.history]
  seer: [shop.note, shop.rename, shop.history, shop.see_notes]
  chief: [approve.prices]`,
};

const more = `  jot_down:
    description: Adds a note that few may read.
    owner: tests
    purpose: notes
    source: shop
    requires: shop.note
    input: { item_id: { type: string, maxLength: 20 } }
    write: INSERT INTO notes (item_id, note) SELECT id, 'secret of ' || name FROM items WHERE id = :item_id RETURNING id, note
    effects: { notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: { type: string, mask: redact, unmask: shop.see_notes } } } }
    returns: { shape: one, from: { statement: 1 }, columns: { id: { type: int64, assigned: true }, note: { type: string, mask: redact, unmask: shop.see_notes } } }
    approval: { by: none }
    idempotency: { key: "{item_id}", within: 10m }
  note_mine:
    description: Adds a note to an item of one's own team.
    owner: tests
    purpose: notes
    source: shop
    requires: shop.note
    visible: SELECT 1 FROM items WHERE id = :item_id AND stock = 5 AND :principal.subject IS NOT NULL
    input: { item_id: { type: string, maxLength: 20 }, note: { type: string, maxLength: 200 } }
    write: INSERT INTO notes (item_id, note) VALUES (:item_id, :note)
    effects: { notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: string } } }
    approval: { by: none }
  note_alone:
    description: Adds a note, one call at a time.
    owner: tests
    purpose: notes
    source: shop
    requires: shop.note
    limits: { concurrency: 1 }
    input: { item_id: { type: string, maxLength: 20 }, note: { type: string, maxLength: 200 } }
    write: INSERT INTO notes (item_id, note) VALUES (:item_id, :note)
    effects: { notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: string } } }
    approval: { by: none }
  give_away:
    description: Takes from the stock.
    owner: tests
    purpose: stock
    source: shop
    requires: shop.note
    input: { item_id: { type: string, maxLength: 20 }, count: { type: integer, minimum: 1, maximum: 5 }, reason: { type: string, maxLength: 200 } }
    write:
      - UPDATE items SET stock = stock - :count WHERE id = :item_id
      - INSERT INTO notes (item_id, note) VALUES (:item_id, :reason)
    effects:
      items: { update: [stock], key: [id], where: id = :item_id }
      notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: string } }
    impact: { pieces: items.stock }
    approval: { by: requester }
`;

async function open(t) {
	const site = await makeShop(t, { parts, more });
	site.ada = await issueKey(site.config, { subject: 'ada', roles: ['seller'] });
	site.seer = await issueKey(site.config, { subject: 'ada', roles: ['seer'] });
	site.yes = await site.approver('ada', 'seller');
	site.server = await serve(t, site.config);
	return site;
}

const raw = async (site, name, args, { key = site.ada, capabilities } = {}) =>
	(await ask(site.server, request('tools/call', { name, arguments: args }, { capabilities }), { key, deadlineMs: 30000 })).json;
async function call(site, name, args, options) {
	const { result } = await raw(site, name, args, options);
	return { ...result?.structuredContent, text: result?.content?.[0].text };
}
const notes = (site) => site.rows('SELECT note FROM notes').map((row) => row.note);

// Holds the write lock of the shop until `free` is called; what is done in between is committed then.
function hold(site) {
	const db = new DatabaseSync(join(site.home, 'shop.db'));
	db.exec('BEGIN IMMEDIATE');
	return { sql: (text) => db.exec(text), free: () => { db.exec('COMMIT'); db.close(); } };
}
const nap = (ms) => new Promise((done) => setTimeout(done, ms));

describe('an answer given again', () => {
	it('is masked for who reads it now, not for who read it first', async (t) => {
		const site = await open(t);
		const args = { item_id: 'itm_0001', dry_run: false };
		const first = await call(site, 'jot_down', args, { key: site.seer });
		assert.match(JSON.stringify(first), /secret of Bolt 1/);
		const again = await call(site, 'jot_down', args);
		assert.equal(again.replayed, true, JSON.stringify(again));
		assert.doesNotMatch(JSON.stringify(again), /secret of/);
	});
	it('is of the plan that was approved, or the plan is not called applied', async (t) => {
		const site = await open(t);
		const args = { item_id: 'itm_0001', count: 1, reason: 'a gift' };
		const plan = async () => {
			const { plan: { id } } = await call(site, 'give_away', args);
			assert.equal((await decide(site, 'approve', id, site.yes)).code, 0);
			return id;
		};
		const one = await plan();
		assert.equal((await call(site, 'give_away', { ...args, plan_id: one, idempotency_key: 'k' })).outcome, 'applied');
		const two = await plan();
		const second = await call(site, 'give_away', { ...args, plan_id: two, idempotency_key: 'k' });
		const stock = site.rows('SELECT stock FROM items WHERE id = \'itm_0001\'')[0].stock;
		assert.equal(site.plan(two).state === 'applied', stock === 3, `${JSON.stringify(second)} ${JSON.stringify(site.plan(two))} stock ${stock}`);
	});
});

describe('what happens while a change waits for the lock', () => {
	it('a kill order of a step\'s tool stops apply_together', async (t) => {
		const site = await open(t);
		const lock = hold(site);
		const step = { tool: 'add_note', arguments: { item_id: 'itm_0001', note: 'killed' } };
		const running = call(site, 'apply_together', { steps: [step, step], dry_run: false, reason: 'several at once' });
		await nap(300);
		const kill = await run(['kill', site.config, 'tool', 'add_note', '--reason', 'a test']);
		assert.equal(kill.code, 0, kill.stderr);
		await nap(500);
		lock.free();
		const end = await running;
		assert.deepEqual(notes(site), [], JSON.stringify(end));
		assert.equal(end.error?.code, 'PAUSED', JSON.stringify(end));
	});
	it('a record that is no longer theirs is not changed', async (t) => {
		const site = await open(t);
		const lock = hold(site);
		const running = call(site, 'note_mine', { item_id: 'itm_0001', note: 'not mine', dry_run: false });
		await nap(300);
		lock.sql('UPDATE items SET stock = 0 WHERE id = \'itm_0001\'');
		lock.free();
		const end = await running;
		assert.deepEqual(notes(site), [], JSON.stringify(end));
		assert.equal(end.error?.code, 'NOT_FOUND', JSON.stringify(end));
	});
	it('nor by a later step of apply_together, when an earlier one took it away', async (t) => {
		const site = await open(t);
		const steps = [{ tool: 'give_away', arguments: { item_id: 'itm_0001', count: 5, reason: 'all' } }, { tool: 'note_mine', arguments: { item_id: 'itm_0001', note: 'x' } }];
		const end = await call(site, 'apply_together', { steps, reason: 'several at once' });
		assert.equal(end.error?.code, 'NOT_FOUND', JSON.stringify(end));
	});
});

describe('several changes as one', () => {
	it('of a tool that runs one at a time are not in each other\'s way', async (t) => {
		const site = await open(t);
		const steps = ['a', 'b'].map((note) => ({ tool: 'note_alone', arguments: { item_id: 'itm_0001', note } }));
		const end = await call(site, 'apply_together', { steps, reason: 'several at once' });
		assert.equal(end.outcome, 'preview', JSON.stringify(end));
	});
	it('are not asked about in a form that does not show them all', async (t) => {
		const site = await open(t);
		const steps = Array.from({ length: 15 }, (_, i) => ({ tool: 'rename_item', arguments: { item_id: `itm_${String(i + 1).padStart(4, '0')}`, name: `New ${i + 1}!`, reason: 'a longer reason' } }));
		const { result } = await raw(site, 'apply_together', { steps, dry_run: false, reason: 'several at once' }, { capabilities: { elicitation: { form: {}, url: {} } } });
		const asked = JSON.stringify(result.inputRequests ?? {});
		if (asked.includes('requestedSchema')) for (let i = 1; i <= 15; i++) assert.ok(asked.includes(`'New ${i}!'`), `step ${i} is not shown, and a yes is asked for: ${asked.slice(-400)}`);
	});
	it('nor is one call whose arguments are cut', async (t) => {
		const site = await open(t);
		const wide = '\u{10400}'; // four bytes each, and the reason comes last
		const steps = [1, 2].map((i) => ({ tool: 'rename_item', arguments: { item_id: `itm_000${i}`, name: wide.repeat(40), reason: wide.repeat(190) + ' the end' } }));
		const { result } = await raw(site, 'apply_together', { steps, dry_run: false, reason: 'several at once' }, { capabilities: { elicitation: { form: {}, url: {} } } });
		const asked = JSON.stringify(result.inputRequests ?? {});
		assert.ok(!asked.includes('requestedSchema') || asked.split('the end').length > 2, asked.slice(0, 3000));
	});
});

describe('masks', () => {
	it('hold for sums: an impact of a masked column is refused', async (t) => {
		const site = await makeShop(t, { parts, more });
		const file = join(site.home, 'catalog.yaml');
		writeFileSync(file, readFileSync(file, 'utf8').replace('items: { update: [stock], key: [id], where: id = :item_id }', 'items: { update: [stock], key: [id], where: id = :item_id, columns: { id: string, stock: { type: int64, mask: redact } } }'));
		assert.notEqual((await run(['check', site.config])).code, 0);
	});
});
