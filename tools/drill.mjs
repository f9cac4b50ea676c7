// drill - what ./run drill does: two servers of the demo deployment on scratch state, and a drill of every
// kind of kill switch against both.  Prints what `postern drill` says and ends as it does.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const program = process.env.POSTERN ?? join(root, 'build/postern');
const home = mkdtempSync(join(tmpdir(), 'postern-drill-'));
const config = join(home, 'postern.yaml');

class Sorry extends Error {}

function makeSite() {
	cpSync(join(root, 'examples/support-desk'), home, { recursive: true });
	// Both serve the approval pages, each on a port of its own.
	writeFileSync(config, readFileSync(config, 'utf8').replace('127.0.0.1:8479', '127.0.0.1:0'));
	const made = spawnSync('sqlite3', ['-bail', join(home, 'support-desk.db')], { stdio: [openSync(join(home, 'make.sql')), 'ignore', 'pipe'] });
	if (made.status !== 0) throw new Sorry(`the database was not made: ${made.error?.message ?? made.stderr}`);
	const marked = spawnSync(program, ['install', config, 'crm', '--synthetic'], { encoding: 'utf8' });
	if (marked.status !== 0) throw new Sorry(`the database was not marked: ${marked.stderr}`);
}

async function startServer(instance) {
	const child = spawn(program, ['serve', config, '--listen', '127.0.0.1:0', '--instance', instance], { stdio: ['ignore', 'inherit', 'pipe'] });
	let log = '';
	const ended = new Promise((done) => child.on('close', done));
	const address = await new Promise((found, failed) => {
		child.on('error', (error) => failed(new Sorry(`the server does not run: ${error.message}`)));
		ended.then(() => failed(new Sorry(`the server ended: ${log.trim()}`)));
		child.stderr.on('data', (data) => {
			log += data;
			const line = /listening .*address=(\S+)/.exec(log);
			if (line) found(line[1]);
		});
	});
	return { instance, child, ended, url: `http://${address}/mcp` };
}

async function drill(servers) {
	const urls = servers.flatMap((server) => ['--url', `${server.instance}=${server.url}`]);
	const child = spawn(program, ['drill', config, ...urls], { stdio: ['ignore', 'inherit', 'inherit'] });
	return new Promise((done, failed) => child.on('close', (code) => done(code ?? 1)).on('error', failed));
}

async function main() {
	const servers = [];
	try {
		makeSite();
		for (const instance of ['demo', 'demo-b']) servers.push(await startServer(instance));
		process.exitCode = await drill(servers);
	} finally {
		for (const server of servers) server.child.kill('SIGTERM');
		await Promise.all(servers.map((server) => server.ended));
		rmSync(home, { recursive: true, force: true });
	}
}

main().catch((error) => {
	console.error(`drill: ${error instanceof Sorry ? error.message : error.stack}`);
	process.exitCode = 1;
});
