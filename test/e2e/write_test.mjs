// Changes from outside: preview, plan, yes, apply; and what the database, its ledger and the log say.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { ask, issueKey, request, run, serve, sitDown } from './harness.mjs';
import { approverKey, makeSite, records } from './site.mjs';

const changes = {
	sources: `sources:
  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the tests change, events: [notes] }`,
	roles: `roles:
  seller: [shop.note, shop.price]
  chief: [approve.prices]`,
	limits: 'limits: { destructive: 1000/d per principal, pending_plans: 100 }',
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
    approval: { by: requester, above: [{ cents: 5000, need: other, grant: approve.prices }, { cents: 8000, per: principal/1d, need: other, grant: approve.prices }] }
`;

const sql = (site, text, ...values) => {
	const db = new DatabaseSync(join(site.home, 'shop.db'));
	try {
		return db.prepare(text).all(...values).map((row) => ({ ...row }));
	} finally {
		db.close();
	}
};
const prepare = (home) => {
	const db = new DatabaseSync(join(home, 'shop.db'));
	db.exec(`DROP TABLE items; CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, price INTEGER NOT NULL CHECK (price < 90000), stock INTEGER NOT NULL);
		INSERT INTO items VALUES ('itm_0001', 'Bolt', 100, 5), ('itm_0002', 'Nut', 200, 5);
		CREATE TABLE notes (id INTEGER PRIMARY KEY, item_id TEXT NOT NULL REFERENCES items (id), note TEXT NOT NULL);
		CREATE TABLE hidden (what TEXT)`);
	db.close();
};

async function makeShop(t, { more = {}, catalog = tools } = {}) {
	const site = makeSite(t, { changes: { ...changes, ...more }, tools: catalog, prepare });
	const made = await run(['install', site.config, 'shop']);
	assert.equal(made.code, 0, made.stderr);
	site.key = await issueKey(site.config, { subject: 'ada', roles: ['seller'] });
	site.ben = await issueKey(site.config, { subject: 'ben', roles: ['seller'] });
	site.yes = await approverKey(site.config, 'ada', 'seller');
	site.chief = await approverKey(site.config, 'eve', 'chief');
	site.server = await serve(t, site.config);
	return site;
}

async function call(site, name, args, key = site.key) {
	const { result } = JSON.parse((await ask(site.server, request('tools/call', { name, arguments: args }), { key })).body);
	return { ...result.structuredContent, text: result.content[0].text };
}
const approve = async (site, plan, key = site.yes) => {
	const end = await sitDown(['approve', site.config, plan], [['approver\'s key: ', key], ['type yes: ', 'yes']]);
	assert.equal(end.code, 0, end.seen);
};
const price = (site, id = 'itm_0001') => sql(site, 'SELECT price FROM items WHERE id = ?', id)[0].price;
const ledger = (site) => sql(site, 'SELECT * FROM postern_ledger ORDER BY rowid');
const wanted = { item_id: 'itm_0001', cents: 150, reason: 'a typing mistake' };
const dump = (site) => ['items', 'notes', 'hidden', 'postern_ledger', 'postern_ledger_rows', 'postern_ledger_sums', 'sqlite_schema']
	.map((table) => JSON.stringify(sql(site, `SELECT * FROM ${table}`), (_, v) => (v instanceof Uint8Array ? Buffer.from(v).toString('hex') : v))).join('\n');

describe('a preview', () => {
	it('shows what would happen, and nothing happened', async (t) => {
		const site = await makeShop(t);
		const before = dump(site);
		const seen = await call(site, 'reprice_item', wanted);
		assert.equal(dump(site), before);
		assert.equal(seen.outcome, 'preview');
		assert.match(seen.plan.id, /^pl_[0-9A-Z]{26}$/);
		assert.equal(seen.plan.approval, 'requester');
		assert.deepEqual(seen.effects, [
			{ table: 'items', operation: 'update', key: { id: 'itm_0001' }, before: { price: 100 }, after: { price: 150 } },
			{ table: 'notes', operation: 'insert', key: { id: { assigned: 'notes #1' } }, before: null, after: { id: { assigned: 'notes #1' }, note: 'a typing mistake' } },
		]);
		assert.deepEqual(seen.impact, { rows: { items: 1, notes: 1 }, sums: { cents: '50' } });
		assert.deepEqual(seen.result, { id: 'itm_0001', price: '150' });
		assert.match(seen.text, /^Preview: nothing was changed\./);
		assert.match(seen.text, /\| `price` \| `100` \| `150` \|/);
		assert.ok(seen.text.includes(seen.plan.id), 'the text does not name the plan');
		const [plan] = records(site, 'PLAN');
		assert.deepEqual([plan.plan, plan.need, plan.tool], [seen.plan.id, 'requester', 'reprice_item']);
		const outcome = records(site, 'CALL_OUTCOME').at(-1);
		assert.deepEqual([outcome.mode, outcome.end, outcome.plan, outcome.changed], ['preview', 'not', seen.plan.id, 2]);
	});
	it('is the same plan when it is asked for again, and another when it finds something else', async (t) => {
		const site = await makeShop(t);
		const first = await call(site, 'reprice_item', wanted);
		assert.equal((await call(site, 'reprice_item', wanted)).plan.id, first.plan.id);
		sql(site, "UPDATE items SET price = 120 WHERE id = 'itm_0001'");
		assert.notEqual((await call(site, 'reprice_item', wanted)).plan.id, first.plan.id);
		assert.notEqual((await call(site, 'reprice_item', wanted, site.ben)).plan.id, first.plan.id);
	});
	it('of what needs nobody makes no plan, and marks what is assigned at commit', async (t) => {
		const site = await makeShop(t);
		const seen = await call(site, 'add_note', { item_id: 'itm_0001', note: 'hello' });
		assert.equal(seen.plan, undefined);
		assert.deepEqual(seen.result, { id: null, note: 'hello' });
		assert.deepEqual(seen.assigned, ['id']);
		assert.equal(sql(site, 'SELECT * FROM notes').length, 0);
	});
	it('of a row with a long value is one like any other', async (t) => {
		const site = await makeShop(t);
		sql(site, "UPDATE items SET name = ? WHERE id = 'itm_0001'", 'x'.repeat(300000));
		assert.equal((await call(site, 'reprice_item', wanted)).outcome, 'preview');
	});
	it('says which precondition failed, that there is no such row, or which constraint stands against it', async (t) => {
		const site = await makeShop(t);
		const none = await call(site, 'add_note', { item_id: 'itm_0009', note: 'x', dry_run: false });
		assert.deepEqual([none.error.code, none.error.details.say], ['PRECONDITION_FAILED', 'There is no such item.']);
		const check = await call(site, 'reprice_item', { ...wanted, cents: 95000 });
		assert.deepEqual([check.error.code, check.error.details.constraint], ['PRECONDITION_FAILED', 'check']);
		sql(site, "DELETE FROM items WHERE id = 'itm_0002'");
		const gone = await call(site, 'reprice_item', { ...wanted, item_id: 'itm_0002' });
		assert.equal(gone.error.code, 'PRECONDITION_FAILED');
		assert.equal(sql(site, 'SELECT * FROM notes').length, 0);
	});
});

describe('the real thing', () => {
	it('commits exactly what was approved, once; asked again it gives the first answer', async (t) => {
		const site = await makeShop(t);
		const { plan } = await call(site, 'reprice_item', wanted);
		const early = await call(site, 'reprice_item', { ...wanted, plan_id: plan.id });
		assert.deepEqual([early.error.code, early.error.details.reason, early.error.details.plan_id], ['REQUIRES_CONFIRMATION', 'pending', plan.id]);
		assert.ok(!JSON.stringify(early).includes(site.home), 'a path of the server is told');
		await approve(site, plan.id);
		const done = await call(site, 'reprice_item', { ...wanted, plan_id: plan.id });
		assert.equal(done.outcome, 'applied', JSON.stringify(done));
		assert.equal(price(site), 150);
		const again = await call(site, 'reprice_item', { ...wanted, plan_id: plan.id });
		assert.deepEqual([again.outcome, again.replayed, again.ledger_id], ['applied', true, done.ledger_id]);
		assert.deepEqual(again.effects, done.effects);
		const rows = ledger(site);
		assert.deepEqual([rows.length, rows[0].id, rows[0].plan_id, rows[0].tool], [1, done.ledger_id, plan.id, 'reprice_item']);
		const intent = records(site, 'CALL_INTENT')[0];
		assert.equal(rows[0].intent, `${intent.o}/${intent.b}/${intent.i}`);
		assert.equal(records(site, 'CALL_OUTCOME').find((r) => r.ledger)?.ledger, done.ledger_id);
		assert.equal(records(site, 'REPLAY').length, 1);
		for (const secret of ['a typing mistake', 'itm_0001', 'ada']) assert.ok(!Buffer.concat(rows.flatMap((r) => Object.values(r)).filter((v) => v instanceof Uint8Array)).includes(secret));
	});
	it('is a conflict when the row changed meanwhile; the yes is void, and a fresh plan comes with it', async (t) => {
		const site = await makeShop(t);
		const { plan } = await call(site, 'reprice_item', wanted);
		await approve(site, plan.id);
		sql(site, "UPDATE items SET price = 120 WHERE id = 'itm_0001'");
		const late = await call(site, 'reprice_item', { ...wanted, plan_id: plan.id });
		assert.deepEqual([late.error.code, late.error.details.reason, late.error.retryable], ['CONFLICT', 'plan_changed', false]);
		assert.notEqual(late.error.details.plan_id, plan.id);
		assert.equal(price(site), 120);
		sql(site, "UPDATE items SET price = 100 WHERE id = 'itm_0001'");
		assert.equal((await call(site, 'reprice_item', { ...wanted, plan_id: plan.id })).error.code, 'CONFIRMATION_INVALID');
		assert.equal(ledger(site).length, 0);
	});
	it('is refused with other arguments, to another person, and for a plan that is not there, in words that tell nothing', async (t) => {
		const site = await makeShop(t);
		const { plan } = await call(site, 'reprice_item', wanted);
		await approve(site, plan.id);
		const other = await call(site, 'reprice_item', { ...wanted, cents: 151, plan_id: plan.id });
		assert.deepEqual([other.error.code, other.error.details.reason], ['CONFIRMATION_INVALID', 'arguments']);
		const foreign = await call(site, 'reprice_item', { ...wanted, plan_id: plan.id }, site.ben);
		const nowhere = await call(site, 'reprice_item', { ...wanted, plan_id: 'pl_01M7ZRZAYSS0VXYZHTQCGW7SCP' }, site.ben);
		for (const r of [foreign, nowhere]) { delete r.error.call_id; delete r.text; }
		assert.deepEqual(foreign, nowhere);
		assert.equal(foreign.error.code, 'NOT_FOUND');
		assert.equal(price(site), 100);
		assert.equal((await call(site, 'reprice_item', { ...wanted, plan_id: plan.id })).outcome, 'applied');
	});
	it('of a hundred at once happens once', async (t) => {
		const site = await makeShop(t);
		const { plan } = await call(site, 'reprice_item', wanted);
		await approve(site, plan.id);
		const answers = await Promise.all(Array.from({ length: 40 }, () => call(site, 'reprice_item', { ...wanted, plan_id: plan.id })));
		assert.equal(answers.filter((a) => a.outcome === 'applied' && !a.replayed).length, 1);
		for (const a of answers) assert.ok(a.outcome === 'applied' || ['CONFLICT', 'BUSY', 'RATE_LIMITED'].includes(a.error.code), JSON.stringify(a));
		assert.equal(ledger(site).length, 1);
		assert.equal(sql(site, 'SELECT * FROM notes').length, 1);
	});
	it('by a key for the same thing happens once, and again after its time or for something else', async (t) => {
		const site = await makeShop(t);
		const note = { item_id: 'itm_0001', note: 'hello', dry_run: false };
		const first = await call(site, 'add_note', note);
		assert.deepEqual([first.outcome, first.result], ['applied', { id: '1', note: 'hello' }]);
		const again = await call(site, 'add_note', note);
		assert.deepEqual([again.replayed, again.result, again.ledger_id], [true, first.result, first.ledger_id]);
		assert.equal((await call(site, 'add_note', { ...note, note: 'other' })).replayed, undefined);
		assert.equal((await call(site, 'add_note', note, site.ben)).replayed, undefined);
		const keyed = await call(site, 'add_note', { ...note, idempotency_key: 'k1' });
		assert.equal(keyed.replayed, undefined);
		const reused = await call(site, 'add_note', { ...note, note: 'another', idempotency_key: 'k1' });
		assert.deepEqual([reused.error.code, reused.error.details.reason], ['CONFLICT', 'idempotency_key']);
		assert.equal(ledger(site).length, 4);
	});
	it('needs more than the requester above a threshold, of one call or of the day', async (t) => {
		const site = await makeShop(t);
		const large = await call(site, 'reprice_item', { ...wanted, cents: 5200 });
		assert.deepEqual([large.plan.approval, large.plan.grant], ['other', 'approve.prices']);
		assert.match(large.plan.because, /5,?100/);
		const { plan } = await call(site, 'reprice_item', { ...wanted, cents: 5000 });
		assert.equal(plan.approval, 'requester');
		await approve(site, plan.id);
		assert.equal((await call(site, 'reprice_item', { ...wanted, cents: 5000, plan_id: plan.id })).outcome, 'applied');
		const more = await call(site, 'reprice_item', { ...wanted, item_id: 'itm_0002', cents: 4000 });
		assert.equal(more.plan.approval, 'other', 'many small ones slip under');
		assert.equal((await call(site, 'reprice_item', { ...wanted, item_id: 'itm_0002', cents: 4000 }, site.ben)).plan.approval, 'requester');
	});
	it('is refused when what was approved would by now need somebody else', async (t) => {
		const site = await makeShop(t);
		const one = (await call(site, 'reprice_item', { ...wanted, cents: 4600 })).plan, two = (await call(site, 'reprice_item', { ...wanted, item_id: 'itm_0002', cents: 4600 })).plan;
		assert.deepEqual([one.approval, two.approval], ['requester', 'requester']);
		await approve(site, one.id);
		await approve(site, two.id);
		assert.equal((await call(site, 'reprice_item', { ...wanted, cents: 4600, plan_id: one.id })).outcome, 'applied');
		const second = await call(site, 'reprice_item', { ...wanted, item_id: 'itm_0002', cents: 4600, plan_id: two.id });
		assert.deepEqual([second.error.code, second.error.details.reason, second.error.details.approval], ['CONFLICT', 'approval', 'other']);
		assert.equal(price(site, 'itm_0002'), 200);
	});
});

describe('what the tool does not declare', () => {
	const behind = [
		['a trigger that writes elsewhere', 'CREATE TRIGGER t AFTER UPDATE ON items BEGIN INSERT INTO hidden VALUES (1); END', 'hidden', 'insert'],
		['a trigger that empties a table', "INSERT INTO hidden VALUES ('x'); CREATE TRIGGER t AFTER UPDATE ON items BEGIN DELETE FROM hidden; END", 'hidden', 'delete'],
		['a trigger that changes another column', 'CREATE TRIGGER t AFTER UPDATE OF price ON items BEGIN UPDATE items SET stock = 0 WHERE id = NEW.id; END', 'items', 'update'],
		['a trigger that changes another row', "CREATE TRIGGER t AFTER UPDATE OF price ON items WHEN NEW.id = 'itm_0001' BEGIN UPDATE items SET price = 1 WHERE id = 'itm_0002'; END", 'items', 'update'],
	];
	for (const [name, text, table, operation] of behind)
		it(`rolls back, and the table is named: ${name}`, async (t) => {
			const site = await makeShop(t);
			const { plan } = await call(site, 'reprice_item', wanted); /* its statements are prepared */
			await approve(site, plan.id);
			const db = new DatabaseSync(join(site.home, 'shop.db'));
			db.exec(text);
			db.close();
			const before = dump(site);
			for (const more of [{}, { plan_id: plan.id }]) {
				const { error } = await call(site, 'reprice_item', { ...wanted, ...more });
				assert.deepEqual([error.code, error.details.table, error.details.operation], ['UNDECLARED_EFFECT', table, operation]);
				assert.equal(dump(site), before);
			}
		});
	it('also when it hangs on the ledger', async (t) => {
		const site = await makeShop(t);
		const db = new DatabaseSync(join(site.home, 'shop.db'));
		db.exec('CREATE TRIGGER t AFTER INSERT ON postern_ledger BEGIN INSERT INTO hidden VALUES (1); END');
		db.close();
		const { error } = await call(site, 'add_note', { item_id: 'itm_0001', note: 'x', dry_run: false });
		assert.deepEqual([error.code, error.details.table], ['UNDECLARED_EFFECT', 'hidden']);
		assert.equal(ledger(site).length, 0);
	});
});

describe('several changes as one', () => {
	const steps = [
		{ tool: 'reprice_item', arguments: { item_id: 'itm_0001', cents: 3100, reason: 'first' } },
		{ tool: 'reprice_item', arguments: { item_id: 'itm_0002', cents: 3200, reason: 'second' } },
		{ tool: 'add_note', arguments: { item_id: 'itm_0002', note: 'both were wrong' } },
	];
	const together = (site, more = {}, key) => call(site, 'apply_together', { steps, reason: 'they belong together', ...more }, key);

	it('are one plan with one set of sums, approved once, applied all or nothing', async (t) => {
		const site = await makeShop(t);
		const before = dump(site);
		const seen = await together(site);
		assert.equal(dump(site), before);
		assert.equal(seen.outcome, 'preview', JSON.stringify(seen));
		assert.deepEqual(seen.impact, { rows: { items: 2, notes: 3 }, sums: { cents: '6000' } });
		assert.deepEqual([seen.plan.approval, seen.plan.grant], ['other', 'approve.prices'], 'the sums decide, not each step');
		assert.deepEqual(seen.results, [{ id: 'itm_0001', price: '3100' }, { id: 'itm_0002', price: '3200' }, { id: null, note: 'both were wrong' }]);
		await approve(site, seen.plan.id, site.chief);
		const done = await together(site, { plan_id: seen.plan.id });
		assert.equal(done.outcome, 'applied', JSON.stringify(done));
		assert.deepEqual([price(site), price(site, 'itm_0002'), ledger(site).length], [3100, 3200, 1]);
		assert.equal((await together(site, { plan_id: seen.plan.id })).replayed, true);
		assert.equal((await call(site, 'reprice_item', { ...wanted, cents: 5200 })).plan.approval, 'other', 'what was done as one of several counts');
	});
	it('end with nothing when one of them cannot be; the answer says which', async (t) => {
		const site = await makeShop(t);
		const before = dump(site);
		for (const [i, bad, code] of [
			[2, { tool: 'add_note', arguments: { item_id: 'itm_0009', note: 'x' } }, 'PRECONDITION_FAILED'],
			[1, { tool: 'reprice_item', arguments: { item_id: 'itm_0002', cents: 0, reason: 'x' } }, 'VALIDATION_ERROR'],
			[0, { tool: 'no_such_tool', arguments: {} }, 'VALIDATION_ERROR'],
			[0, { tool: 'whoami', arguments: {} }, 'VALIDATION_ERROR'],
			[1, { tool: 'add_note', arguments: { item_id: 'itm_0001', note: 'x', dry_run: false } }, 'VALIDATION_ERROR'],
		]) {
			const { error } = await together(site, { steps: steps.with(i, bad), dry_run: false });
			assert.equal(error.code, code, JSON.stringify(error));
			if (code === 'VALIDATION_ERROR') assert.equal(error.details.step ?? i + 1, i + 1);
			assert.equal(dump(site), before);
		}
	});
	it('are nobody\'s who may use none of them, and of no tool that the caller may not use alone', async (t) => {
		const site = await makeShop(t, { more: { roles: 'roles:\n  seller: [shop.note, shop.price]\n  noter: [shop.note]\n  guest: []\n  chief: [approve.prices]' } });
		const noter = await issueKey(site.config, { subject: 'nora', roles: ['noter'] }), guest = await issueKey(site.config, { subject: 'gil', roles: ['guest'] });
		const { error } = await together(site, {}, noter);
		assert.deepEqual([error.code, error.details.step, error.details.grant], ['PERMISSION_DENIED', 1, 'shop.price']);
		const denied = await together(site, {}, guest);
		assert.equal(denied.error.code, 'PERMISSION_DENIED');
		const list = async (key) => JSON.parse((await ask(site.server, request('tools/list'), { key })).body).result.tools.map((tool) => tool.name);
		assert.ok((await list(site.key)).includes('apply_together'));
		assert.ok(!(await list(guest)).includes('apply_together'));
	});
});
