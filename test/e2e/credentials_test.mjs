// Credentials: every kind of them in every way to be wrong, over HTTP, with the record of each; keys of
// every kind from issue to revocation; stdio with a key that rotates.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createHmac, randomBytes, X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { ask, envelope, exchange, issueKey, modernHeaders, open, pipe, post, request, run, send, serve, until } from './harness.mjs';
import { makeKey, startIssuer, thumbprint } from './issuer.mjs';
import { expireKey, makeSite, makeSiteWithKeys } from './site.mjs';

const call = () => request('tools/call', { name: 'get_item', arguments: { item_id: 'itm_0001' } });
const seconds = () => Math.floor(Date.now() / 1000);
const idOf = (key) => key.slice(9, 21);
const proxyKey = '0123456789abcdef0123456789abcdef';
const nextKey = 'fedcba9876543210fedcba9876543210';

// Every record of the site, in no order.
function records(site) {
	const directory = join(site.home, 'state/audit');
	return readdirSync(directory).filter((name) => name.endsWith('.log')).flatMap((name) =>
		readFileSync(join(directory, name), 'utf8').replaceAll('\0', '').split('\n').filter(Boolean).map((line) => JSON.parse(line)));
}

const failures = (site) => records(site).filter((r) => r.e === 'AUTH_FAIL');

// One attempt that must be refused.  What each site's records must say then is gathered, since refusals that
// repeat within a second are counted: see recorded().
async function refused(site, reason, status, attempt) {
	const reply = await attempt();
	assert.equal(reply.status, status, `${reason}: ${reply.body}`);
	site.refusals ??= {};
	site.refusals[reason] = (site.refusals[reason] ?? 0) + 1;
	return reply;
}

// Exactly the refusals that were meant, each with its reason, are in the log.
async function recorded(site) {
	const counts = () => failures(site).reduce((all, r) => ({ ...all, [r.reason]: (all[r.reason] ?? 0) + (r.repeated ?? 1) }), {});
	const total = (all) => Object.values(all).reduce((n, count) => n + count, 0);
	await until('the records of all refusals', () => total(counts()) >= total(site.refusals), 5000);
	assert.deepEqual(Object.entries(counts()).sort(), Object.entries(site.refusals).sort());
}

function sign({ key, secret, method = 'POST', target = '/mcp', body, time = seconds(), nonce = randomBytes(16).toString('base64url'), identity = '' }) {
	const lines = ['postern-hmac-sha256-v1', key, method, target, createHash('sha256').update(body).digest('hex'), time, nonce, identity];
	const signature = createHmac('sha256', secret).update(lines.join('\n')).digest('base64url');
	return `key=${key}, time=${time}, nonce=${nonce}, signature=${signature}`;
}

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const secretOf = (key) => Buffer.from(key.slice(22), 'base64url');
const signed = (key, changes = {}) => ({ Authorization: `Postern-HMAC-SHA256 ${sign({ key: idOf(key), secret: secretOf(key), body: JSON.stringify(call()), ...changes })}` });
const proxied = (said, changes = {}) => ({ 'Postern-Identity': encode(said),
	'Postern-Signature': sign({ key: 'gate', secret: proxyKey, body: JSON.stringify(call()), identity: encode(said), ...changes }) });
const show = (server, headers, options = {}) => ask(server, call(), { headers, ...options });
const ada = { subject: 'ada', tenant: 'acme', agent: 'desk', roles: ['reader'] };

const proxies = {
	identity: `identity:
  api_keys: true
  proxy: [{ name: gate, hmac_key: "\${file:gate.key}", next: "\${file:gate.next}", max_age: 30s, roles: [reader] }]`,
};

function secretFile(home, name, text, mode = 0o600) {
	writeFileSync(join(home, `.${name}`), text, { mode });
	chmodSync(join(home, `.${name}`), mode);
	renameSync(join(home, `.${name}`), join(home, name));
}

const prepareProxy = (home) => {
	secretFile(home, 'gate.key', `${proxyKey}\n`);
	secretFile(home, 'gate.next', nextKey);
};

const words = (reply) => [reply.status, reply.body, reply.headers['www-authenticate']];

describe('what a caller may show', () => {
	it('a token: each way to be wrong is refused in the same words, and recorded', async (t) => {
		const site = await makeSiteWithKeys(t);
		const expired = await issueKey(site.config, { subject: 'erin' });
		const revoked = await issueKey(site.config, { subject: 'rita' });
		const signing = await issueSigning(site);
		const approver = await issueApprover(site);
		expireKey(site, 'erin');
		assert.equal((await run(['key', 'revoke', site.config, idOf(revoked), '--reason', 'lost laptop'])).code, 0);
		const server = await serve(t, site.config);
		assert.equal((await show(server, {}, { key: site.alice })).status, 200);

		const other = (key) => key.slice(0, 22) + randomBytes(32).toString('base64url');
		const wrong = [
			['unknown', other(site.alice)],
			['unknown', `pstn_dev_abcdefgh2345_${randomBytes(32).toString('base64url')}`],
			['expired', expired],
			['revoked', revoked],
			['environment', site.alice.replace('pstn_dev', 'pstn_prd')],
			['malformed', 'x'],
			['malformed', site.alice.slice(0, -1)],
			['malformed', `${site.alice}x`],
			['malformed', `${site.alice} ${site.bob}`],
			['malformed', 'x'.repeat(12000)],
			['malformed', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.'],
			['use', signing],
			['use', signing.replace('psgn', 'pstn')],
			['approver', approver],
			['approver', approver.replace('psap', 'pstn')],
			['use', site.alice.replace('pstn', 'psgn')],
		];
		let first;
		for (const [reason, key] of wrong) {
			const reply = await refused(site, reason, 401, () => show(server, {}, { key }));
			first ??= reply;
			assert.deepEqual(words(reply), words(first), reason);
		}
		for (const headers of [{ Authorization: [`Bearer ${site.alice}`, `Bearer ${site.alice}`] }, { Authorization: 'Basic eDp4' },
			{ Authorization: site.alice }, { Authorization: 'Bearer' }])
			assert.deepEqual(words(await refused(site, 'malformed', 401, () => show(server, headers))), words(first));
		await refused(site, 'missing', 401, () => show(server, {}));
		assert.equal((await show(server, {}, { key: site.alice })).status, 200);
		const text = JSON.stringify(records(site));
		for (const key of [site.alice, signing, revoked, approver]) assert.ok(!text.includes(key.slice(22)) && !server.stderr.includes(key.slice(22)));
		await recorded(site);
	});

	it('a token where none may stand: in the URL, a cookie, the body', async (t) => {
		const site = await makeSiteWithKeys(t);
		const server = await serve(t, site.config);
		for (const name of ['access_token', 'token', 'api_key', 'Key'])
			await refused(site, 'location', 401, () => ask(server, call(), { key: site.bob, path: `/mcp?x=1&${name}=${site.alice}` }));
		await refused(site, 'missing', 401, () => show(server, { Cookie: `access_token=${site.alice}` }));
		await refused(site, 'missing', 401, () => ask(server, request('tools/call', { name: 'get_item', arguments: { item_id: 'itm_0001' } },
			{ meta: { access_token: site.alice } })));
		assert.ok(!JSON.stringify(records(site)).includes(site.alice.slice(22)));
		await recorded(site);
	});

	it('a signature: of the right request, once, in time', async (t) => {
		const site = await makeSiteWithKeys(t);
		const key = await issueSigning(site);
		const revoked = await issueSigning(site);
		const expired = await issueSigning(site, 'erin');
		expireKey(site, 'erin');
		await run(['key', 'revoke', site.config, idOf(revoked)]);
		const server = await serve(t, site.config);
		const once = signed(key);
		assert.equal((await show(server, once)).status, 200);
		const outcome = records(site).find((r) => r.e === 'CALL_OUTCOME');
		assert.deepEqual([outcome.subj, outcome.cred], ['sam', idOf(key)]);
		const wrong = [
			['replay', once],
			['signature', signed(key, { body: '{}' })],
			['signature', signed(key, { target: '/mcp?a=1' })],
			['signature', signed(key, { method: 'GET' })],
			['signature', signed(key, { secret: randomBytes(32) })],
			['signature', signed(key, { identity: 'x' })],
			['unknown', signed(key, { key: 'abcdefgh2345' })],
			['time', signed(key, { time: seconds() - 45 })],
			['time', signed(key, { time: seconds() + 45 })],
			['revoked', signed(revoked)],
			['expired', signed(expired)],
			['use', signed(site.alice)],
			['malformed', signed(key, { nonce: 'short' })],
			['malformed', signed(key, { time: '01' })],
			['malformed', { Authorization: `${signed(key).Authorization}, more=1` }],
			['malformed', { ...signed(key), 'Postern-Signature': 'x' }],
			['malformed', { Authorization: [signed(key).Authorization, `Bearer ${site.alice}`] }],
		];
		for (const [reason, headers] of wrong) await refused(site, reason, 401, () => show(server, headers));
		assert.equal((await show(server, signed(key))).status, 200);
		await recorded(site);
	});

	it('a request replayed to another process of the deployment, or after a restart, is refused', async (t) => {
		const site = await makeSiteWithKeys(t);
		const key = await issueSigning(site);
		const once = signed(key);
		const first = await serve(t, site.config);
		const second = await serve(t, site.config, { args: ['--instance', 'b'] });
		const statuses = await Promise.all(Array.from({ length: 12 }, (_, i) => show(i % 2 ? first : second, once).then((reply) => reply.status)));
		assert.deepEqual(statuses.filter((status) => status === 200).length, 1, statuses.join());
		site.refusals = { replay: 11 };
		const third = await serve(t, site.config, { args: ['--instance', 'c'] });
		await refused(site, 'replay', 401, () => show(third, once));
		await recorded(site);
	});

	it('an identity of a proxy: signed, by a proxy that is configured, within what it may give', async (t) => {
		const site = await makeSiteWithKeys(t, { changes: proxies, prepare: prepareProxy });
		const server = await serve(t, site.config);
		const once = proxied(ada);
		assert.equal((await show(server, once)).status, 200);
		assert.equal((await show(server, proxied(ada, { secret: nextKey }))).status, 200);
		const outcome = records(site).find((r) => r.e === 'CALL_OUTCOME');
		assert.deepEqual([outcome.subj, outcome.ten, outcome.act, outcome.kind, outcome.cred], ['ada', 'acme', 'desk', 'human', 'proxy:gate']);
		const wrong = [
			['replay', once],
			['signature', { ...proxied(ada), 'Postern-Identity': encode({ ...ada, subject: 'bob' }) }],
			['signature', proxied(ada, { secret: randomBytes(32) })],
			['signature', proxied(ada, { identity: '' })],
			['unknown', proxied(ada, { key: 'other' })],
			['unknown', proxied(ada, { key: idOf(site.alice) })],
			['time', proxied(ada, { time: seconds() - 45 })],
			['claims', proxied({ ...ada, roles: ['clerk'] })],
			['claims', proxied({ ...ada, roles: 'reader' })],
			['claims', proxied({ ...ada, admin: true })],
			['claims', proxied({ ...ada, subject: 'a\nb' })],
			['claims', proxied({ ...ada, subject: '\u001b[31madmin' })],
			['claims', proxied({ ...ada, subject: 'a\u202eb' })],
			['claims', proxied({ ...ada, subject: 'a'.repeat(257) })],
			['claims', proxied({ roles: ['reader'] })],
			['claims', proxied('{"subject":"ada","subject":"bob"}')],
			['malformed', { 'Postern-Identity': encode(ada) }],
			['malformed', { 'Postern-Signature': proxied(ada)['Postern-Signature'] }],
			['malformed', { ...proxied(ada), Authorization: `Bearer ${site.alice}` }],
			['malformed', { 'Postern-Identity': encode(ada), Authorization: `Bearer ${site.alice}` }],
			['malformed', { ...proxied(ada), 'Postern-Identity': [encode(ada), encode(ada)] }],
		];
		for (const [reason, headers] of wrong) await refused(site, reason, 401, () => show(server, headers));
		assert.equal((await show(server, proxied(ada))).status, 200);
		await recorded(site);
	});

	it('an identity header is refused where no proxy is configured, too', async (t) => {
		const site = await makeSiteWithKeys(t);
		const server = await serve(t, site.config);
		await refused(site, 'unknown', 401, () => show(server, proxied(ada)));
		await refused(site, 'malformed', 401, () => show(server, { 'Postern-Identity': encode(ada), Authorization: `Bearer ${site.alice}` }));
		await recorded(site);
	});

	it('a proxy\'s key rotates with its file, and others must not be able to read it', async (t) => {
		const site = await makeSiteWithKeys(t, { changes: proxies, prepare: prepareProxy });
		const server = await serve(t, site.config);
		assert.equal((await show(server, proxied(ada))).status, 200);
		const third = 'abcdefghijklmnopabcdefghijklmnop';
		secretFile(site.home, 'gate.key', third);
		await until('the new key', async () => (await show(server, proxied(ada, { secret: third }))).status === 200, 5000);
		await refused(site, 'signature', 401, () => show(server, proxied(ada)));
		assert.equal((await show(server, proxied(ada, { secret: nextKey }))).status, 200);
		secretFile(site.home, 'gate.key', third, 0o644);
		await until('no key', async () => (await show(server, proxied(ada, { secret: third }))).status === 503, 5000);
		assert.equal((await show(server, proxied(ada, { secret: nextKey }))).status, 200);
		assert.ok(['signature', 'unavailable'].every((reason) => failures(site).some((r) => r.reason === reason)));
	});
});

async function issueSigning(site, subject = 'sam') {
	const end = await run(['key', 'issue', site.config, '--subject', subject, '--role', 'reader', '--signing']);
	assert.equal(end.code, 0, end.stderr);
	return /\bpsgn_dev_[a-z2-7]{12}_[\w-]{43}\n$/.exec(end.stdout)[0].trim();
}

describe('client certificates', () => {
	const openssl = (home, ...args) => execFileSync('openssl', args, { cwd: home, stdio: 'pipe' });
	const clients = { desk: 'subjectAltName=URI:spiffe://acme/desk', both: 'subjectAltName=URI:spiffe://acme/desk,DNS:desk.acme.example', nobody: 'subjectAltName=DNS:other.example', ada: '' };
	function certificates(home) {
		const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
		openssl(home, 'req', '-x509', ...curve, '-days', '2', '-subj', '/CN=test ca', '-keyout', 'ca.key', '-out', 'ca.pem');
		for (const [name, names] of [['server', 'subjectAltName=IP:127.0.0.1'], ...Object.entries(clients)]) {
			openssl(home, 'req', ...curve, '-subj', `/O=Acme/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
			writeFileSync(join(home, `${name}.ext`), `extendedKeyUsage=${name === 'server' ? 'serverAuth' : 'clientAuth'}\n${names}\n`);
			openssl(home, 'x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`);
			chmodSync(join(home, `${name}.key`), 0o600);
		}
	}
	const changes = {
		listen: 'listen: { http: { address: 127.0.0.1:8477, tls: { cert: server.pem, key: server.key, client_ca: ca.pem } } }',
		identity: `identity:
  api_keys: true
  certificates:
    - { match: { san_uri: "spiffe://acme/desk" }, subject: desk@acme, kind: service, tenant: acme, agent: desk, roles: [reader] }
    - { match: { san_dns: desk.acme.example }, subject: other, kind: service, roles: [reader] }
    - { match: { subject: "CN=ada,O=Acme" }, subject: ada, roles: [reader] }`,
	};
	const show = (server, site, name, headers = {}) => new Promise((done, failed) => {
		const sent = https.request({ host: '127.0.0.1', port: server.port, path: '/mcp', method: 'POST', agent: false, ca: readFileSync(join(site.home, 'ca.pem')),
			cert: readFileSync(join(site.home, `${name}.pem`)), key: readFileSync(join(site.home, `${name}.key`)), headers: { ...modernHeaders(call()), ...headers } }, (reply) => {
			let body = '';
			reply.on('data', (data) => (body += data)).on('end', () => done({ status: reply.statusCode, body }));
		});
		sent.on('error', failed);
		sent.end(JSON.stringify(call()));
	});

	it('are principals by exactly one row, and a token beside one decides', async (t) => {
		const site = await makeSiteWithKeys(t, { prepare: certificates, changes });
		const server = await serve(t, site.config);
		const outcomes = () => records(site).filter((r) => r.e === 'CALL_OUTCOME').map((r) => [r.subj, r.ten, r.cred.split(':')[0]]);
		assert.equal((await show(server, site, 'desk')).status, 200);
		assert.equal((await show(server, site, 'ada')).status, 200);
		assert.deepEqual(outcomes(), [['desk@acme', 'acme', 'cert'], ['ada', undefined, 'cert']]);
		assert.equal((await show(server, site, 'desk', { Authorization: `Bearer ${site.alice}` })).status, 200);
		assert.deepEqual(outcomes().at(-1), ['alice', 'acme', idOf(site.alice)]);
		await refused(site, 'certificate', 401, () => show(server, site, 'both'));
		await refused(site, 'certificate', 401, () => show(server, site, 'nobody'));
		await refused(site, 'malformed', 401, () => show(server, site, 'desk', { Authorization: 'Bearer x' }));
		await refused(site, 'malformed', 401, () => show(server, site, 'desk', { 'Postern-Identity': encode(ada) }));
		assert.equal((await show(server, site, 'nobody', { Authorization: `Bearer ${site.alice}` })).status, 200);
		await recorded(site);
	});

	it('are over when they say so, on a connection that lives on and on its stream', async (t) => {
		let end;
		const brief = (home) => {
			certificates(home);
			end = Math.floor(Date.now() / 1000) + 6;
			const time = (at) => new Date(at * 1000).toISOString().replace(/[-:T]|\.000/g, '');
			writeFileSync(join(home, 'index.txt'), '');
			writeFileSync(join(home, 'ca.conf'), '[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\norganizationName=optional\ncommonName=supplied\n');
			openssl(home, 'ca', '-batch', '-notext', '-config', 'ca.conf', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-in', 'desk.csr', '-extfile', 'desk.ext',
				'-startdate', time(end - 3600), '-enddate', time(end), '-out', 'desk.pem');
		};
		const site = await makeSiteWithKeys(t, { prepare: brief, changes });
		const server = await serve(t, site.config);
		const agents = [1, 2].map(() => new https.Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(join(site.home, 'ca.pem')),
			cert: readFileSync(join(site.home, 'desk.pem')), key: readFileSync(join(site.home, 'desk.key')) }));
		t.after(() => agents.forEach((agent) => agent.destroy()));
		const sockets = new Set();
		const ask = (agent, message, taken) => new Promise((done, failed) => {
			const sent = https.request({ host: '127.0.0.1', port: server.port, path: '/mcp', method: 'POST', agent, headers: modernHeaders(message) }, taken ?? ((reply) => {
				sockets.add(sent.socket.localPort);
				reply.resume().on('end', () => done(reply.statusCode));
			}));
			sent.on('error', failed);
			sent.end(JSON.stringify(message));
		});
		const stream = {};
		ask(agents[1], request('subscriptions/listen', { notifications: { toolsListChanged: true } }), (reply) => {
			stream.status = reply.statusCode;
			reply.resume().on('end', () => (stream.ended = true));
		}).catch(() => (stream.ended = true));
		assert.equal(await ask(agents[0], call()), 200);
		await until('the stream', () => stream.status === 200);
		assert.ok(!stream.ended && Date.now() < end * 1000);
		await until('the refusal', async () => (await ask(agents[0], call())) === 401, 12000);
		assert.ok(Date.now() >= end * 1000, 'it was refused early');
		await until('the end of the stream', () => stream.ended, 4000);
		assert.equal(sockets.size, 1, 'it was not one connection');
		await until('the record', () => failures(site).some((r) => r.reason === 'expired'), 5000);
	});
	it('bind an access token: it is worth nothing beside another certificate, or none', async (t) => {
		const issuer = await startIssuer(t, [makeKey('ES256', 'ec-1')]);
		const site = await makeSiteWithKeys(t, { prepare: certificates, changes: { ...changes, identity: issuer.identity() } });
		const server = await serve(t, site.config);
		const mark = (name) => thumbprint(new X509Certificate(readFileSync(join(site.home, `${name}.pem`))).raw);
		const token = issuer.token({ cnf: { 'x5t#S256': mark('desk') } });
		const headers = { Authorization: `Bearer ${token}` };
		assert.equal((await show(server, site, 'desk', headers)).status, 200);
		await refused(site, 'binding', 401, () => show(server, site, 'ada', headers)); // while it is remembered, too
		assert.equal((await show(server, site, 'desk', headers)).status, 200);
		assert.equal((await show(server, site, 'ada', { Authorization: `Bearer ${issuer.token()}` })).status, 200);
		await refused(site, 'missing', 401, () => show(server, site, 'desk')); // no row: a certificate alone is nobody
		await recorded(site);

		const bare = makeSite(t, { changes: { identity: issuer.identity() } });
		const open = await serve(t, bare.config);
		await refused(bare, 'binding', 401, () => ask(open, call(), { key: token }));
		await recorded(bare);
	});

	it('rows that nobody could show, or two for one, are findings', async (t) => {
		const none = makeSite(t, { changes: { identity: changes.identity } });
		assert.match((await run(['check', none.config])).stdout, /\[config\.certificates\]/);
		const twice = makeSite(t, { prepare: certificates, changes: { ...changes, identity: `identity:
  certificates:
    - { match: { san_dns: a.example }, subject: a, roles: [reader] }
    - { match: { san_dns: a.example }, subject: b, roles: [reader] }
    - { match: { san_dns: c.example, subject: "CN=c" }, subject: c, roles: [reader] }
    - { match: {}, subject: d, roles: [wizard] }` } });
		const said = (await run(['check', twice.config])).stdout;
		assert.match(said, /\[config\.twice\]/);
		assert.equal(said.match(/\[config\.match\]/g).length, 2);
		assert.match(said, /\[config\.role_unknown\]/);
	});
});

async function issueApprover(site, subject = 'petra') {
	const end = await run(['key', 'issue', site.config, '--subject', subject, '--role', 'reader', '--approver']);
	assert.equal(end.code, 0, end.stderr);
	return /\bpsap_dev_[a-z2-7]{12}_[\w-]{43}\n$/.exec(end.stdout)[0].trim();
}

describe('keys', () => {
	it('of approvers are for people, and keep what they are for', async (t) => {
		const site = await makeSiteWithKeys(t);
		const key = await issueApprover(site);
		for (const wrong of [['--signing'], ['--agent', 'desk'], ['--kind', 'agent'], ['--kind', 'service']]) {
			const end = await run(['key', 'issue', site.config, '--subject', 'x', '--role', 'reader', '--approver', ...wrong]);
			assert.equal(end.code, 64, wrong.join(' '));
			assert.equal(end.stdout, '');
		}
		const next = await run(['key', 'rotate', site.config, idOf(key)]);
		assert.match(next.stdout, /^psap_dev_/);
		assert.match((await run(['key', 'list', site.config])).stdout, / petra .*\(approver\)/);
		assert.match((await run(['key', 'report', site.config])).stdout, / petra .* approver/);
		assert.equal(records(site).filter((r) => r.e === 'KEY' && r.use === 'approve').length, 2);
		// whom it stands for calls nothing
		assert.doesNotMatch((await run(['tools', site.config, '--as', 'petra'])).stdout, /get_item/);
	});

	it('decide on nothing without a terminal to ask on', async (t) => {
		const site = await makeSiteWithKeys(t);
		const key = await issueApprover(site);
		for (const words of [['pending', site.config], ['show', site.config, 'pl_x'], ['approve', site.config, 'pl_x'],
			['decline', site.config, 'pl_x', '--reason', 'no'], ['escalate', site.config, 'pl_x', '--note', 'look']]) {
			const end = await run(words, { env: { POSTERN_KEY: key }, input: `${key}\nyes\n`, alone: true });
			assert.equal(end.code, 77, words[0]);
			assert.match(end.stderr, /no terminal/);
		}
	});

	it('rotate with no call failing, and a revoked one is refused within two seconds', async (t) => {
		const site = await makeSiteWithKeys(t);
		const server = await serve(t, site.config);
		const failures = [];
		let current = site.alice, stop = false, calls = 0;
		const load = Promise.all(Array.from({ length: 4 }, async () => {
			while (!stop) {
				const reply = await show(server, {}, { key: current });
				calls++;
				if (reply.status !== 200) failures.push(reply.status);
			}
		}));
		const end = await run(['key', 'rotate', site.config, idOf(site.alice)]);
		assert.equal(end.code, 0, end.stderr);
		assert.equal(end.stderr.match(/^ {2}[1-5]\. /gm).length, 5, end.stderr);
		const old = current;
		current = /pstn_dev_\S+/.exec(end.stdout)[0];
		const seen = calls;
		await until('calls with the new key', () => calls > seen + 20);
		assert.equal((await show(server, {}, { key: old })).status, 200);
		assert.equal((await run(['key', 'revoke', site.config, idOf(old), '--reason', 'rotated'])).code, 0);
		const revokedAt = Date.now();
		await until('the refusal', async () => (await show(server, {}, { key: old })).status === 401, 2000);
		assert.ok(Date.now() - revokedAt < 2000);
		stop = true;
		await load;
		assert.deepEqual(failures, []);
		const orders = records(site).filter((r) => r.e === 'KEY');
		assert.deepEqual(orders.map((r) => [r.order, r.subj]).filter(([, subject]) => subject === 'alice'), [['issue', 'alice'], ['rotate', 'alice'], ['revoke', 'alice']]);
		const rotate = orders.find((r) => r.order === 'rotate');
		assert.deepEqual([rotate.cred, rotate.replaces], [idOf(current), idOf(old)]);
		assert.equal(orders.find((r) => r.order === 'revoke').reason, 'rotated');
		assert.ok(orders.every((r) => r.by));
		assert.ok(!JSON.stringify(orders).includes(current.slice(22)));
		assert.equal((await run(['key', 'rotate', site.config, idOf(old)])).code, 1);
		assert.equal((await run(['key', 'rotate', site.config, 'abcdefgh2345'])).code, 1);
	});

	it('what a revoked key has under way ends; nothing new of it begins', async (t) => {
		const site = await makeSiteWithKeys(t);
		const server = await serve(t, site.config);
		const nap = request('tools/call', { name: 'nap', arguments: {} });
		const underWay = Array.from({ length: 20 }, () => ask(server, nap, { key: site.alice }));
		assert.equal((await run(['key', 'revoke', site.config, idOf(site.alice)])).code, 0);
		await until('the refusal', async () => (await show(server, {}, { key: site.alice })).status === 401, 2000);
		assert.deepEqual(new Set((await Promise.all(underWay)).map((reply) => reply.status)), new Set([200]));
		assert.ok(failures(site).some((r) => r.reason === 'revoked'));
	});

	it('report ages, what is unused and what expires; check warns of it', async (t) => {
		const site = await makeSiteWithKeys(t);
		await issueKey(site.config, { subject: 'soon', args: ['--expires', '7'] });
		const db = new DatabaseSync(join(site.home, 'state/postern.db'));
		db.exec('UPDATE api_keys SET created_us = created_us - 40 * 86400000000 WHERE subject = \'bob\'');
		db.close();
		const report = (await run(['key', 'report', site.config])).stdout.split('\n');
		const line = (subject) => report.find((text) => text.includes(` ${subject} `));
		assert.match(line('bob'), / 40d .*unused for 40 days/);
		assert.match(line('soon'), /expires in [67] days/);
		assert.match(line('alice'), / 0d .*never expires/);
		assert.doesNotMatch(line('alice'), /unused for/);
		assert.match((await run(['key', 'report', site.config, '--unused', '50'])).stdout, / 40d /);
		assert.equal((await run(['key', 'report', site.config, '--unused', '0'])).code, 64);
		const said = (await run(['check', site.config])).stdout;
		assert.match(said, /warning \[config\.key_expires\].*soon/);
		assert.doesNotMatch(said, /config\.key_forever/);
	});

	it('a store that is gone or open to others is no answer, and not "unknown"', async (t) => {
		const site = await makeSiteWithKeys(t);
		const server = await serve(t, site.config);
		const store = join(site.home, 'state/postern.db');
		assert.equal((await show(server, {}, { key: site.alice })).status, 200);
		renameSync(store, `${store}.away`);
		await until('503', async () => (await show(server, {}, { key: site.alice })).status === 503, 3000);
		assert.equal((await show(server, {}, { key: site.alice.slice(0, 22) + site.bob.slice(22) })).status, 503);
		renameSync(`${store}.away`, store);
		await until('the store again', async () => (await show(server, {}, { key: site.alice })).status === 200, 3000);
	});

	it('of one version before are kept', async (t) => {
		const site = makeSite(t);
		mkdirSync(join(site.home, 'state'), { mode: 0o700 });
		const file = join(site.home, 'state/postern.db');
		const secret = randomBytes(32);
		const db = new DatabaseSync(file);
		db.exec(`CREATE TABLE api_keys (id TEXT NOT NULL PRIMARY KEY, hash BLOB NOT NULL CHECK (length(hash) = 32),
			subject TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('human', 'agent', 'service')),
			tenant TEXT NOT NULL, agent TEXT NOT NULL, environment TEXT NOT NULL, label TEXT NOT NULL, roles TEXT NOT NULL,
			created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, revoked_us INTEGER NOT NULL, used_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;
			PRAGMA application_id = 1886614642; PRAGMA user_version = 1`);
		db.prepare('INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 0, 0)')
			.run('abcdefgh2345', createHash('sha256').update(secret).digest(), 'old', 'human', '', '', 'development', '', 'reader');
		db.close();
		chmodSync(file, 0o600);
		const server = await serve(t, site.config);
		assert.equal((await show(server, {}, { key: `pstn_dev_abcdefgh2345_${secret.toString('base64url')}` })).status, 200);
	});

	it('a stream ends when its key does', async (t) => {
		const site = await makeSiteWithKeys(t);
		const server = await serve(t, site.config);
		const listen = request('subscriptions/listen', { notifications: { toolsListChanged: true } });
		const stream = await open(t, server.port, post(server, listen, { key: site.alice, headers: modernHeaders(listen) }));
		assert.equal(stream.status, 200, stream.text);
		await run(['key', 'revoke', site.config, idOf(site.alice)]);
		await until('the end of the stream', () => stream.closed || stream.ended, 3000);
	});
});

describe('stdio', () => {
	const tool = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_item', arguments: { item_id: 'itm_0001' }, _meta: envelope() } };
	const inFile = { identity: 'identity: { api_keys: true, stdio: { key: "${file:person.key}" } }' };

	it('takes the key of a file as it is now, and names the person in the record', async (t) => {
		const site = makeSite(t, { prepare: (home) => secretFile(home, 'person.key', 'x') , changes: inFile });
		const alice = await issueKey(site.config, { subject: 'alice' });
		const bob = await issueKey(site.config, { subject: 'bob' });
		secretFile(site.home, 'person.key', `${alice}\n`);
		const it = pipe(t, site.config);
		await it.tell(tool);
		assert.ok((await it.next()).result);
		secretFile(site.home, 'person.key', bob);
		const who = () => records(site).filter((r) => r.e === 'CALL_OUTCOME').map((r) => r.subj);
		await until('bob in a record', async () => {
			await it.tell(tool);
			assert.ok((await it.next()).result);
			return who().at(-1) === 'bob';
		}, 5000);
		assert.equal(who()[0], 'alice');
		chmodSync(join(site.home, 'person.key'), 0o644);
		await until('no key', async () => {
			await it.tell(tool);
			return (await it.next()).error;
		}, 5000);
		assert.ok(records(site).some((r) => r.e === 'AUTH_FAIL' && r.reason === 'unavailable' && r.peer === 'stdio'));
		assert.ok(!it.stderr.includes(bob.slice(22)));
	});

	it('does not start without a key, nor with a file that is no place for one', async (t) => {
		const absent = makeSite(t);
		for (const env of [{ POSTERN_KEY: '' }, {}]) {
			const end = await run(['stdio', absent.config], { env: { POSTERN_KEY: undefined, ...env } });
			assert.equal(end.code, 77, end.stderr);
		}
		const ways = {
			open: (path) => writeFileSync(path, 'x', { mode: 0o644 }),
			group: (path) => (writeFileSync(path, 'x'), chmodSync(path, 0o640)),
			link: (path) => (writeFileSync(`${path}.real`, 'x', { mode: 0o600 }), symlinkSync(`${path}.real`, path)),
			pipe: (path) => execFileSync('mkfifo', ['-m', '600', path]),
			directory: (path) => mkdirSync(path, { mode: 0o700 }),
			device: (path) => symlinkSync('/dev/zero', path),
			empty: (path) => writeFileSync(path, '', { mode: 0o600 }),
			huge: (path) => execFileSync('truncate', ['-s', '1G', path]) && chmodSync(path, 0o600),
		};
		for (const [name, make] of Object.entries(ways)) {
			const site = makeSite(t, { changes: inFile, prepare: (home) => make(join(home, 'person.key')) });
			const end = await run(['stdio', site.config]);
			assert.equal(end.code, 78, `${name}: ${end.stderr}`);
			assert.match(end.stderr, /\[config\.secret_file\]/, name);
		}
	});

	it('no secret stays in the environment of a server, and a reload still has it', async (t) => {
		const site = makeSite(t, { changes: { identity: proxies.identity.replace('${file:gate.key}', '${env:GATE_KEY}').replace('next: "${file:gate.next}", ', '') } });
		const server = await serve(t, site.config, { env: { GATE_KEY: proxyKey, ANOTHER: proxyKey } });
		const shown = () => {
			try {
				return readFileSync(`/proc/${server.child.pid}/environ`, 'utf8');
			} catch (error) {
				assert.equal(error.code, 'EACCES'); // not dumpable: only root may look
				return '';
			}
		};
		assert.ok(!shown().includes(proxyKey));
		assert.equal((await show(server, proxied(ada))).status, 200);
		server.child.kill('SIGHUP');
		await until('the reload', () => /reloaded/.test(server.stderr));
		assert.equal((await show(server, proxied(ada))).status, 200);
		assert.ok(!shown().includes(proxyKey));
	});

	it('the key does not stay in the environment of the process', async (t) => {
		const site = makeSite(t);
		const alice = await issueKey(site.config, { subject: 'alice' });
		const it = pipe(t, site.config, { env: { POSTERN_KEY: alice } });
		await it.tell(tool);
		assert.ok((await it.next()).result);
		let shown = '';
		try {
			shown = readFileSync(`/proc/${it.child.pid}/environ`, 'utf8');
		} catch (error) {
			assert.equal(error.code, 'EACCES'); // not dumpable: only root may look
		}
		assert.ok(!shown.includes(alice));
		assert.ok(!readFileSync(`/proc/${it.child.pid}/cmdline`, 'utf8').includes(alice.slice(22)));
	});
});
