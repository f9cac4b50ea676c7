// What belongs to which environment: the marker in a source, mocks, raw_sql, waivers, and the table that
// `postern check` prints.  Cases CFG-*.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { ask, modern, request, run, serve, until } from './harness.mjs';
import { makeSite, makeSiteWithKeys } from './site.mjs';

const sources = 'sources: { shop: { sqlite: { file: shop.db }, owner: tests, purpose: rows } }';
const roles = 'roles: { reader: [shop.read] }';
const tool = (more) => `tools:
  get_item:
    description: One item.
    owner: tests
    purpose: tests
    source: shop
    requires: shop.read
    ${more.trim().replaceAll('\n', '\n    ')}
`;
const plain = tool(`
read: SELECT name FROM items WHERE id = 'itm_0001'
returns: { shape: one, columns: { name: string } }`);
const of = (environment, more = {}) => ({ environment: `environment: ${environment}`, sources, roles, ...more });
const sql = (site, text) => {
	const db = new DatabaseSync(join(site.home, 'shop.db'));
	db.exec(text);
	db.close();
};
const unmark = (site) => sql(site, 'DROP TABLE postern_marker');
const marker = (site) => {
	const db = new DatabaseSync(join(site.home, 'shop.db'));
	const rows = db.prepare('SELECT * FROM postern_marker').all();
	db.close();
	return rows;
};
const records = (site) => readdirSync(join(site.home, 'state/audit'), { recursive: true })
	.filter((name) => /audit-.*\.log$/.test(name))
	.map((name) => readFileSync(join(site.home, 'state/audit', name), 'utf8')).join('');

describe('postern install', () => {
	it('marks a source, again if it must, and check is content with it', async (t) => {
		const site = makeSite(t, { changes: of('development'), tools: plain });
		unmark(site);
		let identity;
		const before = await run(['check', site.config]);
		assert.equal(before.code, 0);
		assert.match(before.stdout, /warning \[source\.unmarked\] source shop has no marker; it is only read/);
		for (const [args, synthetic] of [[[], 0], [['--synthetic'], 1], [[], 0]]) {
			const end = await run(['install', site.config, 'shop', ...args]);
			assert.equal(end.code, 0, end.stderr);
			const [row, ...rest] = marker(site);
			assert.equal(rest.length, 0);
			assert.equal(row.environment, 'development');
			assert.equal(row.deployment, 'test/e2e');
			assert.equal(row.synthetic, synthetic);
			assert.match(row.installed_at, /^\d{4}-\d\d-\d\dT/);
			assert.match(row.identity, /^[0-9a-f]{32}$/);
			assert.equal(row.identity, identity ??= row.identity);
		}
		sql(site, 'SELECT 1 FROM postern_ledger, postern_ledger_rows, postern_ledger_sums');
		const after = await run(['check', site.config]);
		assert.match(after.stdout, /0 errors, 0 warnings\n$/);
	});
	it('leaves the marker of another environment as it is', async (t) => {
		const site = makeSite(t, { changes: of('development'), tools: plain });
		sql(site, "UPDATE postern_marker SET environment = 'production', deployment = 'acme/crm', synthetic = 0");
		const end = await run(['install', site.config, 'shop', '--synthetic']);
		assert.equal(end.code, 78);
		assert.match(end.stderr, /marked as production of acme\/crm/);
		assert.equal(marker(site)[0].environment, 'production');
	});
	it('says what it cannot mark', async (t) => {
		const site = makeSite(t);
		for (const [name, says] of [['stage', /only a database/], ['shpo', /no such source/]]) {
			const end = await run(['install', site.config, name]);
			assert.equal(end.code, 65);
			assert.match(end.stderr, says);
		}
		const live = makeSite(t, { changes: of('production', { identity: 'identity: { api_keys: true }' }), tools: plain });
		unmark(live);
		assert.match((await run(['install', live.config, 'shop', '--synthetic'])).stderr, /synthetic/);
		assert.ok(!existsSync(join(live.home, 'missing.db')));
	});
});

describe('a source', () => {
	it('of another environment is not served, and the attempt is recorded', async (t) => {
		const site = makeSite(t, { changes: of('staging'), tools: plain });
		const checked = await run(['check', site.config]);
		assert.equal(checked.code, 78);
		assert.match(checked.stdout, /error \[source\.environment\] source shop is marked as development of test\/e2e, and this deployment is staging/);
		const end = await run(['serve', site.config]);
		assert.equal(end.code, 65, end.stderr);
		assert.match(end.stderr, /source\.environment/);
		assert.match(records(site), /"e":"SECURITY","reason":"source_environment"/);
	});
	it('of another environment ends stdio too', async (t) => {
		const site = makeSite(t, { changes: of('staging'), tools: plain });
		const end = await run(['stdio', site.config], { env: { POSTERN_KEY: 'pstn_x' } });
		assert.equal(end.code, 65, end.stderr);
		assert.match(records(site), /source_environment/);
	});
	it('that becomes another environment is refused by the next reload', async (t) => {
		const site = await makeSiteWithKeys(t, { changes: of('development'), tools: plain });
		const server = await serve(t, site.config);
		sql(site, "UPDATE postern_marker SET environment = 'production'");
		server.child.kill('SIGHUP');
		await until('the reload to be refused', () => /reload_refused/.test(server.stderr));
		await until('the record', () => /source_environment/.test(records(site)));
	});
	it('without a marker is refused in production', async (t) => {
		const site = makeSite(t, { changes: of('production', { identity: 'identity: { api_keys: true }' }), tools: plain });
		unmark(site);
		const end = await run(['check', site.config]);
		assert.equal(end.code, 78);
		assert.match(end.stdout, /error \[source\.unmarked\]/);
		assert.equal((await run(['install', site.config, 'shop'])).code, 0);
		assert.equal((await run(['check', site.config])).code, 0);
	});
});

describe('postern check', () => {
	it('prints what the environment permits', async (t) => {
		const site = makeSite(t, { changes: of('development'), tools: plain });
		const { stdout } = await run(['check', site.config]);
		assert.match(stdout, /^environment development; what each permits:\n/);
		assert.match(stdout, /\n {2}raw_sql +yes +refused +refused\n/);
		assert.match(stdout, /\n {2}mock +yes +refused +refused\n/);
		assert.match(stdout, /\n {2}sources without a marker +yes +yes +refused\n/);
	});
});

const mocked = tool(`
mock: { name: invented, mail: jane@acme.example }
returns: { shape: one, columns: { name: string, mail: { type: string, mask: email } } }`);

describe('a mock', () => {
	it('answers in development, marked in the result and in the record, and masked', async (t) => {
		const site = await makeSiteWithKeys(t, { changes: of('development'), tools: mocked });
		const server = await serve(t, site.config);
		for (const mode of [{ pin: modern }, 'legacy']) {
			const client = new Client2({ name: 'e2e', version: '1' }, { versionNegotiation: { mode } });
			await client.connect(new Http2(new URL(server.url), { requestInit: { headers: { Authorization: `Bearer ${site.alice}` } } }));
			await client.listTools();
			const result = await client.callTool({ name: 'get_item', arguments: {} });
			assert.deepEqual(result.structuredContent, { name: 'invented', mail: 'j***@acme.example' });
			assert.equal(result._meta['postern/mock'], true);
			assert.match(result.content[1].text, /This is a mock/);
			await client.close();
		}
		assert.match(records(site), /"mock":true/);
	});
	it('is refused in staging and in production', async (t) => {
		for (const environment of ['staging', 'production']) {
			const site = makeSite(t, { changes: of(environment, { identity: 'identity: { api_keys: true }' }), tools: mocked });
			const end = await run(['check', site.config]);
			assert.equal(end.code, 78);
			assert.match(end.stdout, /error \[mock\.environment\]/);
		}
	});
});

const raw = tool(`
raw_sql: { principal: alice }
limits: { rows: 2, timeout: 1s }`);
const query = (server, key, text) => ask(server, request('tools/call', { name: 'get_item', arguments: { sql: text } }), { key });

describe('raw_sql', () => {
	it('runs one read of the one principal it names', async (t) => {
		const site = await makeSiteWithKeys(t, { changes: of('development'), tools: raw });
		const server = await serve(t, site.config);
		const { result } = (await query(server, site.alice, 'SELECT id, stock FROM items ORDER BY id')).json;
		assert.deepEqual(result.structuredContent, { columns: ['id', 'stock'], rows: [['itm_0000', 0], ['itm_0001', 1]], truncated: true });
		for (const text of ["DELETE FROM items", "ATTACH 'other.db' AS o", 'PRAGMA journal_mode = DELETE', 'SELECT 1; SELECT 2', 'SELECT nme FROM items']) {
			const { result: refused } = (await query(server, site.alice, text)).json;
			assert.equal(refused.structuredContent.error.code, 'VALIDATION_ERROR', text);
			assert.ok(!JSON.stringify(refused).includes(site.home), 'the reply names a file');
		}
		assert.match(JSON.stringify((await query(server, site.alice, 'SELECT nme FROM items')).json), /no such column: nme/);
		const listed = await ask(server, request('tools/list'), { key: site.bob });
		assert.ok(listed.json.result.tools.every((tool) => tool.name !== 'get_item'));
		const unknown = await ask(server, request('tools/call', { name: 'get_itme', arguments: { sql: 'SELECT 1' } }), { key: site.bob });
		assert.equal(JSON.stringify((await query(server, site.bob, 'SELECT 1')).json).replaceAll('get_item', 'get_itme'), JSON.stringify(unknown.json));
		assert.match(records(site), /"sql":"DELETE FROM items"/);
	});
	it('stops when its source stops saying that nothing in it is real', async (t) => {
		const site = await makeSiteWithKeys(t, { changes: of('development'), tools: raw });
		const server = await serve(t, site.config);
		assert.equal((await query(server, site.alice, 'SELECT 1')).json.result.isError, false);
		sql(site, 'UPDATE postern_marker SET synthetic = 0');
		assert.equal((await query(server, site.alice, 'SELECT 1')).json.result.structuredContent.error.details.reason, 'marker');
		const end = await run(['check', site.config]);
		assert.match(end.stdout, /error \[raw\.source\]/);
	});
	it('is refused in staging and in production', async (t) => {
		for (const environment of ['staging', 'production']) {
			const site = makeSite(t, { changes: of(environment, { identity: 'identity: { api_keys: true }' }), tools: raw });
			const end = await run(['check', site.config]);
			assert.equal(end.code, 78);
			assert.match(end.stdout, /error \[raw\.environment\]/);
		}
	});
});

describe('a waiver', () => {
	it('needs in production the name of who approved it', async (t) => {
		const waived = (more) => tool(`
input: { text: { type: string } }
read: SELECT name FROM items WHERE name = :text LIMIT 1
returns: { shape: one, columns: { name: string } }
waive: [{ finding: input.unbounded, reason: compared only${more} }]`);
		const site = makeSite(t, { changes: of('production', { identity: 'identity: { api_keys: true }' }), tools: waived('') });
		sql(site, "UPDATE postern_marker SET environment = 'production', synthetic = 0");
		assert.match((await run(['check', site.config])).stdout, /error \[waive\.approval\]/);
		writeFileSync(join(site.home, 'catalog.yaml'), waived(', approved_by: ada'));
		const end = await run(['check', site.config]);
		assert.equal(end.code, 0, end.stdout);
	});
});
