// harness - starts and stops the program under test, and talks to it below the level of any client.
//
// POSTERN names another program than build/postern.  Everything a test starts ends with the test.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = new URL('../..', import.meta.url).pathname;
export const program = process.env.POSTERN ?? join(root, 'build/postern');
export const modern = '2026-07-28';
export const legacy = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];

// Waits until `holds` gives something true; fails after the deadline with what was waited for.
export async function until(what, holds, deadlineMs = 10000) {
	const end = Date.now() + deadlineMs;
	for (;;) {
		const got = await holds();
		if (got) return got;
		if (Date.now() > end) assert.fail(`waited ${deadlineMs} ms for ${what}`);
		await new Promise((done) => setTimeout(done, 10));
	}
}

// A directory of its own that goes with the test.
export function directory(t) {
	const path = mkdtempSync(join(tmpdir(), 'postern-'));
	t.after(() => rmSync(path, { recursive: true, force: true }));
	return path;
}

// A child with its output kept as text and its end as a promise.  alone: without our terminal.
export function start(args, { env = {}, cwd, input, alone = false } = {}) {
	const child = spawn(program, args, { env: { ...process.env, ...env }, cwd, detached: alone });
	const it = { child, stdout: '', stderr: '' };
	child.stdout.setEncoding('utf8').on('data', (text) => (it.stdout += text));
	child.stderr.setEncoding('utf8').on('data', (text) => (it.stderr += text));
	child.stdin.on('error', () => {});
	if (input !== undefined) child.stdin.end(input);
	it.ended = new Promise((done, failed) => {
		child.on('error', failed);
		child.on('close', (code, signal) => {
			it.over = true;
			done({ code, signal, stdout: it.stdout, stderr: it.stderr });
		});
	});
	return it;
}

// One run from start to end.
export async function run(args, { deadlineMs = 20000, ...options } = {}) {
	const it = start(args, { input: '', ...options });
	const timer = setTimeout(() => it.child.kill('SIGKILL'), deadlineMs);
	const end = await it.ended;
	clearTimeout(timer);
	return end;
}

// One run on a terminal of its own (script(1) of util-linux), where `typed` is entered at the first prompt.
// What is shown there is stdout.
export async function runTyping(args, typed, { deadlineMs = 20000, env = {} } = {}) {
	const quoted = [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
	const child = spawn('script', ['-qec', quoted, '/dev/null'], { env: { ...process.env, ...env, SHELL: '/bin/sh' } });
	let stdout = '';
	let asked = false;
	child.stdin.on('error', () => {});
	child.stdout.setEncoding('utf8').on('data', (text) => {
		stdout += text;
		if (asked || !/: $/.test(stdout)) return;
		asked = true;
		child.stdin.write(`${typed}\n`);
	});
	const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
	const code = await new Promise((done) => child.on('close', done));
	clearTimeout(timer);
	return { code, stdout, stderr: stdout, asked };
}

// One command at a terminal; `typed` answers, in turn, each of the prompts.
export async function sitDown(words, typed) {
	const quote = (word) => `'${word.replaceAll('\'', '\'\\\'\'')}'`;
	const child = spawn('script', ['--quiet', '--return', '--echo', 'always', '--command', [program, ...words].map(quote).join(' '), '/dev/null']);
	let seen = '';
	child.stdout.setEncoding('utf8').on('data', (text) => (seen += text));
	const ended = new Promise((done) => child.on('close', done));
	let at = 0;
	for (const [prompt, answer] of typed) {
		await until(`"${prompt}"`, () => seen.indexOf(prompt, at) >= 0 || child.exitCode !== null, 20000);
		if (seen.indexOf(prompt, at) < 0) break;
		at = seen.indexOf(prompt, at) + prompt.length;
		child.stdin.write(`${answer}\n`);
	}
	const code = await ended;
	return { code, seen };
}
// `postern serve` on a free port of loopback, stopped by SIGTERM after the test; it must end with 0.
export async function serve(t, config, { args = [], env = {}, stop = true } = {}) {
	const it = start(['serve', config, '--listen', '127.0.0.1:0', ...args], { env });
	t.after(async () => {
		if (it.over) return;
		it.child.kill(stop ? 'SIGTERM' : 'SIGKILL');
		const timer = setTimeout(() => it.child.kill('SIGKILL'), 10000);
		const end = await it.ended;
		clearTimeout(timer);
		if (stop) assert.equal(end.code, 0, `serve ended with ${end.code ?? end.signal}:\n${end.stderr}`);
	});
	it.port = await until('the line that says where it listens', () => {
		if (it.over) assert.fail(`serve ended at once:\n${it.stderr}`);
		return Number(/listening .*address=127\.0\.0\.1:(\d+)/.exec(it.stderr)?.[1] ?? 0);
	});
	it.url = `http://127.0.0.1:${it.port}/mcp`;
	it.alive = async () => {
		assert.ok(!it.over, `the server died:\n${it.stderr}`);
		assert.equal((await exchange(it.port, `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${it.port}\r\n\r\n`,
			{ replies: 1 })).replies.length, 1);
	};
	return it;
}

// As serve, of a configuration with listen.admin: its port is adminPort.
export async function serveAdmin(t, config, options) {
	const server = await serve(t, config, options);
	server.adminPort = Number(/ admin address=127\.0\.0\.1:(\d+)/.exec(server.stderr)?.[1]);
	assert.ok(server.adminPort, server.stderr);
	return server;
}

// A fresh API key of a principal with these roles.
export async function issueKey(config, { subject = 'alice', roles = ['reader'], tenant, agent = 'e2e', args = [] } = {}) {
	const end = await run(['key', 'issue', config, '--subject', subject, '--agent', agent,
		...roles.flatMap((role) => ['--role', role]), ...(tenant ? ['--tenant', tenant] : []), ...args]);
	assert.equal(end.code, 0, end.stderr);
	const key = /\bpstn_[a-z]+_[A-Za-z0-9_-]+/.exec(end.stdout)?.[0];
	assert.ok(key, `no key in: ${end.stdout}`);
	return key;
}

// ---- JSON-RPC ----

export const envelope = (capabilities = {}, more = {}) => ({
	'io.modelcontextprotocol/protocolVersion': modern,
	'io.modelcontextprotocol/clientCapabilities': capabilities,
	'io.modelcontextprotocol/clientInfo': { name: 'e2e', version: '1' },
	...more,
});

export const request = (method, params = {}, { id = 1, capabilities, meta } = {}) =>
	({ jsonrpc: '2.0', id, method, params: { ...params, _meta: envelope(capabilities, meta) } });

export const modernHeaders = (message) => {
	const name = message.params?.uri ?? message.params?.name;
	const named = ['tools/call', 'prompts/get', 'resources/read'].includes(message.method);
	return {
		'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
		'MCP-Protocol-Version': modern, 'Mcp-Method': message.method,
		...(named && typeof name === 'string' ? { 'Mcp-Name': name } : {}),
	};
};

// ---- raw HTTP ----

const text = (headers) => Object.entries(headers)
	.flatMap(([name, value]) => [value].flat().filter((v) => v !== undefined).map((v) => `${name}: ${v}\r\n`)).join('');

// The bytes of one POST; `headers` override, undefined leaves one out, an array repeats it.
export function post(server, body, { key, headers = {}, path = '/mcp', line } = {}) {
	const payload = Buffer.isBuffer(body) ? body
		: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
	const all = {
		Host: `127.0.0.1:${server.port}`, 'Content-Type': 'application/json',
		Accept: 'application/json, text/event-stream',
		...(key ? { Authorization: `Bearer ${key}` } : {}),
		'Content-Length': payload.length, ...headers,
	};
	return Buffer.concat([Buffer.from(`${line ?? `POST ${path} HTTP/1.1`}\r\n${text(all)}\r\n`, 'latin1'), payload]);
}

// Reads one reply off the front of `bytes`; null while it is not whole.
function readReply(bytes, closed) {
	const head = bytes.indexOf('\r\n\r\n');
	if (head < 0) return null;
	const [first, ...lines] = bytes.subarray(0, head).toString('latin1').split('\r\n');
	const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]);
	assert.ok(status, `not a status line: ${first}`);
	const headers = {};
	for (const line of lines) {
		const colon = line.indexOf(':');
		const name = line.slice(0, colon).toLowerCase();
		headers[name] = name in headers ? `${headers[name]}, ${line.slice(colon + 1).trim()}` : line.slice(colon + 1).trim();
	}
	let at = head + 4;
	let body;
	const cut = (pieces) => ({ status, headers, body: Buffer.concat(pieces).toString(), cut: true, end: bytes.length });
	if (headers['transfer-encoding'] === 'chunked') {
		const pieces = [];
		for (;;) {
			const end = bytes.indexOf('\r\n', at);
			if (end < 0) return closed ? cut(pieces) : null;
			const size = parseInt(bytes.subarray(at, end).toString('latin1'), 16);
			if (bytes.length < end + 2 + size + 2) return closed ? cut(pieces) : null;
			pieces.push(bytes.subarray(end + 2, end + 2 + size));
			at = end + 2 + size + 2;
			if (size === 0) break;
		}
		body = Buffer.concat(pieces);
	} else {
		const n = status === 204 || status === 304 || status < 200 ? 0 : Number(headers['content-length'] ?? NaN);
		if (Number.isNaN(n) && !closed) return null;
		if (bytes.length - at < n) return null;
		body = Number.isNaN(n) ? bytes.subarray(at) : bytes.subarray(at, at + n);
		at += body.length;
	}
	const reply = { status, headers, body: body.toString('utf8'), end: at };
	if (/json/.test(headers['content-type'] ?? '') && reply.body) reply.json = JSON.parse(reply.body);
	if (/event-stream/.test(headers['content-type'] ?? '')) {
		reply.events = events(reply.body);
		reply.json = reply.events.at(-1);
	}
	return reply;
}

export const events = (body) => body.split('\n\n')
	.map((block) => block.split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim()).join(''))
	.filter((data) => data !== '').map((data) => JSON.parse(data));

// Sends bytes as they are, and reads until `replies` whole replies came or the server closed.
// 1xx replies are not counted.  `pieces` are sent one after the other, each when the last was taken.
export function exchange(port, pieces, { replies = 1, deadlineMs = 10000, half = false } = {}) {
	return new Promise((done, failed) => {
		const socket = net.connect(port, '127.0.0.1');
		let bytes = Buffer.alloc(0);
		const got = { replies: [], closed: false, reset: false, raw: () => bytes.toString('latin1') };
		const timer = setTimeout(() => finish(new Error(`${got.replies.length} of ${replies} replies in ${deadlineMs} ms: ${bytes.toString('latin1').slice(0, 300)}`)), deadlineMs);
		let finished = false;
		const finish = (error) => {
			if (finished) return;
			finished = true;
			clearTimeout(timer);
			socket.destroy();
			if (error) failed(error);
			else done(got);
		};
		const take = () => {
			try {
				for (;;) {
					const reply = readReply(bytes, got.closed);
					if (!reply) return;
					bytes = bytes.subarray(reply.end);
					if (reply.status >= 200) got.replies.push(reply);
				}
			} catch (error) {
				finish(error);
			}
		};
		socket.setNoDelay(true);
		socket.on('data', (data) => {
			bytes = Buffer.concat([bytes, data]);
			take();
			if (got.replies.length >= replies) finish();
		});
		socket.on('error', () => (got.reset = true));
		socket.on('close', () => {
			got.closed = true;
			take();
			finish();
		});
		socket.on('connect', async () => {
			for (const piece of [pieces].flat()) {
				if (socket.destroyed) return;
				await new Promise((sent) => socket.write(piece, 'latin1', sent));
			}
			if (half) socket.end();
		});
	});
}

// Sends one request and keeps the connection: `status`, `headers` and `events` as far as they came.
export async function open(t, port, bytes) {
	const socket = net.connect(port, '127.0.0.1');
	const it = { status: 0, headers: {}, events: [], closed: false, text: '', close: () => socket.destroy() };
	let raw = Buffer.alloc(0);
	t.after(it.close);
	socket.on('error', () => {});
	socket.on('close', () => (it.closed = true));
	socket.on('data', (data) => {
		raw = Buffer.concat([raw, data]);
		const reply = readReply(raw, true);
		if (!reply) return;
		Object.assign(it, { status: reply.status, headers: reply.headers, text: reply.body, ended: !reply.cut });
		if (/event-stream/.test(reply.headers['content-type'] ?? '')) it.events = events(reply.body.slice(0, reply.body.lastIndexOf('\n\n') + 2));
	});
	socket.write(bytes);
	await until('the head of the reply', () => it.status || it.closed);
	return it;
}

// One POST, one reply.
export async function send(server, body, options = {}) {
	const { replies } = await exchange(server.port, post(server, body, options));
	assert.equal(replies.length, 1, 'the connection closed without a reply');
	return replies[0];
}

// A modern request with its headers, one reply.
export function ask(server, message, { headers = {}, ...options } = {}) {
	return send(server, message, { ...options, headers: { ...modernHeaders(message), ...headers } });
}

// A legacy session: its headers for later requests.
export async function initialize(server, { key, version = '2025-11-25', capabilities = {} } = {}) {
	const reply = await send(server, { jsonrpc: '2.0', id: 0, method: 'initialize',
		params: { protocolVersion: version, capabilities, clientInfo: { name: 'e2e', version: '1' } } }, { key });
	assert.equal(reply.status, 200, reply.body);
	const session = reply.headers['mcp-session-id'];
	const headers = { 'MCP-Protocol-Version': reply.json.result.protocolVersion, ...(session ? { 'Mcp-Session-Id': session } : {}) };
	const note = await send(server, { jsonrpc: '2.0', method: 'notifications/initialized' }, { key, headers });
	assert.equal(note.status, 202);
	return { result: reply.json.result, headers, session };
}

// ---- stdio ----

// `postern stdio` as a pipe of lines: write() bytes, next() the next line, parsed.
export function pipe(t, config, { env = {} } = {}) {
	const it = start(['stdio', config], { env });
	t.after(async () => {
		if (!it.over) it.child.kill('SIGKILL');
		await it.ended;
	});
	let taken = 0;
	it.write = (bytes) => new Promise((sent) => it.child.stdin.write(bytes, sent));
	it.tell = (message) => it.write(JSON.stringify(message) + '\n');
	it.next = async (deadlineMs = 10000) => {
		const line = await until('a line on stdout', () => {
			const end = it.stdout.indexOf('\n', taken);
			if (end < 0 && it.over) assert.fail(`stdio ended:\n${it.stderr}`);
			return end >= 0 && [it.stdout.slice(taken, end), (taken = end + 1)];
		}, deadlineMs);
		return JSON.parse(line[0]);
	};
	it.silent = () => it.stdout.length === taken;
	it.finish = async (deadlineMs = 10000) => {
		it.child.stdin.end();
		await until('the end after the end of stdin', () => it.over, deadlineMs);
		return it.ended;
	};
	return it;
}
