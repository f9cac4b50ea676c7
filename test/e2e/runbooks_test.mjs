// Every command of doc/runbooks, as it stands on its page, against a scratch deployment.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { issueKey, program, root, run, serve } from './harness.mjs';
import { makeSite } from './site.mjs';

const folder = join(root, 'doc/runbooks');
const pages = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md');

const tools = `tools:
  look:
    version: 1
    title: A look
    description: Gives back one row, so that a call can be seen in the log.
    owner: tests
    purpose: runbooks
    source: shop
    requires: shop.read
    read: SELECT count(*) AS items FROM items
    returns: { shape: one, columns: { items: integer } }
`;

export const blocks = (text) => [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((found) => found[1]);

const idOf = async (config, key) => {
	const { stdout } = await run(['key', 'list', config]);
	return stdout.split('\n').map((line) => line.split(/\s+/)[0]).find((id) => id && key.includes(id));
};

describe('runbooks', () => {
	it('there is a page for each of them, and the list names all', () => {
		const list = readFileSync(join(folder, 'README.md'), 'utf8');
		for (const page of pages) assert.ok(list.includes(`(${page})`), page);
		for (const page of ['rotate-a-credential.md', 'revoke-a-leaked-credential.md', 'investigate-misuse.md',
			'write-up-an-incident.md', 'full-audit-disk.md', 'restore.md', 'kill-and-drill.md'])
			assert.ok(pages.includes(page), page);
	});
	for (const page of pages)
		it(page, async (t) => {
			const site = makeSite(t, { tools });
			const old = await issueKey(site.config, { subject: 'ada' });
			const key = await issueKey(site.config, { subject: 'bea' });
			for (const one of [old, key])
				assert.equal((await run(['call', site.config, 'look'], { env: { POSTERN_KEY: one } })).code, 0);
			const bin = join(site.home, 'bin');
			mkdirSync(bin);
			symlinkSync(resolve(program), join(bin, 'postern'));
			const id = await idOf(site.config, old);
			assert.ok(id);
			// the commands of some pages need a running server; those of others need that there is none
			const url = page === 'kill-and-drill.md' ? (await serve(t, site.config)).url : '';
			const script = blocks(readFileSync(join(folder, page), 'utf8'));
			assert.ok(script.length > 2, 'a page without commands');
			const end = spawnSync('sh', ['-euc', script.join('\n')], { cwd: site.home, encoding: 'utf8', timeout: 60000,
				env: { PATH: `${bin}:${process.env.PATH}`, CONFIG: site.config, LOG: join(site.home, 'state/audit'),
					STORE: join(site.home, 'state/postern.db'), KEYS: join(site.home, 'state/keys'), OLD: id, LEAKED: id, KEY: key, URL: url } });
			assert.equal(end.status, 0, `${end.stdout}\n${end.stderr}`);
			if (page === 'rotate-a-credential.md') {
				assert.match(end.stdout, /^0 records of the old key since$/m);
				assert.notEqual((await run(['call', site.config, 'look'], { env: { POSTERN_KEY: old } })).code, 0);
			}
			if (page === 'revoke-a-leaked-credential.md') {
				assert.match(end.stdout, /1 "tool":"look@1"/);
				assert.notEqual((await run(['call', site.config, 'look'], { env: { POSTERN_KEY: old } })).code, 0);
			}
			if (page === 'kill-and-drill.md') {
				assert.match(end.stdout, /\n8 switches drilled, 8 refused, 8 resumed\n/);
				assert.equal(end.stdout.match(/^\w+ +works /gm).length, 8);
				assert.match((await run(['kills', site.config, '--history'])).stdout, /wrong rows in the answers/);
				assert.doesNotMatch((await run(['kills', site.config])).stdout, /wrong rows|another tenant/);
			}
			if (page === 'kill-and-drill.md' || page === 'restore.md' || page === 'full-audit-disk.md')
				assert.equal((await run(['call', site.config, 'look'], { env: { POSTERN_KEY: key } })).code, 0);
		});
});
