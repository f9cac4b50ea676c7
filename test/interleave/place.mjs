// place - a small deployment that lives in memory: a shop whose prices are changed and whose items get notes; its
// server, and the desk at which people decide.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, openSync, readdirSync, readSync, closeSync, existsSync, rmSync, writeFileSync, renameSync } from 'node:fs';
import { spawn } from 'node:child_process';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createInterface } from 'node:readline';
import { modernHeaders, envelope, root } from '../e2e/harness.mjs';
import { mark } from '../e2e/site.mjs';
import { Control } from './control.mjs';

const build = process.env.POSTERN_FAULTS_BUILD ?? join(root, 'build/faults');
const program = join(build, 'postern');
const deskProgram = join(build, 'test/interleave/interleave-desk');

const configuration = (token) => `environment: development
name: test/interleave
listen: { http: { address: 127.0.0.1:8477 } }
sources:
  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the test changes, events: [notes] }
store: { sqlite: state/postern.db }
audit: { directory: state/audit, keys: state/keys }
identity: { api_keys: true }
roles:
  seller: [shop.note, shop.price]
  chief: [approve.prices]
catalog: [catalog.yaml]
approvals: { token: ${token} }
limits: { destructive: 1000000/d per principal, pending_plans: 1000, concurrency: 8 }
`;

// `edition` changes the definition of reprice_item, and nothing of what it does.
const catalog = (edition) => `tools:
  add_note:
    description: Adds a note to an item.
    owner: tests
    purpose: notes
    source: shop
    requires: shop.note
    input: { item_id: { type: string, maxLength: 30 }, note: { type: string, maxLength: 50 } }
    preconditions:
      - { unless: SELECT 1 FROM items WHERE id = :item_id, say: There is no such item. }
    write: INSERT INTO notes (item_id, note) VALUES (:item_id, :note) RETURNING id, note
    effects: { notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: string } } }
    returns: { shape: one, from: { statement: 1 }, columns: { id: { type: int64, assigned: true }, note: string } }
    approval: { by: none }
    idempotency: { key: "{item_id}:{note}", within: 10m }
  rename_item:
    description: Gives an item another name.
    owner: tests
    purpose: names
    source: shop
    requires: shop.price
    input: { item_id: { type: string, maxLength: 30 }, name: { type: string, maxLength: 30 }, reason: { type: string, maxLength: 200 } }
    write:
      - UPDATE items SET name = :name WHERE id = :item_id
      - INSERT INTO notes (item_id, note) VALUES (:item_id, :reason)
    effects:
      items: { update: [name], key: [id], where: id = :item_id, columns: { id: string, name: string, price: int64 } }
      notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: string } }
    returns: { shape: one, from: "SELECT id, name FROM items WHERE id = :item_id", columns: { id: string, name: string } }
    approval: { by: client }
  reprice_item:
    version: ${edition}
    description: Gives an item another price.
    owner: tests
    purpose: prices
    source: shop
    requires: shop.price
    input: { item_id: { type: string, maxLength: 30 }, cents: { type: integer, minimum: 1, maximum: 100000 }, reason: { type: string, maxLength: 200 } }
    write:
      - UPDATE items SET price = :cents WHERE id = :item_id
      - INSERT INTO notes (item_id, note) VALUES (:item_id, :reason)
    effects:
      items: { update: [price], key: [id], where: id = :item_id, columns: { id: string, name: string, price: int64 } }
      notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: string } }
    returns: { shape: one, from: "SELECT id, price FROM items WHERE id = :item_id", columns: { id: string, price: int64 } }
    impact: { cents: items.price }
    approval: { by: requester, above: { cents: 5000, need: other, grant: approve.prices } }
`;

const schema = `CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, price INTEGER NOT NULL);
	CREATE TABLE notes (id INTEGER PRIMARY KEY, item_id TEXT NOT NULL, note TEXT NOT NULL);
	CREATE TABLE shadows (item_id TEXT NOT NULL);`;

const run = (args) => new Promise((done, failed) => {
	const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
	let out = '';
	for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (out += text));
	child.on('error', failed);
	child.on('close', (code) => (code === 0 ? done(out) : failed(new Error(`postern ${args[0]} ended with ${code}: ${out}`))));
});

export class Place {
	// token: what a person pastes after a yes is asked for.
	static async make({ token = false, planted = null } = {}) {
		const place = new Place();
		place.token = token;
		place.home = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'postern-interleave-'));
		mkdirSync(join(place.home, 'state'), { mode: 0o700 });
		place.config = join(place.home, 'postern.yaml');
		writeFileSync(place.config, configuration(token));
		place.edition = 1;
		writeFileSync(join(place.home, 'catalog.yaml'), catalog(1));
		place.db = new DatabaseSync(join(place.home, 'shop.db'));
		mark(place.db, { deployment: 'test/interleave' });
		place.db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 5000; ${schema}`);
		await run(['install', place.config, 'shop']);
		place.keys = {};
		const issue = async (args) => {
			const out = await run(['key', 'issue', place.config, ...args]);
			return /\bps(?:tn|ap)_[a-z]+_[A-Za-z0-9_-]+/.exec(out)?.[0] ?? assert.fail(`no key in: ${out}`);
		};
		for (const [name, subject, role, more] of [['ada', 'ada', 'seller', []], ['bob', 'bob', 'seller', []],
			['ada_yes', 'ada', 'seller', ['--approver']], ['bob_yes', 'bob', 'seller', ['--approver']], ['cleo_yes', 'cleo', 'chief', ['--approver']]])
			place.keys[name] = await issue(['--subject', subject, '--role', role, ...more]);
		place.controls = { server: new Control(join(place.home, 'server.page')), second: new Control(join(place.home, 'second.page')), desk: new Control(join(place.home, 'desk.page')) };
		place.clockMs = 0;
		for (const c of Object.values(place.controls)) c.plant(planted);
		place.starts = [];
		place.read = new Map();
		await Promise.all([place.serve('server'), place.serve('second'), place.openDesk()]);
		return place;
	}

	// --- the servers: the second one shares everything, and never crashes ---

	async serve(name) {
		const began = performance.now();
		const child = spawn(program, ['serve', this.config, '--listen', '127.0.0.1:0', '--instance', name],
			{ env: { POSTERN_FAULTS: this.controls[name].file, PATH: process.env.PATH }, stdio: ['ignore', 'ignore', 'pipe'] });
		const server = { child, stderr: '', over: false };
		server.ended = new Promise((done) => child.on('close', (code, signal) => { server.over = true; server.code = code ?? signal; done(server.code); }));
		this[name] = server;
		server.agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
		server.port = await new Promise((done, failed) => {
			child.stderr.setEncoding('utf8').on('data', (text) => {
				server.stderr = (server.stderr + text).slice(-20000);
				const at = /listening .*address=127\.0\.0\.1:(\d+)/.exec(server.stderr);
				if (at) done(Number(at[1]));
			});
			server.ended.then((code) => failed(new Error(`serve ended with ${code}: ${server.stderr}`)));
		});
		this.starts.push(performance.now() - began);
	}

	// A reply: { result } or { error }; null when the server went down instead.
	ask(key, method, params, { capabilities = {}, server = this.server } = {}) {
		const message = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: envelope(capabilities) } };
		const body = JSON.stringify(message);
		return new Promise((done) => {
			const request = http.request({ host: '127.0.0.1', port: server.port, path: '/mcp', method: 'POST', agent: server.agent,
				headers: { ...modernHeaders(message), Authorization: `Bearer ${this.keys[key]}`, 'Content-Length': Buffer.byteLength(body) } }, (response) => {
				let text = '';
				response.setEncoding('utf8').on('data', (more) => (text += more));
				response.on('end', () => { try { done(JSON.parse(text)); } catch { done(null); } });
				response.on('error', () => done(null));
			});
			request.on('error', () => done(null));
			request.setTimeout(20000, () => request.destroy());
			request.end(body);
		});
	}

	call(key, name, args, options) { return this.ask(key, 'tools/call', { name, arguments: args, ...options?.more }, options); }

	// After a crash: 137 is the crash point's.  again: where to crash while it starts, if it comes there; true: it did.
	async afterCrash(again) {
		const code = await this.server.ended;
		this.server.agent.destroy();
		this.controls.server.crash(again);
		if (code !== 137) throw new Error(`the server ended with ${code}: ${this.server.stderr}`);
		const started = await this.serve('server').then(() => true, (error) => {
			if (!again || this.server.code !== 137) throw error;
			return false;
		});
		this.controls.server.crash(null);
		if (!started) await this.serve('server');
		return !started;
	}

	// Another edition of the catalog; when it returns, it is in force.
	async reload(edition = this.edition + 1) {
		this.edition = edition;
		const next = join(this.home, 'catalog.next');
		writeFileSync(next, catalog(this.edition));
		renameSync(next, join(this.home, 'catalog.yaml'));
		for (const server of [this.server, this.second]) {
			server.stderr = '';
			server.child.kill('SIGHUP');
		}
		for (const server of [this.server, this.second]) await this.until('the reload', () => /\breloaded\b/.test(server.stderr));
	}

	// When these return, both servers know.
	async order(what, kind, name, paused) {
		await run([what, this.config, kind, name, '--reason', 'interleave']);
		for (const server of [this.server, this.second])
			await this.until(`${what} to be seen`, async () => paused === ((await this.call('ada', name, { item_id: 'none', cents: 1, reason: 'none' }, { server }))
				?.result?.structuredContent?.error?.code === 'PAUSED'));
	}
	kill(kind, name) { return this.order('kill', kind, name, true); }
	resume(kind, name) { return this.order('resume', kind, name, false); }

	async until(what, holds, deadlineMs = 10000) {
		const end = Date.now() + deadlineMs;
		while (!(await holds())) {
			if (Date.now() > end) throw new Error(`waited for ${what}: ${this.server.stderr}`);
			await new Promise((done) => setTimeout(done, 2));
		}
	}

	// --- the desk ---

	async openDesk() {
		const child = spawn(deskProgram, [this.config], { env: { POSTERN_FAULTS: this.controls.desk.file }, stdio: ['pipe', 'pipe', 'pipe'] });
		const desk = { child, waiting: [], stderr: '' };
		child.stderr.setEncoding('utf8').on('data', (text) => (desk.stderr += text));
		child.stdin.on('error', () => {});
		createInterface({ input: child.stdout }).on('line', (line) => desk.waiting.shift()?.(JSON.parse(line)));
		desk.ended = new Promise((done) => child.on('close', (code, signal) => {
			for (const waiting of desk.waiting.splice(0)) waiting(null);
			done(code ?? signal);
		}));
		this.desk = desk;
		if (!(await new Promise((done) => desk.waiting.push(done)))) throw new Error(`the desk ended: ${desk.stderr}`);
	}

	// { verdict, token, why }; null when the desk went down instead.
	async decide(what, plan, key, note = '') {
		const answer = new Promise((done) => this.desk.waiting.push(done));
		this.desk.child.stdin.write(JSON.stringify({ do: what, plan, key: this.keys[key], note }) + '\n');
		return answer;
	}

	async afterDeskCrash() {
		const code = await this.desk.ended;
		this.controls.desk.crash(null);
		if (code !== 137) throw new Error(`the desk ended with ${code}: ${this.desk.stderr}`);
		await this.openDesk();
	}

	// --- what everything stands on ---

	forward(ms) {
		this.clockMs += ms;
		for (const c of Object.values(this.controls)) c.clock(this.clockMs);
	}

	// The last plan of a tool.
	newest(tool) {
		this.store ??= new DatabaseSync(join(this.home, 'state/postern.db'), { readOnly: true });
		return this.store.prepare('SELECT id FROM plans WHERE tool = ? ORDER BY made_us DESC, id DESC LIMIT 1').get(tool).id;
	}
	rows(sql, ...values) { return this.db.prepare(sql).all(...values); }

	// The plans of the store, as they stand there.
	plans(ids) {
		this.store ??= new DatabaseSync(join(this.home, 'state/postern.db'), { readOnly: true });
		const get = this.store.prepare('SELECT id, state, need, expires_us, ledger_id FROM plans WHERE id = ?');
		return new Map(ids.map((id) => [id, get.get(id)]));
	}

	// The records that came since this was asked the last time, file by file.
	records() {
		const directory = join(this.home, 'state/audit');
		const found = [];
		for (const name of readdirSync(directory).filter((n) => n.endsWith('.log')).sort()) {
			let at = this.read.get(name) ?? 0;
			const fd = openSync(join(directory, name), 'r');
			const b = Buffer.alloc(1 << 18);
			for (let n; (n = readSync(fd, b, 0, b.length, at)) > 0;) {
				const nul = b.subarray(0, n).indexOf(0);
				const end = b.subarray(0, nul < 0 ? n : nul).lastIndexOf(10) + 1;
				if (!end) break;
				found.push(...b.toString('utf8', 0, end - 1).split('\n').map((line) => ({ ...JSON.parse(line), file: name })));
				at += end;
			}
			closeSync(fd);
			this.read.set(name, at);
		}
		return found;
	}

	async close() {
		for (const process of [this.server, this.second, this.desk]) process.child.kill('SIGKILL');
		await Promise.all([this.server.ended, this.second.ended, this.desk.ended]);
		for (const server of [this.server, this.second]) server.agent.destroy();
		this.db.close();
		this.store?.close();
		rmSync(this.home, { recursive: true, force: true });
	}
}
