// Access tokens: every way to be wrong is refused in the same words and recorded with its reason; keys
// change under load without a failed call; an issuer that misbehaves can neither start nor widen anything.
// Cases AUTH-*.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ask, directory, exchange, initialize, modernHeaders, open, post, request, run, serve, until } from './harness.mjs';
import { makeKey, startIssuer, token } from './issuer.mjs';
import { makeSite } from './site.mjs';

const call = (name = 'get_item', args = { item_id: 'itm_0001' }) => request('tools/call', { name, arguments: args });
const b64 = (text) => Buffer.from(text).toString('base64url');
const PEM = { type: 'spki', format: 'pem' };

// The records of a deployment, in order.
const records = (home) => readdirSync(join(home, 'state/audit')).filter((name) => name.endsWith('.jsonl') || name.endsWith('.log') || /\d/.test(name)).sort()
	.flatMap((name) => readFileSync(join(home, 'state/audit', name), 'utf8').split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)));

const rsa = makeKey('RS256', 'rsa-1'), ec = makeKey('ES256', 'ec-1'), ed = makeKey('EdDSA', 'ed-1');
const strangers = { RS256: makeKey('RS256', 'rsa-1'), ES256: makeKey('ES256', 'ec-1'), EdDSA: makeKey('EdDSA', 'ed-1') };

const cleanup = [];
let issuer, site, server;

before(async () => {
	const scope = { after: (f) => cleanup.push(f) };
	issuer = await startIssuer(scope, [ec, rsa, ed]);
	site = makeSite(scope, { changes: { identity: issuer.identity() } });
	server = await serve(scope, site.config);
});
after(async () => {
	for (const f of cleanup.reverse()) await f();
});

describe('a right token', () => {
	for (const key of [rsa, ec, ed])
		it(`signed with ${key.alg} is served`, async () => {
			const reply = await ask(server, call(), { key: issuer.token({}, key) });
			assert.equal(reply.status, 200, reply.body);
			assert.equal(reply.json.result.structuredContent.id, 'itm_0001');
		});
	it('binds subject and tenant, and is recorded by its id, never by itself', async () => {
		const jti = 'a-token-of-ada';
		const text = issuer.token({ jti });
		const reply = await ask(server, call('who_am_i', {}), { key: text });
		assert.deepEqual(reply.json.result.structuredContent, { subject: 'ada', tenant: 'acme' });
		const all = readdirSync(join(site.home, 'state/audit')).map((name) => readFileSync(join(site.home, 'state/audit', name), 'latin1')).join('');
		assert.ok(all.includes(jti));
		assert.ok(!all.includes(text.split('.')[2]), 'the signature is in the record');
		assert.ok(!server.stderr.includes(text.split('.')[2]));
	});
	it('holds only roles that exist, by their exact names', async () => {
		for (const groups of [['support-reader'], ['READER'], ['reader '], ['read'], []]) {
			const reply = await ask(server, call(), { key: issuer.token({ groups }) });
			assert.equal(reply.json.result.structuredContent.error.code, 'PERMISSION_DENIED', `${groups}`);
		}
		const reply = await ask(server, call(), { key: issuer.token({ groups: ['ghost', 'clerk', 'ADMIN'] }) });
		assert.equal(reply.json.result.structuredContent.id, 'itm_0001');
	});
	it('may have an audience list, a fraction in its times, and no agent', async () => {
		const now = Date.now() / 1000;
		for (const more of [{ aud: ['urn:x', issuer.audience] }, { exp: now + 100.5, nbf: now - 0.25 }, { azp: undefined }, { nbf: Math.floor(now) + 20 }])
			assert.equal((await ask(server, call(), { key: issuer.token(more) })).status, 200, JSON.stringify(more));
	});
});

describe('a stream', () => {
	const listening = (key, on = server) => {
		const message = request('subscriptions/listen', { notifications: { toolsListChanged: true } }, { id: 'listening' });
		return post(on, message, { key, headers: modernHeaders(message) });
	};
	const waiting = async (key, on = server) => {
		const { headers } = await initialize(on, { key });
		return `GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:${on.port}\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${key}\r\n${Object.entries(headers).map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`;
	};
	const over = (stream) => stream.closed || stream.ended;

	it('ends with the token it was opened with, on both wires, and no other does', async (t) => {
		const exp = at(3);
		const short = issuer.token({ exp, jti: 'twice' }), long = issuer.token({ jti: 'twice' });
		const doomed = [await open(t, server.port, listening(short)), await open(t, server.port, await waiting(short))];
		const kept = [await open(t, server.port, listening(long)), await open(t, server.port, await waiting(long))];
		for (const stream of [...doomed, ...kept]) assert.equal(stream.status, 200, stream.text);
		await until('the acknowledgement', () => doomed[0].events.length > 0);
		assert.ok(Date.now() < exp * 1000 && !doomed.some(over), 'it ended early');
		await until('the end of both streams', () => doomed.every(over), exp * 1000 - Date.now() + 4000);
		assert.ok(Date.now() >= exp * 1000, 'it ended before its token');
		assert.equal(doomed[0].events.at(-1).id, 'listening');
		assert.equal(doomed[0].events.at(-1).result.resultType, 'complete');
		assert.ok(!kept.some(over));
		await server.alive();
	});
	it('ends when its issuer is believed no more', async (t) => {
		const mine = await startIssuer(t, [ec]);
		const made = makeSite(t, { changes: { identity: mine.identity() } });
		const here = await serve(t, made.config);
		const streams = [await open(t, here.port, listening(mine.token(), here)), await open(t, here.port, await waiting(mine.token(), here))];
		for (const stream of streams) assert.equal(stream.status, 200, stream.text);
		writeFileSync(made.config, readFileSync(made.config, 'utf8').replace(/ {2}jwt:\n(?: {4}.*\n)+/, ''));
		here.child.kill('SIGHUP');
		await until('the end of both streams', () => streams.every(over));
		await here.alive();
	});
});

const at = (seconds) => Math.floor(Date.now() / 1000) + seconds;
const signed = (claims, header, key = ec) => token(key, typeof claims === 'string' ? claims : issuer.claims(claims), header);
const head = (more = {}, key = ec) => ({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...more });
const parts = () => issuer.token().split('.');

// Every row: what is wrong, the token, the reason in the record, and the status where it is not 401.
const wrong = [
	{ name: 'alg none without signature', make: () => `${b64(JSON.stringify({ alg: 'none' }))}.${parts()[1]}.`, reason: 'alg' },
	{ name: 'alg None with a signature', make: () => signed({}, head({ alg: 'None' })), reason: 'alg' },
	{ name: 'an empty alg', make: () => signed({}, head({ alg: '' })), reason: 'alg' },
	{ name: 'no alg', make: () => signed({}, { kid: 'ec-1' }), reason: 'alg' },
	{ name: 'two parts', make: () => parts().slice(0, 2).join('.'), reason: 'malformed' },
	{ name: 'four parts', make: () => [...parts(), ''].join('.'), reason: 'malformed' },
	{ name: 'HS256 keyed with the public key', make: () => {
		const text = `${b64(JSON.stringify({ alg: 'HS256', kid: 'rsa-1' }))}.${b64(JSON.stringify(issuer.claims()))}`;
		return `${text}.${createHmac('sha256', rsa.publicKey.export(PEM)).update(text).digest('base64url')}`;
	}, reason: 'alg' },
	{ name: 'RS384 by the right key', make: () => signed({}, head({ alg: 'RS384' }, rsa), rsa), reason: 'alg' },
	{ name: 'the id of a key of another type', make: () => signed({}, head({ alg: 'RS256', kid: 'ec-1' }, rsa), rsa), reason: 'unknown_key' },
	...Object.values(strangers).map((key) => ({ name: `a stranger's ${key.alg} key under a known id`, make: () => issuer.token({}, key), reason: 'signature' })),
	{ name: 'an unknown key id', make: () => signed({}, head({ kid: 'nobody' })), reason: 'unknown_key' },
	...['jku', 'x5u', 'jwk', 'x5c', 'crit', 'b64', 'zip'].map((name) => ({ name: `a header ${name}`, reason: 'header',
		make: () => signed({}, head({ [name]: { jku: `${issuer.url}/evil`, x5u: `${issuer.url}/evil`, jwk: strangers.ES256.jwk, x5c: ['AA=='], crit: ['exp'], b64: false, zip: 'DEF' }[name] })) })),
	{ name: 'a changed payload', make: () => { const p = parts(); p[1] = b64(JSON.stringify(issuer.claims({ sub: 'root' }))); return p.join('.'); }, reason: 'signature' },
	{ name: 'a cut signature', make: () => { const p = parts(); p[2] = b64(Buffer.from(p[2], 'base64url').subarray(0, -3)); return p.join('.'); }, reason: 'signature' },
	{ name: 'a signature of zeros', make: () => { const p = parts(); p[2] = b64(Buffer.alloc(64)); return p.join('.'); }, reason: 'signature' },
	{ name: 'no signature', make: () => { const p = parts(); return `${p[0]}.${p[1]}.`; }, reason: 'signature' },
	{ name: 'another audience', make: () => issuer.token({ aud: 'urn:test:elsewhere' }), reason: 'aud' },
	{ name: 'a prefix of the audience', make: () => issuer.token({ aud: issuer.audience.slice(0, -1) }), reason: 'aud' },
	{ name: 'the audience with a slash', make: () => issuer.token({ aud: `${issuer.audience}/` }), reason: 'aud' },
	{ name: 'an empty audience list', make: () => issuer.token({ aud: [] }), reason: 'aud' },
	{ name: 'no audience', make: () => issuer.token({ aud: undefined }), reason: 'aud' },
	{ name: 'an audience that is a number', make: () => issuer.token({ aud: [issuer.audience, 1] }), reason: 'aud' },
	{ name: 'an issuer with a slash', make: () => issuer.token({ iss: `${issuer.url}/` }), reason: 'iss' },
	{ name: 'an issuer in capitals', make: () => issuer.token({ iss: issuer.url.toUpperCase() }), reason: 'iss' },
	{ name: 'no issuer', make: () => issuer.token({ iss: undefined }), reason: 'iss' },
	{ name: 'expired', make: () => issuer.token({ exp: at(-31) }), reason: 'expired' },
	{ name: 'no exp', make: () => issuer.token({ exp: undefined }), reason: 'claim' },
	{ name: 'exp as text', make: () => issuer.token({ exp: String(at(100)) }), reason: 'claim' },
	{ name: 'exp in the year 10000', make: () => issuer.token({ exp: 253402300800 }), reason: 'claim' },
	{ name: 'a negative exp', make: () => issuer.token({ exp: -1 }), reason: 'claim' },
	{ name: 'nbf ahead', make: () => issuer.token({ nbf: at(40) }), reason: 'nbf' },
	{ name: 'iat ahead', make: () => issuer.token({ iat: at(3600) }), reason: 'nbf' },
	{ name: 'nbf behind exp', make: () => issuer.token({ nbf: at(20), exp: at(10) }), reason: 'nbf' },
	{ name: 'another typ', make: () => signed({}, head({ typ: 'JWT' })), reason: 'typ' },
	{ name: 'no typ', make: () => signed({}, head({ typ: undefined })), reason: 'typ' },
	{ name: 'sub twice', make: () => signed(JSON.stringify(issuer.claims()).replace('{', '{"sub":"root",')), reason: 'duplicate_claim' },
	{ name: 'alg twice', make: () => signed({}, '{"alg":"none","alg":"ES256","kid":"ec-1"}'), reason: 'duplicate_claim' },
	{ name: 'a payload that is a list', make: () => signed('[]'), reason: 'encoding' },
	{ name: 'a payload that is not UTF-8', make: () => token(ec, Buffer.from('{"sub":"\xff"}', 'latin1')), reason: 'encoding' },
	{ name: 'padding', make: () => `${issuer.token()}=`, reason: 'encoding' },
	{ name: 'plus and slash', make: () => { const p = parts(); return `${p[0]}.${p[1]}.+/${p[2].slice(2)}`; }, reason: 'encoding' },
	{ name: 'trailing bits', make: () => { const p = parts(); return `${p[0]}.${p[1]}.${p[2].slice(0, -1)}${p[2].endsWith('B') ? 'C' : 'B'}`; }, reason: 'encoding' },
	{ name: '8 KiB and a byte', make: () => issuer.token().padEnd(8193, 'A'), reason: 'size' },
	{ name: 'a header nested too deep', make: () => `${b64('{"a":'.repeat(100) + '1' + '}'.repeat(100))}.${parts().slice(1).join('.')}`, reason: 'encoding' },
	{ name: 'cnf of another kind', make: () => issuer.token({ cnf: { jkt: 'x' } }), reason: 'claim' },
	{ name: 'roles as text', make: () => issuer.token({ groups: 'reader' }), reason: 'role_claim', status: 403 },
	{ name: 'roles as an object', make: () => issuer.token({ groups: { reader: true } }), reason: 'role_claim', status: 403 },
	{ name: 'a role in a role', make: () => issuer.token({ groups: [['reader']] }), reason: 'role_claim', status: 403 },
	{ name: '257 roles', make: () => issuer.token({ groups: Array.from({ length: 257 }, (_, i) => `r${i}`) }), reason: 'role_claim', status: 403 },
	{ name: 'no tenant', make: () => issuer.token({ org: undefined }), reason: 'tenant', status: 403 },
	{ name: 'an empty tenant', make: () => issuer.token({ org: '' }), reason: 'tenant', status: 403 },
	{ name: 'two tenants', make: () => issuer.token({ org: ['acme', 'birch'] }), reason: 'tenant', status: 403 },
	{ name: 'no subject', make: () => issuer.token({ sub: undefined }), reason: 'subject', status: 403 },
	{ name: 'a subject with a line feed', make: () => issuer.token({ sub: 'ada\n{"e":"START"}' }), reason: 'subject', status: 403 },
	{ name: 'a subject with an escape', make: () => issuer.token({ sub: '\x1b[2Jada' }), reason: 'subject', status: 403 },
	{ name: 'a subject that turns the text around', make: () => issuer.token({ sub: 'a\u202eda' }), reason: 'subject', status: 403 },
	{ name: 'a subject of 257 bytes', make: () => issuer.token({ sub: 'a'.repeat(257) }), reason: 'subject', status: 403 },
	{ name: 'an agent that is a number', make: () => issuer.token({ azp: 7 }), reason: 'subject', status: 403 },
];

describe('a wrong token is refused, in the same words, with its reason in the record', () => {
	for (const row of wrong) {
		it(row.name, async () => {
			const event = row.status ? 'DENY' : 'AUTH_FAIL', hits = issuer.hits;
			// a refusal that repeats within a second is counted, and written at its end
			const refused = () => records(site.home).filter((r) => r.e === event && r.reason === row.reason);
			const times = (found) => found.reduce((sum, r) => sum + (r.repeated ?? 1), 0);
			const before = times(refused());
			const reply = await ask(server, call(), { key: row.make() });
			assert.equal(reply.status, row.status ?? 401, reply.body);
			assert.equal(reply.body, row.status ? '{"error":"the credential names nobody this server can serve"}' : '{"error":"the credential is not valid"}');
			if (!row.status) assert.match(reply.headers['www-authenticate'], /^Bearer realm="postern", error="invalid_token", resource_metadata="http:/);
			await until(`one more record with reason ${row.reason}`, () => times(refused()) > before);
			assert.ok(!JSON.stringify(refused()).includes('eyJ'), 'a part of the token is in the record');
			assert.ok(issuer.hits <= hits + 1);
		});
	}
	it('and nothing of it was run or asked for elsewhere', async () => {
		assert.equal((await ask(server, call(), { key: issuer.token() })).status, 200);
		await server.alive();
	});
	it('a token anywhere but in the header is none', async () => {
		const message = call();
		message.params._meta.access_token = issuer.token();
		const { replies: [reply] } = await exchange(server.port, `POST /mcp?access_token=${issuer.token()} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nCookie: access_token=${issuer.token()}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(JSON.stringify(message))}\r\n\r\n${JSON.stringify(message)}`);
		assert.equal(reply.status, 401);
		assert.ok(!server.stderr.includes('eyJ'));
	});
});

describe('metadata', () => {
	const get = async (path, on = server, host = `127.0.0.1:${on.port}`) =>
		(await exchange(on.port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).replies[0];

	it('says where to get a token, without a credential', async () => {
		for (const path of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp']) {
			const reply = await get(path);
			assert.equal(reply.status, 200);
			assert.deepEqual(reply.json, { resource: server.url, authorization_servers: [issuer.url], bearer_methods_supported: ['header'] });
		}
	});
	it('is pointed to where a credential is missing, without an error', async () => {
		const reply = await ask(server, call());
		assert.equal(reply.status, 401);
		assert.equal(reply.headers['www-authenticate'], `Bearer realm="postern", resource_metadata="http://127.0.0.1:${server.port}/.well-known/oauth-protected-resource/mcp"`);
	});
	it('answers only to its own names', async () => {
		assert.equal((await get('/.well-known/oauth-protected-resource/mcp', server, 'evil.test')).status, 403);
	});
	it('says the public address where there is one, and the scopes where they count', async (t) => {
		const made = makeSite(t, { changes: { identity: issuer.identity('      scopes: narrow\n'),
			listen: 'listen: { http: { address: 127.0.0.1:8477, public_url: "https://gate.example" } }' } });
		const other = await serve(t, made.config);
		const { json } = await get('/.well-known/oauth-protected-resource/mcp', other);
		assert.equal(json.resource, 'https://gate.example/mcp');
		assert.deepEqual(json.scopes_supported, ['shop.read', 'shop.secret', 'stage.play']);
		assert.match((await ask(other, call())).headers['www-authenticate'], /resource_metadata="https:\/\/gate\.example\/\.well-known/);
	});
	it('is not there without issuers', async (t) => {
		const made = makeSite(t);
		const other = await serve(t, made.config);
		assert.equal((await get('/.well-known/oauth-protected-resource/mcp', other)).status, 404);
		assert.equal((await ask(other, call())).headers['www-authenticate'], 'Bearer realm="postern"');
	});
});

describe('scopes that narrow', () => {
	it('take away what the token does not name, and say what is missing', async (t) => {
		const made = makeSite(t, { changes: { identity: issuer.identity('      scopes: narrow\n') } });
		const narrow = await serve(t, made.config);
		const reader = { key: issuer.token({ scope: 'openid shop.read' }) };
		assert.equal((await ask(narrow, call(), reader)).status, 200);
		const tools = (await ask(narrow, request('tools/list'), reader)).json.result.tools.map((tool) => tool.name);
		assert.ok(tools.includes('read_secret'), 'what could be asked for is shown');
		const reply = await ask(narrow, call('read_secret', {}), reader);
		assert.equal(reply.status, 403);
		assert.match(reply.headers['www-authenticate'], /error="insufficient_scope", scope="openid shop\.read shop\.secret", resource_metadata="/);
		assert.equal(reply.json.result.structuredContent.error.code, 'PERMISSION_DENIED');
		assert.equal(reply.json.result.structuredContent.error.details.reason, 'insufficient_scope');
		assert.equal((await ask(narrow, call('read_secret', {}), { key: issuer.token({ scope: 'shop.secret' }) })).status, 200);
		assert.equal((await ask(narrow, call('read_secret', {}), { key: issuer.token({ scp: ['shop.secret'] }) })).status, 200);
	});
	it('give nothing that no role gives', async (t) => {
		const made = makeSite(t, { changes: { identity: issuer.identity('      scopes: narrow\n') } });
		const narrow = await serve(t, made.config);
		const reply = await ask(narrow, call('read_secret', {}), { key: issuer.token({ groups: ['clerk'], scope: 'shop.read shop.secret' }) });
		assert.equal(reply.status, 200);
		assert.equal(reply.json.result.structuredContent.error.details.reason, 'grant');
		assert.equal((await ask(narrow, call(), { key: issuer.token({ scope: undefined }) })).status, 403);
		for (const scope of ['shop."read', 'a\u00e4', 7, ['x']]) {
			const refused = await ask(narrow, call(), { key: issuer.token({ scope }) });
			assert.ok([401, 403].includes(refused.status), `${scope}: ${refused.status}`);
		}
	});
});

describe('keys of the issuer', () => {
	const fresh = async (t, keys, more) => {
		const mine = await startIssuer(t, keys);
		// these tests show more bad tokens than an address may
		const made = makeSite(t, { changes: { identity: mine.identity(more), limits: 'limits: { auth_failures: 10000/m per address }' } });
		return { mine, made };
	};

	it('change under load without one failed call, and the old one is withdrawn', async (t) => {
		const old = makeKey('ES256', 'old'), next = makeKey('EdDSA', 'next');
		const { mine, made } = await fresh(t, [old], '      max_age: 2s\n      max_stale: 10s\n');
		const here = await serve(t, made.config);
		let signing = old, stop = false, calls = 0, withdrawn = 0;
		const failed = [];
		const worker = async () => {
			while (!stop) {
				const reply = await ask(here, call(), { key: mine.token({}, signing) });
				calls++;
				if (reply.status !== 200) failed.push(`${reply.status} with ${signing.kid}`);
			}
		};
		const workers = Array.from({ length: 8 }, worker);
		await until('calls with the old key', () => calls > 50);
		mine.keys = [old, next];
		signing = next; // at once: nobody has fetched it yet
		const so_far = calls;
		await until('calls with the next key', () => calls > so_far + 50);
		mine.keys = [next];
		await until('the old key to be refused', async () => (withdrawn = (await ask(here, call(), { key: mine.token({}, old) })).status) === 401);
		stop = true;
		await Promise.all(workers);
		assert.deepEqual(failed, []);
		assert.equal(withdrawn, 401);
		const changes = records(made.home).filter((r) => r.e === 'CONFIG' && r.reason === 'jwks');
		assert.equal(changes.length, 3, JSON.stringify(changes));
		assert.equal(changes[1].was, changes[0].now);
		assert.equal(changes[2].was, changes[1].now);
	});
	it('are fetched once, however many tokens name unknown ones', async (t) => {
		const { mine, made } = await fresh(t, [makeKey('ES256', 'only')]);
		const here = await serve(t, made.config);
		const before = mine.hits;
		// as many at a time as may wait for the fetch: a quarter of the workers
		const replies = await Promise.all(Array.from({ length: 16 }, async (_, i) => {
			const statuses = [];
			for (let k = 0; k < 60; k++)
				statuses.push((await ask(here, call(), { key: token(mine.keys[0], mine.claims(), { alg: 'ES256', kid: `k${i}-${k}`, typ: 'at+jwt' }) })).status);
			return statuses;
		}));
		assert.ok(replies.flat().every((status) => status === 401), `${replies.flat().filter((s) => s !== 401)}`);
		assert.ok(mine.hits - before <= 1, `${mine.hits - before} fetches`);
		assert.equal((await ask(here, call(), { key: mine.token() })).status, 200);
	});

	const bad = {
		'500': (_, reply) => reply.writeHead(500).end('{"keys":[]}'),
		'HTML': (_, reply) => reply.end('<!doctype html><title>Sign in</title>'),
		'20 MiB': (_, reply) => {
			const piece = Buffer.alloc(1 << 20, ' ');
			reply.on('error', () => {});
			for (let i = 0; i < 20; i++) reply.write(piece);
			reply.end('{"keys":[]}');
		},
		'a redirect': (_, reply) => reply.writeHead(302, { Location: '/elsewhere' }).end(),
		'a byte a second': (_, reply) => {
			const timer = setInterval(() => reply.write(' '), 1000);
			reply.on('close', () => clearInterval(timer));
			reply.write(' ');
		},
		'a hang': () => {},
		'no key it can use': (_, reply) => reply.end(JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'h' }] })),
	};
	for (const [name, serveBadly] of Object.entries(bad))
		it(`${name} at start: it does not start, and says why in one line`, async (t) => {
			const { mine, made } = await fresh(t, [ec]);
			let elsewhere = 0;
			mine.serve = serveBadly;
			mine.route = () => void elsewhere++;
			const end = await run(['serve', made.config, '--listen', '127.0.0.1:0']);
			assert.ok(end.code > 0);
			assert.match(end.stderr, /error \[identity\.jwks\]/);
			assert.match(end.stderr, /not started/);
			assert.doesNotMatch(end.stderr, /listening/);
			assert.equal(elsewhere, 0, 'a redirect was followed');
		});
	it('nobody there at start: it does not start', async (t) => {
		const { mine, made } = await fresh(t, [ec]);
		await mine.stop();
		const end = await run(['serve', made.config, '--listen', '127.0.0.1:0']);
		assert.ok(end.code > 0);
		assert.match(end.stderr, /error \[identity\.jwks\]/);
	});
	it('go on serving while the issuer is down, until they are stale; then 503, and back', async (t) => {
		const { mine, made } = await fresh(t, [makeKey('ES256', 'k')], '      max_age: 1s\n      max_stale: 4s\n');
		const here = await serve(t, made.config);
		mine.serve = bad['500'];
		const down = mine.hits;
		await until('two fetches that failed', () => mine.hits >= down + 2);
		assert.equal((await ask(here, call(), { key: mine.token() })).status, 200);
		const reply = await until('the end of the old keys', async () => {
			const answer = await ask(here, call(), { key: mine.token() });
			return answer.status !== 200 && answer;
		});
		assert.equal(reply.status, 503);
		await until('the record of that moment', () => records(made.home).some((r) => r.e === 'SECURITY' && r.reason === 'jwks_stale'));
		mine.serve = (_, answer) => answer.end(JSON.stringify(mine.jwks()));
		await until('service again', async () => (await ask(here, call(), { key: mine.token() })).status === 200);
	});
	for (const [name, serveBadly] of Object.entries(bad).filter(([name]) => !['500', 'no key it can use'].includes(name)))
		it(`${name} after start: those that are there go on serving, nothing else does, and the next good answer counts`, async (t) => {
			const first = makeKey('ES256', 'first'), next = makeKey('EdDSA', 'next');
			const { mine, made } = await fresh(t, [first], '      max_age: 1s\n      max_stale: 1m\n');
			const here = await serve(t, made.config);
			let elsewhere = 0, failed = [], slowest = 0, calls = 0;
			const one = async (key, wanted) => {
				const began = Date.now();
				const { status } = await ask(here, call(), { key: mine.token({}, key) });
				slowest = Math.max(slowest, Date.now() - began);
				calls++;
				if (status !== wanted) failed.push(`${status} with ${key.kid}`);
			};
			mine.route = () => void elsewhere++;
			mine.serve = serveBadly;
			await until('the log to say that keys were not fetched', async () => {
				await one(first, 200);
				return /keys_not_fetched .*issuer=/.test(here.stderr);
			}, 15000);
			await one(first, 200);
			await one({ ...strangers.ES256, kid: 'first' }, 401);
			assert.deepEqual(failed, []);
			assert.ok(calls > 2 && slowest < 2500, `a call took ${slowest} ms: it waited for the issuer`);
			assert.equal(elsewhere, 0, 'a redirect was followed');
			assert.equal(records(made.home).filter((r) => r.e === 'CONFIG' && r.reason === 'jwks').length, 1, 'a bad answer was taken for a key set');
			mine.keys = [next];
			mine.serve = (_, reply) => reply.end(JSON.stringify(mine.jwks()));
			await until('the next key in force', async () => (await ask(here, call(), { key: mine.token({}, next) })).status === 200, 15000);
			assert.equal((await ask(here, call(), { key: mine.token({}, first) })).status, 401);
			await here.alive();
		});
	it('an issuer that hangs holds a quarter of the workers: the other tokens are answered, and the rest of theirs at once', async (t) => {
		const good = makeKey('ES256', 'good'), mine = await startIssuer(t, [good]);
		const made = makeSite(t, { changes: { identity: mine.identity(), limits: 'limits: { concurrency: 8, auth_failures: 10000/m per address }' } });
		const here = await serve(t, made.config);
		assert.equal((await ask(here, call(), { key: mine.token() })).status, 200);
		mine.serve = bad['a hang'];
		const before = mine.hits, began = Date.now(), statuses = [];
		const unknown = Array.from({ length: 24 }, () => ask(here, call(), { key: mine.token({}, { ...good, kid: 'unknown' }) })
			.then(({ status }) => statuses.push(status)));
		await until('the fetch', () => mine.hits > before);
		await until('most to be refused', () => statuses.length >= 22, 2000);
		assert.deepEqual(statuses.filter((status) => status !== 503), [], 'nobody knows yet whether the key is there');
		assert.equal((await ask(here, call(), { key: mine.token() })).status, 200);
		assert.ok(Date.now() - began < 2500, 'it waited for the issuer');
		await Promise.all(unknown);
		assert.ok(statuses.every((status) => status === 503 || status === 401), `${statuses}`);
	});
	it('no key it can use after start: a key set that is one withdraws the others', async (t) => {
		const { mine, made } = await fresh(t, [makeKey('ES256', 'k')], '      max_age: 1s\n      max_stale: 1m\n');
		const here = await serve(t, made.config);
		assert.equal((await ask(here, call(), { key: mine.token() })).status, 200);
		mine.serve = bad['no key it can use'];
		await until('the refusal', async () => (await ask(here, call(), { key: mine.token() })).status === 401);
		const change = await until('the record of it', () => records(made.home).filter((r) => r.e === 'CONFIG' && r.reason === 'jwks')[1]);
		assert.equal(change.keys, 0);
		mine.serve = (_, reply) => reply.end(JSON.stringify(mine.jwks()));
		await until('service again', async () => (await ask(here, call(), { key: mine.token() })).status === 200);
	});
	it('that are weak or malformed are ignored, named in log and record, and verify nothing', async (t) => {
		const weak = makeKey('RS256', 'weak', 1024), good = makeKey('ES256', 'good');
		const off = { kty: 'EC', crv: 'P-256', kid: 'off-curve', x: b64(Buffer.alloc(32, 1)), y: b64(Buffer.alloc(32, 2)) };
		const one = { ...makeKey('RS256', 'one').jwk, e: 'AQ' };
		const { mine, made } = await fresh(t, [weak, good]);
		const ordinary = mine.jwks;
		mine.jwks = () => ({ keys: [...ordinary().keys, off, one, { kty: 'oct', k: 'AAAA', kid: 'shared' }, { ...good.jwk, kid: 'enc', use: 'enc' }] });
		const here = await serve(t, made.config);
		assert.equal((await ask(here, call(), { key: mine.token({}, good) })).status, 200);
		assert.equal((await ask(here, call(), { key: mine.token({}, weak) })).status, 401);
		const ignored = await until('the record of them', () => records(made.home).find((r) => r.e === 'CONFIG' && r.reason === 'jwks')?.ignored);
		for (const kid of ['weak', 'off-curve', 'one', 'shared', 'enc'])
			assert.ok(ignored.some((text) => text.startsWith(`${kid}: `)), `${kid} is not in ${ignored}`);
		assert.match(here.stderr, /key_ignored .*weak/);
	});
	it('come over TLS from whom an authority vouches for, and from nobody else', async (t) => {
		const home = directory(t);
		const openssl = (...args) => execFileSync('openssl', args, { cwd: home, stdio: 'pipe' });
		openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', 'k.pem', '-out', 'c.pem');
		const mine = await startIssuer(t, [ec]);
		const secure = https.createServer({ key: readFileSync(join(home, 'k.pem')), cert: readFileSync(join(home, 'c.pem')) },
			(_, reply) => reply.end(JSON.stringify(mine.jwks())));
		await new Promise((done) => secure.listen(0, '127.0.0.1', done));
		t.after(() => secure.close());
		const at = `https://127.0.0.1:${secure.address().port}/jwks`;
		const deploy = (more) => makeSite(t, { changes: { identity: mine.identity(more).replace(`${mine.url}/jwks`, at) } });
		const end = await run(['serve', deploy('').config, '--listen', '127.0.0.1:0']);
		assert.ok(end.code > 0);
		assert.match(end.stderr, /error \[identity\.jwks\].*certificate/);
		const here = await serve(t, deploy(`      jwks_ca: ${join(home, 'c.pem')}\n`).config);
		assert.equal((await ask(here, call(), { key: mine.token() })).status, 200);
	});
	it('may lie in a file, which is read again', async (t) => {
		const first = makeKey('ES256', 'first'), second = makeKey('ES256', 'second');
		const mine = await startIssuer(t, [first]);
		const made = makeSite(t, { changes: { identity: mine.identity().replace(`${mine.url}/jwks`, 'keys.json') },
			prepare: (home) => writeFileSync(join(home, 'keys.json'), JSON.stringify(mine.jwks())) });
		const here = await serve(t, made.config);
		assert.equal((await ask(here, call(), { key: mine.token({}, first) })).status, 200);
		mine.keys = [second];
		writeFileSync(join(made.home, 'keys.json'), JSON.stringify(mine.jwks()));
		assert.equal((await ask(here, call(), { key: mine.token({}, second) })).status, 200);
		assert.equal((await ask(here, call(), { key: mine.token({}, first) })).status, 401);
		assert.equal(mine.hits, 0);
	});
	it('of one issuer verify nothing of another', async (t) => {
		const a = await startIssuer(t, [makeKey('ES256', 'same')]), b = await startIssuer(t, [makeKey('ES256', 'same')]);
		const made = makeSite(t, { changes: { identity: a.identity(b.identity().split('jwt:\n')[1]) } });
		const here = await serve(t, made.config);
		for (const one of [a, b]) assert.equal((await ask(here, call(), { key: one.token() })).status, 200);
		assert.equal((await ask(here, call(), { key: a.token({ iss: b.url }) })).status, 401);
		assert.equal((await ask(here, call(), { key: a.token({}, b.keys[0]) })).status, 401);
	});
	it('cannot be taken out of force by a reload that finds none', async (t) => {
		const { mine, made } = await fresh(t, [makeKey('ES256', 'k')]);
		const here = await serve(t, made.config);
		writeFileSync(made.config, readFileSync(made.config, 'utf8').replace('/jwks\n', '/nothing\n'));
		here.child.kill('SIGHUP');
		await until('the refusal of the reload', () => /reload_refused/.test(here.stderr));
		assert.equal((await ask(here, call(), { key: mine.token() })).status, 200);
	});
});
