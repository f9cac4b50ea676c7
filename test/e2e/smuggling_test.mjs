// Requests inside requests: whatever is ambiguous about where one ends, nothing that lies in its body or
// behind it is served, neither by the server alone nor with a proxy in front of it (nginx, haproxy), which
// may forward it as one only.  Cases HTTP-01 to HTTP-06, HTTP-25.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { directory, exchange, modernHeaders, post, request, serve, until } from './harness.mjs';
import { requests } from './malformed.mjs';
import { makeSiteWithKeys } from './site.mjs';

const cleanup = [];
const scope = { after: (f) => cleanup.push(f) };
let site, server;

before(async () => {
	site = await makeSiteWithKeys(scope);
	server = await serve(scope, site.config);
});
after(async () => {
	for (const f of cleanup.reverse()) await f();
});

const { body, chunk, malformed, raw } = requests(() => ({ port: server.port, key: site.alice }));

// What an attacker would have served as a request of its own: a call that nothing else makes.
const inner = (path = '/mcp?inner') => {
	const message = request('tools/call', { name: 'who_am_i', arguments: {} }, { id: 'inner' });
	return post(server, message, { key: site.alice, path, headers: modernHeaders(message) }).toString('latin1');
};
const recorded = (tool) => readdirSync(join(site.home, 'state/audit')).filter((name) => name.endsWith('.log'))
	.flatMap((name) => readFileSync(join(site.home, 'state/audit', name), 'utf8').replaceAll('\0', '').split('\n').filter(Boolean))
	.map((line) => JSON.parse(line)).filter((r) => r.e === 'CALL_OUTCOME' && r.tool?.startsWith(`${tool}@`)).length;

const whole = (extra, payload, options = {}) => raw({ length: false, extra, payload, ...options });
const te = 'Transfer-Encoding: chunked';
const cl = (text) => `Content-Length: ${Buffer.byteLength(text, 'latin1')}`;
const last = '0\r\n\r\n';

// One reader may see one request here, another two.
const ambiguous = [
	{ name: 'CL.TE', bytes: () => whole([cl(last + inner()), te], last + inner()) },
	{ name: 'TE.CL', bytes: () => whole([te, 'Content-Length: 4'], chunk(inner()) + last) },
	{ name: 'CL.TE without its end', bytes: () => whole(['Content-Length: 6', te], '0\r\n\r\nG') },
	...['Transfer-Encoding: xchunked', 'Transfer-Encoding : chunked', 'Transfer-Encoding:\tchunked', 'Transfer-Encoding: \x0bchunked', ' Transfer-Encoding: chunked',
		'X: x\nTransfer-Encoding: chunked', 'X: x\rTransfer-Encoding: chunked', 'Transfer-Encoding\n: chunked', 'Transfer-Encoding\r\n : chunked',
		'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked', 'Transfer-Encoding: chunked, identity',
		'Transfer-Encoding: identity, chunked', 'Transfer-Encoding:\r\n chunked', 'transfer-encoding: CHUNKED', 'Transfer-Encoding: "chunked"', 'Transfer-Encoding: chunked;q=1',
		'Transfer-Encoding: ch\xfcnked', 'Transfer-Encoding\0: chunked', 'Transfer-Encoding: chunked\0', 'Transfer-Encoding: chunk']
		.flatMap((line) => [
			{ name: `CL with ${JSON.stringify(line)}`, bytes: () => whole([cl(last + inner()), line], last + inner()) },
			{ name: `${JSON.stringify(line)} with CL`, bytes: () => whole([line, 'Content-Length: 4'], chunk(inner()) + last) },
		]),
	...[['Content-Length: 0', () => cl(inner())], [() => cl(inner()), 'Content-Length: 0'], ['Content-Length: 0, 0', ''], ['Content-Length:\r\n 0', ''],
		['Content-Length: +0', ''], ['Content-Length: -0', ''], ['Content-Length: 0x0', ''], ['Content-Length: 0 0', ''], ['Content-Length: 00000000000000000000', ''],
		['Content-Length : 0', ''], ['Content-Length\t: 0', ''], ['Content-Length: 0\x0b', ''], ['Content_Length: 0', () => cl(inner())], ['Content-Length: 18446744073709551616', '']]
		.map((lines) => {
			const made = () => lines.map((line) => (typeof line === 'function' ? line() : line)).filter(Boolean);
			return { name: `lengths: ${JSON.stringify(lines.map((line) => (typeof line === 'function' ? 'Content-Length: all' : line)))}`, bytes: () => whole(made(), inner()) };
		}),
	// no such field to the server: its length counts, and what is behind it is no request
	{ name: 'CL with Transfer_Encoding', bytes: () => whole([cl(last + inner()), 'Transfer_Encoding: chunked'], last + inner()) },
	{ name: 'a chunk extension that ends in a bare LF', bytes: () => whole([te], `5;\n${inner()}\r\n${last}`) },
	{ name: 'a chunk extension with a CR', bytes: () => whole([te], `0;\r${inner()}`) },
	{ name: 'a last chunk that ends in a bare LF', bytes: () => whole([te], `0\n\n${inner()}`) },
	{ name: 'a bare LF before the trailers', bytes: () => whole([te], `0\r\n\n${inner()}`) },
	{ name: 'a chunk size of 2^64', bytes: () => whole([te], `10000000000000000\r\n${inner()}`) },
	{ name: 'a chunk size of 2^32', bytes: () => whole([te], `100000000\r\n${inner()}`) },
	{ name: 'a chunk shorter than it says', bytes: () => whole([te], `ffff\r\n${inner()}`) },
	{ name: 'chunk data without CRLF', bytes: () => whole([te], `1\r\nx0\r\n\r\n${inner()}`) },
	{ name: 'a trailer that is a length', bytes: () => whole([te], `${chunk(body)}0\r\n${cl(inner())}\r\n\r\n`) },
	{ name: 'a blank before the first line', bytes: () => ` ${inner()}` },
	{ name: 'two empty lines before the first', bytes: () => `\r\n\r\n${inner()}` },
	{ name: 'bare LF line ends', bytes: () => inner().replaceAll('\r\n', '\n') },
	{ name: 'HTTP/1.0 with a chunked body', bytes: () => whole([te, 'Connection: keep-alive'], last + inner(), { line: 'POST /mcp HTTP/1.0' }) },
	{ name: 'a request in the first line', bytes: () => `GET /healthz HTTP/1.1\rHost: x\r\r${inner()}` },
];

// All of these are one request, whose body holds another.
const enclosed = [
	{ name: 'by its length', bytes: () => whole([cl(inner())], inner()) },
	{ name: 'by its chunks', bytes: () => whole([te], chunk(inner()) + last) },
	{ name: 'of a GET', bytes: () => whole([cl(inner())], inner(), { line: 'GET /mcp HTTP/1.1' }) },
	{ name: 'of a HEAD', bytes: () => whole([cl(inner())], inner(), { line: 'HEAD /healthz HTTP/1.1' }) },
	{ name: 'of an OPTIONS', bytes: () => whole([cl(inner())], inner(), { line: 'OPTIONS /mcp HTTP/1.1' }) },
	{ name: 'of a DELETE', bytes: () => whole([cl(inner())], inner(), { line: 'DELETE /mcp HTTP/1.1' }) },
	{ name: 'behind Expect: 100-continue', bytes: () => whole(['Expect: 100-continue', cl(inner())], inner()) },
	{ name: 'behind an upgrade', bytes: () => whole(['Connection: upgrade', 'Upgrade: h2c', cl(inner())], inner()) },
	{ name: 'in trailers', bytes: () => whole([te], `${chunk(body)}0\r\nX: ${JSON.stringify(inner())}\r\n\r\n`) },
	{ name: 'of a path that is not there', bytes: () => whole([cl(inner())], inner(), { line: 'POST /elsewhere HTTP/1.1' }) },
];

// Sends the bytes, takes what comes until it is quiet or closed; the number of whole replies does not matter.
const attack = (port, bytes) => new Promise((done) => {
	const socket = net.connect(port, '127.0.0.1');
	let quiet = setTimeout(() => socket.destroy(), 500), text = '';
	socket.on('data', (data) => {
		text += data.toString('latin1');
		clearTimeout(quiet);
		quiet = setTimeout(() => socket.destroy(), 50);
	}).on('error', () => {}).on('close', () => {
		clearTimeout(quiet);
		done(text);
	});
	socket.write(bytes, 'latin1');
});

// A few at a time.
const groups = (rows) => Array.from({ length: Math.ceil(rows.length / 8) }, (_, i) => rows.slice(8 * i, 8 * i + 8));

const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((m) => Number(m[1])).filter((status) => status >= 200);

describe('the server alone', () => {
	for (const [kind, rows] of Object.entries({ ambiguous, enclosed }))
		it(`${kind}: what is inside is never served`, async () => {
			const before = recorded('who_am_i');
			for (const group of groups(rows))
				await Promise.all(group.map(async (row) => {
					const replies = statuses(await attack(server.port, row.bytes()));
					assert.ok(replies.length <= 1, `${row.name}: ${replies.length} replies: ${replies}`);
					if (kind === 'enclosed') assert.equal(replies.length, 1, `${row.name}: no reply`);
				}));
			assert.equal(recorded('who_am_i'), before);
			await server.alive();
		});
	it('two requests one behind the other are two', async () => {
		const before = recorded('who_am_i');
		const { replies } = await exchange(server.port, inner() + inner(), { replies: 2 });
		assert.deepEqual(replies.map((reply) => reply.status), [200, 200]);
		assert.equal(recorded('who_am_i'), before + 2);
	});
});

// ---- with a proxy in front ----

const found = (name) => [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'].map((place) => join(place, name)).find((path) => {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
});

const freePort = () => new Promise((done) => {
	const probe = net.createServer().listen(0, '127.0.0.1', () => {
		const { port } = probe.address();
		probe.close(() => done(port));
	});
});

// Each of them keeps connections to the server open and uses them for requests of everybody: what one
// leaves behind on them would be answered to another.  A line of the log is a request that was forwarded.
const proxies = {
	nginx: (home, port, log) => ({ program: 'nginx', args: ['-p', home, '-e', 'stderr', '-c', join(home, 'proxy.conf')], config: `daemon off; master_process off; pid ${home}/pid; error_log stderr error;
events { worker_connections 256; }
http {
	log_format forwarded '$upstream_status $request';
	access_log ${log} forwarded;
	${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${home}/${name};`).join(' ')}
	upstream server { server 127.0.0.1:${server.port}; keepalive 1; }
	server {
		listen 127.0.0.1:${port};
		location / {
			proxy_pass http://server; proxy_http_version 1.1; proxy_request_buffering off;
			proxy_set_header Connection ""; proxy_set_header Host 127.0.0.1:${server.port};
			proxy_next_upstream off;
		}
	}
}
` }),
	haproxy: (home, port, log, more = '') => ({ program: 'haproxy', args: ['-db', '-f', join(home, 'proxy.conf')], output: true, config: `global
	log stdout format raw daemon
defaults
	mode http
	timeout connect 5s
	timeout client 10s
	timeout server 10s
	http-reuse always
	log global
	log-format "%ST %{+Q}r"
frontend in
	bind 127.0.0.1:${port}${more}
	http-request set-header Host 127.0.0.1:${server.port}
	default_backend out
backend out
	server one 127.0.0.1:${server.port} pool-max-conn 1
` }),
	'haproxy, told to let odd requests pass': (home, port, log) => proxies.haproxy(home, port, log, '\n\toption accept-invalid-http-request'),
};

async function startProxy(t, make) {
	const home = directory(t), port = await freePort(), log = join(home, 'log');
	const { program, args, config, output } = make(home, port, log);
	const path = found(program);
	if (!path) return null;
	mkdirSync(home, { recursive: true });
	writeFileSync(join(home, 'proxy.conf'), config);
	writeFileSync(log, '');
	const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
	const it = { port, said: '' };
	child.stdout.on('data', (data) => (output ? writeFileSync(log, data, { flag: 'a' }) : (it.said += data)));
	child.stderr.on('data', (data) => (it.said += data));
	const ended = new Promise((done) => child.on('close', done));
	t.after(async () => {
		child.kill('SIGKILL');
		await ended;
	});
	it.forwarded = () => readFileSync(log, 'utf8').split('\n').filter((line) => line.includes('inner')).length;
	await until(`${program} to serve`, async () => {
		assert.equal(child.exitCode, null, it.said);
		const text = await attack(port, `GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
		return statuses(text)[0] === 200;
	});
	return it;
}

describe('behind a proxy', () => {
	for (const [name, make] of Object.entries(proxies))
		it(`${name}: no request is served that it did not forward as one`, { timeout: 110000 }, async (t) => {
			const proxy = await startProxy(t, make);
			if (!proxy) {
				t.skip('it is not installed');
				return;
			}
			const rows = [...ambiguous, ...enclosed, ...malformed.map((row) => ({ name: row.name, bytes: () => row.bytes() + inner('/mcp?inner=behind') }))];
			const start = { served: recorded('who_am_i'), forwarded: proxy.forwarded() };
			const settled = async (after) => {
				const served = recorded('who_am_i') - start.served;
				await until(`a line of what was forwarded for each of ${served} served, after ${after}`, () => proxy.forwarded() - start.forwarded >= served, 3000);
				return served;
			};
			for (const group of groups(rows)) {
				await Promise.all(group.map((row) => attack(proxy.port, row.bytes())));
				// the connections that they left behind answer the next one, and that one only
				const id = `after ${group[0].name}`;
				const message = request('tools/call', { name: 'get_item', arguments: { item_id: 'itm_0001' } }, { id });
				const { replies } = await exchange(proxy.port, post(server, message, { key: site.alice, headers: modernHeaders(message) }));
				assert.equal(replies[0]?.json?.id, id, `${replies[0]?.status} ${replies[0]?.body}`);
				await settled(id);
			}
			const before = await settled('all of them');
			const { replies } = await exchange(proxy.port, inner());
			assert.equal(replies[0].json.result.structuredContent.subject, 'alice');
			assert.equal(await settled('one that is none of them'), before + 1);
			await server.alive();
		});
});
