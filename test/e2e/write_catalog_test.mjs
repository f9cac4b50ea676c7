// Tools that change something, as they are declared: what clients are shown of them, what check refuses and
// tells, and who is never given the right to approve.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { issueKey, run, serve } from './harness.mjs';
import { makeSite } from './site.mjs';

const changes = {
	sources: `sources:
  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the tests change, events: [notes], protect: { notes: append_only, items.price: { by: [reprice_item] } } }`,
	roles: `roles:
  reader: [shop.note]
  seller: [shop.note, shop.price]
  chief: [approve.prices]`,
};

const note = `  add_note:
    description: Adds a note
    owner: tests
    purpose: notes
    source: shop
    requires: shop.note
    input: { item_id: { type: string, maxLength: 20 }, note: { type: string, maxLength: 50 } }
    write: INSERT INTO notes (item_id, note) VALUES (:item_id, :note)
    effects: { notes: { insert: true, key: [id], volatile: [id], columns: { id: int64, note: string } } }
    approval: { by: none }
    idempotency: { key: "{item_id}:{note}", within: 10m }
`;
const price = `  reprice_item:
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
      notes: { insert: true, key: [id], volatile: [id], columns: { id: int64, note: string } }
    impact: { cents: items.price }
    approval: { by: requester, above: { cents: 5000, need: other, grant: approve.prices } }
`;
const prepare = (home) => {
	const db = new DatabaseSync(join(home, 'shop.db'));
	db.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, item_id TEXT NOT NULL, note TEXT NOT NULL)');
	db.close();
};
const site = (t, tools = `tools:\n${note}${price}`) => makeSite(t, { changes, tools, prepare });
const install = async (place) => {
	const end = await run(['install', place.config, 'shop']);
	assert.equal(end.code, 0, end.stderr);
	return place;
};

describe('a tool that changes something, as clients see it', () => {
	const scope = [];
	let place, server, key;

	before(async () => {
		const t = { after: (f) => scope.push(f) };
		place = await install(site(t));
		server = await serve(t, place.config);
		key = await issueKey(place.config, { subject: 'sally', roles: ['seller'] });
	});
	after(async () => {
		for (const f of scope.reverse()) await f();
	});

	const clients = {
		'sdk 1.x': () => [new Client1({ name: 'e2e', version: '1' }), Http1],
		'client 2.x': () => [new Client2({ name: 'e2e', version: '1' }), Http2],
	};
	for (const [name, make] of Object.entries(clients))
		it(`${name}: previews by default, says so in one sentence, and tells its class`, async () => {
			const [client, Http] = make();
			await client.connect(new Http(new URL(server.url), { requestInit: { headers: { Authorization: `Bearer ${key}` } } }));
			const { tools } = await client.listTools();
			await client.close();
			const changing = tools.filter((tool) => !tool.annotations.readOnlyHint);
			assert.deepEqual(changing.map((tool) => tool.name).sort(), ['add_note', 'reprice_item']);
			const closings = new Set(changing.map((tool) => tool.description.slice(tool.description.indexOf('. ') + 2)));
			assert.equal(closings.size, 1);
			assert.match([...closings][0], /previews unless dry_run is false.*plan_id/);
			for (const tool of changing) {
				const { properties, required, additionalProperties } = tool.inputSchema;
				assert.equal(properties.dry_run.default, true);
				for (const added of ['dry_run', 'plan_id', 'confirmation_token', 'idempotency_key', 'request']) {
					assert.ok(properties[added], added);
					assert.ok(!required.includes(added), added);
				}
				assert.equal(additionalProperties, false);
				assert.equal(tool.annotations.destructiveHint, tool.name === 'reprice_item');
				assert.ok(tool.outputSchema);
			}
		});
	it('an insert without a rule of where previews', async () => {
		const [client, Http] = clients['client 2.x']();
		await client.connect(new Http(new URL(server.url), { requestInit: { headers: { Authorization: `Bearer ${key}` } } }));
		const { structuredContent } = await client.callTool({ name: 'add_note', arguments: { item_id: 'itm_0001', note: 'hello' } });
		await client.close();
		assert.equal(structuredContent.outcome, 'preview', JSON.stringify(structuredContent));
		assert.equal(structuredContent.effects[0].after.note, 'hello');
	});
	it('tools shows the class of each', async () => {
		const { stdout } = await run(['tools', place.config]);
		assert.match(stdout, /^add_note@1 +append /m);
		assert.match(stdout, /^reprice_item@1 +write /m);
		assert.match(stdout, /^whoami@1 +read /m);
	});
});

describe('who approves', () => {
	it('a key of a machine is not issued with a role that may approve; one of a person is', async (t) => {
		const { config } = site(t);
		for (const kind of ['agent', 'service']) {
			const end = await run(['key', 'issue', config, '--subject', 'bot', '--kind', kind, '--role', 'chief']);
			assert.equal(end.code, 64);
			assert.match(end.stderr, /only people approve/);
			assert.equal(end.stdout, '');
		}
		await issueKey(config, { subject: 'ann', roles: ['chief'], args: ['--kind', 'human'] });
	});
	it('check tells what each machine can change, and nothing of people', async (t) => {
		const { config } = await install(site(t));
		await issueKey(config, { subject: 'bot', roles: ['seller'], args: ['--kind', 'service'] });
		await issueKey(config, { subject: 'noter', roles: ['reader'], args: ['--kind', 'agent'] });
		await issueKey(config, { subject: 'sally', roles: ['seller'] });
		const { stdout } = await run(['check', config]);
		assert.match(stdout, /^service bot \(.+\) changes alone: add_note; with somebody's approval: reprice_item$/m);
		assert.match(stdout, /^agent noter \(.+\) changes alone: add_note$/m);
		assert.doesNotMatch(stdout, /human sally \(/);
	});
});

// The database's own word on what tools declare; it stays as it is.
describe('what check finds in the database', () => {
	const all = `tools:\n${note}${price}`;
	const bytes = (place) => readFileSync(join(place.home, 'shop.db'));
	const change = (place, sql) => {
		const db = new DatabaseSync(join(place.home, 'shop.db'));
		db.exec(sql);
		db.close();
	};
	const found = {
		'is content': { codes: [] },
		'no ledger': { sql: 'DROP TABLE postern_ledger_sums; DROP TABLE postern_ledger_rows; DROP TABLE postern_ledger', codes: ['error ledger.missing'] },
		'no marker': { sql: 'DROP TABLE postern_marker', codes: ['error source.unmarked'] },
		'a column that is not there': { sql: 'ALTER TABLE items RENAME price TO cost', codes: ['error sql.prepare', 'error write.unknown_column'] },
		'a table that is not there': { sql: 'ALTER TABLE notes RENAME TO note', codes: ['error sql.prepare', 'error sql.prepare', 'error write.unknown_table', 'error write.unknown_table'] },
		'a trigger behind the tool': { sql: 'CREATE TABLE log (x); CREATE TRIGGER spy AFTER UPDATE ON items BEGIN INSERT INTO log VALUES (1); END', codes: ['warning write.undeclared_table'], says: /trigger spy inserts into log/ },
		'a foreign key behind the tool': { sql: 'CREATE TABLE lines (item TEXT REFERENCES items (id), price REFERENCES items (price) ON UPDATE CASCADE); CREATE UNIQUE INDEX one ON items (price)', codes: ['warning write.undeclared_table'], says: /a foreign key updates lines\.price/ },
		'a statement beyond its effects': { tools: all.replace('SET price = :cents', 'SET price = :cents, stock = 1'), codes: ['error write.undeclared_column'], says: /items\.stock/ },
		'a rule over another column': { tools: all.replace('where: id = :item_id', 'where: item = :item_id'), codes: ['error sql.prepare'] },
		'a precondition that does not prepare': { tools: all.replace('    write:\n', '    preconditions: [{ unless: SELECT 1 FROM item WHERE id = :item_id, say: No such item. }]\n    write:\n'), codes: ['error sql.prepare'], says: /no such table: item/ },
	};
	for (const [name, { sql, tools = all, codes, says }] of Object.entries(found))
		it(name, async (t) => {
			const place = await install(site(t, tools));
			if (sql) change(place, sql);
			const before = bytes(place);
			const end = await run(['check', place.config]);
			assert.deepEqual([...end.stdout.matchAll(/(error|warning) \[((?:sql|write|source|ledger)\.\w+)\]/g)].map((m) => `${m[1]} ${m[2]}`).sort(), codes, end.stdout);
			if (says) assert.match(end.stdout, says);
			const bad = codes.some((code) => code.startsWith('error'));
			assert.equal(end.code, bad ? 78 : 0, end.stdout);
			assert.ok(bytes(place).equals(before));
			change(place, 'CREATE TABLE free (x)');
		});
	it('and does not start on it', async (t) => {
		const place = site(t);
		const end = await run(['serve', place.config]);
		assert.notEqual(end.code, 0);
		assert.match(end.stderr, /error \[ledger\.missing\].*postern install/);
	});
	it('nothing in read-only mode, where nothing is changed', async (t) => {
		const place = site(t, all.replace('SET price = :cents', 'SET price = :cents, stock = 1'));
		change(place, 'DROP TABLE postern_marker');
		const server = await serve(t, place.config, { args: ['--read-only'] });
		assert.ok(server.url);
	});
});

describe('what check refuses', () => {
	const wrong = {
		'write.no_predicate': [/ WHERE id = :item_id\n/, '\n'],
		'write.effects_missing': [/ {4}effects:\n( {6}.*\n)+/, ''],
		'write.undeclared_table': ['      notes: {', '      note: {'],
		'write.no_event': ['notes: { insert: true, key', 'notes: { insert: true, rows: 0..1, key'],
		'write.reason': [/, reason: \{[^}]*\}/, ''],
		'protect.append_only': ['notes: { insert: true, key', 'notes: { insert: true, delete: true, where: id = 1, key'],
		'protect.column': ['reprice_item:', 'other_name:'],
		'approval.grant': ['grant: approve.prices', 'grant: shop.price'],
		'write.input': ['cents: { type', 'dry_run: { type: boolean }, cents: { type'],
		'write.where': ['where: id = :item_id', 'where: id IN (SELECT id FROM items)'],
	};
	for (const [code, [from, to]] of Object.entries(wrong))
		it(code, async (t) => {
			const text = price.replace(from, to);
			assert.notEqual(text, price);
			const end = await run(['check', site(t, `tools:\n${note}${text}`).config]);
			assert.equal(end.code, 78, end.stdout);
			assert.ok(end.stdout.includes(`error [${code}]`), end.stdout);
		});
});
