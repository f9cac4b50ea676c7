// What `postern audit show` makes of the records of a change: written here, line by line, so that
// the form that doc/audit-log.md describes is read by one program and made by another.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { run } from './harness.mjs';
import { makeSite } from './site.mjs';

const boot = '01KAJ3W3D7QZ0000000000TEST';
const call = '01KAJ3W3D7QZ00000000CALL01';

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
	let c = n;
	for (let bit = 0; bit < 8; bit++)
		c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
	return c >>> 0;
});
const crc32c = (bytes) => {
	let c = 0xffffffff;
	for (const byte of bytes)
		c = crcTable[(c ^ byte) & 255] ^ (c >>> 8);
	return ((c ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
};

const line = (members, i) => {
	const head = `{"v":1,"i":${i},"t":"2026-11-21T03:07:11.402113Z","m":${i},"o":"test/e2e","b":"${boot}",`;
	const text = head + JSON.stringify(members).slice(1, -1);
	return `${text},"crc":"${crc32c(Buffer.from(text))}"}\n`;
};

const effects = (value) => ({
	steps: [{
		tool: 'correct_signatory@3', td: 'sha256:00',
		rows: [
			{ t: 'contracts', op: 'update', key: { id: 7 }, before: { id: 7, signatory: 'Acme Inc', mail: 'hmac:k1:aa' }, after: { signatory: value } },
			{ t: 'events', op: 'insert', key: { id: 1 }, after: { id: 1, text: 'corrected' } },
			{ t: 'drafts', op: 'delete', key: { id: 2 }, before: { id: 2 } },
		],
		tables: [],
	}],
	need: 'requester', grant: '', because: '',
});

const site = (t, records) => {
	const made = makeSite(t);
	const directory = join(made.home, 'state/audit');
	mkdirSync(join(directory, 'blob'), { recursive: true, mode: 0o700 });
	writeFileSync(join(directory, `audit-${boot}-000001.log`), records.map(line).join(''), { mode: 0o600 });
	return { ...made, blobs: join(directory, 'blob') };
};

const outcome = (value) => ({ e: 'CALL_OUTCOME', call, mode: 'preview', plan: 'pl_1', effects: value });

describe('audit show', () => {
	it('prints the rows of a change, what was and what is', async (t) => {
		const { config } = site(t, [outcome(effects('Acme GmbH'))]);
		const shown = await run(['audit', 'show', config, call]);
		assert.equal(shown.code, 0, shown.stderr);
		assert.match(shown.stdout, / correct_signatory@3/);
		assert.match(shown.stdout, / {2}update contracts \{"id":7\}\n {4}signatory +"Acme Inc" -> "Acme GmbH"\n/);
		assert.match(shown.stdout, / {2}insert events \{"id":1\}\n {4}id +1\n {4}text +"corrected"\n/);
		assert.match(shown.stdout, / {2}delete drafts \{"id":2\}\n {4}id +2\n/);
		assert.doesNotMatch(shown.stdout, /mail/); // it did not change
	});

	it('prints the rows of a blob, and says when it was changed', async (t) => {
		const text = JSON.stringify(effects('x'.repeat(20000)));
		const digest = createHash('sha256').update(text).digest('hex');
		const { config, blobs } = site(t, [outcome({ blob: `sha256:${digest}`, bytes: text.length })]);
		writeFileSync(join(blobs, digest), text, { mode: 0o600 });
		const shown = await run(['audit', 'show', config, call]);
		assert.equal(shown.code, 0, shown.stderr);
		assert.equal(/-> "(x+)"/.exec(shown.stdout)?.[1].length, 20000);
		writeFileSync(join(blobs, digest), text.replace('Acme', 'Acne'));
		const harmed = await run(['audit', 'show', config, call]);
		assert.equal(harmed.code, 1);
		assert.match(harmed.stderr, /damaged: blob [0-9a-f]{64} holds something else/);
	});

	it('takes a plan, and shows all that belongs to it', async (t) => {
		const { config } = site(t, [
			outcome(effects('Acme GmbH')),
			{ e: 'PLAN', call, plan: 'pl_1', need: 'requester' },
			{ e: 'APPROVAL', plan: 'pl_1', decision: 'declined', subj: 'berta', note: 'not without the contract' },
			{ e: 'APPROVAL', plan: 'pl_2', decision: 'approved', subj: 'carl' },
		]);
		const shown = await run(['audit', 'show', config, 'pl_1']);
		assert.equal(shown.code, 0, shown.stderr);
		for (const what of ['Acme GmbH', 'declined', 'berta', 'not without the contract', 'PLAN'])
			assert.ok(shown.stdout.includes(what), what);
		assert.ok(!shown.stdout.includes('carl'));
		assert.equal((await run(['audit', 'show', config, 'pl_3'])).code, 1);
	});

	it('prints nothing that a terminal obeys, and survives what is no set of effects', async (t) => {
		// eslint-disable-next-line no-control-regex
		const harmful = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
		const hostile = effects('\u202e\x1b[2J\x9b31m');
		hostile.steps[0].rows[0].t = '\x1b[2J\u202e';
		hostile.steps[0].rows[0].before = { '\x9b31m': 1 };
		hostile.steps[0].rows[0].after = { '\x9b31m': '\u2066' };
		const odd = [7, null, [], {}, { steps: 7 }, { steps: [7, null, { rows: 7 }, { rows: [null, 7, {}] }] },
			{ steps: [{ rows: [{ before: 7, after: [] }] }] }, { lost: true }];
		const { config } = site(t, [outcome(hostile), ...odd.map(outcome)]);
		const shown = await run(['audit', 'show', config, call]);
		assert.equal(shown.code, 0, shown.stderr);
		assert.doesNotMatch(shown.stdout, harmful);
		const nowhere = site(t, [outcome({ blob: 'sha256:../../keys/audit-hmac' })]);
		const refused = await run(['audit', 'show', nowhere.config, call]);
		assert.equal(refused.code, 1);
		assert.match(refused.stderr, /not the digest of a blob/);
	});
});
