// stdio as bytes: lines that are too long, cut, doubled or not JSON; the end of either side; both eras on
// one pipe; and nothing but protocol on stdout.  Cases STD-*.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { before, after, describe, it } from 'node:test';
import { pipe, request, run, until } from './harness.mjs';
import { makeSiteWithKeys } from './site.mjs';

const cleanup = [];
let site, env;

before(async () => {
	site = await makeSiteWithKeys({ after: (f) => cleanup.push(f) });
	env = { POSTERN_KEY: site.alice };
});
after(async () => {
	for (const f of cleanup.reverse()) await f();
});

const call = (id) => request('tools/call', { name: 'get_item', arguments: { item_id: 'itm_0001' } }, { id });
const discover = (id) => request('server/discover', {}, { id });
const served = (reply, id) => {
	assert.equal(reply.id, id, JSON.stringify(reply));
	assert.equal(reply.result.structuredContent.id, 'itm_0001');
};

describe('lines', () => {
	const rows = [
		{ name: 'CRLF at the end', bytes: () => JSON.stringify(call(1)) + '\r\n', ids: [1] },
		{ name: 'empty lines are skipped', bytes: () => `\n\r\n\n${JSON.stringify(call(1))}\n\n`, ids: [1] },
		{ name: 'two messages in one write', bytes: () => `${JSON.stringify(call(1))}\n${JSON.stringify(discover(2))}\n`, ids: [1, 2] },
		{ name: 'two messages on one line', bytes: () => `${JSON.stringify(call(1))}${JSON.stringify(call(2))}\n`, code: -32700 },
		{ name: 'a NUL in the line', bytes: () => `${JSON.stringify(call(1)).replace('itm', '\0')}\n`, code: -32700 },
		{ name: 'not JSON', bytes: () => 'hello\n', code: -32700 },
		{ name: 'bad UTF-8', bytes: () => Buffer.from('{"jsonrpc":"2.0","id":1,"method":"\xff"}\n', 'latin1'), code: -32700 },
		{ name: 'a batch', bytes: () => `[${JSON.stringify(call(1))}]\n`, code: -32600 },
		{ name: 'an id that is null', bytes: () => JSON.stringify({ ...call(1), id: null }) + '\n', code: -32600 },
		{ name: '10 MiB without a line feed, then a line feed', bytes: () => Buffer.concat([Buffer.alloc(10 << 20, 'x'), Buffer.from('\n')]), code: -32700 },
	];
	for (const row of rows) {
		it(row.name, async (t) => {
			const p = pipe(t, site.config, { env });
			p.write(row.bytes());
			if (row.code) {
				const { error, ...rest } = await p.next();
				assert.equal(error.code, row.code);
				assert.ok(!('id' in rest) || rest.id === 1);
			} else {
				const ids = [];
				for (const _ of row.ids) ids.push((await p.next()).id);
				assert.deepEqual(ids.sort(), row.ids);
			}
			await p.tell(call(7)); // whatever it was, the next line is served
			served(await p.next(), 7);
			assert.equal((await p.finish()).code, 0);
			assert.ok(p.silent(), `more on stdout: ${p.stdout}`);
		});
	}
	it('one byte at a time', async (t) => {
		const p = pipe(t, site.config, { env });
		for (const byte of Buffer.from(JSON.stringify(discover(1)) + '\n')) await p.write(Buffer.from([byte]));
		assert.deepEqual((await p.next()).result.supportedVersions, ['2026-07-28']);
	});
});

describe('both eras on one pipe', () => {
	it('modern without an opening; legacy after initialize; each message by itself', async (t) => {
		const p = pipe(t, site.config, { env });
		await p.tell(call(1));
		served(await p.next(), 1);
		await p.tell({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
		assert.equal((await p.next()).error.code, -32600, 'not initialized');
		await p.tell({ jsonrpc: '2.0', id: 3, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'e2e', version: '1' } } });
		assert.equal((await p.next()).result.protocolVersion, '2025-06-18');
		await p.tell({ jsonrpc: '2.0', method: 'notifications/initialized' });
		await p.tell({ jsonrpc: '2.0', id: 4, method: 'ping' });
		assert.deepEqual(await p.next(), { jsonrpc: '2.0', id: 4, result: {} });
		await p.tell(call('five'));
		served(await p.next(), 'five');
	});
	it('an answer to a legacy question comes as a response', async (t) => {
		const p = pipe(t, site.config, { env });
		await p.tell({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: { elicitation: { form: {} } }, clientInfo: { name: 'e2e', version: '1' } } });
		await p.next();
		await p.tell({ jsonrpc: '2.0', method: 'notifications/initialized' });
		await p.tell({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'hello', arguments: {} } });
		const question = await p.next();
		assert.equal(question.method, 'elicitation/create');
		await p.tell({ jsonrpc: '2.0', id: question.id, result: { action: 'accept', content: { name: 'Ada' } } });
		assert.equal((await p.next()).result.content[0].text, 'greeted');
	});
});

describe('many at once', () => {
	const nap = (id) => request('tools/call', { name: 'nap', arguments: {} }, { id });

	it('a slow call does not hold up the others', async (t) => {
		const p = pipe(t, site.config, { env });
		await p.tell(nap(1));
		await p.tell(call(2));
		served(await p.next(), 2);
		assert.equal((await p.next()).id, 1);
	});
	it('the id of a running call cannot be used again', async (t) => {
		const p = pipe(t, site.config, { env });
		await p.tell(nap('same'));
		await p.tell(call('same'));
		const first = await p.next();
		assert.equal(first.error?.code, -32600, JSON.stringify(first));
		assert.equal((await p.next()).result.content[0].text, 'rested');
	});
	const cancel = (requestId) => ({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });

	it('a cancelled call says nothing more', async (t) => {
		const p = pipe(t, site.config, { env });
		// the cancellation in the same write as the call, and when the call has begun
		p.write([nap(1), cancel(1), nap(2)].map((message) => JSON.stringify(message) + '\n').join(''));
		await p.tell(nap(3));
		await p.tell(cancel(3));
		assert.equal((await p.next()).id, 2, 'the cancelled call was answered');
		await p.tell(call(4));
		served(await p.next(), 4);
		assert.equal((await p.finish()).code, 0);
		assert.ok(p.silent(), p.stdout);
	});
	it('cancelling what is not there, or is over, is nothing', async (t) => {
		const p = pipe(t, site.config, { env });
		await p.tell(cancel('nobody'));
		await p.tell(call(1));
		served(await p.next(), 1);
		await p.tell(cancel(1));
		await p.tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params: {} });
		await p.tell(call(1));
		served(await p.next(), 1);
	});
	it('a hundred calls in one write are all answered', async (t) => {
		const p = pipe(t, site.config, { env });
		p.write(Array.from({ length: 100 }, (_, i) => JSON.stringify(call(i)) + '\n').join(''));
		const seen = new Set();
		for (let i = 0; i < 100; i++) {
			const reply = await p.next();
			served(reply, reply.id);
			seen.add(reply.id);
		}
		assert.equal(seen.size, 100);
	});
});

describe('the end', () => {
	it('of stdin: what is due is answered, then it exits with 0', async (t) => {
		const p = pipe(t, site.config, { env });
		p.tell(call(1));
		const end = await p.finish();
		assert.equal(end.code, 0, end.stderr);
		served(JSON.parse(end.stdout), 1);
	});
	it('of stdin in the middle of a line', async (t) => {
		const p = pipe(t, site.config, { env });
		await p.write('{"jsonrpc":"2.0","id":1,');
		assert.equal((await p.finish()).signal, null);
	});
	it('of stdout: no death by signal, no busy loop', async (t) => {
		const p = pipe(t, site.config, { env });
		p.child.stdout.destroy();
		for (let i = 0; i < 5 && !p.over; i++) await p.tell(call(i)).catch(() => {});
		p.child.stdin.end();
		await until('the end', () => p.over);
		assert.equal((await p.ended).signal, null);
	});
	it('by SIGTERM', async (t) => {
		const p = pipe(t, site.config, { env });
		await p.tell(call(1));
		await p.next();
		p.child.kill('SIGTERM');
		await until('the end after SIGTERM', () => p.over);
		const end = await p.ended;
		assert.ok(end.code === 0 || end.signal === 'SIGTERM', `${end.code} ${end.signal}`);
	});
});

describe('a throw-away copy', () => {
	it('answers discover and leaves no trace', async (t) => {
		const clean = await makeSiteWithKeys(t);
		const files = () => readdirSync(clean.home, { recursive: true }).sort();
		const before = files();
		const end = await run(['stdio', clean.config], { env: { POSTERN_KEY: clean.alice }, input: JSON.stringify(discover(1)) + '\n' });
		assert.equal(end.code, 0, end.stderr);
		assert.deepEqual(JSON.parse(end.stdout).result.supportedVersions, ['2026-07-28']);
		assert.deepEqual(files(), before);
	});
	it('several of one configuration run side by side', async (t) => {
		const pipes = Array.from({ length: 5 }, () => pipe(t, site.config, { env }));
		await Promise.all(pipes.map(async (p, i) => {
			await p.tell(call(i));
			served(await p.next(), i);
		}));
		for (const p of pipes) assert.equal((await p.finish()).code, 0);
	});
	it('without a key, or with a wrong one, nothing is served, and the reason is on stderr', async () => {
		for (const wrong of [undefined, 'nonsense', site.alice.slice(0, -1)]) {
			const end = await run(['stdio', site.config], { env: { POSTERN_KEY: wrong }, input: JSON.stringify(call(1)) + '\n' });
			assert.doesNotMatch(end.stdout, /itm_0001/);
			assert.notEqual(end.stderr, '');
			assert.ok(!wrong || !end.stderr.includes(wrong));
			for (const line of end.stdout.split('\n').filter(Boolean)) assert.ok(JSON.parse(line).error);
		}
	});
});
