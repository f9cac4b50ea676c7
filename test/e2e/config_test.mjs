// Starting: a broken configuration never half-starts; every reason is a place, what was found and a remedy,
// all of them in one run; a source, port, disk or name that cannot be had is one clear line.  Cases CFG-*,
// ORG-08, SCH-06, SCH-15.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, modernHeaders, post, request, run, exchange, serve, until } from './harness.mjs';
import { catalog, configuration, makeSite, makeSiteWithKeys } from './site.mjs';

const place = /postern\.yaml:\d+:\d+: error \[[a-z_.]+\] /;
const catalogPlace = /catalog\.yaml:\d+:\d+: error \[[a-z_.]+\] /;

// Refused by check and by serve alike, with a place, and nothing was made.
async function refused(site, says, where) {
	for (const args of [['check', site.config], ['serve', site.config]]) {
		const end = await run(args);
		assert.ok(end.code > 0 && end.code < 126, `${args[0]}: ${end.code ?? end.signal}\n${end.stderr}`);
		assert.match(end.stderr + end.stdout, says);
		if (where) assert.match(end.stderr + end.stdout, where);
		assert.doesNotMatch(end.stderr, /listening/);
	}
	assert.ok(!existsSync(join(site.home, 'state')), 'it made its state directory');
}

const broken = [
	{ name: 'an unknown key', changes: { more: 'enviroment: development' }, says: /enviroment/ },
	{ name: 'a doubled key', changes: { more: 'name: again/e2e' }, says: /name/ },
	{ name: 'no environment', changes: { environment: undefined }, says: /environment/ },
	{ name: 'two environments', changes: { environment: 'environment: [development, staging]' }, says: /environment/ },
	{ name: 'an unknown environment', changes: { environment: 'environment: test' }, says: /environment/ },
	{ name: 'no name', changes: { name: undefined }, says: /name/ },
	{ name: 'an empty name', changes: { name: 'name: ""' }, says: /name/ },
	{ name: 'nobody could call', changes: { identity: 'identity: { api_keys: false }' }, says: /identity|call/ },
	{ name: 'no identity at all', changes: { identity: undefined }, says: /identity|call/ },
	{ name: 'a fixed identity for a real source', changes: { identity: 'identity: { fixed: { subject: x, roles: [reader] } }' }, says: /fixed/ },
	{ name: 'a limit of 0', changes: { limits: 'limits: { concurrency: 0 }' }, says: /concurrency/ },
	{ name: 'a negative limit', changes: { limits: 'limits: { concurrency: -1 }' }, says: /concurrency/ },
	{ name: 'an unlimited limit', changes: { limits: 'limits: { concurrency: unlimited }' }, says: /concurrency/ },
	{ name: 'a duration without unit', changes: { limits: 'limits: { tool_time: 10 }' }, says: /tool_time/ },
	{ name: 'a size without unit', changes: { limits: 'limits: { request_bytes: 1000 }' }, says: /request_bytes/ },
	{ name: 'a request time that clients do not wait for', changes: { limits: 'limits: { request_time: 61s }' }, says: /request_time/ },
	{ name: 'a tool time over the request time', changes: { limits: 'limits: { tool_time: 40s, request_time: 30s }' }, says: /tool_time/ },
	{ name: 'a public address without TLS', changes: { listen: 'listen: { http: { address: 0.0.0.0:8443 } }' }, says: /tls/ },
	{ name: 'a public IPv6 address without TLS', changes: { listen: 'listen: { http: { address: "[::]:8443" } }' }, says: /tls/ },
	{ name: 'a public address behind a proxy, without names', changes: { listen: 'listen: { http: { address: 0.0.0.0:8443, proxy_terminates_tls: true } }' }, says: /allowed_hosts/ },
	{ name: 'a scripted source in production', changes: { environment: 'environment: production' }, says: /scripted/ },
	{ name: 'an inline secret in production', changes: { environment: 'environment: production', identity: 'identity: { api_keys: true, stdio: { key: pstn_prd_x } }' }, says: /key/ },
	{ name: 'an unknown kind of source', changes: { sources: 'sources: { shop: { oracle: { file: x } } }' }, says: /oracle/ },
	{ name: 'two kinds of one source', changes: { sources: 'sources: { shop: { sqlite: { file: shop.db }, scripted: true } }' }, says: /shop/ },
	{ name: 'a role nobody defines', changes: { roles: 'roles: { reader: [shop.read, shop.secret, stage.play], chief: [reade] }' }, says: /reade/ },
	{ name: 'roles in a circle', changes: { roles: 'roles: { reader: [clerk, shop.read, shop.secret, stage.play], clerk: [reader] }' }, says: /circle|cycle|itself/ },
	{ name: 'no catalog', changes: { catalog: 'catalog: [nothing-*.yaml]' }, says: /nothing/ },
	{ name: 'not YAML', changes: { more: 'a: [b' }, says: /postern\.yaml/ },
	{ name: 'a tab for indentation', changes: { more: 'a:\n\tb: c' }, says: /postern\.yaml/ },
	{ name: 'two documents', changes: { more: '---\nname: second' }, says: /document/ },
	{ name: 'an anchor and an alias', changes: { more: 'x: &a [1]\ny: *a' }, says: /postern\.yaml/ },
];

describe('a broken postern.yaml', { concurrency: 2 }, () => {
	for (const row of broken)
		it(row.name, (t) => refused(makeSite(t, { changes: row.changes }), row.says, place));
	it('everything that is wrong is said in one run', async (t) => {
		const site = makeSite(t, { changes: { environment: 'environment: test', limits: 'limits: { concurrency: 0, tool_time: 10 }', more: 'nonsense: 1' } });
		const { stderr, stdout } = await run(['check', site.config]);
		for (const word of ['environment', 'concurrency', 'tool_time', 'nonsense']) assert.match(stderr + stdout, new RegExp(word));
		const lines = [...(stderr + stdout).matchAll(/postern\.yaml:(\d+):/g)].map((found) => Number(found[1]));
		assert.deepEqual(lines, [...lines].sort((a, b) => a - b));
	});
});

const change = (from, to) => {
	assert.ok(catalog.includes(from), `the catalog has no ${from}`);
	return catalog.replace(from, to);
};

const brokenCatalogs = [
	{ name: 'an unknown key of a tool', tools: change('    version: 1\n', '    version: 1\n    colour: red\n'), says: /colour/ },
	{ name: 'no grant', tools: change('    requires: shop.read\n', ''), says: /requires/ },
	{ name: 'no description', tools: change('    description: One item of the shop by its id. Use find_items when you do not know the id.\n', ''), says: /description/ },
	{ name: 'a grant nobody holds', tools: change('requires: shop.read', 'requires: shop.reed'), says: /shop\.reed/ },
	{ name: 'an unknown source', tools: change('source: shop', 'source: shoop'), says: /shoop/ },
	{ name: 'SELECT *', tools: change('SELECT id, name, price, stock, note FROM', 'SELECT * FROM'), says: /\*/ },
	{ name: 'two statements', tools: change('WHERE id = :item_id', 'WHERE id = :item_id; SELECT 1'), says: /statement/ },
	{ name: 'a write in a read', tools: change('read: SELECT whole, part FROM numbers', "read: DELETE FROM numbers RETURNING whole, part"), says: /SELECT|read/ },
	{ name: 'a write behind WITH', tools: change('read: SELECT whole, part FROM numbers', 'read: WITH x AS (SELECT 1) DELETE FROM numbers RETURNING whole, part'), says: /./ },
	{ name: 'PRAGMA', tools: change('read: SELECT whole, part FROM numbers', 'read: PRAGMA user_version'), says: /./ },
	{ name: 'ATTACH', tools: change('read: SELECT whole, part FROM numbers', "read: ATTACH 'x' AS y"), says: /./ },
	{ name: 'a parameter nobody declares', tools: change('WHERE id = :item_id', 'WHERE id = :item'), says: /:?item/ },
	{ name: 'a parameter as a table', tools: change('FROM items WHERE id = :item_id', 'FROM :item_id'), says: /./ },
	{ name: 'a template in the statement', tools: change('FROM numbers', 'FROM {{ table }}'), says: /./ },
	{ name: 'a list without a row limit', tools: change("    page: { by: [name, id], size: 5, max: 20 }\n", ''), says: /row|LIMIT/ },
	{ name: 'a string without a length', tools: change('maxLength: 40, ', ''), says: /maxLength|length/ },
	{ name: 'a pattern with a back reference', tools: change('"^cust_[A-Z0-9]{12}$"', '"^(a)\\\\1$"'), says: /pattern|reference/ },
	{ name: 'a pattern with look-around', tools: change('"^cust_[A-Z0-9]{12}$"', '"^(?=a)a$"'), says: /pattern|look/ },
	{ name: 'a table that is not there', tools: change('FROM numbers', 'FROM nombers'), says: /nombers/ },
	{ name: 'a column that is not there', tools: change('SELECT whole, part FROM', 'SELECT hole, part FROM'), says: /hole/ },
	{ name: 'a declared column the statement does not give', tools: change('columns: { whole: int64, part: decimal }', 'columns: { whole: int64, part: decimal, more: string }'), says: /more/ },
	{ name: 'a column that is not declared', tools: change('columns: { whole: int64, part: decimal }', 'columns: { whole: int64 }'), says: /part/ },
	{ name: 'a tool twice', tools: change('  who_am_i:', '  get_item:'), says: /get_item/ },
	{ name: 'a tool name over 64 characters', tools: change('  who_am_i:', `  ${'w'.repeat(65)}:`), says: /64|name/ },
	{ name: 'an input that carries SQL', tools: change('words: {', 'sql: {').replace(':words AS words', ':sql AS words'), says: /sql/i },
	{ name: 'a version that is not a number', tools: change('version: 1', 'version: one'), says: /version/ },
];

describe('a broken catalog', { concurrency: 2 }, () => {
	for (const row of brokenCatalogs)
		it(row.name, (t) => refused(makeSite(t, { tools: row.tools }), row.says, catalogPlace));
});

describe('a good configuration', () => {
	it('is checked without leaving anything', async (t) => {
		const site = makeSite(t);
		const end = await run(['check', site.config]);
		assert.equal(end.code, 0, end.stdout + end.stderr);
		assert.ok(!existsSync(join(site.home, 'state')));
	});
	it('starts, and stops by SIGTERM and by SIGINT with 0', async (t) => {
		const site = await makeSiteWithKeys(t);
		for (const signal of ['SIGTERM', 'SIGINT']) {
			const server = await serve(t, site.config);
			assert.equal((await ask(server, request('tools/list'), { key: site.alice })).status, 200);
			server.child.kill(signal);
			await until(`the end by ${signal}`, () => server.over);
			assert.equal((await server.ended).code, 0);
		}
	});
	it('a call that runs when SIGTERM comes is answered', async (t) => {
		const site = await makeSiteWithKeys(t);
		const server = await serve(t, site.config);
		const nap = request('tools/call', { name: 'nap', arguments: {} });
		const reply = exchange(server.port, post(server, nap, { key: site.alice, headers: modernHeaders(nap) }));
		setTimeout(() => server.child.kill('SIGTERM'), 300);
		assert.equal((await reply).replies[0]?.json.result.content[0].text, 'rested');
		assert.equal((await server.ended).code, 0);
	});
	it('SIGHUP reads it again; a broken one is refused and the old stays', async (t) => {
		const site = await makeSiteWithKeys(t);
		const server = await serve(t, site.config);
		const names = async () => (await ask(server, request('tools/list'), { key: site.alice })).json.result.tools.map((tool) => tool.name);
		assert.ok((await names()).includes('who_am_i'));
		writeFileSync(join(site.home, 'catalog.yaml'), change('  who_am_i:', '  who_is_it:'));
		server.child.kill('SIGHUP');
		await until('the new catalog', async () => (await names()).includes('who_is_it'));
		writeFileSync(join(site.home, 'catalog.yaml'), 'tools: nonsense\n');
		const before = server.stderr.length;
		server.child.kill('SIGHUP');
		await until('the refusal', () => server.stderr.length > before);
		assert.ok((await names()).includes('who_is_it'));
	});
});

describe('what cannot be had', () => {
	// One clear line, a status, and no listener.
	const fails = async (site, says) => {
		const end = await run(['serve', site.config, '--listen', site.listen ?? '127.0.0.1:0']);
		assert.ok(end.code > 0 && end.code < 126, `${end.code ?? end.signal}: ${end.stderr}`);
		assert.match(end.stderr, says);
		assert.doesNotMatch(end.stderr, /listening/);
		const said = end.stderr.trim().split('\n').filter((line) => says.test(line));
		assert.equal(said.length, 1, end.stderr);
	};
	const firstOnly = (site) => {
		// a catalog with one entry on the source, so that the reason is said once
		writeFileSync(join(site.home, 'catalog.yaml'), catalog.slice(0, catalog.indexOf('  find_items:')));
		return site;
	};

	it('a missing database', async (t) => {
		const site = firstOnly(makeSite(t));
		rmSync(join(site.home, 'shop.db'));
		await fails(site, /shop/);
	});
	it('a database that is none', async (t) => {
		const site = firstOnly(makeSite(t));
		writeFileSync(join(site.home, 'shop.db'), 'this is not a database, it only has the name of one'.repeat(50));
		await fails(site, /shop/);
	});
	it('a database cut in half', async (t) => {
		const site = firstOnly(makeSite(t));
		truncateSync(join(site.home, 'shop.db'), 100);
		await fails(site, /shop/);
	});
	it('a busy port', async (t) => {
		const site = makeSite(t);
		const holder = net.createServer().listen(0, '127.0.0.1');
		t.after(() => holder.close());
		await new Promise((done) => holder.on('listening', done));
		site.listen = `127.0.0.1:${holder.address().port}`;
		await fails(site, /in use|busy|listen/);
	});
	it('the same instance a second time', async (t) => {
		const site = await makeSiteWithKeys(t);
		await serve(t, site.config);
		await fails(site, /instance/);
		const other = await serve(t, site.config, { args: ['--instance', 'b'] });
		assert.equal((await ask(other, request('tools/list'), { key: site.alice })).status, 200);
	});
	it('a state directory that cannot be made', async (t) => {
		const site = makeSite(t);
		writeFileSync(join(site.home, 'state'), 'a file where a directory should be');
		await fails(site, /state/);
	});
	it('a full disk', async (t) => {
		const site = await makeSiteWithKeys(t);
		const state = join(site.home, 'small');
		mkdirSync(state, { mode: 0o700 });
		const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k,mode=700', 'tmpfs', state]);
		if (mounted.status !== 0) return t.skip('a small file system cannot be mounted here (needs root)');
		try {
			writeFileSync(site.config, configuration({ audit: 'audit: { directory: small/audit, keys: state/keys }' }));
			spawnSync('sh', ['-c', `cat /dev/zero > ${join(state, 'filler')}`]);
			await fails(site, /space|full/);
		} finally {
			spawnSync('umount', ['-l', state]);
		}
	});
	it('secrets others can read', async (t) => {
		const site = makeSite(t);
		writeFileSync(join(site.home, 'key'), 'pstn_dev_x\n');
		chmodSync(join(site.home, 'key'), 0o644);
		writeFileSync(site.config, configuration({ identity: 'identity: { api_keys: true, stdio: { key: "${file:key}" } }' }));
		await refused(site, /key/);
		chmodSync(join(site.home, 'key'), 0o600);
		symlinkSync(join(site.home, 'key'), join(site.home, 'link'));
		writeFileSync(site.config, configuration({ identity: 'identity: { api_keys: true, stdio: { key: "${file:link}" } }' }));
		await refused(site, /link/);
	});
	it('a configuration that is not a file', async (t) => {
		const site = makeSite(t);
		for (const path of [site.home, join(site.home, 'nothing.yaml'), '/dev/null', '/dev/zero']) {
			const end = await run(['check', path], { deadlineMs: 10000 });
			assert.ok(end.code > 0 && end.code < 126, `${path}: ${end.code ?? end.signal}`);
			assert.match(end.stdout + end.stderr, /config\.file/);
		}
	});
});

describe('secrets of a running server', () => {
	it('are not in its command line, its environment or its log', async (t) => {
		const site = await makeSiteWithKeys(t);
		const server = await serve(t, site.config, { env: { POSTERN_KEY: site.alice } });
		await ask(server, request('tools/list'), { key: site.bob });
		const proc = `/proc/${server.child.pid}`;
		assert.ok(!readFileSync(`${proc}/cmdline`, 'latin1').includes('pstn_'));
		let environ = '';
		try {
			environ = readFileSync(`${proc}/environ`, 'latin1');
		} catch {
			// not dumpable: nobody can read it, which is the point
		}
		assert.ok(!environ.includes(site.alice), 'the key is still in the environment');
		assert.match(readFileSync(`${proc}/limits`, 'latin1'), /Max core file size\s+0\s/);
		assert.doesNotMatch(server.stderr, /pstn_[a-z]+_/);
	});
});
