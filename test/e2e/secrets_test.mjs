// What is planted is found nowhere: one deployment with a secret of every kind, a masked value and an argument
// that only a digest may stand for; every way in, right and wrong, kills, limits, reloads, every command that
// prints.  Then every byte of log, record, store, metrics page, output and reply is searched for each of them.
import assert from 'node:assert/strict';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { ask, envelope, exchange, initialize, issueKey, modernHeaders, open, pipe, post, request, run, runTyping, send, serve, until } from './harness.mjs';
import { makeKey, startIssuer } from './issuer.mjs';
import { makeSite } from './site.mjs';

const random = (bytes = 24) => randomBytes(bytes).toString('hex');
const person = { email: 'wilhelmina.harker@acme.example', account: 'account-7741-of-harker', pin: '918377264501' };
const argument = `argument-${random(8)}`;
const proxyKey = random(16);

const tools = `tools:
  get_person:
    description: One person, some of it masked.
    owner: tests
    purpose: masks
    source: shop
    requires: shop.read
    input: { id: { type: string, maxLength: 8 } }
    read: SELECT id, email, account, pin FROM people WHERE id = :id
    returns:
      shape: one
      columns:
        id: string
        email: { type: string, mask: email, unmask: people.contact, class: pii }
        account: { type: string, mask: hash, unmask: people.contact }
        pin: { type: int64, mask: redact, unmask: people.contact }
  find_account:
    description: One person by a value that the record must not hold.
    owner: tests
    purpose: arguments
    source: shop
    requires: shop.read
    input:
      account: { type: string, pattern: "^[a-z]+-[0-9a-z-]+$", maxLength: 40, audit: hmac }
      kind: { type: string, enum: [any, open], default: any, audit: drop }
      most: { type: integer, minimum: 1, maximum: 5, default: 1 }
    read: SELECT id FROM people WHERE account = :account AND :kind <> '' AND :most > 0
    returns: { shape: one, columns: { id: string } }
  broken:
    description: A masked column that breaks its contract.
    owner: tests
    purpose: errors
    source: shop
    requires: shop.read
    read: SELECT account AS n FROM people WHERE id = 'p1'
    returns: { shape: one, columns: { n: { type: integer, mask: { bucket: 10 } } } }
  seldom:
    description: May be called twice an hour.
    owner: tests
    purpose: limits
    source: shop
    requires: shop.read
    input: { account: { type: string, maxLength: 40, audit: hmac } }
    read: SELECT 'word' AS word WHERE :account <> ''
    returns: { shape: one, columns: { word: string } }
    limits: { calls: 2/h }
  closed:
    description: For nobody here.
    owner: tests
    purpose: grants
    source: shop
    requires: shop.secret
    input: { account: { type: string, maxLength: 40, audit: hmac } }
    read: SELECT 'word' AS word WHERE :account <> ''
    returns: { shape: one, columns: { word: string } }
resources:
  account:
    uri_template: "people://{account}"
    description: One person by account.
    source: shop
    requires: shop.read
    input: { account: { type: string, maxLength: 40, audit: hmac } }
    complete: { account: { read: "SELECT account FROM people WHERE account LIKE :value || '%' LIMIT 5", class: pii, unmask: people.contact } }
    read: SELECT id, email FROM people WHERE account = :account
    returns: { shape: one, columns: { id: string, email: { type: string, mask: email, unmask: people.contact } } }
prompts:
  about_account:
    description: Asks about an account.
    requires: shop.read
    arguments:
      account: { description: An account., required: true }
    messages:
      - { role: user, text: "Who has {account}?" }
`;

function people(home) {
	const db = new DatabaseSync(join(home, 'shop.db'));
	db.exec('CREATE TABLE people (id TEXT PRIMARY KEY, email TEXT, account TEXT, pin INTEGER)');
	db.prepare('INSERT INTO people VALUES (?, ?, ?, ?)').run('p1', person.email, person.account, Number(person.pin));
	db.close();
	writeFileSync(join(home, 'gate.key'), `${proxyKey}\n`, { mode: 0o600 });
	writeFileSync(join(home, 'person.key'), 'nothing yet', { mode: 0o600 });
}

const changes = (issuer) => ({
	listen: 'listen: { http: { address: 127.0.0.1:8477 }, admin: { address: 127.0.0.1:0 } }',
	roles: `roles:
  clerk: [shop.read]
  desk: [shop.read, people.contact]
  owner: [shop.secret]
  approver: [break_glass.approve]`,
	identity: issuer.identity(`  proxy: [{ name: gate, hmac_key: "\${file:gate.key}", max_age: 30s, roles: [clerk] }]
  stdio: { key: "\${file:person.key}" }
`) });

// ---- what is planted, and every form it could be found in ----

const planted = []; // { what, forms, masked }
const formsOf = (bytes) => ['latin1', 'hex', 'base64', 'base64url'].map((form) => Buffer.from(bytes).toString(form).replace(/=+$/, ''));
const plant = (what, text, more) => {
	planted.push({ what, forms: formsOf(text), ...more });
	return text;
};
// Of a key only its last part is secret: as text, and the bytes that it stands for.
const plantKey = (what, key) => {
	plant(what, key.slice(22));
	plant(`${what}, its bytes`, Buffer.from(key.slice(22), 'base64url'));
	return key;
};
const wrongKey = (key) => plantKey('a wrong secret', key.slice(0, 22) + randomBytes(32).toString('base64url'));

// ---- everything that came out: { where, text, to } ----

const out = [];
const note = (where, text, to) => out.push({ where, text: typeof text === 'string' ? text : JSON.stringify(text), to });
// A reply names the resource that was asked for, and a prompt holds its argument, as MCP has it: of such a reply
// what is beside that is searched.
const but = (own, text) => (own ? text.replaceAll(own, '') : text);
const found = (text, secret) => secret.forms.some((form) => text.includes(form));

const files = (directory) => readdirSync(directory, { recursive: true, withFileTypes: true })
	.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
const idOf = (key) => key.slice(9, 21);

function sign(key, secret, body, identity = '') {
	const time = Math.floor(Date.now() / 1000), nonce = randomBytes(16).toString('base64url');
	const lines = ['postern-hmac-sha256-v1', key, 'POST', '/mcp', createHash('sha256').update(body).digest('hex'), time, nonce, identity];
	const signature = createHmac('sha256', secret).update(lines.join('\n')).digest('base64url');
	return `key=${key}, time=${time}, nonce=${nonce}, signature=${signature}`;
}
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('planted secrets', () => {
	const cleanup = [];
	const pipes = [];
	let site, issuer, server, adminPort;

	// One command; what it printed is searched, unless that is where a new key is shown.
	const command = async (args, { env, to, shows = false, codes = [0] } = {}) => {
		const end = await run(args, { env });
		assert.ok(codes.includes(end.code), `${args.join(' ')}: ${end.code}\n${end.stdout}${end.stderr}`);
		if (!shows) note(`stdout of ${args[0]} ${args[1] === site.config ? '' : args[1]}`, end.stdout, to);
		note(`stderr of ${args[0]}`, end.stderr);
		return end;
	};
	const issue = (subject, role, what) => issueKey(site.config, { subject, tenant: 'acme', roles: [role] }).then((key) => plantKey(what, key));

	// How each caller shows who it is.
	const callers = {
		clerk: () => ({ key: site.keys.clerk }),
		desk: () => ({ key: site.keys.desk }),
		signer: (message) => ({ headers: { Authorization: `Postern-HMAC-SHA256 ${sign(idOf(site.keys.signing), Buffer.from(site.keys.signing.slice(22), 'base64url'), JSON.stringify(message))}` } }),
		bearer: () => {
			const token = issuer.token({ groups: ['clerk'] });
			token.split('.').slice(1).forEach((part, i) => plant(`part ${i + 1} of an access token`, part));
			return { key: token };
		},
		proxied: (message) => {
			const identity = encode({ subject: 'ada', tenant: 'acme', roles: ['clerk'] });
			return { headers: { 'Postern-Identity': identity, 'Postern-Signature': sign('gate', proxyKey, JSON.stringify(message), identity) } };
		},
	};
	const say = async (caller, method, params, more = {}) => {
		const message = request(method, params);
		const reply = await ask(server, message, { ...callers[caller](message), ...more });
		note(`reply to ${caller}: ${method}`, but(params?.uri ?? (method === 'prompts/get' && argument), JSON.stringify([reply.headers, reply.body])), caller);
		return reply;
	};
	const call = (caller, name, args) => say(caller, 'tools/call', { name, arguments: args });
	const codeOf = (reply) => (reply.json.result?.structuredContent?.error ?? reply.json.error?.data?.error)?.code ?? 'OK';

	before(async () => {
		const scope = { after: (f) => cleanup.push(f) };
		issuer = await startIssuer(scope, [makeKey('ES256', 'only')]);
		site = makeSite(scope, { tools, prepare: people, changes: changes(issuer) });
		plant('the key of the proxy', proxyKey);
		plant('the argument', argument);
		for (const [name, value] of Object.entries(person)) plant(`the ${name} of a person`, value, { masked: true });
		plant('the middle of an address', 'ilhelmina.hark', { masked: true });
		site.keys = { clerk: await issue('clerk', 'clerk', 'the key of the clerk'), desk: await issue('desk', 'desk', 'the key of the desk'),
			pipe: await issue('piper', 'clerk', 'the key of the pipe'), ben: await issue('ben', 'approver', 'the key of ben') };
		const end = await run(['key', 'issue', site.config, '--subject', 'signer', '--tenant', 'acme', '--role', 'clerk', '--signing']);
		site.keys.signing = plantKey('the signing key', /\bpsgn_\w[\w-]+/.exec(end.stdout)[0]);
		writeFileSync(join(site.home, 'person.key'), site.keys.pipe, { mode: 0o600 });
		server = await serve(scope, site.config, { args: ['--log-level', 'debug'] });
		adminPort = Number(/ admin address=127\.0\.0\.1:(\d+)/.exec(server.stderr)[1]);
		for (const path of files(join(site.home, 'state/keys')))
			plant(`what is in ${path.slice(site.home.length)}`, readFileSync(path));
	});
	after(async () => {
		for (const f of cleanup.reverse()) await f();
	});

	const page = async (path) => {
		const { replies: [reply] } = await exchange(adminPort, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${adminPort}\r\n\r\n`);
		note(path, reply.body);
	};

	it('right credentials of every kind: calls that work and calls that do not', async () => {
		for (const caller of Object.keys(callers)) {
			await say(caller, 'tools/list');
			const one = await call(caller, 'get_person', { id: 'p1' });
			assert.equal(codeOf(one), 'OK', one.body);
			assert.equal(one.json.result.structuredContent.pin, caller === 'desk' ? person.pin : '[redacted]');
			assert.equal(codeOf(await call(caller, 'find_account', { account: argument })), 'NOT_FOUND');
			for (const args of [{ account: `${argument}!` }, { account: argument.repeat(3) }, { account: [argument] }, { account: 'a-1', kind: argument },
				{ account: 'a-1', most: argument }, { account: 'a-1', other: argument }, { account: { [argument]: 1 } }])
				assert.notEqual(codeOf(await call(caller, 'find_account', args)), 'OK', JSON.stringify(args));
			await call(caller, 'broken', {});
			assert.equal(codeOf(await call(caller, 'closed', { account: argument })), 'PERMISSION_DENIED');
			for (let i = 0; i < 3; i++) await call(caller, 'seldom', { account: argument });
			await say(caller, 'resources/read', { uri: `people://${person.account}` });
			await say(caller, 'resources/read', { uri: `people://${argument}` });
			assert.equal((await say(caller, 'prompts/get', { name: 'about_account', arguments: { account: argument } })).status, 200);
			await say(caller, 'completion/complete', { ref: { type: 'ref/resource', uri: 'people://{account}' }, argument: { name: 'account', value: 'account' } });
			await say(caller, 'completion/complete', { ref: { type: 'ref/resource', uri: 'people://{account}' }, argument: { name: 'account', value: argument } });
		}
		assert.ok(out.some((o) => o.text.includes('RATE_LIMITED')), 'no limit was met');
	});

	it('sessions and streams', async (t) => {
		const key = site.keys.clerk;
		const { headers } = await initialize(server, { key });
		const rpc = async (method, params) => {
			const reply = await send(server, { jsonrpc: '2.0', id: 1, method, params }, { key, headers });
			note(`legacy reply: ${method}`, JSON.stringify([reply.headers, reply.body]));
			return reply;
		};
		for (const level of ['debug', argument]) await rpc('logging/setLevel', { level });
		await rpc('tools/call', { name: 'get_person', arguments: { id: 'p1' } });
		await rpc('tools/call', { name: 'find_account', arguments: { account: argument } });
		await rpc('resources/subscribe', { uri: `people://${argument}` });
		const waiting = await open(t, server.port, `GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${key}\r\n${Object.entries(headers).map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`);
		const message = request('subscriptions/listen', { notifications: { toolsListChanged: true, resourceSubscriptions: [`people://${argument}`] } });
		const listening = await open(t, server.port, post(server, message, { key, headers: modernHeaders(message) }));
		await until('the acknowledgement', () => listening.events.length > 0);
		note('the streams', but(`people://${argument}`, waiting.text + listening.text));
	});

	it('wrong credentials of every kind', async () => {
		const message = request('tools/call', { name: 'get_person', arguments: { id: 'p1' } });
		const body = JSON.stringify(message);
		const stranger = makeKey('ES256', 'only');
		const identity = encode({ subject: 'ada', tenant: 'acme', roles: ['desk'] });
		const password = plant('a password', random());
		const short = plant('half a key', site.keys.clerk.slice(0, -9).slice(22));
		const forged = issuer.token({}, stranger);
		plant('a forged token', forged.split('.')[2]);
		const wrong = [
			{ key: wrongKey(site.keys.clerk) }, { key: `pstn_dev_abcdefgh2345_${plant('the secret of no key', randomBytes(32).toString('base64url'))}` },
			{ key: `pstn_dev_${idOf(site.keys.clerk)}_${short}` }, { key: password }, { key: forged }, { key: issuer.token({ exp: 1 }) }, { key: site.keys.signing },
			{ headers: { Authorization: `Basic ${Buffer.from(`clerk:${password}`).toString('base64')}` } },
			{ headers: { Authorization: site.keys.clerk } }, { headers: { Authorization: [`Bearer ${site.keys.clerk}`, `Bearer ${site.keys.desk}`] } },
			{ headers: { Authorization: `Postern-HMAC-SHA256 ${sign(idOf(site.keys.signing), password, body)}` } },
			{ headers: { Authorization: `Postern-HMAC-SHA256 ${sign(password, password, body)}` } },
			{ headers: { 'Postern-Identity': identity, 'Postern-Signature': sign('gate', proxyKey, body, identity) } },
			{ headers: { 'Postern-Identity': identity, 'Postern-Signature': sign('gate', password, body, identity) } },
			{ headers: { Cookie: `key=${site.keys.clerk}`, 'X-Api-Key': password } },
			{ path: `/mcp?access_token=${site.keys.clerk}` }, { path: `/mcp?api_key=${password}` }, { path: `/mcp/${password}`, key: site.keys.clerk },
			{ path: `/${site.keys.clerk}` }, { headers: { Host: password }, key: site.keys.clerk }, { headers: { Origin: `https://${password}.example` }, key: site.keys.clerk },
			{ headers: { 'MCP-Protocol-Version': password }, key: site.keys.clerk },
			{ headers: { 'Mcp-Name': password }, key: site.keys.clerk }, { headers: { 'Content-Type': password }, key: site.keys.clerk },
		];
		for (const options of wrong) {
			const reply = await ask(server, message, options);
			assert.ok(reply.status >= 400, `${JSON.stringify(options)}: ${reply.status}`);
			note('reply to a wrong credential', JSON.stringify([reply.headers, reply.body]));
		}
		const old = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
		for (const headers of [{ 'Mcp-Session-Id': password }, { 'Mcp-Session-Id': `${password}.${password}`, 'MCP-Protocol-Version': '2025-06-18' }])
			note('reply to no session', JSON.stringify((await send(server, old, { key: site.keys.clerk, headers })).body));
		for (const text of [`{"${password}":`, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_person","arguments":{"id":"${password}}}}`, password])
			note('reply to no message', (await send(server, text, { key: site.keys.clerk })).body);
	});

	it('over a pipe, with the right key and a wrong one', async (t) => {
		const it = pipe(t, site.config);
		pipes.push(it);
		const asked = async (method, params, id) => {
			await it.tell({ jsonrpc: '2.0', id, method, params: { ...params, _meta: envelope() } });
			return it.next();
		};
		const one = await asked('tools/call', { name: 'get_person', arguments: { id: 'p1' } }, 1);
		assert.equal(one.result.structuredContent.pin, '[redacted]');
		await asked('tools/call', { name: 'find_account', arguments: { account: argument } }, 2);
		await asked('tools/call', { name: 'find_account', arguments: { account: `${argument}!` } }, 3);
		await asked('resources/read', { uri: `people://${argument}` }, 4);
		await it.write(`{"jsonrpc":"2.0","id":5,"method":"${argument}\n`);
		await it.next();
		const rename = (text) => {
			writeFileSync(join(site.home, '.person.key'), text, { mode: 0o600 });
			renameSync(join(site.home, '.person.key'), join(site.home, 'person.key'));
		};
		rename(wrongKey(site.keys.pipe));
		await until('the wrong key to be refused', async () => (await asked('tools/list', {}, 6)).error, 5000);
		const end = await run(['stdio', site.config, '--log-level', 'debug']);
		note('stdio with a wrong key', end.stdout + end.stderr);
		rename(site.keys.pipe);
		await it.finish();
	});

	it('kills, broken glass, reloads good and bad', async () => {
		await command(['kill', site.config, 'principal', 'clerk', '--reason', 'a test kills']);
		await until('the kill', async () => codeOf(await call('clerk', 'find_account', { account: argument })) === 'PAUSED', 5000);
		await command(['kills', site.config]);
		await page('/readyz');
		await command(['resume', site.config, 'principal', 'clerk', '--reason', 'a test resumes']);
		await command(['kills', site.config, '--history']);
		await until('the end of it', async () => codeOf(await call('clerk', 'get_person', { id: 'p1' })) === 'OK', 5000);
		await command(['break-glass', site.config, 'clerk', 'shop.secret', '--tenant', 'acme', '--for', '5m', '--reason', 'a test'], { env: { POSTERN_KEY: site.keys.clerk } });
		for (const [key, code] of [[wrongKey(site.keys.ben), 77], [site.keys.ben, 0]]) {
			const end = await runTyping(['break-glass', site.config, 'approve', '1'], key);
			note('break-glass approve on a terminal', end.stdout);
			assert.equal(end.code, code, end.stdout);
		}
		const good = readFileSync(site.config, 'utf8');
		const secret = plant('a secret in the wrong place', random());
		for (const bad of [good.replace('"${file:gate.key}"', `"${secret}`), good.replace('"${file:gate.key}"', 'short'), good.replace('${file:person.key}', '${file:gate.nothing}')]) {
			const refusals = server.stderr.split('reload_refused').length;
			writeFileSync(site.config, bad);
			await command(['check', site.config], { codes: [1, 65, 78] });
			server.child.kill('SIGHUP');
			await until('the refusal of the reload', () => server.stderr.split('reload_refused').length > refusals);
		}
		writeFileSync(site.config, good.replace('name: test/e2e', 'name: test/e2e\nlog: { level: debug }'));
		server.child.kill('SIGHUP');
		await until('the reload', () => /msg=reloaded|\breloaded\b/.test(server.stderr));
		renameSync(join(site.home, 'shop.db'), join(site.home, 'away.db'));
		await call('clerk', 'find_account', { account: argument });
		renameSync(join(site.home, 'away.db'), join(site.home, 'shop.db'));
	});

	it('every command that prints', async () => {
		const { config } = site;
		const rotated = await command(['key', 'rotate', config, idOf(site.keys.clerk)], { shows: true });
		plantKey('the key after the rotation', /\bpstn_dev_[\w-]+/.exec(rotated.stdout)[0]);
		for (const args of [['key', 'list', config], ['key', 'report', config], ['audit', 'tail', config, '--count', '1000'], ['matrix', config], ['matrix', config, '--json'],
			['ask', config, 'get_person', '--as', 'clerk'], ['tools', config, '--as', 'desk'], ['compare', config, config], ['check', config], ['routes'],
			['report', config, 'drills'], ['report', config, 'break-glass']])
			await command(args, { codes: [0, 1] });
		const tail = out.findLast((o) => o.where.startsWith('stdout of audit')).text;
		const id = /\bcall_[0-9a-z]+/.exec(tail)?.[0];
		if (id) await command(['audit', 'show', config, id]);
		for (const [key, to] of [['clerk', 'clerk'], ['desk', 'desk']])
			await command(['call', config, 'get_person', '--arg', 'id=p1'], { env: { POSTERN_KEY: site.keys[key] }, to });
		await command(['call', config, 'find_account', '--arg', `account=${argument}`], { env: { POSTERN_KEY: site.keys.clerk }, codes: [1] });
		await command(['call', config, 'get_person', '--arg', 'id=p1'], { env: { POSTERN_KEY: wrongKey(site.keys.clerk) }, codes: [1, 69, 77, 78] });
		await command(['key', 'revoke', config, idOf(site.keys.ben), '--reason', 'a test']);
		await page('/metrics');
		await page('/healthz');
	});

	it('are nowhere, but with those who may see them', async () => {
		server.child.kill('SIGTERM');
		assert.equal((await server.ended).code, 0);
		note('the log', server.stderr + server.stdout);
		for (const it of pipes) note('a pipe', but(`people://${argument}`, it.stdout) + it.stderr);
		const kept = files(join(site.home, 'state')).filter((path) => !path.startsWith(join(site.home, 'state/keys')));
		for (const path of kept) note(path.slice(site.home.length), readFileSync(path, 'latin1'));

		// the search finds what is there, and there was something to search
		const seen = (text, what) => planted.filter((p) => found(text, p)).map((p) => p.what).includes(what);
		assert.ok(seen(readFileSync(join(site.home, 'gate.key'), 'latin1'), 'the key of the proxy'));
		for (const name of Object.keys(person))
			assert.ok(out.some((o) => o.to === 'desk' && seen(o.text, `the ${name} of a person`)), `the desk saw no ${name}`);
		assert.ok(planted.length > 40 && planted.every((p) => p.forms.every((form) => form.length >= 11)));
		const store = kept.find((path) => path.endsWith('postern.db'));
		assert.ok(readFileSync(store, 'latin1').includes(idOf(site.keys.signing)), 'the store was not read');
		const records = kept.filter((path) => /audit-.*\.log$/.test(path)).map((path) => readFileSync(path, 'latin1')).join('');
		for (const event of ['START', 'CONFIG', 'CALL_OUTCOME', 'DENY', 'AUTH_FAIL', 'PROTOCOL_REJECT', 'KILL', 'RESUME', 'KEY', 'BREAK_GLASS'])
			assert.ok(records.includes(`"e":"${event}"`), `no record of ${event}`);
		assert.match(server.stderr, /level=debug|\bdebug\b/);

		const leaks = out.flatMap((o) => planted.filter((p) => !(p.masked && o.to === 'desk') && found(o.text, p)).map((p) => {
			const form = p.forms.find((one) => o.text.includes(one));
			const at = o.text.indexOf(form);
			return `${p.what} in ${o.where}: …${o.text.slice(Math.max(0, at - 160), at + form.length + 20)}…`;
		}));
		assert.deepEqual([...new Set(leaks)], []);
	});
});
