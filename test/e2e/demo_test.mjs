// ./run demo, as far as it goes without a person: twice, the second time with what the first one left.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';
import { directory, program, root } from './harness.mjs';

function demo(home) {
	return new Promise((done) => {
		const child = spawn(process.execPath, ['--import', join(root, 'test/e2e/packages.mjs'), join(root, 'tools/demo.mjs'), '--once', '--listen', '127.0.0.1:0'],
			{ env: { ...process.env, POSTERN: program, POSTERN_DEMO: home }, stdio: ['ignore', 'pipe', 'pipe'] });
		let text = '';
		child.stdout.on('data', (data) => (text += data));
		child.stderr.on('data', (data) => (text += data));
		child.on('close', (code) => done({ code, text }));
	});
}

it('the demo makes its database, calls, changes one line with the yes of a person, shows the record and how to connect; again with what is there', { timeout: 60000 }, async (t) => {
	const home = directory(t);
	const first = await demo(home);
	assert.equal(first.code, 0, first.text);
	for (const text of ['Customer summary', 'Northwind', 'NOT_FOUND', 'VALIDATION_ERROR', '***@mail.example', 'CALL_OUTCOME', 'Claude Desktop', 'Claude Code', 'VS Code', 'Inspector', 'pstn_dev_',
		'contract_total -48000.00', 'another person', '| `contract_total` | -240.00 |', 'approve exactly this?', 'outcome applied', 'totals 11160.00 EUR', 'plan_id = pl_', 'APPROVAL', 'CALL_INTENT'])
		assert.ok(first.text.includes(text), `${text} is not in\n${first.text}`);
	const second = await demo(home);
	assert.equal(second.code, 0, second.text);
	assert.match(second.text, /the support-desk database is there/);
	assert.match(second.text, /the key of the last run is still good/);
	assert.match(second.text, /outcome applied: contract \S+ now totals 11400\.00 EUR/);
});
