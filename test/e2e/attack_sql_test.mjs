// Tables and triggers that lie: what was approved is what commits, or nothing does.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, after, describe, it } from 'node:test';
import { ask, issueKey, request, serve } from './harness.mjs';
import { decide, makeShop } from './shop.mjs';

const note = `notes: { insert: true, key: [id], volatile: [id], where: item_id = 'log', columns: { id: int64, note: string } }`;
const tool = (name, write, effects, { input = 'k: { type: string, maxLength: 50 }, v: { type: string, maxLength: 50 }', by = 'requester' } = {}) => `  ${name}:
    description: Changes what is odd.
    owner: tests
    purpose: odd tables
    source: shop
    requires: shop.note
    input: { ${input}, reason: { type: string, maxLength: 200 } }
    write:
      - ${write}
      - INSERT INTO notes (item_id, note) VALUES ('log', :reason)
    effects:
      ${effects}
      ${note}
    approval: { by: ${by} }
`;
const pair = (table, more = 'insert: true, delete: true, update: [v]') => `${table}: { ${more}, key: [k], where: ":k IS NOT NULL", rows: 0..9, columns: { k: string, v: string } }`;
const more = [
	tool('put_nocase', 'INSERT INTO nocase (k, v) VALUES (:k, :v) ON CONFLICT (k) DO UPDATE SET v = excluded.v', pair('nocase')),
	tool('replace_loose', 'INSERT OR REPLACE INTO loose (k, v) VALUES (:k, :v)', pair('loose')),
	tool('fill_target', 'INSERT INTO target (k, v) SELECT k, v FROM origin WHERE :k IS NOT NULL AND :v IS NOT NULL', pair('target')),
	tool('copy_loose', 'UPDATE loose SET v = (SELECT v FROM origin WHERE k = :v) WHERE k = :k', pair('loose')),
	tool('mark_made', 'UPDATE made SET v = :v WHERE k = :k', 'made: { update: [v, twice], key: [k], where: k = :k, columns: { k: string, v: string, twice: string } }'),
	tool('post_owner', 'INSERT INTO owners (v) VALUES (:v)', 'owners: { insert: true, key: [id], volatile: [id], where: v = :v, columns: { id: int64, v: string } }\n      loose: { update: [v], key: [k], where: ":k IS NOT NULL", rows: 0..9, columns: { k: string, v: string }, }'),
].join('');

const tables = `
	CREATE TABLE nocase (k TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, v) WITHOUT ROWID; INSERT INTO nocase VALUES ('Abc', 'one');
	CREATE TABLE loose (k PRIMARY KEY NOT NULL, v UNIQUE); INSERT INTO loose VALUES ('a', 'one'), ('b', 'two'), ('c', 'three');
	CREATE TABLE origin (k TEXT PRIMARY KEY NOT NULL, v) WITHOUT ROWID; INSERT INTO origin VALUES ('x', '1'), ('y', '2');
	CREATE TABLE target (k TEXT PRIMARY KEY NOT NULL, v) WITHOUT ROWID;
	CREATE TABLE hidden (what TEXT);
	CREATE TABLE hidden_pair (k TEXT PRIMARY KEY NOT NULL, v) WITHOUT ROWID;
	CREATE TABLE made (k TEXT PRIMARY KEY NOT NULL, v TEXT, twice TEXT GENERATED ALWAYS AS (v || v) VIRTUAL); INSERT INTO made (k, v) VALUES ('m', 'q');
	CREATE TABLE owners (id INTEGER PRIMARY KEY AUTOINCREMENT, v);`;

describe('what commits is what was approved', () => {
	const scope = [];
	let site, key, yes, db;
	before(async () => {
		const t = { after: (f) => scope.push(f) };
		site = await makeShop(t, { parts: { sources: 'sources:\n  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the tests change }', limits: 'limits: { destructive: 1000/d per principal, pending_plans: 100 }' }, more });
		key = await issueKey(site.config, { subject: 'ada', roles: ['seller'] });
		yes = await site.approver('ada', 'seller');
		db = new DatabaseSync(join(site.home, 'shop.db'));
		db.exec(tables);
		site.server = await serve(t, site.config);
	});
	after(async () => { db.close(); for (const f of scope.reverse()) await f(); });
	const raw = async (name, args) => (await ask(site.server, request('tools/call', { name, arguments: args }), { key })).json;
	const call = async (...all) => { const r = await raw(...all); return r.result?.structuredContent ?? r; };
	const all = (table) => db.prepare(`SELECT *, typeof(v) AS t FROM ${table} ORDER BY 1`).all().map((row) => ({ ...row }));
	const odd = ['nocase', 'loose', 'target', 'hidden_pair', 'made', 'owners'];
	const dump = () => JSON.stringify([...odd.map(all), db.prepare('SELECT * FROM hidden').all()]);
	// Previews, says yes, lets `meanwhile` happen, applies.
	const through = async (name, args, meanwhile) => {
		const seen = await call(name, { reason: 'an odd one', ...args });
		assert.equal(seen.outcome, 'preview', JSON.stringify(seen));
		const decided = await decide(site, 'approve', seen.plan.id, yes);
		assert.equal(decided.code, 0, decided.text);
		if (meanwhile) db.exec(meanwhile);
		const middle = dump();
		const end = await call(name, { reason: 'an odd one', ...args, plan_id: seen.plan.id });
		return { seen, end, same: dump() === middle };
	};
	// The effects account for every difference.
	const rows = (effects, table) => effects.filter((e) => e.table === table).map((e) => [e.operation, e.before?.v, e.after?.v]);

	it('of an upsert that finds its row by another collation', async () => {
		const { end } = await through('put_nocase', { k: 'ABC', v: 'two' });
		assert.deepEqual(rows(end.effects, 'nocase'), [['update', 'one', 'two']]);
		assert.equal(all('nocase')[0].k, 'Abc');
	});
	it('of a REPLACE that takes away two rows', async () => {
		const { end } = await through('replace_loose', { k: 'a', v: 'two' });
		assert.deepEqual(rows(end.effects, 'loose').sort(), [['delete', 'two', undefined], ['update', 'one', 'two']]);
		assert.equal(all('loose').length, 2);
	});
	it('of a whole table copied into an empty one', async () => {
		const { end } = await through('fill_target', { k: 'x', v: 'y' });
		assert.equal(rows(end.effects, 'target').length, 2);
	});
	it('of a generated column', async () => {
		const { end } = await through('mark_made', { k: 'm', v: 'z' });
		assert.equal(end.effects.find((e) => e.table === 'made').after.twice, 'zz');
	});
	it('by type, not by looks: text, number and bytes that read alike', async () => {
		for (const [from, to] of [['\'1\'', '1'], ['1', '1.0'], ['\'1\'', 'x\'31\''], ['\'e\u0301\'', '\'\u00e9\''], ['0.0', '-0.0'], ['\'a\'', '\'a\' || char(0) || \'b\''], ['9007199254740993', '9007199254740992']]) {
			db.exec(`UPDATE origin SET v = ${from} WHERE k = 'x'; UPDATE loose SET v = 'start' WHERE k = 'c'`);
			const { end, same } = await through('copy_loose', { k: 'c', v: 'x' }, `UPDATE origin SET v = ${to} WHERE k = 'x'`);
			assert.deepEqual([end.error?.code, end.error?.details?.reason, same], ['CONFLICT', 'plan_changed', true], `${from} is taken for ${to}: ${JSON.stringify(end)}`);
		}
	});
	for (const [what, trigger] of [
		['that acts from the second run on', 'WHEN (SELECT count(*) FROM postern_guard) > 0'],
		['that acts by the number of rows', 'WHEN (SELECT count(*) FROM hidden) = 0'],
	])
		it(`and a trigger ${what} is found`, async () => {
			db.exec(`CREATE TABLE IF NOT EXISTS postern_guard (x); DELETE FROM postern_guard; DELETE FROM hidden; INSERT INTO hidden VALUES ('kept')`);
			db.exec(`CREATE TRIGGER later AFTER UPDATE ON made ${trigger.replaceAll('postern_guard', 'guardian')} BEGIN INSERT INTO hidden VALUES ('taken'); END; CREATE TABLE IF NOT EXISTS guardian (x); DELETE FROM guardian`);
			const { end, same } = await through('mark_made', { k: 'm', v: `v${what.length}` }, 'INSERT INTO guardian VALUES (1); DELETE FROM hidden');
			db.exec('DROP TRIGGER later');
			assert.deepEqual([end.error?.code, same], ['UNDECLARED_EFFECT', true], JSON.stringify(end));
		});
	it('and a table that is swapped for a view or another table is found', async () => {
		const { end, same } = await through('mark_made', { k: 'm', v: 'swapped' }, `ALTER TABLE made RENAME TO made_was; CREATE TABLE made (k TEXT PRIMARY KEY NOT NULL, v TEXT, twice TEXT, extra TEXT); INSERT INTO made SELECT k, v, twice, 'x' FROM made_was`);
		assert.ok(end.error && same, JSON.stringify(end));
		db.exec('DROP TABLE made; ALTER TABLE made_was RENAME TO made');
	});
	it('and a trigger that copies behind a REPLACE is found', async () => {
		db.exec('DELETE FROM hidden_pair; CREATE TRIGGER behind AFTER INSERT ON loose BEGIN INSERT INTO hidden_pair SELECT * FROM origin; END');
		const seen = await call('replace_loose', { k: 'c', v: 'seen2', reason: 'x' });
		db.exec('DROP TRIGGER behind');
		assert.equal(seen.error?.code, 'UNDECLARED_EFFECT', JSON.stringify(seen));
	});
	it('and one that turns back the sequence is found', async () => {
		db.exec("INSERT INTO owners (v) VALUES ('first'); CREATE TRIGGER back AFTER INSERT ON owners BEGIN UPDATE sqlite_sequence SET seq = 0; END");
		const seen = await call('post_owner', { k: 'a', v: 'new', reason: 'x' });
		db.exec('DROP TRIGGER back');
		assert.ok(seen.error, JSON.stringify(seen));
	});
	it('and what a trigger does to the ledger is found', async () => {
		db.exec('CREATE TRIGGER deep AFTER INSERT ON postern_ledger BEGIN DELETE FROM postern_ledger WHERE rowid < NEW.rowid; END');
		const before = db.prepare('SELECT count(*) AS n FROM postern_ledger').get().n;
		const { end, same } = await through('mark_made', { k: 'm', v: 'deep' });
		db.exec('DROP TRIGGER deep');
		assert.ok(end.error && same, JSON.stringify(end));
		assert.equal(db.prepare('SELECT count(*) AS n FROM postern_ledger').get().n, before);
	});
	it('and one that empties the ledger of what it says is found', async () => {
		db.exec('CREATE TRIGGER deep AFTER INSERT ON postern_ledger BEGIN UPDATE postern_ledger SET rows = 0, idem = NULL WHERE id = NEW.id; END');
		const { end, same } = await through('mark_made', { k: 'm', v: 'deeper' });
		db.exec('DROP TRIGGER deep');
		assert.ok(end.error && same, JSON.stringify(end));
	});
	it('and the server lives', async () => site.server.alive());
});
