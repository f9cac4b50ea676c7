// shop - a deployment in which things change: a tool for each level of approval, people who ask and people
// who decide.  And what became of it: rows, ledger, plans, log.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { program, run } from './harness.mjs';
import { makeSite } from './site.mjs';

const changes = {
	sources: `sources:
  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the tests change, events: [notes] }`,
	roles: `roles:
  seller: [shop.note, shop.price, shop.rename, shop.history]
  chief: [approve.prices]
  auditor: [shop.history, shop.see_notes]`,
	limits: 'limits: { destructive: 1000/d per principal, pending_plans: 100 }',
	approvals: 'approvals: { url: "https://desk.example/approvals" }',
};

export const tools = `tools:
  add_note:
    description: Adds a note to an item.
    owner: tests
    purpose: notes
    source: shop
    requires: shop.note
    input: { item_id: { type: string, maxLength: 20 }, note: { type: string, maxLength: 200 } }
    preconditions:
      - { unless: SELECT 1 FROM items WHERE id = :item_id, say: There is no such item. }
    write: INSERT INTO notes (item_id, note) VALUES (:item_id, :note) RETURNING id, note
    effects: { notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, item_id: string, note: { type: string, mask: redact, unmask: shop.see_notes } } } }
    returns: { shape: one, from: { statement: 1 }, columns: { id: { type: int64, assigned: true }, note: string } }
    approval: { by: none }
    idempotency: { key: "{item_id}:{note}", within: 10m }
  rename_item:
    description: Gives an item another name.
    owner: tests
    purpose: names
    source: shop
    requires: shop.rename
    input: { item_id: { type: string, maxLength: 20 }, name: { type: string, maxLength: 40 }, reason: { type: string, maxLength: 200 } }
    write:
      - UPDATE items SET name = :name WHERE id = :item_id
      - INSERT INTO notes (item_id, note) VALUES (:item_id, :reason)
    effects:
      items: { update: [name], key: [id], where: id = :item_id }
      notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: string } }
    returns: { shape: one, from: "SELECT id, name FROM items WHERE id = :item_id", columns: { id: string, name: string } }
    approval: { by: client }
  reprice_item:
    description: Gives an item another price.
    owner: tests
    purpose: prices
    source: shop
    requires: shop.price
    input: { item_id: { type: string, maxLength: 20 }, cents: { type: integer, minimum: 1, maximum: 100000 }, reason: { type: string, maxLength: 200 } }
    write:
      - UPDATE items SET price = :cents WHERE id = :item_id
      - INSERT INTO notes (item_id, note) VALUES (:item_id, :reason)
    effects:
      items: { update: [price], key: [id], where: id = :item_id }
      notes: { insert: true, key: [id], volatile: [id], where: item_id = :item_id, columns: { id: int64, note: string } }
    returns: { shape: one, from: "SELECT id, price FROM items WHERE id = :item_id", columns: { id: string, price: int64 } }
    impact: { cents: items.price }
    approval: { by: requester, above: { cents: 5000, need: other, grant: approve.prices } }
`;

const items = (home) => {
	const db = new DatabaseSync(join(home, 'shop.db'));
	db.exec(`ALTER TABLE items DROP COLUMN price; ALTER TABLE items ADD COLUMN price INTEGER NOT NULL DEFAULT 0;
		CREATE TABLE notes (id INTEGER PRIMARY KEY, item_id TEXT NOT NULL, note TEXT NOT NULL); DELETE FROM items;`);
	const add = db.prepare('INSERT INTO items (id, name, price, stock) VALUES (?, ?, 100, 5)');
	for (let i = 1; i <= 40; i++) add.run(`itm_${String(i).padStart(4, '0')}`, `Bolt ${i}`);
	db.close();
};

const query = (file, sql, ...args) => {
	const db = new DatabaseSync(file, { readOnly: true });
	try { return db.prepare(sql).all(...args); } finally { db.close(); }
};

// The database, installed, with what tells of it; keys are made by the tests.
export async function makeShop(t, { parts = {}, more = '' } = {}) {
	const site = makeSite(t, { changes: { ...changes, ...parts }, tools: tools + more, prepare: items });
	const made = await run(['install', site.config, 'shop']);
	assert.equal(made.code, 0, made.stderr);
	const state = join(site.home, 'state/postern.db');
	site.rows = (sql, ...args) => query(join(site.home, 'shop.db'), sql, ...args);
	site.item = (id) => site.rows('SELECT name, price FROM items WHERE id = ?', id)[0];
	site.ledger = () => site.rows('SELECT id, call_id, plan_id, tool FROM postern_ledger ORDER BY committed_us, id');
	site.plan = (id) => query(state, 'SELECT state, need, channel, why, decided_by FROM plans WHERE id = ?', id)[0];
	site.plans = () => query(state, 'SELECT id, state, tool, need FROM plans ORDER BY made_us, id');
	// Behind the program's back: what only time, or another deployment, does.
	site.store = (sql, ...args) => {
		const db = new DatabaseSync(state);
		try { db.exec('PRAGMA busy_timeout = 5000'); db.prepare(sql).run(...args); } finally { db.close(); }
	};
	site.records = () => readdirSync(join(site.home, 'state/audit')).filter((name) => name.endsWith('.log')).sort()
		.flatMap((name) => readFileSync(join(site.home, 'state/audit', name), 'utf8').split('\n'))
		.map((line) => line.replace(/\0+$/, '')).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
	site.approver = async (subject, role) => {
		const end = await run(['key', 'issue', site.config, '--subject', subject, '--role', role, '--approver']);
		assert.equal(end.code, 0, end.stderr);
		return /\bpsap_dev_[a-z2-7]{12}_[\w-]{43}/.exec(end.stdout)[0];
	};
	return site;
}

// `postern VERB CONFIG PLAN` on a terminal of its own (script(1) of util-linux): the key at the first prompt,
// `yes` at the second.  What is shown there is `text`.
export async function decide(site, verb, plan, key, { args = [], yes = 'yes', deadlineMs = 20000 } = {}) {
	const quoted = [program, verb, site.config, plan, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
	const child = spawn('script', ['-qec', quoted, '/dev/null'], { env: { ...process.env, SHELL: '/bin/sh' } });
	const typed = [key, yes];
	let text = '', seen = 0;
	child.stdin.on('error', () => {});
	child.stdout.setEncoding('utf8').on('data', (more) => {
		text += more;
		if (!typed.length || !/(key|type yes): $/.test(text.slice(seen))) return;
		seen = text.length;
		child.stdin.write(`${typed.shift()}\n`);
	});
	const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
	const code = await new Promise((done) => child.on('close', done));
	clearTimeout(timer);
	return { code, text, token: /shown once: (\S+)/.exec(text)?.[1] };
}
