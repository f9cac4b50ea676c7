// desk - the support desk of examples/support-desk, as a deployment of the tests' own: its database, people
// of each level with a key for calls and one for approving, and a terminal for those who approve.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ask, directory, issueKey, program, request, root, run, serve } from './harness.mjs';

export const example = join(root, 'examples/support-desk');

// The id that make.sql gives to the n-th of its kind.
export const idOf = (prefix, n) => `${prefix}_${((BigInt(n) * 2654435761n) % 1099511627776n).toString(16).padStart(10, '0')}`;

// One database for all desks of a test file: making it takes a while.
let made;
export function makeDatabase(scope) {
	if (made) return made;
	made = join(directory(scope), 'support-desk.db');
	const db = new DatabaseSync(made);
	db.exec(readFileSync(join(example, 'make.sql'), 'utf8'));
	db.close();
	return made;
}

// ---- people ----

// Who works at the desk, with which role.  Those of `leads` have no key for calls.
export const people = { lena: 'support_l1', milo: 'support_l2', nora: 'support_l3', bill: 'billing' };
export const leads = { chris: 'contracts_lead', fay: 'finance_lead', dana: 'desk_lead' };

async function issueApprover(config, subject, role) {
	const end = await run(['key', 'issue', config, '--subject', subject, '--role', role, '--approver']);
	assert.equal(end.code, 0, end.stderr);
	return /\bpsap_[a-z]+_[A-Za-z0-9_-]+/.exec(end.stdout)[0];
}

// Runs the program on a terminal of its own, and answers each question of it with what stands beside the
// pattern: an answer given before the question would be thrown away.
export function terminal(args, answers = []) {
	return new Promise((done, failed) => {
		const quoted = [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
		const child = spawn('script', ['-qec', quoted, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
		const left = [...answers];
		let text = '', from = 0;
		const timer = setTimeout(() => child.kill('SIGKILL'), 20000);
		child.on('error', failed);
		child.stdout.setEncoding('utf8').on('data', (data) => {
			text += data;
			if (!left.length || !left[0][0].test(text.slice(from))) return;
			from = text.length;
			child.stdin.write(`${left.shift()[1]}\n`);
		});
		child.on('close', (code) => {
			clearTimeout(timer);
			done({ code, text: text.replaceAll('\r', '') });
		});
	});
}

// ---- the desk ----

export async function openDesk(scope) {
	const home = directory(scope);
	const config = join(home, 'postern.yaml');
	const database = join(home, 'support-desk.db');
	cpSync(example, home, { recursive: true });
	writeFileSync(config, readFileSync(config, 'utf8').replace('127.0.0.1:8479', '127.0.0.1:0')); // its approval pages, on any port
	copyFileSync(makeDatabase(scope), database);
	const marked = await run(['install', config, 'crm', '--synthetic']);
	assert.equal(marked.code, 0, marked.stderr);
	const it = { home, config, database, keys: {}, approvers: {} };
	// A person of this role, with both keys; those of `leads` have none for calls.
	it.join = async (subject, role) => {
		if (!leads[subject]) it.keys[subject] = await issueKey(config, { subject, roles: [role], agent: 'assistant' });
		it.approvers[subject] = await issueApprover(config, subject, role);
		return subject;
	};
	for (const [subject, role] of Object.entries({ ...people, ...leads })) await it.join(subject, role);
	it.server = await serve(scope, config);
	it.rows = (sql, ...values) => {
		const db = new DatabaseSync(database, { readOnly: true });
		try { return db.prepare(sql).all(...values).map((row) => ({ ...row })); } finally { db.close(); }
	};
	it.row = (sql, ...values) => it.rows(sql, ...values)[0];

	// The structured content of one call, and what stands beside it for people.
	it.call = async (subject, name, args) => {
		const reply = await ask(it.server, request('tools/call', { name, arguments: args }), { key: it.keys[subject] });
		const result = reply.json?.result;
		assert.ok(result, `${name}: ${reply.body}`);
		return { ...result.structuredContent, isError: result.isError ?? false, text: result.content?.map((block) => block.text).join('\n') ?? '' };
	};
	it.refused = async (subject, name, args, code, reason) => {
		const got = await it.call(subject, name, args);
		assert.ok(got.error, `${name} ${JSON.stringify(args)} was not refused: ${JSON.stringify(got)}`);
		assert.equal(got.error.code, code, JSON.stringify(got.error));
		if (reason) assert.equal(got.error.details?.reason, reason, JSON.stringify(got.error));
		return got.error;
	};
	it.previewed = async (subject, name, args) => {
		const got = await it.call(subject, name, args);
		assert.equal(got.outcome, 'preview', JSON.stringify(got));
		return got;
	};
	it.approve = (subject, plan, answer = 'yes') =>
		terminal(['approve', config, plan], [[/key: $/, it.approvers[subject]], [/type yes: $/, answer]]);
	it.decline = (subject, plan, reason) => terminal(['decline', config, plan, '--reason', reason], [[/key: $/, it.approvers[subject]]]);
	it.escalate = (subject, plan, note) => terminal(['escalate', config, plan, '--note', note], [[/key: $/, it.approvers[subject]]]);
	it.pending = (subject) => terminal(['pending', config], [[/key: $/, it.approvers[subject]]]);
	it.show = (subject, plan) => terminal(['show', config, plan], [[/key: $/, it.approvers[subject]]]);
	// Preview, yes, apply.
	it.change = async (subject, approver, name, args) => {
		const { plan } = await it.previewed(subject, name, args);
		const yes = await it.approve(approver, plan.id);
		assert.equal(yes.code, 0, yes.text);
		const got = await it.call(subject, name, { ...args, plan_id: plan.id });
		assert.equal(got.outcome, 'applied', JSON.stringify(got));
		return got;
	};
	it.dump = () => dump(database);
	it.records = () => records(home);
	return it;
}

// Everything in the database but what the file keeps for itself: a digest for each table and for the schema.
export function dump(path) {
	const db = new DatabaseSync(path, { readOnly: true });
	try {
		const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all().map((row) => row.name);
		const of = (sql) => {
			const hash = createHash('sha256');
			for (const row of db.prepare(sql).iterate()) hash.update(JSON.stringify(row));
			return hash.digest('hex');
		};
		return { '': of('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name'),
			...Object.fromEntries(tables.map((name) => [name, of(`SELECT * FROM "${name}"`)])) };
	} finally {
		db.close();
	}
}

// Every record of the audit log, in order.
export const records = (home) => readdirSync(join(home, 'state/audit')).filter((name) => name.endsWith('.log')).sort()
	.flatMap((name) => readFileSync(join(home, 'state/audit', name), 'utf8').split('\n').map((line) => line.replace(/\0+$/, '')))
	.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
