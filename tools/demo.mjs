// demo - what ./run demo does once the program and Node are there.
//
// usage: node --import ./test/e2e/packages.mjs tools/demo.mjs [--once] [--listen HOST:PORT]
//   --once    ends after the calls, instead of serving until Ctrl-C
//   --listen  another address than the example's own; the approval pages are then on any port
//
// It ends with a change: shown, approved at a terminal (script(1) plays the person, who has a key for that
// alone), made, and found again in the ledger and in the log.
//
// Everything it makes is below build/demo: a copy of examples/support-desk, its database (made anew when
// make.sql changes), a key, the audit log.  Running it again uses them again.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const root = new URL('..', import.meta.url).pathname;
const program = process.env.POSTERN ?? join(root, 'build/postern');
const home = process.env.POSTERN_DEMO ?? join(root, 'build/demo');
const config = join(home, 'postern.yaml');
const once = process.argv.includes('--once');
const listenAt = process.argv.indexOf('--listen');
const listen = listenAt > 0 ? ['--listen', process.argv[listenAt + 1]] : [];

const say = (text) => console.log(text);
const step = (text) => say(`\n── ${text}`);

class Sorry extends Error {}

function makeDatabase() {
	const sql = readFileSync(join(home, 'make.sql'));
	const digest = createHash('sha256').update(sql).digest('hex');
	const [database, stamp] = [join(home, 'support-desk.db'), join(home, 'support-desk.made')];
	if (existsSync(database) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) {
		say('the support-desk database is there');
		return;
	}
	say('making the support-desk database: five thousand customers, the same on every machine');
	rmSync(`${database}.new`, { force: true });
	const made = spawnSync('sqlite3', ['-bail', `${database}.new`], { stdio: [openSync(join(home, 'make.sql')), 'ignore', 'pipe'] });
	if (made.status !== 0) throw new Sorry(`the database was not made: ${made.error?.message ?? made.stderr}`);
	renameSync(`${database}.new`, database);
	writeFileSync(stamp, digest);
}

// Which environment the database belongs to, and that nothing in it is real: without it, postern warns.
function markDatabase() {
	const marked = spawnSync(program, ['install', config, 'crm', '--synthetic'], { encoding: 'utf8' });
	if (marked.status !== 0) throw new Sorry(`the database was not marked: ${marked.stderr}`);
}

// The key of the last run while it is still good, else a new one.
function takeKey(subject, role, approver = false) {
	const file = join(home, `${approver ? 'approver' : 'key'}.${role}`);
	if (existsSync(file)) {
		const key = readFileSync(file, 'utf8').trim();
		const list = spawnSync(program, ['key', 'list', config], { encoding: 'utf8' }).stdout ?? '';
		if (list.split('\n').some((line) => / valid /.test(line) && line.trim() && key.includes(`_${line.split(/\s+/)[0]}_`))) {
			say(`the key of the last run is still good for ${subject}`);
			return key;
		}
	}
	const issued = spawnSync(program, ['key', 'issue', config, '--subject', subject, '--kind', 'human',
		'--role', role, '--label', 'run demo', ...(approver ? ['--approver'] : ['--agent', 'demo'])], { encoding: 'utf8' });
	if (issued.status !== 0) throw new Sorry(`no key was issued: ${issued.stderr}`);
	writeFileSync(file, issued.stdout, { mode: 0o600 });
	chmodSync(file, 0o600);
	say(`issued a key for ${subject} with role ${role}${approver ? ', which approves and calls nothing' : ''}`);
	return issued.stdout.trim();
}

function startServer() {
	const child = spawn(program, ['serve', config, ...listen], { stdio: ['ignore', 'inherit', 'pipe'] });
	let log = '';
	const ended = new Promise((done) => child.on('close', (code) => done(code)));
	const address = new Promise((found, failed) => {
		child.on('error', (error) => failed(new Sorry(`the server does not run: ${error.message}`)));
		ended.then(() => failed(new Sorry(`the server ended: ${log.trim()}`)));
		child.stderr.on('data', (data) => {
			log += data;
			const line = /listening .*address=(\S+)/.exec(log);
			if (line) found(line[1]);
		});
	});
	return { child, ended, address };
}

// Rows as columns of text, as wide as they need and never wider than the eye likes.
function table(rows) {
	if (rows.length === 0) return '   (no rows)';
	const names = Object.keys(rows[0]);
	const cell = (value) => {
		const text = value === null ? '-' : String(value);
		return text.length > 34 ? `${text.slice(0, 33)}…` : text;
	};
	const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => cell(row[name]).length)));
	const line = (cells) => `   ${cells.map((text, i) => text.padEnd(widths[i])).join('  ')}`.trimEnd();
	return [line(names), line(widths.map((n) => '─'.repeat(n))), ...rows.map((row) => line(names.map((name) => cell(row[name]))))].join('\n');
}

function show(result) {
	const value = result.structuredContent;
	if (result.isError) {
		const { code, message, suggestion, details } = value.error;
		return say([`   ${code}: ${message}`, ...(suggestion ? [`   suggestion: ${suggestion}`] : []),
			...(details?.faults ?? []).map((fault) => `   fault: ${JSON.stringify(fault)}`)].join('\n'));
	}
	if (Array.isArray(value.rows)) {
		say(table(value.rows));
		if (value.next_cursor) say('   … and a cursor for the next page');
	} else {
		for (const [name, part] of Object.entries(value)) {
			if (Array.isArray(part) && typeof part[0] === 'object') say(`   ${name}:\n${table(part)}`);
			else if (part && typeof part === 'object' && !Array.isArray(part)) say(`   ${name}:\n${table([part])}`);
			else say(`   ${name.padEnd(18)} ${part === null || part.length === 0 ? '-' : part}`);
		}
	}
}

// `postern approve` asks at its terminal for the key, shows the plan, and asks for the word.
function approve(plan, key) {
	return new Promise((done, failed) => {
		const words = [program, 'approve', config, plan].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
		const child = spawn('script', ['-qec', words, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
		const answers = [[/key: $/, key], [/type yes: $/, 'yes']];
		let text = '', from = 0;
		child.on('error', (error) => failed(new Sorry(`script(1), of the package bsdutils, does not run: ${error.message}`)));
		child.stdout.setEncoding('utf8').on('data', (data) => {
			text += data;
			if (!answers.length || !answers[0][0].test(text.slice(from))) return;
			from = text.length;
			child.stdin.write(`${answers.shift()[1]}\n`);
		});
		child.on('close', (code) => {
			say(text.replaceAll('\r', '').trimEnd().replace(/^/gm, '   '));
			if (code === 0) done();
			else failed(new Sorry('the plan was not approved'));
		});
	});
}

const indented = (text) => say(text.trimEnd().replace(/^/gm, '   '));

// One line of a contract is put right: 20.00 less for each of its twelve days, and the next time back again.
async function change(url, key, approverKey, leadKey) {
	const client = await connect(url, key);
	const call = async (name, args) => (await client.callTool({ name, arguments: args }));
	const tool = 'void_and_reissue_line_item';
	const asked = 'The totals on contract ctr_0000048000 look wrong, fix them.';
	const wrong = { reason: 'The totals look wrong to the customer', request: asked, steps: [1, 2, 3].map((n) =>
		({ tool, arguments: { line_item_id: `lin_000004800${n}`, quantity: 40, unit_price_cents: 60000, reason: 'The price looks wrong to the customer' } })) };
	step(`“${asked}”  What changes something is shown first, here three corrections as one:\n   apply_together ${wrong.steps.map((one) => `\n     ${one.tool} ${JSON.stringify(one.arguments)}`).join('')}\n`);
	const large = (await call('apply_together', wrong)).structuredContent;
	say(`   ${large.outcome}: contract_total ${large.impact?.sums.contract_total}; nothing has changed\n   plan ${large.plan?.id} needs the yes of ${large.plan?.approval === 'other' ? 'another person' : 'whoever asked'}: ${large.plan?.because}`);

	const walked = (await call('walk_contract_records', { contract_id: 'ctr_0000003002' })).structuredContent;
	const line = walked.line_items.find((row) => !row.voided);
	const args = { line_item_id: line.id, quantity: line.quantity, unit_price_cents: line.unit_price === '950.00' ? 93000 : 95000, reason: 'The price of a day as agreed in writing' };
	step(`“This line has the wrong price.”\n   ${tool} ${JSON.stringify(args)}\n`);
	const shown = await call(tool, args);
	const { plan } = shown.structuredContent;
	if (!plan) throw new Sorry(`no plan: ${JSON.stringify(shown.structuredContent)}`);
	indented(shown.content[0].text);
	const page = plan.url ? `at ${plan.url}, or ` : '';
	step(`the person looks at it outside the assistant, ${page}in a terminal, and says yes (postern approve postern.yaml ${plan.id})`);
	await approve(plan.id, plan.approval === 'other' ? leadKey : approverKey);
	step('the assistant calls again with the plan: exactly that is made, or nothing');
	const done = (await call(tool, { ...args, plan_id: plan.id })).structuredContent;
	if (done.outcome !== 'applied') throw new Sorry(`not applied: ${JSON.stringify(done)}`);
	say(`   outcome ${done.outcome}: contract ${done.result.contract_id} now totals ${done.result.total} ${done.result.currency}, with line ${done.result.line_item_id}`);
	step('the ledger, a table in the same database, has it since the same transaction:');
	execFileSync('sqlite3', ['-line', join(home, 'support-desk.db'), `SELECT id, plan_id, tool, rows, intent, datetime(committed_us / 1000000, 'unixepoch') AS committed FROM postern_ledger WHERE id = '${done.ledger_id}'`], { stdio: ['ignore', 'inherit', 'inherit'] });
	say(`\n   the whole of it, as it was shown and as it was made: postern audit show postern.yaml ${plan.id}`);
	await client.close();
	return plan.url?.replace(/\/pl_\w+$/, '');
}

async function connect(url, key) {
	const client = new Client({ name: 'postern-demo', version: '1' }, { versionNegotiation: { mode: 'auto' } });
	await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${key}` } } }));
	return client;
}

async function walk(url, key, juniorKey) {
	const client = await connect(url, key);
	const { tools } = await client.listTools();
	step(`an agent connects (official TypeScript client, MCP ${client.getNegotiatedProtocolVersion?.() ?? ''}) and sees ${tools.length} tools, and nothing else:`);
	for (const tool of tools) say(`   ${tool.name.padEnd(32)} ${tool.title}`);
	const call = async (name, args, why, by = client) => {
		step(`${why}\n   ${name} ${JSON.stringify(args)}\n`);
		const result = await by.callTool({ name, arguments: args });
		show(result);
		return result.structuredContent;
	};
	const found = await call('search_customers', { text: 'North', limit: 5 }, '“Which customers are called North-something?”');
	const id = found?.rows?.[0]?.id;
	if (id) await call('get_customer_summary', { customer_id: id }, '“Tell me about the first one.”');
	if (id) await call('summarize_customer_state', { customer_id: id }, '“And everything else I should know, in one go.”');
	if (id) await call('find_people', { customer_id: id }, '“Whom do I call there?”');
	const junior = await connect(url, juniorKey);
	if (id) await call('find_people', { customer_id: id }, 'the same question from a colleague without the grant customers.see_contact', junior);
	await junior.close();
	await call('contracts_ending_soon', { until: '2026-12-31', limit: 5 }, '“Whose contracts end this year?”');
	await call('get_customer_summary', { customer_id: 'cus_0000000000' }, 'a customer that does not exist: a typed answer that says what to do');
	await call('list_customers', { status: "active' OR 1=1 --" }, 'an argument that would like to be SQL: it does not fit the schema, and never was text of a statement');
	await client.close();
}

async function main() {
	mkdirSync(home, { recursive: true });
	cpSync(join(root, 'examples/support-desk'), home, { recursive: true });
	if (listenAt > 0) writeFileSync(config, readFileSync(config, 'utf8').replace('127.0.0.1:8479', '127.0.0.1:0'));
	step('preparing build/demo');
	makeDatabase();
	markDatabase();
	const checked = spawnSync(program, ['check', config], { encoding: 'utf8' });
	if (checked.status !== 0) throw new Sorry(`the example is not in order:\n${checked.stdout}${checked.stderr}`);
	const key = takeKey('demo@support-desk.example', 'support_l3');
	const juniorKey = takeKey('lena@support-desk.example', 'support_l1');
	const approverKey = takeKey('demo@support-desk.example', 'support_l3', true);
	const leadKey = takeKey('chris@support-desk.example', 'contracts_lead', true);
	const server = startServer();
	const stop = () => server.child.kill('SIGTERM');
	process.on('SIGINT', stop).on('SIGTERM', stop);
	try {
		const url = `http://${await server.address}/mcp`;
		say(`serving ${url}`);
		await walk(url, key, juniorKey);
		const pages = await change(url, key, approverKey, leadKey);
		step('and so has the log: every call was on the disk before its answer left, and before its change was made (postern audit tail):');
		execFileSync(program, ['audit', 'tail', config, '--count', '10'], { stdio: ['ignore', 'inherit', 'inherit'] });
		step('how to connect, with the key in place (postern client-config):');
		execFileSync(program, ['client-config', config, '--url', url, '--program', program],
			{ env: { ...process.env, POSTERN_KEY: key }, stdio: ['ignore', 'inherit', 'inherit'] });
		if (once) stop();
		else say(`serving ${url} until Ctrl-C; this key opens it: ${key}\napproving on ${pages}; this key opens that: ${approverKey}`);
	} catch (error) {
		stop();
		throw error;
	}
	process.exitCode = (await server.ended) === 0 ? 0 : 1;
}

main().catch((error) => {
	console.error(`demo: ${error instanceof Sorry ? error.message : error.stack}`);
	process.exit(1);
});
