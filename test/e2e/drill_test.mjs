// A drill proves every kind of kill switch on running servers, writes down what it found, and says so when
// one does not work.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { program, root, run, serve } from './harness.mjs';
import { makeSite, makeSiteWithKeys } from './site.mjs';

const kinds = ['everything', 'server', 'tenant', 'principal', 'agent', 'credential', 'tool', 'source'];

const records = (site, event) => readdirSync(join(site.home, 'state/audit')).filter((name) => name.endsWith('.log'))
	.flatMap((name) => readFileSync(join(site.home, 'state/audit', name), 'utf8').replaceAll('\0', '').split('\n').filter(Boolean))
	.map((line) => JSON.parse(line)).filter((r) => r.e === event);

const makeSiteWithTenants = (t, tenants) => makeSite(t, { changes: { tenants: `tenants: ${tenants}` } });

const drill = (site, ...args) => run(['drill', site.config, ...args], { deadlineMs: 60000 });

test('every kind is drilled on two instances that share a store', async (t) => {
	const site = await makeSiteWithKeys(t);
	const [a, b] = await Promise.all(['a', 'b'].map((name) => serve(t, site.config, { args: ['--instance', name] })));
	const never = await run(['report', site.config, 'drills']);
	assert.equal(never.code, 1);
	assert.match(never.stdout, /tool +due +never/);
	const end = await drill(site, '--url', `a=${a.url}`, '--url', `b=${b.url}`);
	assert.equal(end.code, 0, end.stdout + end.stderr);
	const lines = end.stdout.trim().split('\n');
	assert.equal(lines.pop(), '8 switches drilled, 8 refused, 8 resumed');
	assert.deepEqual(lines.map((line) => line.split(/ +/)[0]), kinds);
	for (const line of lines) {
		const [, kind, instances, refused, others, resumed] = /^(\w+) +refused on (\d) instances? after (\d+) ms, (\d+) others? passed, resumed after (\d+) ms$/.exec(line);
		assert.equal(Number(instances), kind === 'server' ? 1 : 2);
		assert.equal(Number(others), { everything: 0, server: 1 }[kind] ?? 2, line);
		assert.ok(Number(refused) <= 2000 && Number(resumed) <= 2000, line);
	}
	assert.deepEqual(records(site, 'DRILL').map((r) => [r.kind, r.refused, r.passed, r.resumed]), kinds.map((kind) => [kind, true, true, true]));
	assert.ok(records(site, 'KILL').every((r) => r.drill === true));
	const report = await run(['report', site.config, 'drills']);
	assert.equal(report.code, 0, report.stdout);
	for (const kind of kinds) assert.match(report.stdout, new RegExp(`^${kind} +works +\\d{4}-`, 'm'));
	const keys = (await run(['key', 'list', site.config])).stdout.split('\n').filter((line) => line.includes('drill-'));
	assert.equal(keys.length, 2);
	assert.ok(keys.every((line) => / revoked /.test(line)));
	assert.doesNotMatch((await run(['kills', site.config])).stdout, /drill/);
});

test('a server that does not obey makes the drill fail, and the order is lifted', async (t) => {
	const site = await makeSiteWithKeys(t);
	const other = await makeSiteWithKeys(t);
	const [obeys, deaf] = [await serve(t, site.config), await serve(t, other.config)];
	const end = await drill(site, '--kind', 'tool', '--url', `a=${obeys.url}`, '--url', `b=${deaf.url}`);
	assert.equal(end.code, 1);
	assert.match(end.stdout, /^tool +FAILED: .*\n1 switches drilled, 0 refused, 0 resumed\n$/);
	const report = (await run(['report', site.config, 'drills'])).stdout;
	assert.match(report, /^tool +not working +never/m);
	assert.doesNotMatch((await run(['kills', site.config])).stdout, /drill/);
});

test('what a drill needs is said', async (t) => {
	const site = await makeSiteWithKeys(t);
	for (const [args, says] of [[[], /--url INSTANCE=URL/], [['--url', 'nonsense'], /--url takes/], [['--url', 'http://a', '--url', 'http://b'], /two --url/],
		[['--url', 'http://127.0.0.1:1/mcp', '--kind', 'galaxy'], /--kind takes/], [['--url', 'http://127.0.0.1:1/mcp', '--tool', 'nosuch'], /no tool nosuch/]]) {
		const end = await drill(site, ...args);
		assert.equal(end.code, 64, end.stdout);
		assert.match(end.stderr, says);
	}
	const closed = makeSiteWithTenants(t, '[acme, birch, drill-canary]');
	const unlisted = await drill(closed, '--url', 'http://127.0.0.1:1/mcp');
	assert.equal(unlisted.code, 64, unlisted.stdout);
	assert.match(unlisted.stderr, /list drill-canary and drill-control under 'tenants'/);
	assert.match((await drill(site, '--kind', 'tool', '--url', 'http://127.0.0.1:1/mcp')).stdout, /FAILED: .*before the switch was set/);
});

test('a deployment that lists its tenants is drilled on two that are nobody\'s', async (t) => {
	const site = makeSiteWithTenants(t, '[acme, drill-canary, drill-control]');
	const server = await serve(t, site.config);
	const end = await drill(site, '--kind', 'tenant', '--kind', 'tool', '--url', server.url);
	assert.equal(end.code, 0, end.stdout + end.stderr);
	assert.match(end.stdout, /\n2 switches drilled, 2 refused, 2 resumed\n$/);
});

test('production: only kinds of the canary without a name, and check says what is due', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: { environment: 'environment: production',
		sources: 'sources:\n  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the tests read }' },
	tools: readOnly(), prepare: (home) => {
		const db = new DatabaseSync(join(home, 'shop.db'));
		db.exec("UPDATE postern_marker SET environment = 'production', synthetic = 0");
		db.close();
	} });
	const check = async () => (await run(['check', site.config])).stdout;
	assert.match(await check(), /warning \[store\.drills\].*everything, server, tenant, principal, agent, credential, tool, source/s);
	const server = await serve(t, site.config);
	assert.match((await drill(site, '--url', server.url)).stdout, /\n4 switches drilled, 4 refused, 4 resumed\n$/);
	assert.match(await check(), /no drill has proved for 90 days: everything, server, tool, source/);
	const age = (days) => {
		const db = new DatabaseSync(join(site.home, 'state/postern.db'));
		db.prepare('UPDATE drills SET at_us = at_us - ?').run(BigInt(days) * 86400000000n);
		db.close();
	};
	age(91);
	assert.match((await run(['report', site.config, 'drills'])).stdout, /^tenant +due /m);
	age(300);
	assert.match((await run(['report', site.config, 'drills'])).stdout, /^tenant +not working /m);
	assert.match(await check(), /tenant \(not working\)/);
	assert.ok(existsSync(join(site.home, 'state/postern.db')));
});

test('the drill of the demo deployment, as ./run drill has it', async () => {
	const child = spawnSync(process.execPath, [join(root, 'tools/drill.mjs')], { encoding: 'utf8', env: { ...process.env, POSTERN: program } });
	assert.equal(child.status, 0, child.stdout + child.stderr);
	assert.match(child.stdout, /\n8 switches drilled, 8 refused, 8 resumed\n$/);
});

// One tool on one source: what production loads.
function readOnly() {
	return `tools:
  who_am_i:
    version: 1
    title: The caller
    description: Says on whose behalf this call is made, as the server knows it.
    owner: tests
    purpose: identity
    source: shop
    requires: shop.read
    read: SELECT :principal.subject AS subject
    returns: { shape: one, columns: { subject: string } }
`;
}
