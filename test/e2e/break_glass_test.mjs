// Break glass: a grant for a time, asked for by one person, given by another, marked on every call, and in
// the report until somebody has reviewed it.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { issueKey, modernHeaders, request, run, runTyping, serve, until } from './harness.mjs';
import { makeSite } from './site.mjs';

const roles = `roles:
  reader: [shop.read, shop.secret, stage.play]
  clerk: [shop.read]
  approver: [break_glass.approve]`;

async function makeTeam(t) {
	const site = makeSite(t, { changes: { roles } });
	const key = (subject, role, args) => issueKey(site.config, { subject, roles: [role], args });
	return Object.assign(site, { ana: await key('ana', 'clerk'), ben: await key('ben', 'approver'),
		dee: await key('dee', 'approver'), cy: await key('cy', 'clerk'), robot: await key('robot', 'approver', ['--kind', 'service']) });
}

const glass = (site, key, ...args) => run(['break-glass', site.config, ...args], { env: { POSTERN_KEY: key } });
const ask = (site, key, lasts = '30m') => glass(site, key, 'ana', 'shop.secret', '--for', lasts, '--reason', 'the shop burns');
/* Not by the environment, where a program that acts for a person finds the person's key. */
const decide = (site, key, ...args) => runTyping(['break-glass', site.config, ...args], key, { env: { POSTERN_KEY: site.dee } });
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
	const given = await decide(site, site.ben, 'approve', '1');
	assert.equal(given.code, 0, given.stderr);
	assert.ok(given.asked && !given.stdout.includes(site.ben), 'what is typed is not shown');
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
	assert.equal((await decide(site, site.ana, 'review', '1')).code, 77);
	assert.match((await decide(site, site.ben, 'review', '1')).stdout, /another person is needed/);
	assert.equal((await report(site)).code, 1);
	assert.equal((await decide(site, site.dee, 'review', '1')).code, 0);
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
	await refused(glass(site, site.ben, 'approve', '1'), 77, /there is no terminal/);
	await refused(decide(site, '', 'approve', '1'), 77, /who are you/);
	await refused(decide(site, site.ana, 'approve', '1'), 77, /does not hold/);
	await refused(decide(site, site.cy, 'approve', '1'), 77, /does not hold/);
	await refused(decide(site, site.robot, 'approve', '1'), 77, /not a person's/);
	await refused(decide(site, site.ben, 'approve', '2'), 1, /no request 2/);
	await refused(decide(site, site.ben, 'approve', 'x'), 64, /which request/);
	/* ben asks for ana: he is not the second person */
	assert.equal((await ask(site, site.ben)).code, 0);
	await refused(decide(site, site.ben, 'approve', '2'), 77, /another person is needed/);
	await refused(decide(site, site.ben, 'review', '1'), 1, /not open/);
	assert.equal(await code(server, site.ana), 'PERMISSION_DENIED');
	assert.equal((await decide(site, site.ben, 'approve', '1')).code, 0);
	await refused(decide(site, site.ben, 'approve', '1'), 1, /not open/);
});

test('it is for the subject of one tenant, and of no other', async (t) => {
	const site = await makeTeam(t);
	const other = await issueKey(site.config, { subject: 'ana', roles: ['clerk'], tenant: 'birch' });
	const server = await serve(t, site.config);
	const wanted = (...more) => glass(site, site.ana, 'ana', 'shop.secret', '--for', '5m', '--reason', 'r', ...more);
	for (const wrong of [['--tenant', 'birhc'], ['--issuer', 'https://nobody.example']]) {
		const end = await wanted(...wrong);
		assert.equal(end.code, 64);
		assert.match(end.stderr, /nobody would gain by it/);
	}
	assert.equal((await wanted('--tenant', 'birch')).code, 0);
	assert.equal((await decide(site, site.ben, 'approve', '1')).code, 0);
	await until('the grant to be held', async () => (await code(server, other)) === 'OK', 3000);
	assert.equal(await code(server, site.ana), 'PERMISSION_DENIED');
	assert.equal(records(site).find((r) => r.e === 'BREAK_GLASS' && r.change === 'seen').ten, 'birch');
});

test('it can be ended early, and a request withdrawn; what was asked a day ago is approved no more', async (t) => {
	const site = await makeTeam(t);
	const server = await serve(t, site.config);
	assert.equal((await ask(site, site.ana)).code, 0);
	assert.equal((await decide(site, site.ben, 'approve', '1')).code, 0);
	await until('the grant to be held', async () => (await code(server, site.ana)) === 'OK', 3000);
	assert.equal((await decide(site, site.cy, 'end', '1')).code, 77);
	assert.equal((await decide(site, site.ana, 'end', '1')).code, 0);
	await until('it to end', async () => (await code(server, site.ana)) === 'PERMISSION_DENIED', 3000);
	assert.equal((await decide(site, site.ana, 'end', '1')).code, 1);
	assert.ok(records(site).some((r) => r.e === 'BREAK_GLASS' && r.change === 'ended' && r.by === 'ana'));
	assert.equal((await report(site)).code, 1); /* still to be reviewed */
	assert.equal((await ask(site, site.cy)).code, 0);
	assert.equal((await decide(site, site.dee, 'end', '2')).code, 0);
	assert.match((await decide(site, site.ben, 'approve', '2')).stdout, /not open/);
	assert.equal((await ask(site, site.ana)).code, 0);
	const db = new DatabaseSync(join(site.home, 'state/postern.db'));
	db.exec('UPDATE break_glass SET asked_us = asked_us - 86400000000 WHERE id = 3');
	db.close();
	assert.match((await decide(site, site.ben, 'approve', '3')).stdout, /not open/);
	assert.equal(await code(server, site.ana), 'PERMISSION_DENIED');
});
