// The operating surface: a listener of its own for metrics and health, log levels, reload.
import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { ask, exchange, pipe, post, request, root, run, serve, serveAdmin, until } from './harness.mjs';
import { catalog, configuration, makeSite, makeSiteWithKeys, withAdmin } from './site.mjs';

const look = async (server, path, { headers = '', method = 'GET' } = {}) => {
	const { replies } = await exchange(server.adminPort,
		`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.adminPort}\r\n${headers}\r\n`, { replies: 1 });
	return replies[0];
};

export const metric = (text, line) => {
	const found = text.split('\n').find((l) => l.startsWith(`${line} `));
	return found && Number(found.slice(line.length + 1));
};

const call = (name, args = {}) => request('tools/call', { name, arguments: args });

it('the admin listener says what happened and how it is, and nothing about whom', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: withAdmin() });
	const server = await serveAdmin(t, site.config);
	await ask(server, call('get_item', { item_id: 'itm_0001' }), { key: site.alice });
	await ask(server, call('get_item', { item_id: 'planted-value' }), { key: site.alice });
	await ask(server, call('get_item', { item_id: 'itm_0001' }), { key: 'pstn_dev_nobody_0000' });
	const { status, headers, body } = await look(server, '/metrics');
	assert.equal(status, 200);
	assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
	const tool = 'what="tool",tool="get_item"';
	assert.equal(metric(body, `postern_calls_total{${tool},code="OK"}`), 1, body);
	assert.equal(metric(body, `postern_calls_total{${tool},code="VALIDATION_ERROR"}`), 1);
	assert.equal(metric(body, `postern_call_seconds_count{${tool}}`), 2);
	assert.equal(metric(body, 'postern_call_faults_total{code="VALIDATION_ERROR",reason="pattern"}'), 1);
	assert.equal(body.match(/^postern_auth_failures_total\{verdict="\w+"\} 1$/m)?.length, 1);
	assert.equal(metric(body, 'postern_audit_sealed'), 0);
	assert.equal(metric(body, 'postern_ready'), 1);
	assert.equal(metric(body, 'postern_workers'), 64);
	for (const secret of ['alice', 'planted-value', site.alice, 'itm_0001', site.home])
		assert.ok(!body.includes(secret), `${secret} stands in the metrics`);
	// every line is one that Prometheus reads
	for (const line of body.trimEnd().split('\n'))
		assert.match(line, /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? [0-9.]+)$/);
	const names = body.match(/^# TYPE \S+/gm);
	assert.equal(new Set(names).size, names.length, 'a family stands twice');
	assert.deepEqual(JSON.parse((await look(server, '/healthz')).body), { status: 'ok' });
	const ready = await look(server, '/readyz');
	assert.equal(ready.status, 200);
	assert.equal(JSON.parse(ready.body).status, 'ready');
});

it('it shows what is paused, which drills are due, and which keys end soon', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: { ...withAdmin(), limits: 'limits: { calls: [ "100/m per principal" ] }' } });
	const issue = (subject, ...more) => run(['key', 'issue', site.config, '--subject', subject, '--role', 'clerk', ...more]);
	for (const days of ['13', '14', '15']) assert.equal((await issue(`days-${days}`, '--expires', days)).code, 0);
	const before = await serveAdmin(t, site.config, { args: ['--instance', 'before'] });
	const never = (await look(before, '/metrics')).body;
	assert.equal(metric(never, 'postern_kill_state_known'), 1, never);
	assert.ok(metric(never, 'postern_kill_state_age_milliseconds') < 5000);
	assert.equal(metric(never, 'postern_kill_switch_local'), 0);
	assert.equal(metric(never, 'postern_keys_expiring'), 2);
	assert.equal(metric(never, 'postern_drill_due{kind="tool"}'), 1);
	assert.equal(metric(never, 'postern_drill_age_seconds{kind="tool"}'), undefined);
	assert.equal(metric(never, 'postern_limit_table_used{table="windows"}'), undefined, 'nothing was limited yet');
	const drilled = await run(['drill', site.config, '--kind', 'tool', '--url', before.url], { deadlineMs: 60000 });
	assert.equal(drilled.code, 0, drilled.stdout + drilled.stderr);
	assert.equal(metric((await look(before, '/metrics')).body, 'postern_drill_due{kind="tool"}'), 1, 'it looks once a minute');
	const server = await serveAdmin(t, site.config, { args: ['--instance', 'after'] });
	await ask(server, call('get_item', { item_id: 'itm_0001' }), { key: site.alice });
	const after = (await look(server, '/metrics')).body;
	assert.equal(metric(after, 'postern_drill_due{kind="tool"}'), 0, after);
	assert.ok(metric(after, 'postern_drill_age_seconds{kind="tool"}') < 60);
	assert.equal(metric(after, 'postern_drill_due{kind="tenant"}'), 1);
	assert.ok(metric(after, 'postern_limit_table_used{table="windows"}') >= 1);
	assert.ok(metric(after, 'postern_limit_table_size{table="windows"}') > 1000);
	for (const args of [['tool', 'get_item'], ['tool', 'nap'], ['tenant', 'birch']])
		assert.equal((await run(['kill', site.config, ...args, '--reason', 'a test'])).code, 0);
	await until('the orders', async () => metric((await look(server, '/metrics')).body, 'postern_kill_orders{kind="tenant"}') === 1);
	assert.equal(metric((await look(server, '/metrics')).body, 'postern_kill_orders{kind="tool"}'), 2);
	assert.equal((await look(server, '/readyz')).status, 200, 'what is paused in part is served in part');
	writeFileSync(join(site.home, 'state/KILL'), '');
	const paused = await until('the local switch', async () => {
		const { body } = await look(server, '/metrics');
		return metric(body, 'postern_kill_switch_local') === 1 && body;
	});
	assert.equal(metric(paused, 'postern_kill_state_known'), 1);
	await until('the readiness', async () => /PAUSED/.test(JSON.parse((await look(server, '/readyz')).body).checks.kills));
	renameSync(join(site.home, 'state/postern.db'), join(site.home, 'state/away.db'));
	await until('the doubt', async () => metric((await look(server, '/metrics')).body, 'postern_kill_state_known') === 0);
	assert.ok(metric((await look(server, '/metrics')).body, 'postern_kill_state_age_milliseconds') >= 5000);
});

it('the alert rules read what is there, and the page tells of each of them', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: withAdmin() });
	const server = await serveAdmin(t, site.config);
	const there = new Set((await look(server, '/metrics')).body.match(/^# TYPE \S+/gm).map((line) => line.slice('# TYPE '.length)));
	const rules = readFileSync(join(root, 'examples/prometheus-rules.yaml'), 'utf8');
	const read = rules.match(/^ +expr: .*/gm).flatMap((line) => line.match(/postern_\w+/g));
	assert.ok(read.length > 10);
	for (const name of read) assert.ok(there.has(name), name);
	const named = (text, pattern) => [...text.matchAll(pattern)].map((found) => found[1]);
	assert.deepEqual(named(readFileSync(join(root, 'doc/alerts.md'), 'utf8'), /^\| (Postern\w+) /gm), named(rules, /- alert: (\w+)/g));
});

it('nothing else is on the admin listener, and nothing of it on the public one', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: withAdmin() });
	const server = await serveAdmin(t, site.config);
	const key = `Authorization: Bearer ${site.alice}\r\n`;
	for (const path of ['/mcp', '/', '/metrics/', '/admin/kill'])
		assert.equal((await look(server, path, { headers: key })).status, 404, path);
	assert.equal((await look(server, '/metrics', { method: 'POST', headers: `${key}Content-Length: 0\r\n` })).status, 405);
	assert.equal((await look(server, '/metrics', { headers: 'Origin: https://evil.test\r\n' })).status, 403);
	const elsewhere = await exchange(server.adminPort, 'GET /metrics HTTP/1.1\r\nHost: evil.test\r\n\r\n', { replies: 1 });
	assert.equal(elsewhere.replies[0].status, 403);
	for (const path of ['/metrics', '/readyz', '/admin/kill', '/admin/reload'])
		for (const headers of ['', key]) {
			const { replies } = await exchange(server.port,
				`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${headers}\r\n`, { replies: 1 });
			assert.equal(replies[0].status, 404, path);
			assert.ok(!replies[0].body.includes('postern_'), replies[0].body);
		}
	await until('the refusals in the log', async () => {
		const { stdout } = await run(['audit', 'tail', site.config, '--count', '100']);
		return /DENY.*admin/.test(stdout);
	});
});

it('it answers while every worker is busy', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: { ...withAdmin(), limits: 'limits: { concurrency: 2 }' } });
	const server = await serveAdmin(t, site.config);
	const sleeping = [1, 2].map(() => exchange(server.port, post(server, call('nap'), { key: site.alice,
		headers: { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': 'nap' } }), { replies: 1 }));
	await until('both workers at work', async () => metric((await look(server, '/metrics')).body, 'postern_calls_running') === 2);
	assert.equal((await look(server, '/healthz')).status, 200);
	assert.equal((await look(server, '/readyz')).status, 200);
	await Promise.all(sleeping);
});

it('it is not ready, and says why, while a source or the audit log is away', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: withAdmin() });
	const server = await serveAdmin(t, site.config);
	const states = async () => JSON.parse((await look(server, '/readyz')).body).checks;
	renameSync(join(site.home, 'shop.db'), join(site.home, 'away.db'));
	await until('the source to be missed', async () => /source shop/.test((await states()).sources));
	assert.equal((await look(server, '/readyz')).status, 503);
	assert.equal((await look(server, '/healthz')).status, 200);
	renameSync(join(site.home, 'away.db'), join(site.home, 'shop.db'));
	await until('the source to be back', async () => (await states()).sources === 'ok');
});

const records = async (site, event) => {
	const { readdirSync, readFileSync } = await import('node:fs');
	const folder = join(site.home, 'state/audit');
	return readdirSync(folder).filter((name) => name.endsWith('.log')).sort()
		.flatMap((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\0', '').split('\n'))
		.filter((line) => line.includes(`"e":"${event}"`)).map((line) => JSON.parse(line));
};

it('a reload records what was and what is, and says what needs a restart', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: withAdmin() });
	const server = await serveAdmin(t, site.config);
	const file = readFileSync(site.config, 'utf8');
	writeFileSync(join(site.home, 'person.key'), site.alice, { mode: 0o600 });
	writeFileSync(site.config, `${file.replace('127.0.0.1:8477', '127.0.0.1:8478').replace('127.0.0.1:0', '127.0.0.1:9')
		.replace('${env:POSTERN_KEY}', '${file:person.key}')}log: { level: warn }\ninstance: b\nlimits: { streams_per_principal: 3 }\n`);
	server.child.kill('SIGHUP');
	await until('both warnings', () => /restart_needed setting=listen.http.address/.test(server.stderr) &&
		/restart_needed setting=listen.admin/.test(server.stderr));
	await until('the rest', () => ['instance', 'identity.stdio.key', 'limits'].every((name) =>
		server.stderr.includes(`restart_needed setting=${name} `)));
	const [record] = await until('the record', async () => {
		const found = await records(site, 'CONFIG');
		return found.length && found;
	});
	const [start] = await records(site, 'START');
	assert.equal(record.config_before, start.config);
	assert.equal(record.catalog_before, start.catalog);
	assert.equal(record.catalog, start.catalog);
	assert.notEqual(record.config, start.config);
	await until('the count of it', async () => metric((await look(server, '/metrics')).body, 'postern_reloads_total{result="ok"}') === 1);
	// a level of warn: the next reload says nothing of itself, a refused one does
	const before = server.stderr.length;
	writeFileSync(site.config, 'environment: nowhere\n');
	server.child.kill('SIGHUP');
	await until('the refusal', () => /error reload_refused/.test(server.stderr.slice(before)));
	assert.equal((await records(site, 'CONFIG')).length, 1);
	assert.ok(!/info /.test(server.stderr.slice(before)), server.stderr.slice(before));
});

it('a reload that cannot be recorded does not come into force', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: withAdmin() });
	const server = await serveAdmin(t, site.config);
	renameSync(join(site.home, 'state/audit'), join(site.home, 'state/away'));
	writeFileSync(join(site.home, 'catalog.yaml'), catalog.replace('  who_am_i:', '  who_is_it:'));
	server.child.kill('SIGHUP');
	await until('the refusal', () => /reload_refused reason=not_recorded/.test(server.stderr));
	const names = async () => (await ask(server, request('tools/list'), { key: site.alice })).json.result.tools.map((tool) => tool.name);
	assert.ok((await names()).includes('who_am_i'));
	const ready = await look(server, '/readyz');
	assert.equal(ready.status, 503, ready.body);
	const refused = await ask(server, call('get_item', { item_id: 'itm_0001' }), { key: site.alice });
	assert.equal(refused.json.result.structuredContent.error.code, 'AUDIT_UNAVAILABLE', refused.body);
	renameSync(join(site.home, 'state/away'), join(site.home, 'state/audit'));
	server.child.kill('SIGHUP');
	await until('the new catalog', async () => (await names()).includes('who_is_it'));
	assert.equal((await records(site, 'SECURITY')).filter((r) => r.reason === 'directory_moved').length, 1);
});

it('SIGHUP on stdio reloads and goes on', async (t) => {
	const site = await makeSiteWithKeys(t);
	const it = pipe(t, site.config, { env: { POSTERN_KEY: site.alice } });
	const names = async (id) => {
		await it.tell(request('tools/list', {}, { id }));
		return (await it.next()).result.tools.map((tool) => tool.name);
	};
	assert.ok((await names(1)).includes('who_am_i'));
	writeFileSync(join(site.home, 'catalog.yaml'), catalog.replace('  who_am_i:', '  who_is_it:'));
	it.child.kill('SIGHUP');
	await until('the reload', () => /info reloaded/.test(it.stderr));
	assert.ok((await names(2)).includes('who_is_it'));
	assert.equal((await it.finish()).code, 0);
});

it('argument values are logged in development only, at debug, when the file says so', async (t) => {
	const site = await makeSiteWithKeys(t, { changes: { log: 'log: { level: info, arguments: true }' } });
	for (const [args, logged] of [[[], false], [['--log-level', 'debug'], true]]) {
		const server = await serve(t, site.config, { args });
		await ask(server, call('get_item', { item_id: 'itm_0001' }), { key: site.alice });
		assert.equal(/debug call call=\w+ rpc=1 entry=get_item code=OK .*arguments=.*itm_0001/.test(server.stderr), logged, server.stderr);
		server.child.kill('SIGTERM');
		await server.ended;
	}
	const production = await run(['check', (await makeSiteWithKeys(t)).config]);
	assert.equal(production.code, 0, production.stdout);
	writeFileSync(site.config, configuration({ environment: 'environment: staging', log: 'log: { arguments: true }' }));
	const end = await run(['check', site.config]);
	assert.equal(end.code, 78);
	assert.match(end.stdout, /config\.log_arguments/);
	assert.equal((await run(['serve', site.config, '--log-level', 'loud'])).code, 64);
});

it('an admin listener on a public address must be stated', async (t) => {
	for (const [admin, code] of [['address: 0.0.0.0:0', 78], ['address: 0.0.0.0:0, exposed: true', 78],
		['address: 0.0.0.0:0, exposed: true, allowed_hosts: [gate.test]', 0], ['address: nonsense', 78], ['port: 9', 78]]) {
		const site = makeSite(t, { changes: { listen: `listen: { admin: { ${admin} } }` } });
		assert.equal((await run(['check', site.config])).code, code, admin);
	}
});
