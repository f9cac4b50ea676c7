// The command line, as a person uses it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ask, request, run, serve } from './harness.mjs';
import { makeSiteWithKeys } from './site.mjs';

const cleanup = [];
let site, server, env;

before(async () => {
	const scope = { after: (f) => cleanup.push(f) };
	site = await makeSiteWithKeys(scope);
	server = await serve(scope, site.config);
	env = { POSTERN_KEY: site.alice };
});
after(async () => {
	for (const f of cleanup.reverse()) await f();
});

const good = async (args, options) => {
	const end = await run(args, options);
	assert.equal(end.code, 0, end.stderr);
	return end.stdout;
};

describe('help', () => {
	it('lists the commands, and every command has its own', async () => {
		const all = await good(['--help']);
		for (const command of ['serve', 'stdio', 'check', 'tools', 'call', 'key', 'audit', 'client-config']) {
			assert.match(all, new RegExp(`postern ${command} `));
			assert.match(await good([command, '--help']), new RegExp(`usage: postern ${command} `));
		}
	});
	it('a mistake is one line and status 64', async () => {
		for (const args of [['nonsense'], ['serve'], ['serve', 'a', 'b'], ['serve', 'x', '--nonsense'], ['key', 'issue', site.config], ['call', site.config]]) {
			const end = await run(args);
			assert.equal(end.code, 64, args.join(' '));
			assert.equal(end.stdout, '');
		}
	});
});

describe('keys', () => {
	it('are issued, listed and revoked, and a revoked one is refused within two seconds', async () => {
		const issued = await run(['key', 'issue', site.config, '--subject', 'frank', '--role', 'reader']);
		assert.equal(issued.code, 0, issued.stderr);
		const key = issued.stdout.trim();
		assert.match(key, /^pstn_dev_/);
		assert.equal((await ask(server, request('tools/list'), { key })).status, 200);
		const list = await good(['key', 'list', site.config]);
		const id = list.split('\n').find((line) => line.includes('frank')).split(/\s+/)[0];
		assert.ok(!list.includes(key));
		await good(['key', 'revoke', site.config, id]);
		const start = Date.now();
		while ((await ask(server, request('tools/list'), { key })).status !== 401)
			assert.ok(Date.now() - start < 2000, 'it is still served');
		assert.match((await good(['key', 'list', site.config])).split('\n').find((line) => line.includes('frank')), /revoked/);
	});
	it('of an unknown role are not issued', async () => {
		const end = await run(['key', 'issue', site.config, '--subject', 'x', '--role', 'nonsense']);
		assert.equal(end.code, 64);
		assert.match(end.stderr, /nonsense/);
	});
});

describe('tools and call', () => {
	it('tools prints the surface with its size and owner', async () => {
		const out = await good(['tools', site.config]);
		for (const text of ['get_item', 'find_items', 'tests']) assert.match(out, new RegExp(text));
		assert.match(out, /tokens/);
	});
	it('tools --as shows what one subject sees', async () => {
		assert.match(await good(['tools', site.config, '--as', 'alice']), /read_secret/);
	});
	it('call works against a configuration and against a server', async () => {
		for (const where of [site.config, server.url])
			assert.match(await good(['call', where, 'get_item', '--arg', 'item_id=itm_0001'], { env }), /item b/);
	});
	it('a tool that says no ends with 1, and a missing key with a reason', async () => {
		for (const where of [site.config, server.url]) {
			const no = await run(['call', where, 'get_item', '--arg', 'item_id=itm_9999'], { env });
			assert.equal(no.code, 1, no.stderr);
			assert.match(no.stdout + no.stderr, /NOT_FOUND/);
			const anonymous = await run(['call', where, 'get_item', '--arg', 'item_id=itm_0001'], { env: { POSTERN_KEY: undefined } });
			assert.notEqual(anonymous.code, 0);
			assert.match(anonymous.stderr, /POSTERN_KEY|key/);
		}
	});
});

describe('the audit log', () => {
	it('has a record of a served call, of a refused one and of a failed one, and shows each', async () => {
		const call = (name, args) => ask(server, request('tools/call', { name, arguments: args }), { key: site.alice });
		await call('get_item', { item_id: 'itm_0003' });
		const refusedCall = (await call('get_item', { item_id: 7 })).json.result.structuredContent.error.call_id;
		const failedCall = (await call('get_item', { item_id: 'itm_9999' })).json.result.structuredContent.error.call_id;
		const tail = await good(['audit', 'tail', site.config, '--count', '20']);
		for (const text of [refusedCall, failedCall, 'VALIDATION_ERROR', 'NOT_FOUND', 'alice', 'get_item']) assert.ok(tail.includes(text), `${text} is not in\n${tail}`);
		const shown = await good(['audit', 'show', site.config, failedCall]);
		assert.match(shown, /NOT_FOUND/);
		assert.match(shown, /acme/);
		assert.ok(!shown.includes('itm_9999'), 'an argument of class hmac stands in clear');
		const nobody = await run(['audit', 'show', site.config, 'call_nothing']);
		assert.equal(nobody.code, 1);
	});
	it('resources, prompts and completions leave records too', async () => {
		await ask(server, request('resources/read', { uri: 'shop://items/itm_0004' }), { key: site.bob });
		await ask(server, request('prompts/get', { name: 'describe_item', arguments: { item: 'itm_0001' } }), { key: site.bob });
		const tail = await good(['audit', 'tail', site.config, '--count', '4']);
		assert.match(tail, /bob/);
		assert.match(tail, /item/);
		assert.match(tail, /describe_item/);
	});
});

describe('client-config', () => {
	it('prints what each client needs, with the key in place', async () => {
		const out = await good(['client-config', site.config, '--url', server.url], { env });
		for (const text of ['Claude', 'VS Code', 'Codex', 'Inspector', server.url, site.alice]) assert.ok(out.includes(text), text);
	});
});
