// What is shown of a value to those who may not see it: two principals, over HTTP and stdio, with the official
// clients' own validation on; and that no record, log or reply of the one who may not see it holds it.
// Cases AZ-07, AZ-08.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { ask, issueKey, program, request, run, serve } from './harness.mjs';
import { makeSite } from './site.mjs';

const person = { email: 'wilhelmina.harker@acme.example', phone: '+44 20 79460958', card: '4012 8888 8888 1881', name: 'Wilhelmina Harker',
	account: 'account-7741-secret', pin: '918377264501', salary: 6125047311, born: '1875-06-18' };
// None of these may be seen by the clerk; long enough to stand in no digest or time by chance.
const hidden = ['wilhelmina', 'ilhelmin', '79460958', '40128888', '4012 8888', 'harker', '7741-secret', '918377264501', '6125047311', '1875-06-18'];

const columns = `
        id: string
        email: { type: string, mask: email, unmask: people.contact, class: pii }
        phone: { type: string, mask: phone, unmask: people.contact, nullable: true }
        card: { type: string, mask: last4, class: pii }
        name: { type: string, mask: initials, unmask: people.contact }
        account: { type: string, mask: hash, unmask: people.contact }
        pin: { type: int64, mask: redact }
        salary: { type: integer, mask: { bucket: 10000 }, unmask: people.pay }
        born: { type: date, mask: { bucket: year }, unmask: people.contact }`;
const select = 'SELECT id, email, phone, card, name, account, pin, salary, born FROM people';
const tools = `tools:
  get_person:
    description: One person.
    owner: tests
    purpose: masks
    source: shop
    requires: shop.read
    input: { id: { type: string, maxLength: 8 } }
    read: ${select} WHERE id = :id
    visible: SELECT 1 FROM people WHERE id = :id AND team = :principal.tenant
    returns:
      shape: one
      columns: ${columns}
  list_people:
    description: All of them.
    owner: tests
    purpose: masks
    source: shop
    requires: shop.read
    read: ${select} ORDER BY id LIMIT 10
    returns:
      shape: many
      columns: ${columns}
  notes:
    description: Short notes about people, cut to fit.
    owner: tests
    purpose: where a list is cut
    source: shop
    requires: shop.read
    read:
      head: { sql: SELECT count(*) AS n FROM notes, shape: one, columns: { n: integer } }
      lines: { sql: SELECT id FROM notes ORDER BY id, shape: many, rows: 20, columns: { id: integer } }
      texts: { sql: "SELECT id, body FROM notes ORDER BY id", shape: many, rows: 20,
        columns: { id: integer, body: { type: string, mask: redact, unmask: people.contact } } }
    limits: { bytes: 2KiB }
  broken:
    description: A masked column that breaks its contract, which must not be told.
    owner: tests
    purpose: errors
    source: shop
    requires: shop.read
    read: SELECT account AS n FROM people WHERE id = 'p1'
    returns: { shape: one, columns: { n: { type: integer, mask: { bucket: 10 } } } }
resources:
  person:
    uri_template: "people://{id}"
    description: One person, as JSON.
    source: shop
    requires: shop.read
    input: { id: { type: string, maxLength: 8 } }
    complete: { id: { read: "SELECT account FROM people WHERE account LIKE :value || '%' LIMIT 5", class: pii, unmask: people.contact } }
    read: SELECT id, email, pin FROM people WHERE id = :id
    returns: { shape: one, columns: { id: string, email: { type: string, mask: email, unmask: people.contact }, pin: { type: int64, mask: redact } } }
  account:
    uri: "people://p1/account"
    description: An account, whole or not at all.
    source: shop
    requires: shop.read
    read: SELECT account FROM people WHERE id = 'p1'
    content: account
    returns: { shape: one, columns: { account: { type: string, unmask: people.contact } } }
`;

function people(home) {
	const db = new DatabaseSync(join(home, 'shop.db'));
	db.exec(`CREATE TABLE people (id TEXT PRIMARY KEY, team TEXT, email TEXT, phone TEXT, card TEXT, name TEXT, account TEXT, pin INTEGER, salary INTEGER, born TEXT);
		CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)`);
	const add = db.prepare('INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
	const row = (id, team, p) => add.run(id, team, p.email, p.phone, p.card, p.name, p.account, Number(p.pin), p.salary, p.born);
	row('p1', 'acme', person);
	row('p2', 'acme', { ...person, email: 'not an address 7741-secret', phone: null, name: 'X' });
	row('p3', 'birch', person);
	for (let i = 0; i < 8; i++) db.prepare('INSERT INTO notes VALUES (?, ?)').run(i, 'ilhelmin'.repeat(1 + (i % 3) * 30));
	db.close();
}

async function makePeople(scope) {
	const site = makeSite(scope, { tools, prepare: people, changes: { roles: `roles:
  clerk: [shop.read]
  desk: [shop.read, people.contact]
  payroll: [shop.read, people.pay]` } });
	const issue = (subject, role) => issueKey(site.config, { subject, tenant: 'acme', roles: [role] });
	site.keys = { clerk: await issue('clerk', 'clerk'), desk: await issue('desk', 'desk') };
	return site;
}

const shown = { id: 'p1', email: 'w***@acme.example', phone: '***58', card: '***1881', name: 'W.H.', pin: '[redacted]', salary: '6125040000..6125050000', born: '1875' };
const seen = { ...person, id: 'p1', card: '***1881', pin: '[redacted]', salary: '6125040000..6125050000' };
const clean = (text, what) => {
	for (const word of hidden)
		assert.ok(!String(text).toLowerCase().includes(word), `${what} holds ${word}:\n${text}`);
};

const clients = [
	{ name: 'sdk 1.32', make: () => new Client1({ name: 'e2e', version: '1' }, {}), Http: Http1, Stdio: Stdio1 },
	{ name: 'client 2.4 legacy', make: () => new Client2({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: 'legacy' } }), Http: Http2, Stdio: Stdio2 },
	{ name: 'client 2.4 auto', make: () => new Client2({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: 'auto' } }), Http: Http2, Stdio: Stdio2 },
];
const transports = {
	http: (client, site, key) => new client.Http(new URL(site.server.url), { requestInit: { headers: { Authorization: `Bearer ${key}` } } }),
	stdio: (client, site, key) => new client.Stdio({ command: program, args: ['stdio', site.config], env: { PATH: process.env.PATH, POSTERN_KEY: key }, stderr: 'ignore' }),
};

const files = (directory) => readdirSync(directory, { recursive: true, withFileTypes: true })
	.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));

describe('a masked column', () => {
	const cleanup = [];
	let site;

	before(async () => {
		const scope = { after: (f) => cleanup.push(f) };
		site = await makePeople(scope);
		site.server = await serve(scope, site.config);
	});
	after(async () => {
		for (const f of cleanup.reverse()) await f();
	});

	for (const client of clients) {
		for (const [kind, transport] of Object.entries(transports)) {
			it(`is masked without the grant and whole with it: ${client.name} over ${kind}`, async () => {
				for (const [role, expected] of [['clerk', shown], ['desk', seen]]) {
					const c = client.make();
					await c.connect(transport(client, site, site.keys[role]));
					try {
						await c.listTools(); // from here on it validates results
						const one = await c.callTool({ name: 'get_person', arguments: { id: 'p1' } });
						assert.ok(!one.isError, JSON.stringify(one));
						const { account, ...rest } = one.structuredContent;
						const { account: _, ...wanted } = expected;
						assert.deepEqual(rest, wanted);
						if (role === 'clerk') assert.match(account, /^[0-9a-f]{16}$/);
						else assert.equal(account, person.account);
						assert.deepEqual(JSON.parse(one.content[0].text), one.structuredContent);
						const { structuredContent: { rows } } = await c.callTool({ name: 'list_people', arguments: {} });
						assert.equal(rows.length, 3);
						assert.equal(rows[0].account, rows[2].account, 'equal values have equal hashes');
						assert.equal(rows[1].phone, null);
						if (role === 'clerk') {
							assert.deepEqual([rows[1].email, rows[1].name], ['[redacted]', '[redacted]']);
							clean(JSON.stringify(rows), 'the list');
						}
						const { contents } = await c.readResource({ uri: 'people://p1' });
						assert.equal(JSON.parse(contents[0].text).email, role === 'clerk' ? shown.email : person.email);
						const whole = await c.readResource({ uri: 'people://p1/account' });
						assert.equal(whole.contents[0].text, role === 'clerk' ? '[redacted]' : person.account);
						const { completion } = await c.complete({ ref: { type: 'ref/resource', uri: 'people://{id}' }, argument: { name: 'id', value: 'acc' } });
						assert.equal(completion.values.length, role === 'clerk' ? 0 : 3);
					} finally {
						await c.close();
					}
				}
			});
		}
	}

	it('with a value that breaks the contract says nothing of it', async () => {
		const reply = await ask(site.server, request('tools/call', { name: 'broken', arguments: {} }), { key: site.keys.clerk });
		assert.deepEqual(reply.json.result.structuredContent, { n: '[redacted]' });
	});

	it('does not tell its length by where a list is cut', async () => {
		const call = () => ask(site.server, request('tools/call', { name: 'notes', arguments: {} }), { key: site.keys.clerk });
		const before = (await call()).json.result.structuredContent;
		const db = new DatabaseSync(join(site.home, 'shop.db'));
		db.exec("UPDATE notes SET body = body || body || body || body");
		db.close();
		assert.deepEqual((await call()).json.result.structuredContent, before);
		assert.equal(before.texts.length, 8);
	});

	it('of a hidden record gives the answer of one that does not exist, to the byte', async () => {
		const bytes = async (id) => {
			const reply = await ask(site.server, request('tools/call', { name: 'get_person', arguments: { id } }), { key: site.keys.desk });
			return JSON.stringify(reply.json).replace(/"call_id\\*":\\*"[^"\\]*/g, '');
		};
		assert.equal(await bytes('p3'), await bytes('p9'));
		assert.match(await bytes('p3'), /NOT_FOUND/);
		assert.doesNotMatch(await bytes('p1'), /NOT_FOUND/);
	});

	it('says in its schema that it may be text', async () => {
		const { result } = (await ask(site.server, request('tools/list'), { key: site.keys.clerk })).json;
		const [success] = result.tools.find((tool) => tool.name === 'get_person').outputSchema.anyOf;
		assert.deepEqual(success.properties.salary, { description: '(masked for callers without the grant people.pay)', anyOf: [{ type: 'string' }, { type: 'integer' }] });
		assert.deepEqual(success.properties.pin, { description: '(masked)', anyOf: [{ type: 'string' }] });
	});

	it('stands in no record, and who saw it unmasked does', async () => {
		const records = files(join(site.home, 'state')).map((path) => readFileSync(path, 'latin1')).join('\n');
		const seenBy = records.split('\n').filter((line) => line.includes('"unmasked":['));
		assert.ok(seenBy.length > 0);
		assert.ok(seenBy.every((line) => line.includes('"subj":"desk"')));
		assert.match(seenBy[0], /"unmasked":\["email","phone","name","account","born"\]/);
		clean(records, 'the state directory');
		clean(site.server.stderr, 'the log');
		const tail = await run(['audit', 'tail', site.config, '--count', '50']);
		clean(tail.stdout, 'audit tail');
	});
});
