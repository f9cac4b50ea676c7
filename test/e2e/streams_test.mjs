// What does not end at once: progress before a result, questions in the middle of a legacy call, change
// notices on both wires, and what happens when one side goes.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ask, exchange, initialize, issueKey, modernHeaders, open, post, request, run, send, serve, until } from './harness.mjs';
import { makeSiteWithKeys } from './site.mjs';

const cleanup = [];
let site, server, key;

before(async () => {
	const scope = { after: (f) => cleanup.push(f) };
	site = await makeSiteWithKeys(scope);
	server = await serve(scope, site.config);
	key = site.alice;
});
after(async () => {
	for (const f of cleanup.reverse()) await f();
});

const nap = (id, meta) => request('tools/call', { name: 'nap', arguments: {} }, { id, meta });
const modernPost = (message) => post(server, message, { key, headers: modernHeaders(message) });
const get = (headers) => `GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${key}\r\n${Object.entries(headers).map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`;

// A change of the catalog that everybody is told of.
async function reload() {
	const file = join(site.home, 'catalog.yaml');
	const text = readFileSync(file, 'utf8');
	writeFileSync(file, text.includes('title: The caller\n') ? text.replace('title: The caller\n', 'title: The one who calls\n') : text.replace('title: The one who calls\n', 'title: The caller\n'));
	server.child.kill('SIGHUP');
}

describe('progress', () => {
	it('comes before the result, on a stream, when the caller gave a token', async (t) => {
		for (const token of [7, 'seven']) {
			const stream = await open(t, server.port, modernPost(nap(1, { progressToken: token })));
			assert.match(stream.headers['content-type'], /text\/event-stream/);
			assert.equal(stream.headers['x-accel-buffering'], 'no');
			await until('the result', () => stream.events.some((event) => event.result));
			assert.equal(stream.events[0].method, 'notifications/progress');
			assert.deepEqual(stream.events[0].params.progressToken, token);
			assert.equal(stream.events.at(-1).id, 1);
			assert.ok(stream.events.at(-1).result);
		}
	});
	it('does not come without a token', async () => {
		const reply = await ask(server, nap(1), { key });
		assert.ok(reply.json.result);
		assert.ok(!(reply.events ?? []).some((event) => event.method));
	});
});

describe('a client that leaves', () => {
	const outcomes = async () => (await run(['audit', 'tail', site.config, '--count', '30'])).stdout;

	it('modern: its call is cancelled, and the record says so', async (t) => {
		const stream = await open(t, server.port, modernPost(nap('leaver', { progressToken: 1 })));
		stream.close();
		await until('the record of the cancelled call', async () => /nap.*cancelled/.test(await outcomes()));
		await server.alive();
	});
	it('2025-11-25: the answer that found nobody is there when its client comes back for it, once', async (t) => {
		const { headers } = await initialize(server, { key });
		for (const leave of ['end', 'destroy', 'resetAndDestroy']) {
			const id = `back after ${leave}`, before = (await outcomes()).match(/nap/g)?.length ?? 0;
			const socket = net.connect(server.port, '127.0.0.1');
			let text = '';
			t.after(() => socket.destroy());
			socket.on('data', (data) => (text += data)).on('error', () => {});
			socket.write(post(server, { jsonrpc: '2.0', id, method: 'tools/call',
				params: { name: 'nap', arguments: {}, _meta: { progressToken: 1 } } }, { key, headers }));
			await until('progress', () => text.includes('notifications/progress'));
			const event = /^id: ([0-9a-f]{32})$/m.exec(text)[1];
			socket[leave]();
			await until('the record of the call', async () => ((await outcomes()).match(/nap/g)?.length ?? 0) > before);
			const back = await until('the answer', async () => {
				const { replies } = await exchange(server.port, get({ ...headers, 'Last-Event-ID': event }), { deadlineMs: 3000 }).catch(() => ({ replies: [] }));
				return replies[0];
			}, 5000);
			assert.equal(back.events.at(-1)?.id, id, `after ${leave}: ${back.body}`);
			assert.equal(back.events.at(-1).result.content[0].text, 'rested');
		}
	});
	it('legacy: notifications/cancelled ends the call without an answer', async (t) => {
		const { headers } = await initialize(server, { key });
		const stream = await open(t, server.port, post(server, { jsonrpc: '2.0', id: 5, method: 'tools/call',
			params: { name: 'nap', arguments: {}, _meta: { progressToken: 1 } } }, { key, headers }));
		const note = await send(server, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } }, { key, headers });
		assert.equal(note.status, 202);
		await until('the end of the stream', () => stream.closed || stream.ended);
		assert.ok(!stream.events.some((event) => event.result && !event.result.isError), JSON.stringify(stream.events));
	});
	it('another principal cannot cancel it', async (t) => {
		const { headers } = await initialize(server, { key });
		const stream = await open(t, server.port, post(server, { jsonrpc: '2.0', id: 6, method: 'tools/call',
			params: { name: 'nap', arguments: {}, _meta: { progressToken: 1 } } }, { key, headers }));
		const other = await initialize(server, { key: site.bob });
		await send(server, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 6 } }, { key: site.bob, headers: other.headers });
		await until('the result', () => stream.events.some((event) => event.result?.content?.[0].text === 'rested'));
	});
});

describe('questions on the legacy wire', () => {
	const ask_hello = async (t, capabilities = { elicitation: { form: {} } }) => {
		const { headers } = await initialize(server, { key, capabilities });
		const stream = await open(t, server.port, post(server, { jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'hello', arguments: {} } }, { key, headers }));
		return { headers, stream };
	};
	const answer = (id, headers, result, token = key) => send(server, { jsonrpc: '2.0', id, result }, { key: token, headers });

	it('are asked on the stream of the call, and answered by another POST', async (t) => {
		const { headers, stream } = await ask_hello(t);
		await until('the question', () => stream.events.length > 0);
		const [question] = stream.events;
		assert.equal(question.method, 'elicitation/create');
		assert.equal((await answer(question.id, headers, { action: 'accept', content: { name: 'Ada' } })).status, 202);
		await until('the result', () => stream.events.at(-1).id === 9);
		assert.equal(stream.events.at(-1).result.content[0].text, 'greeted');
	});
	it('cannot be answered by another principal', async (t) => {
		const { headers, stream } = await ask_hello(t);
		await until('the question', () => stream.events.length > 0);
		const other = await initialize(server, { key: site.bob });
		await answer(stream.events[0].id, other.headers, { action: 'accept', content: { name: 'Eve' } }, site.bob);
		assert.equal(stream.events.length, 1);
		await answer(stream.events[0].id, headers, { action: 'accept', content: { name: 'Ada' } });
		await until('the result', () => stream.events.at(-1).id === 9);
	});
	it('that are declined end without the act', async (t) => {
		const { headers, stream } = await ask_hello(t);
		await until('the question', () => stream.events.length > 0);
		await answer(stream.events[0].id, headers, { action: 'decline' });
		await until('the end', () => stream.events.at(-1).id === 9);
		assert.ok(stream.events.at(-1).error || stream.events.at(-1).result);
	});
	it('are not put to a client that cannot ask its person', async (t) => {
		const { stream } = await ask_hello(t, {});
		await until('an answer', () => stream.text !== '');
		assert.ok(!stream.text.includes('elicitation/create'));
	});
});

describe('change notices', () => {
	it('modern: acknowledged first, then only what was asked for, tagged with the request', async (t) => {
		const listen = (id, notifications) => open(t, server.port, modernPost(request('subscriptions/listen', { notifications }, { id })));
		const tools = await listen('tools', { toolsListChanged: true, nonsense: true });
		const prompts = await listen(42, { promptsListChanged: true });
		for (const [stream, id] of [[tools, 'tools'], [prompts, 42]]) {
			await until('the acknowledgement', () => stream.events.length > 0);
			assert.equal(stream.events[0].method, 'notifications/subscriptions/acknowledged');
			assert.equal(stream.events[0].params._meta['io.modelcontextprotocol/subscriptionId'], id);
		}
		assert.deepEqual(tools.events[0].params.notifications, { toolsListChanged: true });
		await reload();
		await until('the notice', () => tools.events.length > 1);
		assert.equal(tools.events[1].method, 'notifications/tools/list_changed');
		assert.equal(tools.events[1].params._meta['io.modelcontextprotocol/subscriptionId'], 'tools');
		assert.ok(!prompts.events.some((event) => event.method === 'notifications/tools/list_changed'));
	});
	it('end when the key they were opened with is revoked, on both wires', async (t) => {
		const doomed = await issueKey(site.config, { subject: 'doomed' });
		const message = request('subscriptions/listen', { notifications: { toolsListChanged: true } }, { id: 'doomed' });
		const listening = await open(t, server.port, post(server, message, { key: doomed, headers: modernHeaders(message) }));
		const { headers } = await initialize(server, { key: doomed });
		const waiting = await open(t, server.port, get(headers).replace(key, doomed));
		await until('the acknowledgement', () => listening.events.length > 0);
		const id = doomed.split('_')[2];
		assert.equal((await run(['key', 'revoke', site.config, id])).code, 0);
		await until('the end of both streams', () => (listening.closed || listening.ended) && (waiting.closed || waiting.ended), 3000);
		await server.alive();
	});
	it('modern: a filter that is none is refused', async () => {
		for (const params of [{}, { notifications: 7 }, { notifications: [] }])
			assert.equal((await ask(server, request('subscriptions/listen', params), { key })).json.error.code, -32602);
	});
	it('legacy: on the GET stream of a session; a second one is refused', async (t) => {
		const { headers } = await initialize(server, { key });
		const stream = await open(t, server.port, get(headers));
		assert.equal(stream.status, 200);
		assert.equal((await exchange(server.port, get(headers))).replies[0].status, 409);
		await reload();
		await until('the notice', () => stream.events.some((event) => event.method === 'notifications/tools/list_changed'));
	});
	it('many streams of one principal are bounded', async (t) => {
		const codes = [];
		for (let i = 0; i < 20; i++) {
			const stream = await open(t, server.port, modernPost(request('subscriptions/listen', { notifications: { toolsListChanged: true } }, { id: `s${i}` })));
			await until('an answer', () => stream.events.length > 0 || stream.text !== '' || stream.closed);
			codes.push(stream.events[0]?.method ?? stream.status);
		}
		assert.ok(codes.filter((code) => code === 'notifications/subscriptions/acknowledged').length <= 16, codes.join(' '));
		assert.equal((await ask(server, request('tools/list'), { key: site.bob })).status, 200);
	});
	it('the end of the server ends them in order', async (t) => {
		const other = await makeSiteWithKeys(t);
		const stopping = await serve(t, other.config);
		const message = request('subscriptions/listen', { notifications: { toolsListChanged: true } }, { id: 'last' });
		const stream = await open(t, stopping.port, post(stopping, message, { key: other.alice, headers: modernHeaders(message) }));
		await until('the acknowledgement', () => stream.events.length > 0);
		stopping.child.kill('SIGTERM');
		await until('the end of the stream', () => stream.closed);
		assert.equal(stream.events.at(-1).id, 'last');
		assert.equal(stream.events.at(-1).result.resultType, 'complete');
		assert.equal((await stopping.ended).code, 0);
	});
});
