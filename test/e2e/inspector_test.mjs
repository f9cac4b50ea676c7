// The Inspector's command line, which is how people look at a server: three eras, HTTP and stdio, with its
// strict look at schemas.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { join } from 'node:path';
import { program, root, serve } from './harness.mjs';
import { makeSiteWithKeys } from './site.mjs';

const launcher = join(root, 'build/node/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js');

function inspect(args, env) {
	return new Promise((done) => {
		const child = spawn(process.execPath, [launcher, '--cli', ...args],
			{ env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
		let [stdout, stderr] = ['', ''];
		child.stdout.on('data', (data) => (stdout += data));
		child.stderr.on('data', (data) => (stderr += data));
		child.on('close', (code) => done({ code, stdout, stderr }));
	});
}

const methods = [
	{ name: 'tools/list, strictly', args: ['--strict', '--method', 'tools/list'], says: /get_item/ },
	{ name: 'tools/call', args: ['--method', 'tools/call', '--tool-name', 'get_item', '--tool-arg', 'item_id=itm_0001'], says: /item b/ },
	{ name: 'tools/call that fails', args: ['--method', 'tools/call', '--tool-name', 'get_item', '--tool-arg', 'item_id=itm_9999'], says: /NOT_FOUND/, code: 5 },
	{ name: 'resources/read', args: ['--method', 'resources/read', '--uri', 'shop://about'], says: /A shop of the tests/ },
	{ name: 'prompts/get', args: ['--method', 'prompts/get', '--prompt-name', 'describe_item', '--prompt-args', 'item=itm_0001'], says: /Describe the item itm_0001/ },
];

describe('inspector', { concurrency: 2 }, () => {
	const cleanup = [];
	let site;

	before(async () => {
		const scope = { after: (f) => cleanup.push(f) };
		site = await makeSiteWithKeys(scope);
		site.server = await serve(scope, site.config);
	});
	after(async () => {
		for (const f of cleanup.reverse()) await f();
	});

	for (const era of ['legacy', 'auto', 'modern']) {
		for (const method of methods) {
			it(`${era} over http: ${method.name}`, async () => {
				const got = await inspect([site.server.url, '--transport', 'http', '--protocol-era', era, '-q',
					'--header', `Authorization: Bearer ${site.alice}`, ...method.args, '--format', 'json']);
				assert.equal(got.code, method.code ?? 0, got.stderr + got.stdout);
				assert.match(got.stdout + got.stderr, method.says);
			});
			it(`${era} over stdio: ${method.name}`, async () => {
				const got = await inspect(['-q', '--protocol-era', era, '-e', `POSTERN_KEY=${site.alice}`, ...method.args,
					'--format', 'json', '--', program, 'stdio', site.config]);
				assert.equal(got.code, method.code ?? 0, got.stderr + got.stdout);
				assert.match(got.stdout + got.stderr, method.says);
			});
		}
	}
	it('says which credential is missing', async () => {
		const got = await inspect([site.server.url, '--transport', 'http', '-q', '--stored-auth-only', '--method', 'tools/list']);
		assert.notEqual(got.code, 0);
	});
});
