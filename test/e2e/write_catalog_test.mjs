// Tools that change something, as they are declared: what clients are shown of them, what check refuses and
// tells, and who is never given the right to approve.
import assert from 'node:assert/strict';
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

describe('a tool that changes something, as clients see it', () => {
	const scope = [];
	let place, server, key;

	before(async () => {
		const t = { after: (f) => scope.push(f) };
		place = site(t);
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
		const { config } = site(t);
		await issueKey(config, { subject: 'bot', roles: ['seller'], args: ['--kind', 'service'] });
		await issueKey(config, { subject: 'noter', roles: ['reader'], args: ['--kind', 'agent'] });
		await issueKey(config, { subject: 'sally', roles: ['seller'] });
		const { stdout } = await run(['check', config]);
		assert.match(stdout, /^service bot \(.+\) changes alone: add_note; with somebody's approval: reprice_item$/m);
		assert.match(stdout, /^agent noter \(.+\) changes alone: add_note$/m);
		assert.doesNotMatch(stdout, /human sally \(/);
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
