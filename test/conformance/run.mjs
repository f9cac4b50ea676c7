// run - the official MCP conformance suites against the conformance catalog, served by build/postern.
//
// usage: node test/conformance/run.mjs [--url URL] [--count FILE]
//   --url URL     a server that runs already, instead of starting build/postern
//   --count FILE  writes "PASSED FAILED" of all checks, for ./run check
//
// Counts come from the checks.json files the referee leaves, because it neither fails on warnings nor says
// which failures belong to an extension that is not served.  They are held against the referee's own sum.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const results = join(root, 'build/conformance');
const packages = join(root, 'build/node/node_modules');
const referee = join(packages, '@modelcontextprotocol/conformance/dist/index.js');
const referee2025 = join(packages, 'conformance-2025/dist/index.js');

// What must pass at least.  Failures of the tasks extension, which postern does not serve, are counted
// apart.
const suites = [
	{ name: '2025-11-25', tool: referee, args: ['--requirements', '2025-11-25'], passed: 84 },
	{ name: '2026-07-28', tool: referee, args: ['--requirements', '2026-07-28'], passed: 152 },
	{ name: '2026-07-28-all', tool: referee, args: ['--suite', 'all', '--spec-version', '2026-07-28'], passed: 152 },
	{ name: 'active', tool: referee, args: ['--suite', 'active'], passed: 73 },
	{ name: '0.1.16-all', tool: referee2025, args: ['--suite', 'all'], passed: 44 },
];

const option = (name) => {
	const at = process.argv.indexOf(name);
	return at > 0 ? process.argv[at + 1] : undefined;
};

function finish(child) {
	return new Promise((done, failed) => {
		let out = '';
		child.stdout.on('data', (data) => (out += data));
		child.stderr.on('data', (data) => (out += data));
		child.on('error', failed);
		child.on('close', (code) => done({ code, out }));
	});
}

// From a copy, so that what serving leaves does not stand among the sources.
async function startServer() {
	const site = join(results, 'site');
	mkdirSync(site, { recursive: true });
	for (const name of readdirSync(join(root, 'test/conformance')))
		if (name.endsWith('.yaml')) copyFileSync(join(root, 'test/conformance', name), join(site, name));
	const child = spawn(process.env.POSTERN ?? join(root, 'build/postern'),
		['serve', join(site, 'postern.yaml'), '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'inherit', 'pipe'] });
	let log = '';
	let over = false;
	const ended = new Promise((done) => child.on('close', (code) => done((over = true) && code)));
	child.on('error', () => (over = true));
	child.stderr.on('data', (data) => (log += data));
	for (let waited = 0; waited < 10000; waited += 20) {
		const port = /listening .*address=127\.0\.0\.1:(\d+)/.exec(log)?.[1];
		if (port) return { url: `http://127.0.0.1:${port}/mcp`, child, ended, log: () => log };
		if (over) break;
		await new Promise((done) => setTimeout(done, 20));
	}
	throw new Error(`the server did not start:\n${log}`);
}

// Everything below a results directory: one checks.json per scenario.
function readChecks(directory) {
	const all = [];
	for (const entry of readdirSync(directory, { recursive: true })) {
		if (!entry.endsWith('checks.json')) continue;
		const scenario = entry.split('/').at(-2).replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '');
		for (const check of JSON.parse(readFileSync(join(directory, entry), 'utf8'))) all.push({ scenario, ...check });
	}
	return all;
}

async function runSuite(suite, url) {
	const directory = join(results, suite.name);
	mkdirSync(directory, { recursive: true });
	const { out } = await finish(spawn(process.execPath, [suite.tool, 'server', '--url', url, ...suite.args, '-o', directory],
		{ cwd: results, stdio: ['ignore', 'pipe', 'pipe'] }));
	writeFileSync(join(directory, 'output.txt'), out);
	const checks = readChecks(directory);
	const count = (status, of = checks) => of.filter((check) => check.status === status).length;
	const outside = checks.filter((check) => !check.scenario.startsWith('tasks-'));
	const said = /Total: (\d+) passed, (\d+) failed/.exec(out.split('\n').filter((line) => line.includes('Total:')).at(-1) ?? '');
	return {
		passed: count('SUCCESS'), failed: count('FAILURE'), warnings: count('WARNING'),
		passedOutside: count('SUCCESS', outside), failedOutside: count('FAILURE', outside),
		said: said ? { passed: Number(said[1]), failed: Number(said[2]) } : undefined,
		bad: checks.filter((check) => check.status === 'WARNING' || (check.status === 'FAILURE' && !check.scenario.startsWith('tasks-'))),
	};
}

// Why this suite is not as it must be; empty: it is.
function objections(suite, got) {
	const why = [];
	if (!got.said) why.push('the referee gave no sum');
	else if (got.said.passed !== got.passed || got.said.failed !== got.failed)
		why.push(`checks.json says ${got.passed}/${got.failed}, the referee ${got.said.passed}/${got.said.failed}`);
	if (got.passed < suite.passed) why.push(`${got.passed} passed, not ${suite.passed}`);
	if (got.failedOutside) why.push(`${got.failedOutside} failed outside the tasks extension`);
	if (got.warnings) why.push(`${got.warnings} warnings`);
	return why;
}

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const server = option('--url') ? { url: option('--url') } : await startServer();
let passed = 0;
let failed = 0;
for (const suite of suites) {
	const got = await runSuite(suite, server.url);
	const why = objections(suite, got);
	console.log(`${suite.name.padEnd(16)} ${got.passed} passed, ${got.failed} failed (${got.failed - got.failedOutside} of the tasks extension), ${got.warnings} warnings`);
	for (const check of got.bad)
		console.log(`    ${check.status} ${check.scenario} ${check.id}: ${check.errorMessage ?? check.details?.message ?? ''}`);
	for (const text of why) console.log(`    NOT AS IT MUST BE: ${text}`);
	passed += got.passed;
	failed += Math.max(got.failedOutside + got.warnings, why.length > 0 ? 1 : 0);
}
if (server.child) {
	server.child.kill('SIGTERM');
	const code = await server.ended;
	if (code !== 0) {
		console.log(`the server ended with ${code}:\n${server.log()}`);
		failed++;
	}
}
if (option('--count')) writeFileSync(option('--count'), `${passed} ${failed}\n`);
console.log(`conformance: ${passed} checks passed, ${failed} objections; details in build/conformance`);
process.exitCode = failed ? 1 : 0;
