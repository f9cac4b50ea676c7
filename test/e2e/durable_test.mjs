// No answer before its record is durable.  A preloaded shim tells what each returned sync covered; under
// load the server is killed, what no sync covered is thrown away, and it starts again: every call that was
// answered must stand in the log.  KILL_ROUNDS says how often.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, exchange, modernHeaders, post, request, root, run, serve, until } from './harness.mjs';
import { makeSiteWithKeys } from './site.mjs';

const rounds = Number(process.env.KILL_ROUNDS ?? 5);

function shim() {
	const path = join(root, 'build/sync_shim.so');
	mkdirSync(dirname(path), { recursive: true });
	const built = spawnSync('gcc', ['-O1', '-Wall', '-Werror', '-D_GNU_SOURCE', '-shared', '-fPIC', '-o', path, join(root, 'test/e2e/sync_shim.c'), '-ldl']);
	assert.equal(built.status, 0, String(built.stderr));
	return path;
}

const segments = (home) => readdirSync(join(home, 'state/audit'), { recursive: true })
	.filter((name) => /audit-.*\.log$/.test(name)).map((name) => join(home, 'state/audit', name));

// What a machine that lost its power now would have: of every segment what a sync covered, and the segment
// itself only when its directory was synced after it was made.
function dropWhatIsNotCovered(home, log, zeros) {
	const covered = new Map();
	const directories = new Map();
	for (const line of existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : []) {
		const [, time, end, path] = /^(\d+) (-?\d+) (.*)$/.exec(line);
		if (end === '-1') directories.set(path, BigInt(time));
		else covered.set(path, Math.max(covered.get(path) ?? 0, Number(end)));
	}
	let dropped = 0;
	for (const path of segments(home)) {
		const { size, birthtimeNs } = statSync(path, { bigint: true });
		const keep = covered.get(path) ?? 0;
		if (!(directories.get(dirname(path)) >= birthtimeNs)) {
			rmSync(path);
			dropped++;
		} else if (BigInt(keep) < size) {
			truncateSync(path, keep);
			if (zeros) truncateSync(path, Number(size)); // reserved and never written
			dropped++;
		}
	}
	return dropped;
}

// Calls as fast as they are answered, each with an id of its own, until the connection breaks.
async function load(server, key, round, lane, answered) {
	for (let i = 0; ; i++) {
		const id = `round-${round}-lane-${lane}-call-${i}`;
		const message = request('tools/call', { name: 'get_item', arguments: { item_id: 'itm_0001' } }, { id });
		try {
			const { replies: [reply] } = await exchange(server.port, post(server, message, { key, headers: modernHeaders(message) }));
			if (!reply) return;
			if (reply.json?.result) answered.push(id);
		} catch {
			return;
		}
	}
}

describe('durability', () => {
	it(`${rounds} times killed under load: every answered call is in the log`, { timeout: rounds * 10000 + 30000 }, async (t) => {
		const site = await makeSiteWithKeys(t);
		const log = join(site.home, 'synced');
		const env = { LD_PRELOAD: shim(), SHIM_LOG: log };
		const all = [];
		for (let round = 0; round < rounds; round++) {
			const server = await serve(t, site.config, { env, stop: false });
			const answered = [];
			const lanes = Array.from({ length: 8 }, (_, lane) => load(server, site.alice, round, lane, answered));
			await until('enough answers', () => answered.length > 20 + (round * 37) % 200);
			server.child.kill('SIGKILL');
			await Promise.all([server.ended, ...lanes]);
			dropWhatIsNotCovered(site.home, log, round % 2 === 1);
			all.push(...answered);
			const logged = new Set(segments(site.home).flatMap((path) =>
				readFileSync(path, 'latin1').match(/"round-\d+-lane-\d+-call-\d+"/g) ?? []));
			const lost = all.filter((id) => !logged.has(`"${id}"`));
			assert.deepEqual(lost, [], `round ${round}: ${lost.length} of ${all.length} answered calls are not in the log`);
		}
		const last = await serve(t, site.config);
		await last.alive();
		const tail = await run(['audit', 'tail', site.config, '--count', '5']);
		assert.equal(tail.code, 0, tail.stderr);
		t.diagnostic(`${rounds} rounds, ${all.length} answered calls, none lost`);
	});

	it('while the disk does not answer nothing is answered but AUDIT_UNAVAILABLE, within three seconds', async (t) => {
		const site = await makeSiteWithKeys(t);
		const hang = join(site.home, 'hang');
		const server = await serve(t, site.config, { env: { LD_PRELOAD: shim(), SHIM_HANG: hang } });
		const message = (id) => request('tools/call', { name: 'get_item', arguments: { item_id: 'itm_0001' } }, { id });
		assert.ok((await ask(server, message(1), { key: site.alice })).json.result.structuredContent.id);
		writeFileSync(hang, '');
		const start = Date.now();
		const replies = await Promise.all(Array.from({ length: 10 }, (_, i) => ask(server, message(i + 2), { key: site.alice })));
		assert.ok(Date.now() - start < 3000, `${Date.now() - start} ms`);
		for (const { json, body } of replies) {
			assert.equal(json.result.structuredContent.error.code, 'AUDIT_UNAVAILABLE', body);
			assert.doesNotMatch(body, /item b/);
		}
		rmSync(hang);
		await until('calls to be served again', async () => !(await ask(server, message(99), { key: site.alice })).json.result.isError);
	});
});
