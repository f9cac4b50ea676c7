// write - what a change costs: a preview, a small write that nobody approves, and an approved plan applied,
// over HTTP with every guard and the durable record, next to the same statements in a bare transaction.
//
// usage: bench/write.mjs [--calls N] [--connections N,N,...]
//   POSTERN  another program than build/postern
//
// Read ratios and CPU per call before calls/s: one Node process sends the calls, on the same cores.  Ends
// with 1 when any answer was not what it must be.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const root = new URL('..', import.meta.url).pathname;
const program = process.env.POSTERN ?? join(root, 'build/postern');
const home = join(root, 'build/bench-write');
const config = join(home, 'postern.yaml');
const option = (name, otherwise) => {
	const at = process.argv.indexOf(`--${name}`);
	return at > 0 ? process.argv[at + 1] : otherwise;
};
const calls = Number(option('calls', 2000));
const connections = option('connections', '1,16').split(',').map(Number);

const ITEMS = 5000;
const update = 'UPDATE items SET price = :cents WHERE id = :item_id';
const insert = 'INSERT INTO notes (item_id, note) VALUES (:item_id, :note)';

function command(args) {
	const it = spawnSync(program, args, { encoding: 'utf8' });
	if (it.status !== 0) throw new Error(`postern ${args[0]}: ${it.stderr}`);
	return it.stdout;
}

function makeDatabase(path) {
	const db = new DatabaseSync(path);
	db.exec(`PRAGMA journal_mode = WAL; CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, price INTEGER NOT NULL);
		CREATE TABLE notes (id INTEGER PRIMARY KEY, item_id TEXT NOT NULL REFERENCES items (id), note TEXT NOT NULL);
		WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < ${ITEMS - 1}) INSERT INTO items SELECT printf('itm_%06d', n), 100 FROM n`);
	db.close();
}

const effects = 'notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: string } }';
const tool = (name, write, more, approval) => `  ${name}:
    description: What a change costs.
    owner: bench
    purpose: bench
    source: shop
    requires: shop.change
    input: { item_id: { type: string, maxLength: 20 }, cents: { type: integer, minimum: 1, maximum: 100000000, default: 1 }, note: { type: string, maxLength: 50 }, reason: { type: string, maxLength: 50 } }
    write: [${write.map((text) => `"${text}"`).join(', ')}]
    effects: { ${more}${effects} }
    approval: { by: ${approval} }
`;

function prepare() {
	rmSync(home, { recursive: true, force: true });
	mkdirSync(home, { recursive: true });
	makeDatabase(join(home, 'shop.db'));
	makeDatabase(join(home, 'bare.db'));
	writeFileSync(join(home, 'catalog.yaml'), `tools:\n${tool('reprice', [update, insert], 'items: { update: [price], key: [id], where: id = :item_id }, ', 'requester')}${tool('note', [insert], '', 'none')}`);
	writeFileSync(config, `environment: development
name: example/bench-write
owner: bench
listen: { http: { address: "127.0.0.1:0" } }
sources: { shop: { sqlite: { file: shop.db }, owner: bench, purpose: bench } }
store: { sqlite: state/postern.db }
audit: { directory: state/audit, keys: state/keys }
identity: { api_keys: true }
roles: { changer: [shop.change], other: [shop.other] }
limits: { destructive: 100000000/d per principal, pending_plans: 1000, request_time: 30s }
catalog: [catalog.yaml]
`);
	command(['install', config, 'shop']);
	const key = command(['key', 'issue', config, '--subject', 'bench', '--role', 'changer']).match(/pstn_\S+/)[0];
	command(['key', 'issue', config, '--subject', 'bench', '--role', 'other', '--approver']);
	return key;
}

function startServer() {
	const child = spawn(program, ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
	let text = '';
	return new Promise((done, failed) => {
		child.on('close', () => failed(new Error(`postern ended: ${text}`)));
		child.stderr.setEncoding('utf8').on('data', (data) => {
			text = (text + data).slice(-4000);
			const port = /listening .*address=127\.0\.0\.1:(\d+)/.exec(text)?.[1];
			if (port) done({ child, port, stop: () => new Promise((over) => { child.removeAllListeners('close'); child.on('close', over); child.kill('SIGTERM'); }) });
		});
	});
}

// Seconds of CPU of the process so far, all threads.
const cpuOf = (pid) => {
	const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
	return (Number(fields[11]) + Number(fields[12])) / 100;
};

let shown = 0;
const envelope = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': {} };

function send(server, agent, key, name, args) {
	const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta: envelope } });
	return new Promise((done, failed) => {
		const request = http.request({ agent, port: server.port, host: '127.0.0.1', path: '/mcp', method: 'POST', headers: { Authorization: `Bearer ${key}`,
			'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', 'Content-Length': Buffer.byteLength(body),
			'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': name } }, (reply) => {
			let text = '';
			reply.setEncoding('utf8').on('data', (data) => (text += data)).on('end', () => {
				const answer = JSON.parse(text).result.structuredContent;
				if (answer.error && !shown++) console.log(`first error: ${JSON.stringify(answer.error)}`);
				done(answer);
			});
		});
		request.on('error', failed);
		request.end(body);
	});
}

async function measure(what, count, list, one, cpu) {
	const took = [];
	let next = 0, wrong = 0;
	const from = process.hrtime.bigint(), before = cpu();
	await Promise.all(Array.from({ length: count }, async () => {
		while (next < list.length) {
			const item = list[next++], start = process.hrtime.bigint();
			const right = await one(item);
			wrong += !right;
			took.push(Number(process.hrtime.bigint() - start) / 1e6);
		}
	}));
	const seconds = Number(process.hrtime.bigint() - from) / 1e9;
	took.sort((a, b) => a - b);
	return { what, count, rate: list.length / seconds, p50: took[Math.floor(took.length / 2)], p99: took[Math.floor(took.length * 0.99)], cpu: (cpu() - before) * 1e6 / list.length, wrong };
}

const show = (x, bare) => console.log([x.what.padEnd(28), String(x.count).padStart(5), x.rate.toFixed(0).padStart(9), (x.rate / bare.rate).toFixed(2).padStart(7), x.p50.toFixed(2).padStart(8), x.p99.toFixed(2).padStart(8), x.cpu.toFixed(0).padStart(8), (x.cpu / bare.cpu).toFixed(1).padStart(8), String(x.wrong).padStart(6)].join(' '));

// The same statements, each pair in a transaction of its own, as durable as ours.
async function measureBare(statements, list) {
	const db = new DatabaseSync(join(home, 'bare.db'));
	db.exec('PRAGMA foreign_keys = ON; PRAGMA synchronous = EXTRA');
	const prepared = statements.map((text) => db.prepare(text));
	prepared.forEach((statement) => statement.setAllowUnknownNamedParameters(true));
	const got = await measure('bare transaction', 1, list, (args) => {
		db.exec('BEGIN IMMEDIATE');
		prepared.forEach((statement) => statement.run({ item_id: args.item_id, cents: args.cents, note: args.note }));
		db.exec('COMMIT');
		return true;
	}, () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6);
	db.close();
	return got;
}

// As if the requester had approved each: the approving itself is not what is measured.
function approveAll() {
	const db = new DatabaseSync(join(home, 'state/postern.db'));
	const { id } = db.prepare('SELECT id FROM api_keys WHERE approver = 1').get();
	db.prepare("UPDATE plans SET state = 'approved', decided_by = 'bench', decided_credential = ?, channel = 'terminal', decided_us = made_us WHERE state = 'proposed'").run(id);
	db.close();
}

async function main() {
	const key = prepare(), server = await startServer(), cpu = () => cpuOf(server.child.pid);
	const args = (i, more = {}) => ({ item_id: `itm_${String(i % ITEMS).padStart(6, '0')}`, cents: 200 + i, note: `n${i}`, reason: 'bench', ...more });
	const some = (from, count = calls, more) => Array.from({ length: count }, (_, i) => args(from + i, more));
	const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
	const ask = (name) => (a) => send(server, agent, key, name, a);
	const results = [];
	console.log(`on ${availableParallelism()} cores, shared with the load; ${calls} calls each; journal WAL, synchronous EXTRA`);
	console.log([''.padEnd(28), 'conns', '  calls/s', ' × bare', '  p50 ms', '  p99 ms', '  CPU µs', '  × bare', ' wrong'].join(' '));
	const two = await measureBare([update, insert], some(0)), one = await measureBare([insert], some(0));
	for (const [bare, what] of [[two, 'bare: update and insert'], [one, 'bare: insert']]) show({ ...bare, what }, bare);
	for (const count of connections) {
		const plans = some(count * 100000, Math.min(calls, 900));
		const expire = () => { const db = new DatabaseSync(join(home, 'state/postern.db')); db.exec("DELETE FROM plans WHERE state = 'proposed'"); db.close(); };
		expire();
		results.push(await measure('preview, plan kept', count, plans, async (a) => { a.seen = await ask('reprice')(a).then((r) => r.plan?.id); return a.seen; }, cpu));
		show(results.at(-1), two);
		approveAll();
		results.push(await measure('approved plan applied', count, plans, async ({ seen, ...a }) => (await ask('reprice')({ ...a, plan_id: seen })).outcome === 'applied', cpu));
		show(results.at(-1), two);
		results.push(await measure('preview, nothing kept', count, some(count * 100000 + 50000), async (a) => (await ask('note')(a)).outcome === 'preview', cpu));
		show(results.at(-1), one);
		results.push(await measure('small write, nobody asked', count, some(count * 100000 + 50000, calls, { dry_run: false }), async (a) => (await ask('note')(a)).outcome === 'applied', cpu));
		show(results.at(-1), one);
	}
	agent.destroy();
	await server.stop();
	const wrong = results.reduce((sum, x) => sum + x.wrong, 0);
	console.log(`\n${results.length} measurements, ${wrong} wrong answers`);
	process.exitCode = wrong ? 1 : 0;
}

await main();
