// Who is kept out by whom: silent connections, half-sent requests and one address that wants everything
// leave the others served, on the public listener and on the one for metrics.
import assert from 'node:assert/strict';
import net from 'node:net';
import { it } from 'node:test';
import { ask, exchange, request, serve, serveAdmin, until } from './harness.mjs';
import { makeSiteWithKeys, withAdmin } from './site.mjs';

const call = request('tools/call', { name: 'get_item', arguments: { item_id: 'itm_0001' } });
const served = async (server, key) => {
	const reply = await ask(server, call, { key });
	assert.equal(reply.status, 200, reply.body);
	assert.equal(reply.json.result.structuredContent.id, 'itm_0001');
};

// Connections that send these bytes and no more; `from` is their own address.
async function hold(t, port, count, bytes = '', from = '127.0.0.1') {
	const held = Array.from({ length: count }, () => {
		const it = { text: '', closed: false, socket: net.connect({ port, host: '127.0.0.1', localAddress: from }) };
		it.socket.on('data', (data) => (it.text += data)).on('error', () => {}).on('close', () => (it.closed = true));
		t.after(() => it.socket.destroy());
		return it;
	});
	await Promise.all(held.map(({ socket, closed }) => closed || new Promise((done) => {
		socket.on('connect', () => socket.write(bytes || Buffer.alloc(0), done)).on('close', done);
	})));
	return held;
}

const head = (port, length) => `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

it('connections that say nothing, or half of something, keep nobody out', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: { limits: 'limits: { connections: 16 }' } });
	const server = await serve(t, site.config);
	const silent = await hold(t, server.port, 100);
	await served(server, site.alice);
	const half = await hold(t, server.port, 100, 'POST /mcp HTTP/1.1\r\nHo');
	await served(server, site.alice);
	await until('the oldest to be closed', () => silent[0].closed && half[0].closed);
	assert.equal(silent[0].text, '');
	assert.match(half[0].text, /^(HTTP\/1\.1 408 .*)?$/s);
	await server.alive();
});

it('half-sent bodies take half of the memory, and what is small or of another address is read', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: {
		limits: 'limits: { memory: 64MiB, request_bytes: 4MiB, connections: 64, connections_per_address: 16 }' } });
	const server = await serve(t, site.config);
	const part = 'x'.repeat(3 << 20);
	// 8 MiB are the share of one address
	const held = await hold(t, server.port, 6, head(server.port, 4 << 20) + part);
	await until('the one past the share to be refused', () => held.some(({ text }) => text));
	const refused = held.find(({ text }) => text).text;
	assert.match(refused, /^HTTP\/1\.1 503 .*Retry-After: 1\r\n.*"error":"memory"/s);
	await served(server, site.alice);
	const [other] = await hold(t, server.port, 1, head(server.port, part.length) + part, '127.0.0.2');
	await until('an answer for another address', () => other.text);
	assert.match(other.text, /^HTTP\/1\.1 401 /);
});

it('an address has its share of the connections: others come in, and it makes room among its own', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: { limits: 'limits: { connections: 64, connections_per_address: 4 }' } });
	const server = await serve(t, site.config);
	const others = await hold(t, server.port, 4, '', '127.0.0.2');
	const here = await hold(t, server.port, 60);
	await until('all but its share to be closed', () => here.filter(({ closed }) => closed).length >= 56);
	await served(server, site.alice);
	assert.ok(others.every(({ closed }) => !closed), 'those of another address stay');
});

it('the listener for metrics answers whoever comes, whatever silent connections there are', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: withAdmin() });
	const server = await serveAdmin(t, site.config);
	const look = async () => {
		const { replies } = await exchange(server.adminPort,
			`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${server.adminPort}\r\n\r\n`);
		assert.equal(replies[0].status, 200);
	};
	await hold(t, server.adminPort, 150);
	await look();
	await hold(t, server.adminPort, 150, 'GET /he');
	await look();
	const closed = await hold(t, server.adminPort, 1);
	await until('a connection that asks nothing to be closed', () => closed[0].closed, 8000);
});
