// run - what a call costs: a point read on SQLite over HTTP, every guard and the durable record on, next
// to a server that answers anything with the same bytes (floor) and to the statement in a loop (bare).
//
// usage: bench/run [--seconds N] [--rounds N] [--connections N,N,...]
//   POSTERN    another program than build/postern
//   BENCH_BIN  another directory of bench-load, bench-floor, bench-bare and bench-guards
//
// The contestants take turns in every round, so that a busy machine harms all alike: read ratios, and CPU
// per call, before calls/s.  Ends with 1 when any answer was wrong.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const program = process.env.POSTERN ?? join(root, 'build/postern');
const bin = process.env.BENCH_BIN ?? join(root, 'build/release/bench');
const home = join(root, 'build/bench');
const config = join(home, 'postern.yaml');
const database = join(home, 'support-desk.db');
const statement = `SELECT id, name, email, status, plan, region, signup_date, health_score, balance, currency
	FROM customers WHERE id = ?1`;

const option = (name, otherwise) => {
	const at = process.argv.indexOf(`--${name}`);
	return at > 0 ? process.argv[at + 1] : otherwise;
};
const seconds = Number(option('seconds', 3));
const rounds = Number(option('rounds', 3));
const connections = option('connections', '1,16,64').split(',').map(Number);

class Sorry extends Error {}

const say = (text) => console.log(text);
const file = (name) => join(home, name);
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

function command(path, args, options = {}) {
	const it = spawnSync(path, args, { encoding: 'utf8', ...options });
	if (it.status !== 0) throw new Sorry(`${path} ${args[0]}: ${it.error?.message ?? it.stderr}`);
	return it.stdout;
}

// --- what is measured on ---

function makeDatabase() {
	const sql = join(root, 'examples/support-desk/make.sql');
	const digest = createHash('sha256').update(readFileSync(sql)).digest('hex');
	const stamp = file('made');
	if (existsSync(database) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
	say('making the support-desk database');
	rmSync(`${database}.new`, { force: true });
	command('sqlite3', ['-bail', `${database}.new`], { stdio: [openSync(sql), 'ignore', 'pipe'] });
	renameSync(`${database}.new`, database);
	writeFileSync(stamp, digest);
}

function prepare() {
	mkdirSync(home, { recursive: true });
	for (const name of ['postern.yaml', 'catalog.yaml']) copyFileSync(join(root, 'bench', name), file(name));
	rmSync(file('state'), { recursive: true, force: true });
	makeDatabase();
	writeFileSync(file('keys'), command('sqlite3', [database, 'SELECT id FROM customers ORDER BY id']));
	command(program, ['check', config]);
	return command(program, ['key', 'issue', config, '--subject', 'bench@support-desk.example', '--kind', 'service',
		'--agent', 'bench', '--role', 'reader', '--label', 'bench']).trim();
}

const message = (method, params = {}) => ({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: {
	'io.modelcontextprotocol/protocolVersion': '2026-07-28',
	'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
	'io.modelcontextprotocol/clientCapabilities': {} } } });

// The request as load sends it: its head, and its body with places for the id and the key.
function writeRequest(port, key) {
	writeFileSync(file('head'), ['POST /mcp HTTP/1.1', `Host: 127.0.0.1:${port}`, `Authorization: Bearer ${key}`,
		'Content-Type: application/json', 'Accept: application/json, text/event-stream', 'User-Agent: bench/1',
		'MCP-Protocol-Version: 2026-07-28', 'Mcp-Method: tools/call', 'Mcp-Name: get_customer', ''].join('\r\n'));
	const body = JSON.stringify(message('tools/call', { name: 'get_customer', arguments: { customer_id: '@key@' } }));
	writeFileSync(file('body'), body.replace('"id":1', '"id":@rpc@'));
}

// One whole reply as it came, for the floor to send.
function oneReply(port) {
	const customer = readFileSync(file('keys'), 'utf8').split('\n')[7];
	const body = readFileSync(file('body'), 'utf8').replace('@rpc@', '1000000000').replace('@key@', customer);
	const request = `${readFileSync(file('head'))}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
	return new Promise((done, failed) => {
		const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
		let reply = '';
		socket.setEncoding('utf8').on('data', (text) => (reply += text)).on('error', failed);
		socket.on('end', () => (reply.startsWith('HTTP/1.1 200 ')
			? done(reply.replace(/^Connection: .*\r\n/im, ''))
			: failed(new Sorry(`the first call went wrong:\n${reply}`))));
	});
}

// --- servers ---

const children = new Set(); // whatever happens, none outlives this run
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

// Starts a child and waits for what `pattern` finds in its output; says how long that took.
function startChild(path, args, stream, pattern, { env = {}, input } = {}) {
	const from = process.hrtime.bigint();
	const child = spawn(path, args, { env: { ...process.env, ...env } });
	const ended = new Promise((done) => child.on('close', done));
	children.add(child);
	ended.then(() => children.delete(child));
	let text = '';
	child.stdin.on('error', () => {});
	if (input) child.stdin.write(input);
	return new Promise((done, failed) => {
		child.on('error', failed);
		ended.then(() => failed(new Sorry(`${path} ended: ${text}`)));
		child.stderr.on('data', (data) => (stream === 'stderr' ? text : (text += data)));
		child[stream].setEncoding('utf8').on('data', (data) => {
			text += data;
			const found = pattern.exec(text);
			if (!found) return;
			const startMs = Number(process.hrtime.bigint() - from) / 1e6;
			const stop = async () => {
				child.stdin.end();
				child.kill('SIGTERM');
				await ended;
			};
			done({ pid: child.pid, found: found[1], startMs, stop });
		});
	});
}

const startPostern = () => startChild(program, ['serve', config], 'stderr', /listening .*address=127\.0\.0\.1:(\d+)/);
const startFloor = () => startChild(join(bin, 'bench-floor'), [file('reply')], 'stdout', /^(\d+)\n/);
const startStdio = (key) => startChild(program, ['stdio', config], 'stdout', /"name":"(get_customer)".*\n/,
	{ env: { POSTERN_KEY: key }, input: `${JSON.stringify(message('tools/list'))}\n` });

async function startTimes(start, count) {
	const times = [];
	for (let i = 0; i < count; i++) {
		const it = await start();
		times.push(it.startMs);
		await it.stop();
	}
	return median(times);
}

const residentKib = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// --- measuring ---

// Not awaited by spawnSync: the children's output must be read meanwhile.
function load(server, count, fixed) {
	const args = [server.found, server.pid, count, seconds, file('head'), file('body'), file('keys'), ...(fixed ? ['fixed'] : [])];
	const child = spawn(join(bin, 'bench-load'), args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
	let text = '';
	child.stdout.on('data', (data) => (text += data));
	return new Promise((done, failed) => {
		child.on('error', failed);
		child.on('close', () => {
			if (!text) return failed(new Sorry('the load generator gave up'));
			const got = JSON.parse(text);
			done({ ...got, rate: got.calls / got.seconds, cpu: got.server_us / got.calls, loadCpu: got.load_us / got.calls,
				others: (got.machine_us - got.server_us - got.load_us) / 1e6 / got.seconds });
		});
	});
}

const columns = [
	['conns', 5, (x) => x.count],
	['server', 8, (x) => x.name],
	['calls/s', 9, (x) => x.rate.toFixed(0)],
	['× floor', 8, (x) => x.ratio.toFixed(2)],
	['p50 ms', 8, (x) => (x.p50_us / 1000).toFixed(2)],
	['p99 ms', 8, (x) => (x.p99_us / 1000).toFixed(2)],
	['CPU µs', 8, (x) => x.cpu.toFixed(1)],
	['load µs', 8, (x) => x.loadCpu.toFixed(1)],
	['RSS MiB', 8, (x) => (x.rss_kib / 1024).toFixed(1)],
	['others', 7, (x) => x.others.toFixed(2)],
	['wrong', 6, (x) => x.wrong],
];
const header = () => columns.map(([name, width]) => name.padStart(width)).join(' ');
const line = (x) => columns.map(([, width, of]) => String(of(x)).padStart(width)).join(' ');

async function measureRound(servers, cells, round) {
	for (const count of connections) {
		const order = round % 2 ? servers.toReversed() : servers;
		const got = {};
		for (const server of order) got[server.name] = await load(server, count, server.fixed);
		for (const { name } of servers) {
			const x = { ...got[name], name, count, ratio: got[name].rate / got.floor.rate };
			cells.push(x);
			say(line(x));
		}
	}
}

function summary(cells) {
	const rows = [];
	for (const count of connections)
		for (const name of ['floor', 'postern']) {
			const of = cells.filter((x) => x.count === count && x.name === name);
			const x = { count, name, wrong: of.reduce((sum, y) => sum + y.wrong, 0) };
			for (const key of ['rate', 'ratio', 'p50_us', 'p99_us', 'cpu', 'loadCpu', 'rss_kib', 'others']) x[key] = median(of.map((y) => y[key]));
			rows.push(x);
		}
	return rows;
}

function measureBare() {
	const got = JSON.parse(command(join(bin, 'bench-bare'), [database, statement, file('keys'), '1']));
	return got.cpu_us / got.calls;
}

// All guards over one prepared call in a loop, its making subtracted; three limits of calls and a place speak of it.
function measureGuards() {
	const directory = file('guards');
	mkdirSync(directory, { recursive: true });
	const [yaml, tools] = ['postern.yaml', 'catalog.yaml'].map((name) => readFileSync(join(root, 'bench', name), 'utf8'));
	writeFileSync(join(directory, 'postern.yaml'), `${yaml.replace('purpose: The', 'limits: { calls: 900000000/s }\n    purpose: The')}
limits: { calls: [900000000/m per principal, 900000000/m per tenant] }\n`);
	writeFileSync(join(directory, 'catalog.yaml'), tools.replace('limits: {', 'limits: { calls: 900000000/h per principal, concurrency: 16,'));
	return JSON.parse(command(join(bin, 'bench-guards'), [directory, file('keys'), '1']));
}

const goal = (what, value, unit, most) =>
	say(`  ${what.padEnd(46)} ${value.toFixed(1).padStart(7)} ${unit.padEnd(3)}  aim: ${most} or less${value > most ? '  (missed)' : ''}`);

async function main() {
	const key = prepare();
	say(`on ${availableParallelism()} cores, shared with the load generator; load average before: ${loadavg()[0].toFixed(1)}`);
	const listenMs = await startTimes(startPostern, 7);
	const stdioMs = await startTimes(() => startStdio(key), 7);
	say(`start: listening after ${listenMs.toFixed(1)} ms, first tools/list over stdio after ${stdioMs.toFixed(1)} ms (medians of 7)`);
	const postern = { ...(await startPostern()), name: 'postern' };
	const idleKib = residentKib(postern.pid);
	writeRequest(postern.found, key);
	const reply = await oneReply(postern.found);
	writeFileSync(file('reply'), reply);
	const floor = { ...(await startFloor()), name: 'floor', fixed: true };
	say(`memory: ${(idleKib / 1024).toFixed(1)} MiB resident before the first call; a reply has ${reply.length} bytes`);
	say(`${rounds} rounds of ${seconds} s; × floor is calls/s; CPU µs is the server's for a call; others: cores used by neither\n\n${header()}`);
	const cells = [];
	const bare = [];
	for (let round = 0; round < rounds; round++) {
		await measureRound([floor, postern], cells, round);
		bare.push(measureBare());
		say(`      bare: the statement alone takes ${bare.at(-1).toFixed(1)} µs`);
	}
	const guards = Array.from({ length: 3 }, measureGuards);
	const rows = summary(cells);
	say(`\nmedians\n${header()}`);
	for (const x of rows) say(line(x));
	say('');
	for (const count of connections) {
		const [f, p] = ['floor', 'postern'].map((name) => rows.find((x) => x.count === count && x.name === name));
		say(`  ${count} connections: postern's CPU is ${(p.cpu / f.cpu).toFixed(1)} × floor, ${(p.cpu / median(bare)).toFixed(1)} × bare`);
	}
	const most = rows.findLast((x) => x.name === 'postern');
	goal(`CPU of a call at ${most.count} connections`, most.cpu, 'µs', 40);
	const [withGuards, without] = ['with_us', 'without_us'].map((name) => median(guards.map((x) => x[name])));
	say(`  guards: ${withGuards.toFixed(2)} µs with, ${without.toFixed(2)} µs without; ${guards[0].rules} limits of calls and a place`);
	goal('CPU of all guards together, of a call', withGuards - without, 'µs', 5);
	goal('start to listening', listenMs, 'ms', 50);
	goal('start to the first tools/list over stdio', stdioMs, 'ms', 50);
	goal('memory before the first call', idleKib / 1024, 'MiB', 20);
	await Promise.all([postern.stop(), floor.stop()]);
	const [calls, wrong] = ['calls', 'wrong'].map((name) => cells.reduce((sum, x) => sum + x[name], 0));
	say(`\n${calls} answers, ${wrong} wrong`);
	process.exitCode = wrong ? 1 : 0;
}

main().catch((error) => {
	console.error(`bench: ${error instanceof Sorry ? error.message : error.stack}`);
	process.exit(1);
});
