// Who may do what, from outside: every role against every tool as the configuration says it, what is outside a
// toolset against what does not exist, tenants, and what a client claims of itself.  Each with its record.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client } from '@modelcontextprotocol/client';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { ask, exchange, initialize, issueKey, post, modernHeaders, open, request, run, send, serve, until } from './harness.mjs';
import { configuration, makeSite } from './site.mjs';

const builtins = ['whoami', 'list_scopes'];
const grants = ['a.read', 'b.read', 'c.read', 'd.read'];
const tools = Object.fromEntries(['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'].map((name, i) => [name, grants[i % grants.length]]));
const roles = {
	none: [],
	first: ['a.read'],
	second: ['b.read', 'c.read'],
	both: ['first', 'second'],
	all: ['both', 'd.read'],
};
const held = (role) => roles[role].flatMap((name) => roles[name] ? held(name) : [name]);

const toolText = (name, grant, more = '') => `  ${name}:
    version: 1
    title: Tool ${name}
    description: What ${name} says, in words of its own (${name}-words).
    owner: tests
    purpose: permissions
    source: shop
    requires: ${grant}
    input: { kind: { type: string, enum: [${name}-one, ${name}-two], optional: true, description: A kind. } }
    read: SELECT '${name}' AS word, :kind AS kind${more}
    returns: { shape: one, columns: { word: string, kind: { type: string, nullable: true } } }
`;
const catalog = 'tools:\n' + Object.entries(tools).map(([name, grant]) => toolText(name, grant)).join('') +
	toolText('of_tenant', 'a.read', " WHERE :principal.tenant <> ''") + `resources:
  open_page: { uri: "shop://open", title: Open, description: An open page (open-words)., mime_type: text/plain, requires: a.read, text: open }
  kept_page: { uri: "shop://kept", title: Kept, description: A kept page (kept-words)., mime_type: text/plain, requires: a.read, text: kept }
  kept_items:
    uri_template: "shop://kept/{id}"
    title: Kept items
    description: Kept items (kept-template-words).
    mime_type: application/json
    source: shop
    requires: a.read
    input: { id: { type: string, maxLength: 9 } }
    read: SELECT :id AS id
    returns: { shape: one, columns: { id: string } }
    complete: { id: { values: [kept-value-1, kept-value-2] } }
prompts:
  open_prompt: { title: Open, description: Open prompt., requires: a.read, arguments: { x: { description: X., complete: { values: [open-value] } } }, messages: [{ role: user, text: "open {x}" }] }
  kept_prompt: { title: Kept, description: Kept prompt (kept-prompt-words)., requires: a.read, arguments: { x: { description: X., complete: { values: [kept-prompt-value] } } }, messages: [{ role: user, text: "kept {x}" }] }
`;
const roleText = 'roles:\n' + Object.entries(roles).map(([name, list]) => `  ${name}: [${list.join(', ')}]\n`).join('');

const site = (t, changes = {}) => makeSite(t, { changes: { roles: roleText, ...changes }, tools: catalog });

// Every record of every process of the deployment.
function records(home) {
	const files = readdirSync(join(home, 'state/audit'), { recursive: true }).filter((name) => /audit-.*\.log$/.test(name));
	return files.flatMap((name) => readFileSync(join(home, 'state/audit', name), 'utf8').split('\n')
		.map((line) => line.slice(line.indexOf('{'), line.lastIndexOf('}') + 1)).filter(Boolean).map((line) => JSON.parse(line)));
}

const list = async (server, key, method = 'tools/list', field = 'tools') =>
	(await ask(server, request(method), { key })).json.result[field];
const names = async (server, key, ...rest) => (await list(server, key, ...rest)).map((entry) => entry.name);
const call = (server, key, name, args = {}, options = {}) =>
	ask(server, request('tools/call', { name, arguments: args }, options), { key });
const fault = ({ json }) => json.result?.structuredContent?.error;

describe('every role against every tool', () => {
	const scope = [];
	const keys = {};
	let place, server;

	before(async () => {
		const t = { after: (f) => scope.push(f) };
		place = site(t);
		server = await serve(t, place.config);
		for (const role of Object.keys(roles))
			keys[role] = await issueKey(place.config, { subject: `${role}@acme.example`, roles: [role], tenant: 'acme' });
	});
	after(async () => {
		for (const f of scope.reverse()) await f();
	});

	it('lists exactly what the role grants, and each list is the matrix of the command', async () => {
		const matrix = JSON.parse((await run(['matrix', place.config, '--json'])).stdout);
		for (const role of Object.keys(roles)) {
			const listed = new Set(await names(server, keys[role]));
			const expected = Object.keys(tools).filter((name) => held(role).includes(tools[name]));
			if (held(role).includes('a.read')) expected.push('of_tenant');
			assert.deepEqual([...listed].sort(), [...expected, ...builtins].sort(), role);
			for (const row of matrix.filter((row) => row.kind === 'tool'))
				assert.equal(row.roles[role] === 'given', listed.has(row.name), `${role} × ${row.name}`);
		}
	});
	for (const role of Object.keys(roles))
		it(`${role}: calls what it lists and nothing else, and every refusal has its record`, async () => {
			for (const [name, grant] of Object.entries(tools)) {
				const reply = await call(server, keys[role], name);
				if (held(role).includes(grant)) {
					assert.equal(reply.json.result.structuredContent.word, name, reply.body);
					continue;
				}
				assert.equal(fault(reply).code, 'PERMISSION_DENIED', reply.body);
				assert.deepEqual(fault(reply).details, { reason: 'grant', grant });
				const record = records(place.home).find((r) => r.call === fault(reply).call_id);
				assert.equal(record.e, 'DENY');
				assert.equal(record.reason, 'grant');
				assert.equal(record.tool, `${name}@1`);
				assert.equal(record.subj, `${role}@acme.example`);
			}
		});
	it('ask and tools --as say the same', async () => {
		for (const role of ['first', 'second']) {
			const seen = await run(['tools', place.config, '--as', `${role}@acme.example`]);
			for (const [name, grant] of Object.entries(tools)) {
				const may = held(role).includes(grant);
				assert.equal(new RegExp(`^${name}@1 `, 'm').test(seen.stdout), may, seen.stdout);
				const asked = await run(['ask', place.config, name, '--as', `${role}@acme.example`]);
				assert.equal(asked.code, may ? 0 : 1, asked.stdout + asked.stderr);
				assert.match(asked.stdout, may ? /^ {2}allowed$/m : /^ {2}grant +no .*\n[^]*^ {2}refused: PERMISSION_DENIED, reason grant$/m);
			}
		}
	});
	it('names are taken byte for byte', async () => {
		const wrong = ['Alpha', 'alpha ', ' alpha', 'ａlpha', 'аlpha', 'alpha\u200b', 'alpha/../beta', 'alpha\n', 'alpha\u0000', '', 'alph', 'x'.repeat(129), 'alpha@1'];
		for (const name of wrong) {
			const { json, body } = await send(server, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } },
				{ key: keys.all, headers: (await session()).headers });
			assert.equal(json.error?.code, -32602, `${JSON.stringify(name)}: ${body}`);
		}
		const escaped = await send(server, '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\u0061lpha","arguments":{}}}',
			{ key: keys.all, headers: (await session()).headers });
		assert.equal(escaped.json.result.structuredContent.word, 'alpha', 'an escape in JSON is the same name');
		assert.ok(records(place.home).some((r) => r.e === 'DENY' && r.reason === 'unknown_tool' && r.target === 'Alpha' && r.ten === 'acme' && r.era === '2025-11-25' && r.rpc === 1));
	});
	let open;
	const session = async () => (open ??= await initialize(server, { key: keys.all }));
	it('what a client says of itself changes nothing', async () => {
		const claims = { 'io.modelcontextprotocol/clientInfo': { name: 'postern-admin', version: '1' },
			'io.modelcontextprotocol/roles': ['all'], 'io.modelcontextprotocol/subject': 'all@acme.example', 'postern/roles': ['all'], tenant: 'birch' };
		const refused = await call(server, keys.none, 'alpha', {}, { meta: claims });
		assert.equal(fault(refused).code, 'PERMISSION_DENIED');
		assert.equal(records(place.home).find((r) => r.call === fault(refused).call_id).cn, 'postern-admin');
		const served = await call(server, keys.first, 'alpha', {}, { meta: { ...claims, annotations: { readOnlyHint: true } } });
		assert.equal(served.json.result.structuredContent.word, 'alpha');
		assert.deepEqual((await ask(server, request('tools/list', {}, { meta: claims }), { key: keys.none })).json.result.tools.map((tool) => tool.name), builtins);
	});
	it('whoami and list_scopes say what the server knows, to the official client, and are recorded', async () => {
		const client = new Client({ name: 'e2e', version: '1' }, { versionNegotiation: { mode: 'auto' } });
		await client.connect(new StreamableHTTPClientTransport(new URL(server.url), { requestInit: { headers: { Authorization: `Bearer ${keys.second}` } } }));
		await client.listTools();
		const who = (await client.callTool({ name: 'whoami', arguments: {} })).structuredContent;
		assert.deepEqual({ ...who, credential: '' }, { subject: 'second@acme.example', kind: 'human', tenant: 'acme', agent: 'e2e', roles: ['second'],
			credential: '', credential_kind: 'key', issuer: null, environment: 'development', expires: null, read_only: false });
		assert.match(who.credential, /^[a-z2-7]{12}$/);
		const scopes = (await client.callTool({ name: 'list_scopes', arguments: {} })).structuredContent;
		assert.deepEqual(scopes.grants.map((row) => row.grant), ['b.read', 'c.read']);
		for (const [name, grant] of Object.entries(tools)) {
			const row = scopes.tools.find((entry) => entry.name === name);
			const allowed = held('second').includes(grant);
			assert.deepEqual(row, { kind: 'tool', name, requires: grant, allowed, reason: allowed ? null : 'grant' });
		}
		const wrong = await client.callTool({ name: 'whoami', arguments: { as: 'root' } });
		assert.equal(wrong.structuredContent.error.code, 'VALIDATION_ERROR');
		await client.close();
		assert.ok(records(place.home).some((r) => r.tool === 'whoami@1' && r.code === 'OK' && r.subj === 'second@acme.example'));
	});
});

describe('toolsets', () => {
	const scope = [];
	const keys = {};
	let place, server;
	const hidden = ['beta', 'gamma', 'delta'];

	before(async () => {
		const t = { after: (f) => scope.push(f) };
		place = site(t, { toolsets: `toolsets:
  open: { tools: [alpha, zeta], resources: [open_page], prompts: [open_prompt], for: { roles: [all] } }
  chosen: { tools: [epsilon], for: { subjects: [vip@acme.example] } }
  desk: { tools: [alpha, epsilon, beta], resources: [open_page, kept_page], prompts: [open_prompt], for: { agents: [desk] } }
  back: { tools: [zeta], for: { agents: [back] } }` });
		server = await serve(t, place.config);
		for (const [name, options] of Object.entries({
			desk: { agent: 'desk' }, back: { agent: 'back' }, other: { agent: 'other' },
			vip: { agent: 'desk', subject: 'vip@acme.example' }, low: { agent: 'desk', roles: ['first'] },
		})) keys[name] = await issueKey(place.config, { subject: `${name}@acme.example`, roles: ['all'], tenant: 'acme', ...options });
	});
	after(async () => {
		for (const f of scope.reverse()) await f();
	});

	it('the person and the agent must both say yes, and nothing matching is nothing', async () => {
		const surfaces = { desk: ['alpha'], back: ['zeta'], other: [], vip: ['alpha', 'epsilon'], low: [] };
		for (const [name, expected] of Object.entries(surfaces)) {
			assert.deepEqual(await names(server, keys[name]), [...expected, ...builtins], name);
			for (const tool of Object.keys(tools)) {
				const { json, body } = await call(server, keys[name], tool);
				if (expected.includes(tool)) assert.equal(json.result.structuredContent.word, tool);
				else assert.equal(json.error?.code, -32602, body);
			}
		}
	});
	// The whole reply but for the date, for two requests that differ in a name of one length.
	const bytes = async (message, key, headers) => {
		const { replies: [{ status, headers: got, body }] } = await exchange(server.port, post(server, message, { key, headers }));
		delete got.date;
		return JSON.stringify({ status, got, body });
	};
	it('what is outside is unknown to the byte, on every revision, and the record knows its name', async () => {
		const { headers } = await initialize(server, { key: keys.desk });
		const pairs = [
			['tools/call', { name: 'gamma', arguments: {} }, { name: 'gamme', arguments: {} }],
			['tools/call', { name: 'gamma', arguments: { kind: 7 } }, { name: 'gamme', arguments: { kind: 7 } }],
			['tools/call', { name: 'gamma', arguments: 1 }, { name: 'gamme', arguments: 1 }],
			['prompts/get', { name: 'kept_prompt', arguments: { x: 1 } }, { name: 'kept_promp2', arguments: { x: 1 } }],
			['completion/complete', { ref: { type: 'ref/prompt', name: 'kept_prompt' }, argument: { name: 'x', value: '' } },
				{ ref: { type: 'ref/prompt', name: 'kept_promp2' }, argument: { name: 'x', value: '' } }],
		];
		for (const [method, kept, absent] of pairs) {
			const old = (params) => bytes({ jsonrpc: '2.0', id: 5, method, params }, keys.desk, headers);
			const modern = (params) => { const m = request(method, params); return bytes(m, keys.desk, modernHeaders(m)); };
			assert.equal(await old(kept), await old(absent), method);
			assert.equal(await modern(kept), await modern(absent), method);
		}
		const uris = async (method, make) => {
			const of = async (uri) => (await bytes(request(method, make(uri)), keys.desk, modernHeaders(request(method, make(uri))))).replaceAll(uri, 'URI');
			assert.equal(await of('shop://kept/1'), await of('shop://kepp/1'), method);
		};
		await uris('resources/read', (uri) => ({ uri }));
		const subscribed = async (uri) => (await bytes({ jsonrpc: '2.0', id: 6, method: 'resources/subscribe', params: { uri } }, keys.desk, headers)).replaceAll(uri, 'URI');
		assert.equal(await subscribed('shop://kept/1'), await subscribed('shop://kepp/1'));
		// refusals of one caller that repeat within a second are counted, so each of these has a key of its own
		for (const [method, params, target] of [['tools/call', { name: 'gamma', arguments: {} }, 'gamma'],
			['prompts/get', { name: 'kept_prompt' }, 'kept_prompt'], ['resources/read', { uri: 'shop://kept/secret-1' }, 'kept_items']]) {
			const key = await issueKey(place.config, { subject: `desk-${target}`, roles: ['all'], tenant: 'acme', agent: 'desk' });
			assert.ok((await ask(server, request(method, params), { key })).json.error);
			const record = records(place.home).find((r) => r.subj === `desk-${target}`);
			assert.deepEqual([record.e, record.reason, record.target, record.act, record.ten, record.era, record.rpc, record.method],
				['DENY', 'toolset', target, 'desk', 'acme', '2026-07-28', 1, method]);
		}
		assert.ok(records(place.home).some((r) => r.reason === 'unknown_tool' && r.target === 'gamme'));
		assert.ok(!records(place.home).some((r) => /secret-1/.test(JSON.stringify(r))), 'no value of a URI is written down');
	});
	it('no name, description or value of what is outside stands in anything that is sent', async () => {
		const asked = [['tools/list'], ['resources/list'], ['resources/templates/list'], ['prompts/list'], ['server/discover'],
			['tools/call', { name: 'list_scopes', arguments: {} }], ['tools/call', { name: 'whoami', arguments: {} }],
			['completion/complete', { ref: { type: 'ref/prompt', name: 'open_prompt' }, argument: { name: 'x', value: '' } }],
			['completion/complete', { ref: { type: 'ref/resource', uri: 'shop://kept/{id}' }, argument: { name: 'id', value: '' } }],
			['prompts/get', { name: 'open_prompt', arguments: { x: 'y' } }]];
		for (const [method, params] of asked) {
			const message = request(method, params);
			const { body } = await ask(server, message, { key: keys.desk });
			for (const word of [...hidden, 'epsilon', 'kept_prompt', 'kept-words', 'kept-template-words', 'kept-prompt-words', 'kept-value', 'kept_items'])
				assert.ok(!body.includes(word), `${method}: ${word}: ${body}`);
		}
	});
	it('ask names the rule and the toolsets', async () => {
		const asked = await run(['ask', place.config, 'beta', '--as', 'desk@acme.example']);
		assert.equal(asked.code, 1);
		assert.match(asked.stdout, /^ {2}toolset +no +it is in desk; the person has open; the agent has desk$/m);
		assert.match(asked.stdout, /refused: for this caller there is no such tool/);
		const made = await run(['ask', place.config, 'zeta', '--as', 'new@acme.example', '--role', 'all', '--agent', 'back']);
		assert.equal(made.code, 0, made.stdout);
		assert.match(made.stdout, /^ {2}toolset +yes +it is in open, back$|^ {2}toolset +yes /m);
		const here = await run(['call', place.config, 'gamma'], { env: { POSTERN_KEY: keys.desk } });
		const nowhere = await run(['call', place.config, 'gamme'], { env: { POSTERN_KEY: keys.desk } });
		assert.equal(here.stderr.replaceAll('gamma', 'X'), nowhere.stderr.replaceAll('gamme', 'X'));
	});
});

describe('tenants', () => {
	it('one that is not listed is refused before anything is looked up; one that is missing where it is needed, too', async (t) => {
		const place = site(t, { tenants: 'tenants: [acme, birch]' });
		const server = await serve(t, place.config);
		// the same deployment before it listed its tenants
		const before = join(place.home, 'before.yaml');
		writeFileSync(before, readFileSync(place.config, 'utf8').replace('tenants: [acme, birch]\n', ''));
		for (const [subject, tenant] of [['none', undefined], ['stranger', 'cedar'], ['homoglyph', 'аcme'], ['case', 'Acme'], ['pair', 'acme,birch']]) {
			const args = ['--subject', subject, '--role', 'all', ...(tenant ? ['--tenant', tenant] : [])];
			const denied = await run(['key', 'issue', place.config, ...args]);
			assert.equal(denied.code, 64, subject);
			assert.equal(denied.stdout, '');
			assert.ok(denied.stderr.includes(tenant ? `tenant "${tenant}" is not listed under 'tenants'` : 'a key needs --tenant'), denied.stderr);
			const key = await issueKey(before, { subject, tenant, roles: ['all'] });
			const id = (await run(['key', 'list', place.config])).stdout.split('\n').find((line) => line.includes(subject)).split(/\s+/)[0];
			assert.equal((await run(['key', 'rotate', place.config, id])).code, 64, 'a copy of it is no better');
			for (const message of [request('tools/list'), request('tools/call', { name: 'alpha', arguments: {} }), request('tools/call', { name: 'nothing', arguments: {} }), request('server/discover')]) {
				const reply = await ask(server, message, { key });
				assert.equal(reply.status, 403, reply.body);
				assert.ok(!/alpha|nothing/.test(reply.body));
			}
			for (const method of ['GET', 'DELETE', 'PUT']) {
				const reply = await fetch(server.url, { method, headers: { authorization: `Bearer ${key}`, 'mcp-session-id': 'x' } });
				assert.equal(reply.status, 403, method);
			}
			assert.ok(records(place.home).some((r) => r.e === 'DENY' && r.reason === 'tenant' && r.subj === subject));
		}
		const key = await issueKey(place.config, { subject: 'ada', tenant: 'birch', roles: ['all'] });
		assert.equal((await call(server, key, 'of_tenant')).json.result.structuredContent.word, 'of_tenant');
	});
	it('a reload that takes one off the list ends its streams', async (t) => {
		const place = site(t, { tenants: 'tenants: [acme, birch]' });
		const server = await serve(t, place.config);
		const listen = async (tenant) => {
			const key = await issueKey(place.config, { subject: 'ada', tenant, roles: ['all'] });
			const message = request('subscriptions/listen', { notifications: { toolsListChanged: true } });
			const stream = await open(t, server.port, post(server, message, { key, headers: modernHeaders(message) }));
			assert.equal(stream.status, 200, stream.text);
			return stream;
		};
		const acme = await listen('acme'), birch = await listen('birch');
		writeFileSync(place.config, readFileSync(place.config, 'utf8').replace('[acme, birch]', '[acme]'));
		server.child.kill('SIGHUP');
		await until('its stream to end', () => birch.ended || birch.closed);
		assert.ok(!acme.ended && !acme.closed);
	});
	it('without a list a tool that binds the tenant still needs one', async (t) => {
		const place = site(t);
		const server = await serve(t, place.config);
		const key = await issueKey(place.config, { subject: 'ada', roles: ['all'] });
		const refused = await call(server, key, 'of_tenant');
		assert.equal(fault(refused).code, 'PERMISSION_DENIED', refused.body);
		assert.deepEqual(fault(refused).details, { reason: 'tenant' });
		assert.ok(!(await names(server, key)).includes('of_tenant'));
		assert.equal((await call(server, key, 'alpha')).json.result.structuredContent.word, 'alpha');
	});
});

describe('compare', () => {
	const words = (text) => text.replace(/[0-9a-f]{12}/g, 'H').trim().split('\n');
	const change = (text, ...pairs) => pairs.reduce((all, [from, to]) => {
		assert.ok(all.includes(from), from);
		return all.replace(from, to);
	}, text);
	it('says which limits, masks, columns, tenants and modes differ', async (t) => {
		const limits = (calls, more = '') => `limits: { calls: [ ${calls} ]${more} }`;
		const sources = (more) => `sources:\n  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the tests read${more} }`;
		const staging = site(t, { sources: sources(', limits: { calls: [ 9/m per tenant ] }'), limits: limits('90/m per principal, 500/h'),
			tenants: 'tenants: [acme, elm]', toolsets: 'toolsets:\n  desk: { tools: [alpha], for: { roles: [all] } }' });
		const production = site(t, { sources: sources(', limits: { calls: [ 8/m per tenant ], concurrency: 3 }'), limits: limits('500/h, 60/m per principal', ', destructive: [ 5/d per principal ], memory: 512MiB'),
			tenants: 'tenants: [acme, birch]', toolsets: 'toolsets:\n  desk: { tools: [alpha, beta], for: { roles: [all] } }',
			modes: 'modes: { read_only: { agents: [crawler] } }' });
		const alpha = "columns: { word: string, kind: { type: string, nullable: true } } }\n  beta:";
		const limited = (text, list) => change(text, ['    title: Tool beta', `    limits: { ${list} }\n    title: Tool beta`]);
		writeFileSync(join(staging.home, 'catalog.yaml'), limited(change(catalog, [alpha,
			"columns: { word: { type: string, mask: initials, unmask: a.read, class: pii }, kind: { type: string, nullable: true } } }\n  beta:"]), 'calls: [ 4/m, 20/h per agent ]'));
		writeFileSync(join(production.home, 'catalog.yaml'), limited(change(catalog, [alpha,
			"columns: { word: { type: string, mask: hash, unmask: d.read, class: phi }, kind: { type: string, nullable: true } } }\n  beta:"]), 'calls: [ 20/h per agent, 5/m ], cost: 2, concurrency: 2'));
		const { code, stdout, stderr } = await run(['compare', staging.config, production.config]);
		assert.equal(code, 1, stderr);
		assert.deepEqual(words(stdout), [
			'tool alpha: column word: mask: initials -> hash',
			'tool alpha: column word: unmask: a.read -> d.read',
			'tool alpha: column word: class: pii -> phi',
			'tool alpha: definition: H -> H',
			'tool beta: limit 4/m: only in staging',
			'tool beta: limit 5/m: only in production',
			'tool beta: cost: 1 -> 2',
			'tool beta: concurrency: 0 -> 2',
			'tool beta: definition: H -> H',
			'toolset desk: tool beta: only in production',
			`limits: memory: ${2 ** 30} -> ${2 ** 29}`,
			'limits: calls 90/m per principal: only in staging',
			'limits: calls 60/m per principal: only in production',
			'limits: destructive 20/d per principal: only in staging',
			'limits: destructive 5/d per principal: only in production',
			'source shop: concurrency: 32 -> 3',
			'source shop: concurrency shared: no -> yes',
			'source shop: limit 9/m per tenant: only in staging',
			'source shop: limit 8/m per tenant: only in production',
			'read-only: agent crawler: only in production',
			'tenants: tenant elm: only in staging',
			'tenants: tenant birch: only in production',
			'22 differences, 0 intended',
		], stdout);
	});
	it('says which columns of which part only one of them shows, and how buckets differ', async (t) => {
		const pair = (columns) => `tools:
  pair:
    version: 1
    title: Two parts
    description: Two parts of one read.
    owner: tests
    purpose: comparison
    source: shop
    requires: a.read
    read:
      one:
        sql: SELECT ${Object.keys(columns).map((name) => `1 AS ${name}`).join(', ')}
        shape: one
        columns: { ${Object.entries(columns).map(([name, type]) => `${name}: ${type}`).join(', ')} }
`;
		const at = (tools) => makeSite(t, { changes: { roles: 'roles:\n  all: [a.read]' }, tools });
		const staging = at(pair({ a: 'integer', b: '{ type: integer, mask: { bucket: 100 } }' }));
		const production = at(pair({ b: '{ type: integer, mask: { bucket: 1000 } }' }));
		const { stdout, stderr } = await run(['compare', staging.config, production.config]);
		assert.deepEqual(words(stdout), ['tool pair: column one.a: only in staging', 'tool pair: column one.b: mask: {bucket: 100} -> {bucket: 1000}',
			'tool pair: definition: H -> H', '3 differences, 0 intended'], stderr);
	});
});

describe('modes and changes', () => {
	it('--read-only, the file and a list of subjects or agents make a caller read-only', async (t) => {
		const readOnly = async (place, args, key) => (await call(await serve(t, place.config, { args }), key, 'whoami')).json.result.structuredContent.read_only;
		const plain = site(t), file = site(t, { modes: 'modes: { read_only: true }' });
		const some = site(t, { modes: 'modes: { read_only: { subjects: [auditor], agents: [crawler] } }' });
		const key = (place, more) => issueKey(place.config, { subject: 'ada', roles: ['all'], ...more });
		assert.equal(await readOnly(plain, [], await key(plain)), false);
		assert.equal(await readOnly(plain, ['--read-only', '--instance', 'b'], await key(plain)), true);
		assert.equal(await readOnly(file, [], await key(file)), true);
		assert.equal(await readOnly(some, [], await key(some)), false);
		assert.equal(await readOnly(some, ['--instance', 'b'], await key(some, { agent: 'crawler' })), true);
		assert.equal(await readOnly(some, ['--instance', 'c'], await key(some, { subject: 'auditor' })), true);
	});
	it('a call whose arguments fitted before a reload is told of the new version', async (t) => {
		const place = site(t);
		const server = await serve(t, place.config);
		const key = await issueKey(place.config, { subject: 'ada', roles: ['all'] });
		const stale = () => call(server, key, 'alpha', { kind: 'alpha-one' });
		assert.equal((await stale()).json.result.structuredContent.kind, 'alpha-one');
		assert.equal(fault(await call(server, key, 'alpha', { kind: 'no' })).details.reason, 'enum');
		writeFileSync(join(place.home, 'catalog.yaml'), catalog.replace('version: 1', 'version: 2').replace('alpha-one, alpha-two', 'alpha-three'));
		server.child.kill('SIGHUP');
		await until('the reload', () => /reloaded/.test(server.stderr));
		const refused = await stale();
		assert.equal(fault(refused).code, 'VALIDATION_ERROR');
		assert.equal(fault(refused).details.reason, 'tool_changed');
		assert.equal(fault(refused).details.version, 2);
		assert.equal(fault(refused).details.faults[0].pointer, '/kind');
		const [before, after] = records(place.home).filter((r) => r.call && r.tool?.startsWith('alpha@') && (r.code === 'OK' || r.reason === 'tool_changed'));
		assert.equal(after.tool, 'alpha@2');
		assert.notEqual(after.td, before.td, 'the record holds the digest that the call was judged by');
		assert.equal(fault(await call(server, key, 'beta', { kind: 'no' })).details.reason, 'enum', 'what did not change is not blamed');
	});
	it('a grant that a reload takes away is gone with the next call', async (t) => {
		const place = site(t);
		const server = await serve(t, place.config);
		const key = await issueKey(place.config, { subject: 'ada', roles: ['second', 'first'] });
		assert.equal((await call(server, key, 'alpha')).json.result.structuredContent.word, 'alpha');
		writeFileSync(place.config, configuration({ roles: roleText.replace('first: [a.read]', 'first: [b.read]').replace('all: [both,', 'all: [both, a.read,') }));
		server.child.kill('SIGHUP');
		await until('the reload', () => /reloaded/.test(server.stderr));
		assert.deepEqual(fault(await call(server, key, 'alpha')).details, { reason: 'grant', grant: 'a.read' });
		assert.ok(!(await names(server, key)).includes('alpha'));
	});
	it('compare prints each difference, and wants every one to be intended', async (t) => {
		const staging = site(t), production = site(t, { roles: roleText.replace('second: [b.read, c.read]', 'second: [b.read]').replace('all: [both,', 'all: [both, c.read,') });
		writeFileSync(join(production.home, 'catalog.yaml'), catalog.replace('version: 1', 'version: 2'));
		const same = await run(['compare', staging.config, staging.config]);
		assert.equal(same.code, 0);
		assert.equal(same.stdout, '0 differences, 0 intended\n');
		const { code, stdout } = await run(['compare', staging.config, production.config]);
		assert.equal(code, 1);
		const lines = stdout.trim().split('\n').slice(0, -1);
		assert.deepEqual(lines.map((line) => line.replace(/[0-9a-f]{12}/g, 'H')), ['tool alpha: version: 1 -> 2', 'tool alpha: definition: H -> H',
			'role second: grant c.read: only in staging', 'role both: grant c.read: only in staging']);
		const intended = join(staging.home, 'intended');
		writeFileSync(intended, `# on purpose\n${lines.slice(1).join('\n')}\ntool old: only in staging\n`);
		const some = await run(['compare', staging.config, production.config, '--intended', intended]);
		assert.equal(some.code, 1);
		assert.match(some.stdout, /4 differences, 3 intended\n$/);
		assert.match(some.stderr, /no difference any more: tool old: only in staging/);
		writeFileSync(intended, lines.join('\n'));
		assert.equal((await run(['compare', staging.config, production.config, '--intended', intended])).code, 0);
	});
});
