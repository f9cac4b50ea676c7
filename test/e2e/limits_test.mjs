// What one message may cost: a result or a line that needs more memory than a call may have ends as an
// answer, never as the end of the process.  And what data may do to a terminal: nothing.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { ask, directory, issueKey, pipe, request, run, serve } from './harness.mjs';
import { configuration } from './site.mjs';

const catalog = `tools:
  take_rows:
    version: 1
    title: Large rows
    description: Gives back as many large rows as it is asked for.
    owner: tests
    purpose: results near the limits
    source: shop
    requires: shop.read
    input: { count: { type: integer, minimum: 1, maximum: 16, description: How many. } }
    read: SELECT id, text FROM rows ORDER BY id LIMIT :count
    returns: { shape: many, columns: { id: integer, text: string } }
    limits: { rows: 16, bytes: 4MiB }
  take_note:
    version: 1
    title: A note
    description: Gives back a note that somebody wrote to harm a terminal.
    owner: tests
    purpose: what a person sees
    source: shop
    requires: shop.read
    input: { why: { type: string, maxLength: 40, default: "", audit: clear, description: Why. } }
    read: SELECT text FROM note WHERE :why IS NOT NULL
    returns: { shape: one, columns: { text: string } }
`;

async function site(t) {
	const path = directory(t);
	const config = join(path, 'postern.yaml');
	const db = new DatabaseSync(join(path, 'shop.db'));
	db.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL); CREATE TABLE note (text TEXT NOT NULL)');
	const add = db.prepare('INSERT INTO rows (text) VALUES (?)');
	for (let i = 0; i < 16; i++) add.run('x'.repeat(1 << 20));
	db.prepare('INSERT INTO note VALUES (?)').run('a\x1b]0;b\x07\x9b31mc\u202ed\x7f');
	db.close();
	writeFileSync(join(path, 'catalog.yaml'), catalog);
	writeFileSync(config, configuration({ limits: 'limits: { request_bytes: 16MiB }' }));
	return { config, key: await issueKey(config) };
}

const rows = (count, id) => request('tools/call', { name: 'take_rows', arguments: { count } }, { id });
// whatever the size: an answer to this request, with rows or with an error
const answered = (reply, id) => {
	assert.equal(reply.id, id);
	assert.ok(reply.error || reply.result, JSON.stringify(reply).slice(0, 200));
};

describe('memory', () => {
	it('HTTP: a result of any size is answered, and so is the next call', async (t) => {
		const { config, key } = await site(t);
		const server = await serve(t, config);
		for (let count = 1; count <= 16; count++) answered((await ask(server, rows(count, count), { key })).json, count);
		assert.equal((await ask(server, rows(1, 1), { key })).json.result.isError, false);
	});

	it('stdio: a result of any size is answered, and so is the next call', async (t) => {
		const { config, key } = await site(t);
		const p = pipe(t, config, { env: { POSTERN_KEY: key } });
		for (let count = 1; count <= 16; count++) {
			p.write(`${JSON.stringify(rows(count, count))}\n`);
			answered(await p.next(), count);
		}
	});

	it('stdio: a line that takes more memory than one may have is refused, and the next is served', async (t) => {
		const { config, key } = await site(t);
		const p = pipe(t, config, { env: { POSTERN_KEY: key } });
		const wide = `[${'0,'.repeat(90000)}0]`;
		p.write(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[${Array(80).fill(wide).join(',')}]}}\n`);
		assert.equal((await p.next()).error.code, -32603);
		p.write(`${JSON.stringify(rows(1, 2))}\n`);
		assert.equal((await p.next()).result.isError, false);
	});
});

describe('terminals', () => {
	// eslint-disable-next-line no-control-regex
	const harmful = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

	it('call and audit show print no character that a terminal obeys', async (t) => {
		const { config, key } = await site(t);
		const called = await run(['call', config, 'take_note', '--arg', 'why=\x1b[2J\x9b31m\u202e'], { env: { POSTERN_KEY: key } });
		assert.equal(called.code, 0, called.stderr);
		assert.match(called.stdout, /\\u009b31mc\\u202ed\\u007f/);
		assert.doesNotMatch(called.stdout, harmful);
		const tail = await run(['audit', 'tail', config]);
		assert.doesNotMatch(tail.stdout, harmful);
		const [id] = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(tail.stdout);
		const shown = await run(['audit', 'show', config, id]);
		assert.match(shown.stdout, /\\u009b31m\\u202e/);
		assert.doesNotMatch(shown.stdout, harmful);
	});
});
