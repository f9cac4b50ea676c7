// "Pull the audit history of this record": what was changed before, told by tools over the ledger.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from '@modelcontextprotocol/client';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { ask, issueKey, request, run, serve } from './harness.mjs';
import { makeSite } from './site.mjs';
import { decide, makeShop, tools } from './shop.mjs';

const telling = `  get_change:
    description: One committed change by its id, its plan's or its call's.
    owner: tests
    purpose: what was changed
    source: shop
    requires: shop.history
    input: { change_id: { type: string, maxLength: 40 } }
    ledger: { id: change_id }
  list_item_changes:
    description: What was changed of one item, the newest first.
    owner: tests
    purpose: what was changed
    source: shop
    requires: shop.history
    input: { item_id: { type: string, maxLength: 20 } }
    ledger: { table: items, key: { id: item_id }, claims: true }
    limits: { rows: 3, bytes: 4KiB }
  list_item_changes_briefly:
    description: What was changed of one item, in few bytes.
    owner: tests
    purpose: what was changed
    source: shop
    requires: shop.history
    input: { item_id: { type: string, maxLength: 20 } }
    ledger: { table: items, key: { id: item_id } }
    limits: { bytes: 1700B }
  list_seen_changes:
    description: What was changed of an item that ada sees.
    owner: tests
    purpose: what was changed
    source: shop
    requires: shop.history
    input: { item_id: { type: string, maxLength: 20 } }
    visible: SELECT 1 FROM items WHERE id = :item_id AND :principal.subject = 'ada'
    ledger: { table: items, key: { id: item_id } }
  list_note_changes:
    description: What was changed of one note, the newest first.
    owner: tests
    purpose: what was changed
    source: shop
    requires: shop.history
    input: { note_id: { type: integer } }
    ledger: { table: Notes, key: { ID: note_id } }
`;

const errorOf = (result) => result.structuredContent?.error ?? {};

describe('what was changed before', () => {
	const scope = [];
	let site, key, client;
	before(async () => {
		const t = { after: (f) => scope.push(f) };
		site = await makeShop(t, { more: telling });
		site.server = await serve(t, site.config);
		key = await issueKey(site.config, { subject: 'ada', roles: ['seller'] });
		site.ada = await site.approver('ada', 'seller');
		client = new Client({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
		await client.connect(new StreamableHTTPClientTransport(new URL(site.server.url), { requestInit: { headers: { Authorization: `Bearer ${key}` } } }));
		scope.push(() => client.close());
	});
	after(async () => { for (const f of scope.reverse()) await f(); });

	const call = async (name, args, as = key) => (await ask(site.server, request('tools/call', { name, arguments: args }), { key: as })).json.result;
	const reprice = async (item_id, cents, more = {}) => {
		const args = { item_id, cents, reason: `because of ${cents}`, request: 'please', ...more };
		const plan = errorOf(await call('reprice_item', { ...args, dry_run: false })).details.plan_id;
		assert.equal((await decide(site, 'approve', plan, site.ada)).code, 0);
		const done = await call('reprice_item', { ...args, plan_id: plan });
		assert.equal(done.structuredContent?.outcome, 'applied', JSON.stringify(done));
		return { plan, ledger: done.structuredContent.ledger_id };
	};

	it('one change, by its own id, its plan and its call: with every effect', async () => {
		const { plan, ledger } = await reprice('itm_0001', 150);
		const { call_id } = site.ledger().find((row) => row.id === ledger);
		const answers = [];
		for (const change_id of [ledger, plan, call_id]) answers.push((await client.callTool({ name: 'get_change', arguments: { change_id } })).structuredContent);
		const [told] = answers;
		assert.deepEqual(answers, [told, told, told]);
		assert.deepEqual({ ...told, committed_at: '', effects: [] }, { ledger_id: ledger, call_id, plan_id: plan, committed_at: '', tool: 'reprice_item@1',
			subject: 'ada', agent: 'e2e', rows_changed: 2, sums: { cents: '50' }, effects: [], effects_left_out: 0 });
		assert.ok(Math.abs(new Date(told.committed_at) - Date.now()) < 60000, told.committed_at);
		assert.deepEqual(told.effects[0], { table: 'items', operation: 'update', key: { id: 'itm_0001' }, before: { price: 100 }, after: { price: 150 } });
		assert.equal(told.effects[1].table, 'notes');
		assert.equal(told.effects[1].after.note, 'because of 150');
	});
	it('a record: its changes, the newest first, and of each only what happened to it', async () => {
		await call('add_note', { item_id: 'itm_0002', note: 'not of the row itself', dry_run: false });
		for (const cents of [201, 202, 203, 204]) await reprice('itm_0002', cents);
		const result = await client.callTool({ name: 'list_item_changes', arguments: { item_id: 'itm_0002' } });
		const { rows, truncated } = result.structuredContent;
		assert.equal(truncated, true);
		assert.deepEqual(rows.map((row) => row.effects.map((e) => [e.table, e.before.price, e.after.price])), [[['items', 203, 204]], [['items', 202, 203]], [['items', 201, 202]]]);
		for (const row of rows) assert.deepEqual([row.effects_left_out, row.rows_changed, row.request, row.reason], [1, 2, 'please', `because of ${row.effects[0].after.price}`]);
		assert.ok(rows[0].committed_at >= rows[2].committed_at);
		assert.match(result.content[0].text, /"columns":\["ledger_id"/);
		const none = await client.callTool({ name: 'list_item_changes', arguments: { item_id: 'itm_0039' } });
		assert.deepEqual(none.structuredContent, { rows: [], truncated: false });
	});
	it('a key of a number, however it is written; names as SQLite reads them', async () => {
		const done = await call('add_note', { item_id: 'itm_0003', note: 'a number', dry_run: false });
		const { id } = done.structuredContent.result;
		const told = (await call('list_note_changes', { note_id: Number(id) })).structuredContent;
		assert.equal(told.rows.length, 1, JSON.stringify(told));
		assert.equal(told.rows[0].plan_id, null);
		assert.equal(told.rows[0].reason, undefined, 'claims are told where the tool says so');
		const raw = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${JSON.stringify(request('tools/call', { name: 'list_note_changes', arguments: { note_id: 0 } }).params).replace('"note_id":0', `"note_id":${id}.0`)}}`;
		const reply = await (await fetch(site.server.url, { method: 'POST', body: raw, headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json',
			Accept: 'application/json, text/event-stream', 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': 'list_note_changes' } })).text();
		assert.match(reply, new RegExp(told.rows[0].ledger_id));
	});
	it('is masked for whoever looks, with the grants they hold now', async () => {
		const { ledger_id } = (await call('add_note', { item_id: 'itm_0004', note: 'between us', dry_run: false })).structuredContent;
		const seen = async (as) => (await call('get_change', { change_id: ledger_id }, as)).structuredContent.effects[0].after.note;
		assert.equal(await seen(key), '[redacted]');
		const auditor = await issueKey(site.config, { subject: 'olga', roles: ['auditor'] });
		assert.equal(await seen(auditor), 'between us');
		assert.ok(!JSON.stringify(await call('get_change', { change_id: ledger_id })).includes('between us'));
		const last = site.records().filter((r) => r.e === 'CALL_OUTCOME' && r.tool === 'get_change@1' && r.subj === 'olga').at(-1);
		assert.deepEqual(last.unmasked, ['notes.note'], JSON.stringify(last));
	});
	it('another tenant sees nothing of it, and cannot tell it from what never was', async () => {
		const { plan, ledger } = await reprice('itm_0005', 150);
		const { call_id } = site.ledger().find((row) => row.id === ledger);
		const foreign = await issueKey(site.config, { subject: 'ada', roles: ['seller'], tenant: 'birch' });
		const same = (result) => ({ ...errorOf(result), call_id: '' });
		const never = same(await call('get_change', { change_id: 'ch_00000000000000000000000000' }, foreign));
		assert.equal(never.code, 'NOT_FOUND');
		for (const change_id of [plan, ledger, call_id, '', "' OR 1=1 --", 'pl_', 'ch_']) assert.deepEqual(same(await call('get_change', { change_id }, foreign)), never);
		assert.deepEqual((await call('list_item_changes', { item_id: 'itm_0005' }, foreign)).structuredContent, { rows: [], truncated: false });
		const nobody = await issueKey(site.config, { subject: 'eve', roles: ['chief'] });
		assert.equal(errorOf(await call('get_change', { change_id: ledger }, nobody)).code, 'PERMISSION_DENIED');
	});
	it('the rule of visible comes first', async () => {
		await reprice('itm_0009', 150);
		const bob = await issueKey(site.config, { subject: 'bob', roles: ['seller'] });
		assert.equal((await call('list_item_changes', { item_id: 'itm_0009' }, bob)).structuredContent.rows.length, 1);
		assert.equal((await call('list_seen_changes', { item_id: 'itm_0009' })).structuredContent.rows.length, 1);
		assert.equal(errorOf(await call('list_seen_changes', { item_id: 'itm_0009' }, bob)).code, 'NOT_FOUND');
	});
	it('a preview, and what was declined, is no change', async () => {
		const args = { item_id: 'itm_0006', cents: 150, reason: 'no' };
		await call('reprice_item', args);
		const plan = errorOf(await call('reprice_item', { ...args, dry_run: false })).details.plan_id;
		assert.equal((await decide(site, 'decline', plan, site.ada, { args: ['--reason', 'not this'] })).code, 0);
		assert.equal(errorOf(await call('get_change', { change_id: plan })).code, 'NOT_FOUND');
		assert.equal((await call('list_item_changes', { item_id: 'itm_0006' })).structuredContent.rows.length, 0);
	});
	it('long ones are cut from the end, and say so', async () => {
		for (let i = 0; i < 4; i++) await reprice('itm_0007', 300 + i);
		const { structuredContent: told } = await call('list_item_changes_briefly', { item_id: 'itm_0007' });
		const effects = told.rows.map((row) => row.effects.length);
		assert.ok(JSON.stringify(told).length <= 1700);
		assert.deepEqual([effects.length, effects[0], effects.at(-1)], [4, 1, 0], `the oldest go first: ${effects}`);
		for (const row of told.rows) assert.deepEqual([row.effects.length + row.effects_left_out, row.rows_changed], [2, 2]);
	});
	it('a row that was tampered with is not told', async () => {
		const { ledger } = await reprice('itm_0008', 150);
		const db = new DatabaseSync(join(site.home, 'shop.db'));
		db.exec('DROP TRIGGER postern_ledger_no_update');
		db.prepare('UPDATE postern_ledger SET effects_sealed = (SELECT effects_sealed FROM postern_ledger WHERE id <> ? LIMIT 1) WHERE id = ?').run(ledger, ledger);
		db.close();
		const result = await call('get_change', { change_id: ledger });
		assert.deepEqual([errorOf(result).code, errorOf(result).details.reason], ['INTERNAL', 'ledger'], JSON.stringify(result));
		assert.ok(!JSON.stringify(result).includes('itm_'));
	});
	it('is listed as a read, with a schema', async () => {
		const { tools: listed } = await client.listTools();
		const tool = listed.find((one) => one.name === 'list_item_changes');
		assert.equal(tool.annotations.readOnlyHint, true);
		assert.ok(JSON.stringify(tool.outputSchema).includes('effects_left_out'));
		const shown = await run(['tools', site.config]);
		assert.equal(shown.code, 0, shown.stderr);
		assert.match(shown.stdout, /list_item_changes/);
	});
});

describe('what the loader refuses', () => {
	const head = '  told:\n    description: Tells.\n    owner: t\n    purpose: t\n    source: shop\n    requires: shop.history\n    input: { a: { type: string, maxLength: 9 }, n: { type: number }, o: { type: string, maxLength: 9, optional: true } }\n';
	const changes = { sources: 'sources:\n  shop: { sqlite: { file: shop.db }, owner: tests, purpose: tests, events: [notes] }',
		roles: 'roles:\n  seller: [shop.note, shop.price, shop.rename, shop.history]\n  chief: [approve.prices]\n  auditor: [shop.see_notes]' };
	for (const [code, text] of [
		['ledger.form', 'ledger: {}'], ['ledger.form', 'ledger: { id: a, table: items, key: { id: a } }'], ['ledger.form', 'ledger: { id: a, key: { id: a } }'],
		['ledger.key', 'ledger: { table: items }'], ['ledger.input', 'ledger: { id: missing }'], ['ledger.input', 'ledger: { id: o }'],
		['ledger.input', 'ledger: { table: items, key: { id: n } }'], ['ledger.never', 'ledger: { table: customers, key: { id: a } }'],
		['ledger.never', 'ledger: { table: items, key: { id: a, name: a } }'], ['ledger.rows', 'ledger: { table: items, key: { id: a } }\n    limits: { rows: 101 }'],
		['tool.action', 'ledger: { id: a }\n    read: SELECT 1'], ['config.unknown', 'ledger: { id: a, more: true }'], ['config.unknown', 'ledger: { id: a }\n    returns: { shape: one, columns: { a: string } }'],
	])
		it(`${code}: ${text.replaceAll('\n', ' ')}`, async (t) => {
			const site = makeSite(t, { changes, tools: `${tools}${head}    ${text}\n` });
			const end = await run(['check', site.config]);
			assert.notEqual(end.code, 0);
			assert.match(end.stdout + end.stderr, new RegExp(code.replace('.', '\\.')));
		});
});
