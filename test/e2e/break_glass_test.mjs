// Break glass: a grant for a time, asked for by one person, given by another, marked on every call, and in
// the report until somebody has reviewed it.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { issueKey, modernHeaders, request, run, serve, until } from './harness.mjs';
import { makeSite } from './site.mjs';

const roles = `roles:
  reader: [shop.read, shop.secret, stage.play]
  clerk: [shop.read]
  approver: [break_glass.approve]`;

async function makeTeam(t) {
	const site = makeSite(t, { changes: { roles } });
	const key = (subject, role, args) => issueKey(site.config, { subject, roles: [role], args });
	return Object.assign(site, { ana: await key('ana', 'clerk'), ben: await key('ben', 'approver'),
		cy: await key('cy', 'clerk'), robot: await key('robot', 'approver', ['--kind', 'service']) });
}

const glass = (site, key, ...args) => run(['break-glass', site.config, ...args], { env: { POSTERN_KEY: key } });
const ask = (site, key, lasts = '30m') => glass(site, key, 'ana', 'shop.secret', '--for', lasts, '--reason', 'the shop burns');
const report = (site) => run(['report', site.config, 'break-glass']);

const records = (site) => readdirSync(join(site.home, 'state/audit')).filter((name) => name.endsWith('.log'))
	.flatMap((name) => readFileSync(join(site.home, 'state/audit', name), 'utf8').replaceAll('\0', '').split('\n').filter(Boolean))
	.map((line) => JSON.parse(line));

async function code(server, key) {
	const message = request('tools/call', { name: 'read_secret', arguments: {} });
	const reply = await (await fetch(server.url, { method: 'POST', body: JSON.stringify(message),
		headers: { ...modernHeaders(message), Authorization: `Bearer ${key}` } })).json();
	return reply.result?.structuredContent?.error?.code ?? (reply.result ? 'OK' : 'ERROR');
}

test('a grant that a second person gave works, is marked, ends by itself, and waits for a review', async (t) => {
	const site = await makeTeam(t);
	const server = await serve(t, site.config);
	assert.equal(await code(server, site.ana), 'PERMISSION_DENIED');
	assert.match((await ask(site, site.ana, '4s')).stdout, /^request 1: a second person/);
	assert.equal(await code(server, site.ana), 'PERMISSION_DENIED');
	assert.equal((await report(site)).code, 0);
	const given = await glass(site, site.ben, 'approve', '1');
	assert.equal(given.code, 0, given.stderr);
	await until('the grant to be held', async () => (await code(server, site.ana)) === 'OK', 3000);
	assert.equal(await code(server, site.cy), 'PERMISSION_DENIED');
	assert.match(server.stderr, /break_glass id=1 subject=ana grant=shop\.secret/);
	await until('it to end', async () => (await code(server, site.ana)) === 'PERMISSION_DENIED', 8000);
	const log = records(site);
	assert.deepEqual(log.filter((r) => r.e === 'BREAK_GLASS').map((r) => r.change).sort(), ['approved', 'asked', 'seen']);
	const calls = log.filter((r) => r.tool === 'read_secret@1' && r.subj === 'ana');
	assert.ok(calls.filter((r) => r.code === 'OK').length > 0);
	assert.ok(calls.filter((r) => r.code === 'OK').every((r) => r.break_glass === 1));
	assert.ok(calls[0].break_glass === undefined && calls.at(-1).break_glass === undefined);
	const open = await report(site);
	assert.equal(open.code, 1);
	assert.match(open.stdout, /^1 +ana +shop\.secret +ana +ben .*the shop burns$/m);
	assert.equal((await glass(site, site.ana, 'review', '1')).code, 77);
	assert.equal((await glass(site, site.ben, 'review', '1')).code, 0);
	assert.equal((await report(site)).code, 0);
});

test('one person alone, a service, a stranger or the wrong words give nothing', async (t) => {
	const site = await makeTeam(t);
	const server = await serve(t, site.config);
	const refused = async (end, status, says) => {
		const got = await end;
		assert.equal(got.code, status, got.stdout + got.stderr);
		assert.match(got.stderr, says);
	};
	await refused(glass(site, '', 'ana', 'shop.secret', '--for', '5m', '--reason', 'r'), 77, /who are you/);
	await refused(ask(site, site.robot), 77, /not a person's/);
	await refused(ask(site, site.ana, '13h'), 64, /at most 12h/);
	await refused(glass(site, site.ana, 'ana', 'shop.secret', '--for', '5m'), 64, /--reason/);
	await refused(glass(site, site.ana, 'ana', 'shop.*', '--for', '5m', '--reason', 'r'), 64, /no grant/);
	await refused(glass(site, site.ana, 'ana', 'break_glass.approve', '--for', '5m', '--reason', 'r'), 64, /no grant/);
	assert.equal((await ask(site, site.ana)).code, 0);
	await refused(glass(site, site.ana, 'approve', '1'), 77, /does not hold/);
	await refused(glass(site, site.cy, 'approve', '1'), 77, /does not hold/);
	await refused(glass(site, site.robot, 'approve', '1'), 77, /not a person's/);
	await refused(glass(site, site.ben, 'approve', '2'), 1, /no request 2/);
	await refused(glass(site, site.ben, 'approve', 'x'), 64, /which request/);
	/* ben asks for ana: he is not the second person */
	assert.equal((await ask(site, site.ben)).code, 0);
	await refused(glass(site, site.ben, 'approve', '2'), 77, /second person/);
	await refused(glass(site, site.ben, 'review', '1'), 1, /not open/);
	assert.equal(await code(server, site.ana), 'PERMISSION_DENIED');
	assert.equal((await glass(site, site.ben, 'approve', '1')).code, 0);
	await refused(glass(site, site.ben, 'approve', '1'), 1, /not open/);
});
