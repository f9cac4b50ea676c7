// HTTP as bytes: what is malformed or ambiguous is refused, what is slow or cut harms nobody, and the
// server is there afterwards.  Cases HTTP-*, ORG-*.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ask, exchange, initialize, issueKey, modernHeaders, post, request, run, send, serve } from './harness.mjs';
import { requests } from './malformed.mjs';
import { expireKey, makeSiteWithKeys } from './site.mjs';

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

const { body, call, chunk, chunked, malformed, raw } = requests(() => ({ port: server.port, key }));
const second = () => `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`;

describe('malformed requests are not served', { concurrency: 8 }, () => {
	for (const row of malformed) {
		it(row.name, async () => {
			const got = await exchange(server.port, row.open ? row.bytes() : row.bytes() + second(), { replies: row.open ? 1 : 2, deadlineMs: 5000 });
			if (row.cut && got.replies.length === 0) return;
			assert.equal(got.replies.length, 1, `${got.replies.length} replies: ${got.replies.map((r) => r.status)}`);
			const [reply] = got.replies;
			assert.ok(row.is.includes(reply.status), `${reply.status}: ${reply.body}`);
			assert.doesNotMatch(reply.body, /"result"/);
			if (!row.open) assert.ok(got.closed, 'the connection stayed open');
		});
	}
	it('and the server is there afterwards', async () => {
		await server.alive();
		assert.equal((await ask(server, call(), { key })).status, 200);
	});
});

describe('well-formed requests are served', () => {
	const served = (reply) => {
		assert.equal(reply.status, 200, reply.body);
		assert.equal(reply.json.result.structuredContent.id, 'itm_0001');
	};
	it('in one piece', async () => served((await exchange(server.port, raw())).replies[0]));
	it('one byte at a time', async () => served((await exchange(server.port, [...raw()])).replies[0]));
	it('chunked, with an extension and a trailer', async () => {
		const pieces = [chunked(''), '5;a=b\r\n' + body.slice(0, 5) + '\r\n', chunk(body.slice(5)), '0\r\nX-Trailer: x\r\n\r\n'];
		served((await exchange(server.port, pieces)).replies[0]);
	});
	it('with an absolute target that is the Host', async () =>
		served((await exchange(server.port, raw({ line: `POST http://127.0.0.1:${server.port}/mcp HTTP/1.1` }))).replies[0]));
	it('after Expect: 100-continue', async () =>
		served((await exchange(server.port, [raw({ extra: ['Expect: 100-continue'], payload: '', length: false }).replace(/\r\n\r\n$/, `\r\nContent-Length: ${body.length}\r\n\r\n`), body])).replies[0]));
	it('with a narrow Accept', async () => {
		for (const accept of ['application/json', '*/*', 'application/*', undefined])
			served(await ask(server, call(), { key, headers: { Accept: accept } }));
	});
	it('and trailers are discarded: what they claim is not believed', async () => {
		const anonymous = raw({ without: ['Authorization'], length: false, extra: ['Transfer-Encoding: chunked'],
			payload: `${chunk(body)}0\r\nAuthorization: Bearer ${key}\r\n\r\n` });
		assert.equal((await exchange(server.port, anonymous)).replies[0].status, 401);
		const claims = chunked(`${chunk(body)}0\r\nMcp-Name: other\r\nHost: evil.test\r\nContent-Length: 3\r\n\r\n`);
		const { replies: [reply] } = await exchange(server.port, claims);
		if (reply.status !== 400) served(reply); // refusing them is as good
	});
});

describe('every request is judged alone', () => {
	const who = (id, token) => {
		const message = request('tools/call', { name: 'who_am_i', arguments: {} }, { id });
		return post(server, message, { key: token, headers: modernHeaders(message) });
	};
	const subject = (reply) => reply.json?.result?.structuredContent?.subject;

	it('pipelined: with a key, without one, in order', async () => {
		const { replies } = await exchange(server.port, Buffer.concat([who(1, key), who(2, undefined)]), { replies: 2 });
		assert.deepEqual(replies.map((reply) => reply.status), [200, 401]);
		assert.equal(subject(replies[0]), 'alice');
	});
	it('kept alive: alice, bob, an expired key', async () => {
		const expired = await issueKey(site.config, { subject: 'eve' });
		expireKey(site, 'eve');
		const { replies } = await exchange(server.port, Buffer.concat([who(1, key), who(2, site.bob), who(3, expired)]), { replies: 3 });
		assert.deepEqual(replies.map((reply) => reply.status), [200, 200, 401]);
		assert.deepEqual(replies.slice(0, 2).map(subject), ['alice', 'bob']);
	});
	it('two callers who use the same ids at once never get each other\'s reply', async () => {
		const rounds = Number(process.env.CROSSING_ROUNDS ?? 250);
		const one = async (token, name) => {
			const { replies } = await exchange(server.port, Buffer.concat(Array.from({ length: rounds }, () => who(1, token))), { replies: rounds, deadlineMs: 100000 });
			return replies.filter((reply) => subject(reply) !== name || reply.json.id !== 1).length;
		};
		const wrong = await Promise.all([one(key, 'alice'), one(site.bob, 'bob'), one(key, 'alice'), one(site.bob, 'bob')]);
		assert.deepEqual(wrong, [0, 0, 0, 0]);
	});
	it('without a key: 401 with a challenge, whatever the path of the protocol', async () => {
		for (const message of [call(), request('tools/list'), request('server/discover'), { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} }]) {
			const reply = await ask(server, message);
			assert.equal(reply.status, 401, JSON.stringify(message));
			assert.match(reply.headers['www-authenticate'], /^Bearer/);
		}
	});
	it('a key that is wrong, cut, doubled or in the query: 401 or 400, and never an echo', async () => {
		for (const options of [
			{ key: key.slice(0, -1) }, { key: `${key}x` }, { key: 'x'.repeat(5000) }, { headers: { Authorization: `Basic ${btoa('a:b')}` } },
			{ headers: { Authorization: [`Bearer ${key}`, `Bearer ${key}`] } }, { headers: { Authorization: 'Bearer' } },
			{ path: `/mcp?access_token=${key}` }, { headers: { Cookie: `key=${key}` } },
		]) {
			const reply = await ask(server, call(), options);
			assert.ok([400, 401, 431].includes(reply.status), `${reply.status} for ${JSON.stringify(options).slice(0, 80)}`);
			assert.ok(!reply.body.includes(key));
		}
	});
});

describe('peers that go away or are slow', () => {
	const send_only = (bytes, options) => exchange(server.port, bytes, { deadlineMs: 5000, ...options });

	it('a body shorter than its length, then the end', async () => {
		const got = await send_only(raw({ payload: body.slice(0, 20), length: false, extra: [`Content-Length: ${body.length}`] }), { half: true });
		assert.ok(got.replies.every((reply) => reply.status === 400));
		await server.alive();
	});
	it('a hundred connections that say half a line and leave', async () => {
		await Promise.all(Array.from({ length: 100 }, () => send_only('POST /mcp HT', { half: true })));
		await server.alive();
	});
	it('a chunked body that keeps growing is stopped at the limit', async () => {
		const piece = chunk('x'.repeat(60000));
		const got = await send_only([chunked(''), ...Array.from({ length: 100 }, () => piece)]);
		assert.ok(got.reset || got.replies[0]?.status === 413, `${got.replies[0]?.status}`);
		await server.alive();
	});
	it('a client that leaves during its call frees the worker', async () => {
		const nap = request('tools/call', { name: 'nap', arguments: {} });
		await Promise.all(Array.from({ length: 80 }, () => send_only(post(server, nap, { key, headers: modernHeaders(nap) }), { half: true }).catch(() => {})));
		assert.equal((await ask(server, call(), { key })).status, 200);
	});
});

describe('methods and paths', () => {
	for (const method of ['PUT', 'PATCH', 'OPTIONS', 'TRACE', 'post', 'M'.repeat(300)]) {
		it(`${method.slice(0, 10)} is not served`, async () => {
			const { replies: [reply] } = await exchange(server.port, raw({ line: `${method} /mcp HTTP/1.1`, extra: ['X-Canary: canary'] }));
			assert.ok([400, 405, 501].includes(reply.status), `${reply.status}`);
			if (reply.status === 405) assert.match(reply.headers.allow, /POST/);
			assert.doesNotMatch(reply.body, /canary/);
		});
	}
	it('CONNECT opens no tunnel', async () => {
		const { replies: [reply] } = await exchange(server.port, `CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n`);
		assert.ok([400, 403, 405, 501].includes(reply.status), `${reply.status}`);
	});
	it('HEAD has no body', async () => {
		const got = await exchange(server.port, `HEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\n\r\n`, { replies: 2 });
		// a length without the bytes leaves the reply unread
		assert.ok(got.replies.length === 1 ? got.replies[0].body === '' : got.raw().endsWith('\r\n\r\n'), got.raw());
	});
	it('only /healthz answers without a key; an unknown path is 404', async () => {
		const status = async (method, path) =>
			(await exchange(server.port, `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`)).replies[0].status;
		const { stdout } = await run(['routes', '--json']);
		// nobody issues tokens for this deployment, so it tells nobody where to get one
		const expected = (path) => path === '/healthz' ? 200 : path.startsWith('/.well-known/') ? 404 : 401;
		const routes = JSON.parse(stdout).filter((route) => route.listener === 'public');
		assert.ok(routes.length >= 2, stdout);
		for (const { path, methods } of routes)
			for (const method of methods.split(', ').filter((name) => name !== 'OPTIONS' && name !== 'HEAD'))
				assert.equal(await status(method, path), expected(path), `${method} ${path}`);
		for (const path of ['/', '/metrics', '/readyz', '/admin', '/mcp/', '/.git/config', '/%2e%2e/etc/passwd', '/healthz/'])
			assert.equal(await status('GET', path), 404, path);
	});
	it('DELETE ends a legacy session', async () => {
		const { headers: session } = await initialize(server, { key });
		const bytes = `DELETE /mcp HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${key}\r\n${Object.entries(session).map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`;
		const { replies: [reply] } = await exchange(server.port, bytes);
		assert.ok([200, 204].includes(reply.status), `${reply.status}`);
		const later = await send(server, { jsonrpc: '2.0', id: 1, method: 'ping' }, { key, headers: session });
		assert.equal(later.status, 404);
	});
});

describe('browsers', () => {
	const hosts = ['evil.test', 'localhost.evil.test', '127.0.0.1.nip.test', '0.0.0.0', 'localhost.', '[::ffff:127.0.0.1]'];
	for (const host of hosts) {
		it(`Host ${host} is refused`, async () => {
			for (const origin of [undefined, `http://${host}`]) {
				const reply = await ask(server, call(), { key, headers: { Host: `${host}:${server.port}`, Origin: origin } });
				assert.equal(reply.status, 403, reply.body);
			}
		});
	}
	for (const origin of ['http://evil.test', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1', 'file://', 'http://127.0.0.1.nip.test', '']) {
		it(`Origin ${JSON.stringify(origin)} is refused`, async () => {
			const reply = await ask(server, call(), { key, headers: { Origin: origin } });
			assert.ok([400, 403].includes(reply.status), `${reply.status}`);
		});
	}
	it('its own names are allowed, with and without Origin', async () => {
		for (const host of [`127.0.0.1:${server.port}`, `localhost:${server.port}`, `[::1]:${server.port}`])
			for (const origin of [undefined, `http://${host}`])
				assert.equal((await ask(server, call(), { key, headers: { Host: host, Origin: origin } })).status, 200, `${host} ${origin}`);
	});
	it('forms, beacons and WebSockets run nothing', async () => {
		for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', undefined]) {
			const reply = await ask(server, call(), { key, headers: { 'Content-Type': type } });
			assert.ok([400, 403, 415].includes(reply.status), `${type}: ${reply.status}`);
		}
		const upgrade = `GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
		assert.ok([400, 401, 403, 405].includes((await exchange(server.port, upgrade)).replies[0].status));
	});
	it('a preflight of a listed origin may send Mcp-Param-* headers, and nothing unknown', async (t) => {
		const site = await makeSiteWithKeys(t, { changes: { listen: "listen: { http: { address: 127.0.0.1:8477, allowed_origins: ['https://app.test'] } }" } });
		const listed = await serve(t, site.config);
		const bytes = `OPTIONS /mcp HTTP/1.1\r\nHost: 127.0.0.1:${listed.port}\r\nOrigin: https://app.test\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: mcp-param-region, x-evil,Mcp-Param-Bad Name\r\n\r\n`;
		const { replies: [reply] } = await exchange(listed.port, bytes);
		assert.equal(reply.status, 204);
		const allowed = reply.headers['access-control-allow-headers'].split(', ');
		assert.ok(allowed.includes('mcp-param-region') && allowed.includes('authorization'), `${allowed}`);
		assert.ok(!allowed.some((name) => /evil|bad/i.test(name)), `${allowed}`);
	});
	it('a preflight from an unlisted origin gets no permission', async () => {
		const bytes = `OPTIONS /mcp HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nOrigin: http://evil.test\r\nAccess-Control-Request-Method: POST\r\n\r\n`;
		const { replies: [reply] } = await exchange(server.port, bytes);
		assert.ok(!Object.keys(reply.headers).some((name) => name.startsWith('access-control-')));
	});
	it('a listed origin is named exactly, without credentials', async (t) => {
		const listed = await makeSiteWithKeys(t, { changes: { listen: 'listen: { http: { address: 127.0.0.1:8477, allowed_origins: [https://app.example] } }' } });
		const other = await serve(t, listed.config);
		const bytes = `OPTIONS /mcp HTTP/1.1\r\nHost: 127.0.0.1:${other.port}\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization, content-type\r\n\r\n`;
		const { replies: [reply] } = await exchange(other.port, bytes);
		assert.equal(reply.headers['access-control-allow-origin'], 'https://app.example');
		assert.equal(reply.headers['access-control-allow-credentials'], undefined);
		assert.match(reply.headers['access-control-allow-methods'], /POST/);
		const served = await ask(other, call(), { key: listed.alice, headers: { Origin: 'https://app.example' } });
		assert.equal(served.status, 200);
		assert.equal(served.headers['access-control-allow-origin'], 'https://app.example');
	});
});
