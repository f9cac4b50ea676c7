// The operating surface: a listener of its own for metrics and health, log levels, reload.
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { ask, exchange, post, request, run, serve, until } from './harness.mjs';
import { makeSiteWithKeys } from './site.mjs';

const withAdmin = (more = '') => ({ listen: `listen: { http: { address: 127.0.0.1:8477 }, admin: { address: 127.0.0.1:0${more} } }` });

async function serveAdmin(t, config, options) {
	const server = await serve(t, config, options);
	server.adminPort = Number(/ admin address=127\.0\.0\.1:(\d+)/.exec(server.stderr)?.[1]);
	assert.ok(server.adminPort, server.stderr);
	return server;
}

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
