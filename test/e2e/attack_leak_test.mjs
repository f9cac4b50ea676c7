// Where a masked value could come out, whose key is whose, and what no input may do.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, issueKey, post, modernHeaders, request, send, serve, until } from './harness.mjs';
import { decide, makeShop } from './shop.mjs';

const roles = `roles:
  seller: [shop.note, shop.price, shop.rename, shop.history]
  seer: [shop.note, shop.rename, shop.history, shop.see_notes]
  chief: [approve.prices]`;
const masked = '{ type: string, mask: redact, unmask: shop.see_notes }';
const more = `  jot_down:
    description: Adds a note that few may read.
    owner: tests
    purpose: notes
    source: shop
    requires: shop.note
    input: { item_id: { type: string, maxLength: 20 }, reason: { type: string, maxLength: 200 } }
    write: INSERT INTO notes (item_id, note) SELECT id, 'secret of ' || name FROM items WHERE id = :item_id RETURNING id, note
    effects: { notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, item_id: string, note: ${masked} } } }
    returns: { shape: one, from: { statement: 1 }, columns: { id: { type: int64, assigned: true }, note: ${masked} } }
    approval: { by: client }
  note_history:
    description: What was done to a note.
    owner: tests
    purpose: history
    source: shop
    requires: shop.history
    input: { change_id: { type: string, maxLength: 40 } }
    ledger: { id: change_id }
`;

async function open(t, parts = {}) {
	const site = await makeShop(t, { parts: { roles, ...parts }, more });
	site.ada = await issueKey(site.config, { subject: 'ada', roles: ['seller'] });
	site.seer = await issueKey(site.config, { subject: 'eve', roles: ['seer'] });
	site.yes = await site.approver('ada', 'seller');
	site.server = await serve(t, site.config);
	return site;
}
const raw = async (site, name, args, { key = site.ada, capabilities, more = {} } = {}) => (await ask(site.server, request('tools/call', { name, arguments: args, ...more }, { capabilities }), { key })).json;

describe('a masked value', () => {
	it('stands in no reply, question, page, log, store or ledger', async (t) => {
		const site = await open(t);
		const args = { item_id: 'itm_0001', reason: 'x' };
		const can = { elicitation: { form: {}, url: {} } };
		const replies = [await raw(site, 'jot_down', args), await raw(site, 'jot_down', { ...args, dry_run: false }, { capabilities: can })];
		const id = site.plans().at(-1).id;
		const shown = await decide(site, 'approve', id, site.yes);
		assert.equal(shown.code, 0, shown.text);
		const done = await raw(site, 'jot_down', { ...args, plan_id: id });
		assert.equal(done.result.structuredContent.outcome, 'applied', JSON.stringify(done));
		replies.push(done, await raw(site, 'jot_down', { ...args, plan_id: id }));
		const change = done.result.structuredContent.ledger_id;
		replies.push(await raw(site, 'note_history', { change_id: change }));
		for (const r of [...replies, shown.text]) assert.doesNotMatch(JSON.stringify(r), /secret of/);
		assert.match(JSON.stringify(await raw(site, 'note_history', { change_id: change }, { key: site.seer })), /secret of Bolt 1/);
		assert.doesNotMatch(site.server.stderr, /secret of/);
		const found = execFileSync('sh', ['-c', 'grep -rl "secret of" state || [ $? = 1 ]'], { cwd: site.home }).toString();
		assert.equal(found, '');
	});
	it('that is masked only later is masked in what was kept before, too', async (t) => {
		const site = await open(t);
		const args = { item_id: 'itm_0001', name: 'PLAINNAME', reason: 'x' };
		await raw(site, 'rename_item', { ...args, dry_run: false });
		const id = site.plans().at(-1).id;
		assert.equal((await decide(site, 'approve', id, site.yes)).code, 0);
		const done = (await raw(site, 'rename_item', { ...args, plan_id: id })).result.structuredContent;
		assert.equal(done.outcome, 'applied');
		const file = join(site.home, 'catalog.yaml');
		writeFileSync(file, readFileSync(file, 'utf8').replace('items: { update: [name], key: [id], where: id = :item_id }', `items: { update: [name], key: [id], where: id = :item_id, columns: { id: string, name: ${masked} } }`));
		site.server.child.kill('SIGHUP');
		await until('the reload', () => /reloaded/.test(site.server.stderr));
		assert.doesNotMatch(JSON.stringify((await raw(site, 'note_history', { change_id: done.ledger_id })).result), /PLAINNAME/);
	});
});

describe('a key of one\'s own', () => {
	it('is not another tenant\'s, person\'s or tool\'s', async (t) => {
		const site = await open(t, { identity: 'identity: { api_keys: true }' });
		const keys = [site.ada, await issueKey(site.config, { subject: 'ada', roles: ['seller'], tenant: 'birch' }), await issueKey(site.config, { subject: 'ada:birch', roles: ['seller'] })];
		const args = { item_id: 'itm_0001', note: 'same', dry_run: false, idempotency_key: 'k' };
		for (const key of keys) {
			const { result } = await raw(site, 'add_note', args, { key });
			assert.equal(result.structuredContent.replayed, undefined, JSON.stringify(result));
		}
		// "a:b" + "c" and "a" + "b:c" are not one key
		for (const [item_id, note] of [['itm_0002', 'x:y'], ['itm_0002:x', 'y']]) {
			const { result } = await raw(site, 'add_note', { item_id, note, dry_run: false });
			assert.notEqual(result.structuredContent.error?.code, 'CONFLICT', JSON.stringify(result));
		}
	});
});

describe('no input', () => {
	it('ends the process', async (t) => {
		const site = await open(t);
		const odd = [null, true, 0, -1, 1e400, '', '\0', '\ud800', 'pl_', 'pl_01M7ZRZAYSS0VXYZHTQCGW7SCP', "pl_' OR 1", [], {}, [[]], 'x'.repeat(70000), { a: { b: {} } }, 9007199254740993, '\u202e', -0];
		let n = 7;
		const pick = (list) => list[(n = (n * 1103515245 + 12345) % 2147483648) % list.length];
		const names = ['item_id', 'name', 'note', 'reason', 'cents', 'plan_id', 'dry_run', 'idempotency_key', 'confirmation_token', 'request', 'steps', '__proto__', ''];
		const make = (tool) => Object.fromEntries(Array.from({ length: 5 }, () => [pick(names), pick([...odd, 'itm_0001', 'abc', false, 150])]).concat([['item_id', 'itm_0001'], ['reason', 'x']]).slice(pick([0, 0, 3])));
		const tools = ['rename_item', 'reprice_item', 'add_note', 'jot_down', 'note_history'];
		for (let i = 0; i < 250; i++) {
			const tool = pick([...tools, 'apply_together', 'apply_together']);
			const args = tool !== 'apply_together' ? make(tool)
				: { steps: Array.from({ length: pick([0, 1, 2, 3, 21]) }, () => pick([{ tool: pick(tools), arguments: make() }, { tool: pick(odd), arguments: pick(odd) }, { tool: 'apply_together', arguments: { steps: [] } }, pick(odd)])), ...(pick([0, 1]) ? make() : {}) };
			const extra = pick([{}, {}, { requestState: pick(['', 'x', 'A'.repeat(90)]), inputResponses: pick([{}, { approve: pick(odd) }]) }]);
			const reply = await ask(site.server, request('tools/call', { name: tool, arguments: args, ...extra }), { key: site.ada });
			assert.ok(reply.status < 500 && reply.json, `${reply.status} ${JSON.stringify(args).slice(0, 300)}`);
			assert.notEqual(reply.json.result?.structuredContent?.error?.code, 'INTERNAL', `${tool} ${JSON.stringify(args).slice(0, 400)}`);
		}
		for (const depth of [60, 130, 5000, 200000]) {
			const message = JSON.stringify(request('tools/call', { name: 'apply_together', arguments: { steps: 'DEEP' } })).replace('"DEEP"', '['.repeat(depth) + ']'.repeat(depth));
			const head = request('tools/call', { name: 'apply_together' });
			const reply = await send(site.server, message, { key: site.ada, headers: modernHeaders(head) });
			assert.ok(reply.status < 500, `${depth}: ${reply.status}`);
		}
		await site.server.alive();
	});
});
