// Limits from outside: at most N in any window, and N; over instances that share a store, over kill -9,
// with counts that cannot be read.  Windows of minutes and hours are real where filling them is what is
// looked at; where they must pass by, the same notation says seconds.  Steps of the clock are the unit
// tests' (windows_test, quota_test): there it can be set.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, initialize, issueKey, request, send, serve, until } from './harness.mjs';
import { makeSiteWithKeys } from './site.mjs';

const tool = (name, limits, more = '') => `  ${name}:
    version: 1
    description: Gives back one word and counts in a limit.
    owner: tests
    purpose: limits
    source: shop
    requires: shop.read
    read: SELECT 'word' AS word
    returns: { shape: one, columns: { word: string } }
    limits: ${limits}
${more}`;

const catalog = `tools:
${tool('hundred', '{ calls: 100/m }')}${tool('thousand', '{ calls: 1000/m }')}${tool('ten', '{ calls: 10/h }')}\
${tool('rolling', '{ calls: 20/2s per principal }')}${tool('pair', '{ calls: 4/h per principal and tool }')}\
${tool('dear', '{ calls: 10/h per tenant, cost: 4 }')}${tool('free', '{ bytes: 4KiB }')}\
  nap:
    version: 1
    description: Sleeps for a while and then says so.
    owner: tests
    purpose: places
    source: stage
    requires: stage.play
    script: [{ sleep: 1500ms }, { content: { type: text, text: rested } }]
    limits: { concurrency: 1 }
  doze:
    version: 1
    description: Sleeps for a while in a source that has room for two.
    owner: tests
    purpose: places
    source: narrow
    requires: stage.play
    script: [{ sleep: 2500ms }, { content: { type: text, text: rested } }]
`;
const sources = `sources:
  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the tests read }
  stage: { scripted: true, owner: tests, purpose: what the tests play }
  narrow: { scripted: true, owner: tests, purpose: what the tests play, limits: { concurrency: 2 } }`;

const site = (t, changes = {}) => makeSiteWithKeys(t, { tools: catalog, changes: { sources, ...changes } });
const message = (name) => request('tools/call', { name, arguments: {} });
const call = (server, key, name) => ask(server, message(name), { key });
const error = (reply) => reply.json.result.structuredContent?.error;
const code = (reply) => {
	assert.ok(reply.json?.result, `${reply.status} ${reply.body}`);
	return reply.json.result.isError ? error(reply).code : 'OK';
};
const records = ({ home }) => readdirSync(join(home, 'state/audit'), { recursive: true }).filter((name) => /audit-.*\.log$/.test(name))
	.flatMap((name) => readFileSync(join(home, 'state/audit', name), 'utf8').split('\n').slice(0, -1)).map((line) => JSON.parse(line));

// `clients` callers at once, each again and again until `enough` says so; every passed and refused call with its times.
async function hammer(servers, key, name, clients, enough) {
	const calls = [];
	await Promise.all(Array.from({ length: clients }, async (_, i) => {
		for (let turn = 0; !enough(calls); turn++) {
			const from = performance.now();
			const reply = await call(servers[(i + turn) % servers.length], key, name);
			calls.push({ code: code(reply), from, to: performance.now(), reply });
		}
	}));
	return { calls, passed: calls.filter((x) => x.code === 'OK'), refused: calls.filter((x) => x.code === 'RATE_LIMITED') };
}

// A call was counted between `from` and `to`: no window may hold more than n of those that lie in it whole.
function atMost(n, windowMs, passed) {
	for (const { from } of passed) {
		const inside = passed.filter((x) => x.from >= from && x.to < from + windowMs).length;
		assert.ok(inside <= n, `${inside} passed within ${windowMs} ms, ${n} may`);
	}
}

describe('limits of calls', () => {
	for (const [name, n] of [['hundred', 100], ['thousand', 1000], ['ten', 10]])
		it(`64 clients at once: ${n} pass and no more, of ${name}`, async (t) => {
			const s = await site(t);
			const server = await serve(t, s.config);
			const got = await hammer([server], s.alice, name, 64, (calls) => calls.length >= n + 128);
			assert.equal(got.passed.length, n);
			assert.equal(got.passed.length + got.refused.length, got.calls.length);
			await server.alive();
		});

	it('two instances that share a store pass N together, also when one is killed and comes back', async (t) => {
		const s = await site(t);
		const a = await serve(t, s.config);
		let b = await serve(t, s.config, { args: ['--instance', 'b'], stop: false });
		const first = await hammer([a, b], s.alice, 'hundred', 16, (calls) => calls.length >= 60);
		assert.equal(first.passed.length, first.calls.length);
		b.child.kill('SIGKILL');
		await b.ended;
		b = await serve(t, s.config, { args: ['--instance', 'b'], stop: false });
		const second = await hammer([a, b], s.alice, 'hundred', 16, (calls) => calls.length >= 80);
		assert.equal(first.passed.length + second.passed.length, 100);
	});

	it('a window rolls: never more than N in it, and N again behind it', async (t) => {
		const s = await site(t);
		const server = await serve(t, s.config);
		const end = performance.now() + 7000;
		const got = await hammer([server], s.alice, 'rolling', 4, () => performance.now() > end);
		atMost(20, 2000, got.passed);
		assert.ok(got.passed.length >= 60, `${got.passed.length} passed in 7 s of 20/2s`);
		assert.equal(code(await call(server, s.bob, 'rolling')), 'OK');
	});

	it('a refusal says which limit and when; who waits that long is served', async (t) => {
		const s = await site(t);
		const server = await serve(t, s.config);
		for (let i = 19; i >= 0; i--) {
			const { headers } = await call(server, s.alice, 'rolling');
			assert.equal(headers['ratelimit-policy'], '"20/2s per principal";q=20;w=2');
			assert.match(headers.ratelimit, new RegExp(`^"20/2s per principal";r=${i};t=[123]$`));
			assert.equal(headers['retry-after'], undefined);
		}
		const refused = await call(server, s.alice, 'rolling');
		const fault = error(refused);
		assert.equal(fault.code, 'RATE_LIMITED');
		assert.equal(fault.retryable, true);
		assert.deepEqual(fault.details, { reason: 'tool', limit: '20/2s per principal' });
		assert.ok(fault.retry_after_ms > 0 && fault.retry_after_ms <= 2100, String(fault.retry_after_ms));
		assert.equal(refused.headers['retry-after'], String(Math.ceil(fault.retry_after_ms / 1000)));
		assert.match(refused.headers.ratelimit, /;r=0;t=[123]$/);
		await new Promise((done) => setTimeout(done, fault.retry_after_ms));
		assert.equal(code(await call(server, s.alice, 'rolling')), 'OK');
	});

	it('without a limit there is no field of it', async (t) => {
		const s = await site(t);
		const { headers } = await call(await serve(t, s.config), s.alice, 'free');
		assert.equal(headers.ratelimit, undefined);
		assert.equal(headers['ratelimit-policy'], undefined);
	});

	it('cost counts, and one tool does not use up another', async (t) => {
		const s = await site(t);
		const server = await serve(t, s.config);
		const codes = [];
		for (const name of ['dear', 'dear', 'dear', 'free']) codes.push(code(await call(server, s.alice, name)));
		assert.deepEqual(codes, ['OK', 'OK', 'RATE_LIMITED', 'OK']);
		assert.equal(code(await call(server, s.bob, 'dear')), 'OK');
	});

	it('another key, agent, session, protocol or tool version stays in the same window', async (t) => {
		const s = await site(t);
		const other = await issueKey(s.config, { subject: 'Alice', tenant: 'acme', agent: 'another' });
		let server = await serve(t, s.config);
		assert.equal(code(await call(server, s.alice, 'pair')), 'OK');
		assert.equal(code(await call(server, other, 'pair')), 'OK');
		const { headers } = await initialize(server, { key: other });
		const legacy = await send(server, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'pair', arguments: {} } },
			{ key: other, headers });
		assert.equal(code(legacy), 'OK');
		assert.match(legacy.headers.ratelimit, /;r=1;/);
		writeFileSync(join(s.home, 'catalog.yaml'), catalog.replace(/pair:\n    version: 1/, 'pair:\n    version: 2'));
		server.child.kill('SIGTERM');
		await server.ended;
		server = await serve(t, s.config); // and a restart
		assert.equal(code(await call(server, s.alice, 'pair')), 'OK');
		assert.equal(code(await call(server, other, 'pair')), 'RATE_LIMITED');
		assert.equal(code(await call(server, s.bob, 'pair')), 'OK');
	});

	it('the deployment\'s limit and a tool\'s hold together; what a guard before refuses counts in none', async (t) => {
		const s = await makeSiteWithKeys(t, { tools: catalog.replace(', cost: 4', ''),
			changes: { sources, limits: 'limits: { calls: [ 3/h per principal, 4/h per tenant ] }' } });
		const server = await serve(t, s.config);
		const carol = await issueKey(s.config, { subject: 'carol', tenant: 'acme' });
		for (let i = 0; i < 5; i++)
			assert.equal(code(await ask(server, request('tools/call', { name: 'free', arguments: { no: 1 } }), { key: s.alice })),
				'VALIDATION_ERROR');
		for (let i = 0; i < 3; i++) assert.equal(code(await call(server, s.alice, 'free')), 'OK');
		const mine = error(await call(server, s.alice, 'free'));
		assert.deepEqual(mine.details, { reason: 'calls', limit: '3/h per principal' });
		assert.equal(code(await call(server, carol, 'free')), 'OK');
		assert.equal(error(await call(server, carol, 'free')).details.limit, '4/h per tenant');
	});

	it('a refusal that is repeated is counted in the record, not written again', async (t) => {
		const s = await site(t);
		const server = await serve(t, s.config);
		const got = await hammer([server], s.alice, 'ten', 16, (calls) => calls.length >= 500);
		assert.equal(got.passed.length, 10);
		const limited = () => records(s).filter((r) => r.e === 'DENY' && r.reason === 'tool');
		await until('the counts of all refusals', () =>
			limited().reduce((sum, r) => sum + (r.repeated ?? 1), 0) === got.refused.length);
		assert.ok(limited().length < 60, `${limited().length} records of ${got.refused.length} refusals`);
	});
});

describe('places', () => {
	it('a tool with one place: the second waits, is busy, and is served later', async (t) => {
		const s = await site(t);
		const server = await serve(t, s.config);
		const [a, b] = await Promise.all([call(server, s.alice, 'nap'), call(server, s.bob, 'nap')]);
		const codes = [code(a), code(b)].sort();
		assert.deepEqual(codes, ['BUSY', 'OK']);
		const busy = [a, b].find((x) => code(x) === 'BUSY');
		assert.equal(error(busy).details.reason, 'tool');
		assert.ok(error(busy).retry_after_ms > 0);
		assert.ok(Number(busy.headers['retry-after']) >= 1);
		assert.equal(code(await call(server, s.bob, 'nap')), 'OK');
	});

	it('a source\'s places are shared by instances, and those of a killed one come back', async (t) => {
		const s = await site(t);
		const a = await serve(t, s.config);
		const b = await serve(t, s.config, { args: ['--instance', 'b'], stop: false });
		const replies = await Promise.all([call(a, s.alice, 'doze'), call(a, s.alice, 'doze'), call(b, s.alice, 'doze'), call(b, s.alice, 'doze')]);
		assert.deepEqual(replies.map(code).sort(), ['BUSY', 'BUSY', 'OK', 'OK']);
		assert.equal(error(replies.find((x) => code(x) === 'BUSY')).details.reason, 'source');
		const lost = Promise.allSettled(Array.from({ length: 3 }, async () => {
			for (;;) await call(b, s.alice, 'doze'); // until it dies
		}));
		await until('both places to be taken by b', async () => code(await call(a, s.alice, 'doze')) === 'BUSY', 30000);
		b.child.kill('SIGKILL');
		await b.ended;
		await lost;
		assert.deepEqual((await Promise.all([call(a, s.alice, 'doze'), call(a, s.alice, 'doze')])).map(code), ['OK', 'OK']);
	});
});

describe('mistakes', () => {
	it('count apart: too many, and every call waits; nobody else does', async (t) => {
		const s = await site(t, { limits: 'limits: { errors: 5/2s per principal }' });
		const server = await serve(t, s.config);
		const wrong = () => ask(server, request('tools/call', { name: 'ten', arguments: { nothing: 1 } }), { key: s.alice });
		for (let i = 0; i < 5; i++) assert.equal(code(await wrong()), 'VALIDATION_ERROR');
		for (const name of ['ten', 'free']) {
			const reply = await call(server, s.alice, name);
			assert.equal(code(reply), 'RATE_LIMITED');
			assert.equal(error(reply).details.reason, 'errors');
			assert.ok(Number(reply.headers['retry-after']) >= 1);
		}
		assert.equal(code(await call(server, s.bob, 'free')), 'OK');
		await until('the window to pass', async () => code(await call(server, s.alice, 'free')) === 'OK');
		for (let i = 0; i < 10; i++) assert.equal(code(await call(server, s.alice, 'ten')), 'OK'); // none was taken of ten
		assert.equal(code(await call(server, s.alice, 'ten')), 'RATE_LIMITED');
	});
});

describe('what cannot be counted', () => {
	it('gets a small share, is told to the operator, and counts again when it can', async (t) => {
		const s = await site(t);
		const server = await serve(t, s.config);
		const file = join(s.home, 'state/postern.db.limits');
		assert.equal(code(await call(server, s.alice, 'thousand')), 'OK');
		renameSync(file, `${file}.away`);
		await until('the loss to be noticed', async () => {
			assert.equal(code(await call(server, s.alice, 'thousand')), 'OK');
			return /limits_unavailable/.test(server.stderr);
		});
		const got = await hammer([server], s.alice, 'thousand', 8, (calls) => calls.length >= 150);
		assert.ok(got.passed.length <= 100 && got.passed.length > 0, `${got.passed.length} of a share of 100`);
		await until('the record of it', () => records(s).some((r) => r.e === 'SECURITY' && r.reason === 'rate_store'));
		renameSync(`${file}.away`, file);
		await until('the counts to be back', async () => /r=[89]\d\d;/.test((await call(server, s.alice, 'thousand')).headers.ratelimit ?? ''));
	});

	it('a file that is cut short under the server does not end it', async (t) => {
		const s = await site(t);
		const server = await serve(t, s.config);
		const file = join(s.home, 'state/postern.db.limits');
		assert.equal(code(await call(server, s.alice, 'ten')), 'OK');
		truncateSync(file, 0);
		for (let i = 0; i < 30; i++) await call(server, s.alice, i % 2 ? 'ten' : 'thousand');
		assert.equal(code(await call(server, s.alice, 'ten')), 'RATE_LIMITED'); // of the share
		await server.alive();
		await until('the record of it', () => records(s).some((r) => r.e === 'SECURITY' && r.reason === 'rate_store'));
	});

	it('a file that was removed between two starts is noticed: limits begin anew', async (t) => {
		const s = await site(t);
		const file = join(s.home, 'state/postern.db.limits');
		const start = async () => {
			const server = await serve(t, s.config);
			assert.equal(code(await call(server, s.alice, 'ten')), 'OK');
			server.child.kill('SIGTERM');
			await server.ended;
			return server.stderr;
		};
		for (const _ of [1, 2]) assert.doesNotMatch(await start(), /limits_anew/);
		rmSync(file);
		assert.match(await start(), /limits_anew/);
		assert.doesNotMatch(await start(), /limits_anew/);
		assert.equal(records(s).filter((r) => r.e === 'SECURITY' && r.reason === 'limits_removed').length, 1);
	});

	it('a file that is no file of limits: the server says so and does not touch it', async (t) => {
		const s = await site(t);
		const file = join(s.home, 'state/postern.db.limits');
		writeFileSync(file, 'a diary', { mode: 0o600 });
		const server = await serve(t, s.config);
		assert.equal(code(await call(server, s.alice, 'ten')), 'OK'); // the share of ten is one
		assert.equal(code(await call(server, s.alice, 'ten')), 'RATE_LIMITED');
		assert.match(server.stderr, /limits_unavailable.*remove it/);
		assert.equal(readFileSync(file, 'utf8'), 'a diary');
		rmSync(file);
		await until('the file to be made', async () => {
			await call(server, s.alice, 'ten');
			return existsSync(file) && statSync(file).size > 1000000;
		});
		assert.equal(code(await call(server, s.alice, 'ten')), 'OK');
	});
});

describe('credentials that are refused', () => {
	const wrong = `pstn_dev_${'A'.repeat(12)}_${'B'.repeat(43)}`;

	it('too many from one address: 429 before anything is verified, until the window has passed', async (t) => {
		const s = await site(t, { limits: 'limits: { auth_failures: 5/2s per address }' });
		const server = await serve(t, s.config);
		for (let i = 0; i < 9; i++) assert.equal((await send(server, message('free'))).status, 401); // none was sent
		for (let i = 0; i < 5; i++) assert.equal((await call(server, wrong, 'free')).status, 401);
		for (const key of [wrong, s.alice]) {
			const reply = await call(server, key, 'free');
			assert.equal(reply.status, 429);
			assert.ok(Number(reply.headers['retry-after']) >= 1);
		}
		assert.ok(records(s).some((r) => r.e === 'AUTH_FAIL' && r.reason === 'too_many'));
		await until('the window to pass', async () => (await call(server, s.alice, 'free')).status === 200);
	});

	it('who is known is not held up by their own good calls', async (t) => {
		const s = await site(t, { limits: 'limits: { auth_failures: 2/m per address }' });
		const server = await serve(t, s.config);
		for (let i = 0; i < 10; i++) assert.equal((await call(server, s.alice, 'free')).status, 200);
	});
});
