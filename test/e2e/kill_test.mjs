// Kill switches from outside: each kind alone, under load on several instances, without a store, over a
// restart, and on a statement that runs.
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { issueKey, modernHeaders, request, run, serve, until } from './harness.mjs';
import { catalog, makeSiteWithKeys } from './site.mjs';

const slow = `  count_long:
    version: 1
    title: A long count
    description: Counts for as long as it is let.
    owner: tests
    purpose: cancellation
    source: shop
    requires: shop.read
    limits: { timeout: 9s }
    read: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 4000000000) SELECT count(*) AS n FROM n
    returns: { shape: one, columns: { n: integer } }
`;

async function rpc(server, key, method, params = {}) {
	const message = request(method, params);
	const reply = await fetch(server.url, { method: 'POST', body: JSON.stringify(message),
		headers: { ...modernHeaders(message), Authorization: `Bearer ${key}` } });
	return { status: reply.status, ...(await reply.json()) };
}

const call = async (server, key, name = 'who_am_i', args = {}) =>
	(await rpc(server, key, 'tools/call', { name, arguments: args })).result;
const codeOf = (result) => result.structuredContent?.error?.code ?? 'OK';
const code = async (...args) => codeOf(await call(...args));
const becomes = (server, key, wanted, ...args) =>
	until(`${args[0] ?? 'a call'} to be ${wanted}`, async () => (await code(server, key, ...args)) === wanted, 3000);

async function command(site, args, status = 0) {
	const end = await run([args[0], site.config, ...args.slice(1)]);
	assert.equal(end.code, status, `${args.join(' ')}: ${end.stdout}${end.stderr}`);
	return end;
}
const kill = (site, ...args) => command(site, ['kill', ...args, '--reason', 'a test kills']);
const resume = (site, ...args) => command(site, ['resume', ...args, '--reason', 'a test resumes']);

const records = (site) => readdirSync(join(site.home, 'state/audit')).filter((name) => name.endsWith('.log'))
	.flatMap((name) => readFileSync(join(site.home, 'state/audit', name), 'utf8').replaceAll('\0', '').split('\n').filter(Boolean))
	.map((line) => JSON.parse(line));

const keyId = (key) => key.split('_')[2];

test('each kind pauses the calls that belong to it and no others, until it is lifted', async (t) => {
	const site = await makeSiteWithKeys(t);
	const other = await issueKey(site.config, { subject: 'carol', tenant: 'birch', agent: 'second' });
	const server = await serve(t, site.config);
	const mine = [site.alice, 'who_am_i'];
	const theirs = [other, 'who_am_i'];
	const kinds = [
		[['everything'], mine, null],
		[['server', 'a'], mine, null],
		[['tenant', 'acme'], mine, theirs],
		[['principal', 'alice'], mine, theirs],
		[['agent', 'second'], theirs, mine],
		[['credential', keyId(site.alice)], mine, theirs],
		[['tool', 'who_am_i'], mine, [site.alice, 'nap']],
		[['source', 'stage'], [site.alice, 'nap'], mine],
	];
	for (const [order, refused, served] of kinds) {
		assert.equal(await code(server, ...refused), 'OK', order.join(' '));
		await kill(site, ...order);
		await becomes(server, refused[0], 'PAUSED', refused[1]);
		const { error } = (await call(server, ...refused)).structuredContent;
		assert.equal(error.retryable, false);
		assert.deepEqual(error.details, { reason: 'killed', kind: order[0], owner: 'tests' });
		assert.match(error.message, /paused by an operator.*useless.*tell the person/i);
		assert.ok(!JSON.stringify(error).includes('a test kills'));
		if (served) assert.equal(await code(server, ...served), 'OK', `${order.join(' ')} paused too much`);
		assert.equal((await rpc(server, refused[0], 'server/discover')).status, 200);
		assert.ok((await rpc(server, refused[0], 'tools/list')).result.tools.some((tool) => tool.name === refused[1]));
		await resume(site, ...order);
		await becomes(server, refused[0], 'OK', refused[1]);
	}
	const log = records(site);
	for (const [order] of kinds) {
		const given = log.find((r) => r.e === 'KILL' && r.kind === order[0]);
		assert.equal(given.reason, 'a test kills');
		assert.match(given.by, /^os:/);
		assert.equal(log.filter((r) => r.e === 'RESUME' && r.kind === order[0] && r.reason === 'a test resumes').length, 1);
		const seen = log.filter((r) => r.e === 'KILL_SEEN' && r.order === given.order);
		assert.deepEqual(seen.map((r) => r.change), ['set', 'lifted']);
		assert.ok(seen.every((r) => r.delay_ms < 2000));
	}
	assert.ok(log.some((r) => r.e === 'DENY' && r.code === 'PAUSED' && r.reason === 'killed'));
});

test('resources, prompts and completions are calls: paused as well', async (t) => {
	const site = await makeSiteWithKeys(t);
	const server = await serve(t, site.config);
	await kill(site, 'everything');
	await becomes(server, site.alice, 'PAUSED');
	for (const [method, params] of [['resources/read', { uri: 'shop://about' }],
		['prompts/get', { name: 'describe_item', arguments: { item: 'itm_0001' } }],
		['completion/complete', { ref: { type: 'ref/prompt', name: 'describe_item' }, argument: { name: 'item', value: '' } }]]) {
		const reply = await rpc(server, site.alice, method, params);
		assert.equal(reply.error?.data?.error?.code, 'PAUSED', `${method}: ${JSON.stringify(reply)}`);
	}
});

test('what is asked for is checked: kinds, names, reasons, times', async (t) => {
	const site = await makeSiteWithKeys(t);
	for (const [args, says] of [[['galaxy', 'x', '--reason', 'r'], /no kind of switch/], [['tool', '--reason', 'r'], /which tool/],
		[['everything', 'x', '--reason', 'r'], /takes no name/], [['tool', 'x'], /--reason is needed/],
		[['tool', 'x', '--reason', 'r', '--for', 'soon'], /--for takes a time/], [['tool', 'x', '--reason', 'r', '--for', '0h'], /--for/],
		[['tool', 'x', '--reason', 'r', '--for', '9999999d'], /--for/]])
		assert.match((await command(site, ['kill', ...args], 64)).stderr, says);
	assert.match((await kill(site, 'tool', 'nosuch')).stderr, /warning: tool "nosuch" is no tool/);
	assert.match((await kill(site, 'source', 'nosuch')).stderr, /warning: source/);
	assert.match((await kill(site, 'credential', 'nosuch')).stderr, /warning: credential/);
	assert.match((await command(site, ['resume', 'tool', 'get_item', '--reason', 'r'], 1)).stderr, /no order against tool get_item/);
	const { stdout } = await command(site, ['kills']);
	assert.match(stdout, /killed +tool +nosuch .*os:\S+ +a test kills/);
	await resume(site, 'tool', 'nosuch');
	assert.doesNotMatch((await command(site, ['kills'])).stdout, / tool +nosuch/);
	assert.match((await command(site, ['kills', '--history'])).stdout, /lifted +tool +nosuch/);
});

test('an order with a time ends by itself', async (t) => {
	const site = await makeSiteWithKeys(t);
	const server = await serve(t, site.config);
	await command(site, ['kill', 'tool', 'who_am_i', '--reason', 'r', '--for', '2s']);
	await becomes(server, site.alice, 'PAUSED');
	await until('the order to end', async () => (await code(server, site.alice)) === 'OK', 6000);
	await until('its end to be recorded', () => records(site).some((r) => r.e === 'KILL_SEEN' && r.change === 'ended'));
});

test('a catalog with mistakes, or a log that cannot be written, keeps nothing running', async (t) => {
	const site = await makeSiteWithKeys(t);
	const server = await serve(t, site.config);
	appendFileSync(join(site.home, 'catalog.yaml'), 'nonsense: [\n');
	await kill(site, 'tool', 'who_am_i');
	await becomes(server, site.alice, 'PAUSED');
	const text = readFileSync(site.config, 'utf8');
	writeFileSync(join(site.home, 'file'), '');
	const broken = { ...site, config: join(site.home, 'other.yaml') };
	writeFileSync(broken.config, text.replace('state/audit', 'file/audit'));
	assert.match((await kill(broken, 'tool', 'nap')).stderr, /could not be recorded/);
	await becomes(server, site.alice, 'PAUSED', 'nap');
	await command(broken, ['resume', 'tool', 'nap', '--reason', 'r'], 73);
	assert.equal(await code(server, site.alice, 'nap'), 'PAUSED');
});

test('under load on three instances, no call that starts two seconds after the order runs', async (t) => {
	const site = await makeSiteWithKeys(t);
	const servers = await Promise.all(['a', 'b', 'c'].map((name) => serve(t, site.config, { args: ['--instance', name] })));
	const served = [];
	let going = true;
	const load = servers.flatMap((server) => [0, 1].map(async () => {
		while (going) {
			const began = Date.now();
			served.push({ server, began, code: await code(server, site.alice, 'get_item', { item_id: 'itm_0001' }) });
		}
	}));
	await until('load on every instance', () => servers.every((s) => served.some((r) => r.server === s)));
	await kill(site, 'tool', 'get_item');
	const acknowledged = Date.now();
	await until('two seconds of load after it', () => Date.now() > acknowledged + 3000, 5000);
	going = false;
	await Promise.all(load);
	const late = served.filter((r) => r.began > acknowledged + 2000);
	for (const server of servers) {
		assert.ok(late.filter((r) => r.server === server).length > 5);
		assert.ok(served.some((r) => r.server === server && r.code === 'OK'));
	}
	assert.deepEqual(late.filter((r) => r.code !== 'PAUSED'), []);
	const origins = new Set(records(site).filter((r) => r.e === 'KILL_SEEN' && r.change === 'set').map((r) => r.o));
	assert.equal(origins.size, 3);
});

test('a long recursive query is cancelled by a kill, and its call answers PAUSED', async (t) => {
	const site = await makeSiteWithKeys(t, { tools: catalog.replace('resources:\n', `${slow}resources:\n`) });
	const server = await serve(t, site.config);
	const began = Date.now();
	const running = call(server, site.alice, 'count_long');
	assert.equal(await code(server, site.alice), 'OK');
	await kill(site, 'source', 'shop');
	const { error } = (await running).structuredContent;
	assert.equal(error.code, 'PAUSED');
	assert.deepEqual(error.details, { reason: 'killed_running', kind: 'source', owner: 'tests' });
	assert.ok(Date.now() - began < 6000);
});

test('without a readable store everything is paused after five seconds, and served again with it', async (t) => {
	const site = await makeSiteWithKeys(t);
	const store = join(site.home, 'state/postern.db');
	const server = await serve(t, site.config);
	const pausedBy = async (spoil, mend) => {
		assert.equal(await code(server, site.alice), 'OK');
		const at = Date.now();
		spoil();
		/* identity asks the same store: what it can still say, it says from memory for a second */
		await until('the doubt to be recorded', () => records(site).some((r) => r.e === 'SECURITY' && r.reason === 'kill_state_unknown' && Date.parse(r.t) > at), 9000);
		assert.ok(Date.now() - at > 4000, 'the lease was cut short');
		mend();
		await until('calls to be served again', async () => {
			const reply = await rpc(server, site.alice, 'tools/call', { name: 'who_am_i', arguments: {} });
			return reply.result && codeOf(reply.result) === 'OK';
		}, 5000);
	};
	await pausedBy(() => renameSync(store, `${store}.away`), () => renameSync(`${store}.away`, store));
	const version = (n) => {
		const db = new DatabaseSync(store);
		const before = db.prepare('PRAGMA user_version').get().user_version;
		db.exec(`PRAGMA user_version = ${n}`);
		db.close();
		return before;
	};
	let before;
	await pausedBy(() => { before = version(99); }, () => version(before));
});

test('an order that vanished from the store pauses everything at once, and is recorded', async (t) => {
	const site = await makeSiteWithKeys(t);
	const server = await serve(t, site.config);
	await kill(site, 'tool', 'nap');
	await becomes(server, site.alice, 'PAUSED', 'nap');
	assert.equal(await code(server, site.alice), 'OK');
	const db = new DatabaseSync(join(site.home, 'state/postern.db'));
	db.exec('DELETE FROM kills');
	db.close();
	await becomes(server, site.alice, 'PAUSED');
	assert.deepEqual((await call(server, site.alice)).structuredContent.error.details, { reason: 'kill_state_unknown', owner: 'tests' });
	assert.match(records(site).findLast((r) => r.e === 'SECURITY').detail, /kill order \d+ \(tool\) is not in the store any more/);
	await kill(site, 'tool', 'nap');
	assert.equal(await code(server, site.alice), 'PAUSED'); /* what else is missing, nobody knows */
	server.child.kill('SIGTERM');
	await server.ended;
	const again = await serve(t, site.config);
	assert.equal(await code(again, site.alice), 'OK');
	assert.equal(await code(again, site.alice, 'nap'), 'PAUSED');
});

test('another store in place of the one that is used stops everything until a start', async (t) => {
	const site = await makeSiteWithKeys(t);
	const store = join(site.home, 'state/postern.db');
	const server = await serve(t, site.config);
	const db = new DatabaseSync(store);
	db.exec(`VACUUM INTO '${store}.backup'`);
	db.close();
	chmodSync(`${store}.backup`, 0o600);
	await kill(site, 'tool', 'who_am_i');
	await becomes(server, site.alice, 'PAUSED');
	renameSync(`${store}.backup`, store);
	await until('the doubt to be recorded', () => records(site).some((r) => r.e === 'SECURITY' && r.reason === 'kill_state_unknown' &&
		/replaced while it was in use.*start again/.test(r.detail)), 3000);
	const served = async (name) => {
		const reply = await rpc(server, site.alice, 'tools/call', { name, arguments: {} });
		return reply.result ? codeOf(reply.result) : reply.status;
	};
	assert.notEqual(await served('who_am_i'), 'OK');
	assert.notEqual(await served('nap'), 'OK');
	server.child.kill('SIGTERM');
	await server.ended;
	for (const end of ['-wal', '-shm']) rmSync(store + end, { force: true });
	const again = await serve(t, site.config);
	assert.equal(await code(again, site.alice), 'OK');
});

test('with the state unknown a call says so', async (t) => {
	const site = await makeSiteWithKeys(t);
	const server = await serve(t, site.config);
	assert.equal(await code(server, site.alice), 'OK');
	/* as a later postern would leave it: the connection that identity has open still works */
	const db = new DatabaseSync(join(site.home, 'state/postern.db'));
	db.exec('PRAGMA user_version = 99');
	db.close();
	await until('PAUSED', async () => (await code(server, site.alice)) === 'PAUSED', 8000);
	assert.deepEqual((await call(server, site.alice)).structuredContent.error.details, { reason: 'kill_state_unknown', owner: 'tests' });
});

test('SIGUSR2 and the file beside the store pause everything within a second, without the store', async (t) => {
	const site = await makeSiteWithKeys(t);
	const file = join(site.home, 'state/KILL');
	const server = await serve(t, site.config);
	assert.equal(await code(server, site.alice), 'OK');
	let at = Date.now();
	server.child.kill('SIGUSR2');
	await becomes(server, site.alice, 'PAUSED');
	assert.ok(Date.now() - at < 1000);
	assert.match((await command(site, ['kills'])).stdout, /local switch is on/);
	await resume(site, 'everything');
	await becomes(server, site.alice, 'OK');
	at = Date.now();
	writeFileSync(file, '');
	await becomes(server, site.alice, 'PAUSED');
	assert.ok(Date.now() - at < 1000);
	rmSync(file);
	await becomes(server, site.alice, 'OK');
	const local = records(site).filter((r) => r.source === 'local');
	assert.deepEqual(local.map((r) => r.e), ['KILL', 'RESUME', 'KILL', 'RESUME']);
});

test('a server that was killed comes up killed', async (t) => {
	const site = await makeSiteWithKeys(t);
	await kill(site, 'everything');
	const first = await serve(t, site.config);
	assert.equal(await code(first, site.alice), 'PAUSED');
	assert.match(first.stderr, /killed .*postern kills/);
	first.child.kill('SIGTERM');
	await first.ended;
	const second = await serve(t, site.config);
	assert.equal(await code(second, site.alice), 'PAUSED');
	assert.deepEqual(records(site).filter((r) => r.e === 'START').map((r) => r.killed), [true, true]);
});

test('killing a principal ends its streams and its legacy sessions', async (t) => {
	const site = await makeSiteWithKeys(t);
	const server = await serve(t, site.config);
	const version = '2025-11-25';
	const legacy = (key, message, session) => fetch(server.url, { method: 'POST', body: JSON.stringify(message), headers: {
		'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', Authorization: `Bearer ${key}`,
		'MCP-Protocol-Version': version, ...(session ? { 'Mcp-Session-Id': session } : {}) } });
	const initialize = async (key) => (await legacy(key, { jsonrpc: '2.0', id: 1, method: 'initialize',
		params: { protocolVersion: version, capabilities: {}, clientInfo: { name: 'e2e', version: '1' } } })).headers.get('mcp-session-id');
	const stream = async (key, session) => {
		const reply = await fetch(server.url, { headers: { Accept: 'text/event-stream', Authorization: `Bearer ${key}`, 'Mcp-Session-Id': session } });
		const it = { status: reply.status, over: false };
		(async () => { for await (const _ of reply.body); it.over = true; })().catch(() => {});
		return it;
	};
	const [mine, theirs] = [await initialize(site.alice), await initialize(site.bob)];
	const [my, their] = [await stream(site.alice, mine), await stream(site.bob, theirs)];
	assert.equal(my.status, 200);
	const message = request('subscriptions/listen', { notifications: { toolsListChanged: true } });
	const listening = await fetch(server.url, { method: 'POST', body: JSON.stringify(message),
		headers: { ...modernHeaders(message), Authorization: `Bearer ${site.alice}` } });
	assert.equal(listening.status, 200);
	await kill(site, 'principal', 'alice');
	await until('her stream to end', () => my.over, 3000);
	await listening.text();
	assert.equal(their.over, false);
	assert.equal((await stream(site.alice, mine)).status, 503);
	const paused = await (await legacy(site.alice, { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'who_am_i', arguments: {} } }, mine)).json();
	assert.equal(paused.result.structuredContent.error.code, 'PAUSED');
	await resume(site, 'principal', 'alice');
	await becomes(server, site.alice, 'OK');
	assert.equal((await legacy(site.alice, { jsonrpc: '2.0', id: 3, method: 'ping' }, mine)).status, 404);
	assert.equal((await legacy(site.bob, { jsonrpc: '2.0', id: 3, method: 'ping' }, theirs)).status, 200);
	assert.equal((await legacy(site.alice, { jsonrpc: '2.0', id: 4, method: 'ping' }, await initialize(site.alice))).status, 200);
});

test('one call from the command line obeys, too', async (t) => {
	const site = await makeSiteWithKeys(t);
	const once = () => run(['call', site.config, 'who_am_i'], { env: { POSTERN_KEY: site.alice } });
	assert.equal((await once()).code, 0);
	await kill(site, 'tool', 'who_am_i');
	assert.match((await once()).stdout, /PAUSED/);
});
