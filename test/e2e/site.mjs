// site - a small deployment of the tests' own: a database, a configuration, a catalog and keys.
//
// Two principals: alice (tenant acme, role reader) and bob (tenant birch, role reader); carol holds a
// role without the grant of `read_secret`, dave one that sees nothing.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { directory, issueKey, run } from './harness.mjs';

export const configuration = (changes = {}) => {
	const parts = {
		environment: 'environment: development',
		name: 'name: test/e2e',
		listen: 'listen: { http: { address: 127.0.0.1:8477 } }',
		sources: `sources:
  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the tests read }
  stage: { scripted: true, owner: tests, purpose: what the tests play }`,
		store: 'store: { sqlite: state/postern.db }',
		audit: 'audit: { directory: state/audit, keys: state/keys }',
		identity: 'identity: { api_keys: true, stdio: { key: "${env:POSTERN_KEY}" } }',
		roles: `roles:
  reader: [shop.read, shop.secret, stage.play]
  clerk: [shop.read]
  nobody: []`,
		catalog: 'catalog: [catalog.yaml]',
		...changes,
	};
	return Object.values(parts).filter(Boolean).join('\n') + '\n';
};

// A listener for metrics and health beside the public one.
export const withAdmin = (more = '') => ({ listen: `listen: { http: { address: 127.0.0.1:8477 }, admin: { address: 127.0.0.1:0${more} } }` });

export const catalog = `tools:
  get_item:
    version: 1
    title: One item
    description: One item of the shop by its id. Use find_items when you do not know the id.
    owner: tests
    purpose: point reads
    source: shop
    requires: shop.read
    input:
      item_id: { type: string, pattern: "^itm_[0-9a-z]{4}$", description: The id of the item. }
    read: SELECT id, name, price, stock, note FROM items WHERE id = :item_id
    returns:
      shape: one
      columns: { id: string, name: string, price: decimal, stock: int64, note: { type: string, nullable: true } }
    suggest: { NOT_FOUND: "Check the id, or use find_items." }
  find_items:
    version: 1
    title: Items by name
    description: Items whose name begins with the given text, by name, a page at a time.
    owner: tests
    purpose: pages
    source: shop
    requires: shop.read
    input:
      prefix: { type: string, maxLength: 40, default: "", description: The beginning of the name. }
    read: SELECT id, name FROM items WHERE name LIKE :prefix || '%'
    page: { by: [name, id], size: 5, max: 20 }
    returns:
      shape: many
      columns: { id: string, name: string }
  who_am_i:
    version: 1
    title: The caller
    description: Says on whose behalf this call is made, as the server knows it.
    owner: tests
    purpose: identity
    source: shop
    requires: shop.read
    read: SELECT :principal.subject AS subject, :principal.tenant AS tenant
    returns: { shape: one, columns: { subject: string, tenant: { type: string, nullable: true } } }
  echo_values:
    version: 1
    title: Values through the database
    description: Gives back the values it was given, after they have been through the database.
    owner: tests
    purpose: fidelity of values
    source: shop
    requires: shop.read
    input:
      words: { type: string, maxLength: 200000, optional: true, description: Any text. }
      whole: { type: integer, optional: true, description: A whole number. }
      wide: { type: integer, format: int64, optional: true, description: A wide whole number. }
      yes: { type: boolean, optional: true, description: A truth. }
      code: { type: string, pattern: "^cust_[A-Z0-9]{12}$", optional: true, description: A code. }
      day: { type: string, format: date, optional: true, description: A day. }
      short: { type: string, minLength: 2, maxLength: 5, optional: true, description: A short text. }
    read: SELECT :words AS words, :whole AS whole, :wide AS wide, :yes AS yes, :code AS code, :day AS day, :short AS short
    returns:
      shape: one
      columns:
        words: { type: string, nullable: true }
        whole: { type: integer, nullable: true }
        wide: { type: int64, nullable: true }
        yes: { type: boolean, nullable: true }
        code: { type: string, nullable: true }
        day: { type: date, nullable: true }
        short: { type: string, nullable: true }
  wide_numbers:
    version: 1
    title: Numbers that do not fit a double
    description: Two stored numbers that a double cannot hold.
    owner: tests
    purpose: fidelity of values
    source: shop
    requires: shop.read
    read: SELECT whole, part FROM numbers
    returns: { shape: one, columns: { whole: int64, part: decimal } }
  broken_promise:
    version: 1
    title: A row that breaks its contract
    description: Reads a null where none was promised.
    owner: tests
    purpose: output contract
    source: shop
    requires: shop.read
    read: SELECT note FROM items WHERE note IS NULL LIMIT 1
    returns: { shape: one, columns: { note: string } }
  read_secret:
    version: 1
    title: Behind another grant
    description: Only for those who hold the other grant.
    owner: tests
    purpose: grants
    source: shop
    requires: shop.secret
    read: SELECT 'open' AS word
    returns: { shape: one, columns: { word: string } }
  nap:
    version: 1
    title: A slow call
    description: Sleeps for a while and then says so.
    owner: tests
    purpose: cancellation
    source: stage
    requires: stage.play
    script:
      - progress: { at: 1, of: 2 }
      - sleep: 1500ms
      - content: { type: text, text: rested }
  hello:
    version: 1
    title: A question
    description: Asks for a name and greets it.
    owner: tests
    purpose: input requests
    source: stage
    requires: stage.play
    state: sealed
    script:
      - ask: { key: user_name, elicit: { message: "What is your name?", schema: { type: object, properties: { name: { type: string } }, required: [name] } } }
      - content: { type: text, text: greeted }
resources:
  about:
    uri: "shop://about"
    title: About the shop
    description: What the shop is.
    mime_type: text/plain
    requires: shop.read
    text: A shop of the tests.
  item:
    uri_template: "shop://items/{item_id}"
    title: One item
    description: One item as JSON.
    mime_type: application/json
    source: shop
    requires: shop.read
    input: { item_id: { type: string, pattern: "^itm_[0-9a-z]{4}$" } }
    read: SELECT id, name FROM items WHERE id = :item_id
    returns: { shape: one, columns: { id: string, name: string } }
prompts:
  describe_item:
    title: Describe an item
    description: Asks for a description of one item.
    requires: shop.read
    arguments:
      item: { description: The id of the item., required: true, complete: { values: [itm_0001, itm_0002, itm_0011] } }
    messages:
      - { role: user, text: "Describe the item {item}." }
`;

// The marker that `postern install` writes (install_test.mjs), without starting it for every test.
export function mark(db, { environment = 'development', deployment = 'test/e2e', synthetic = 1 } = {}) {
	db.exec(`CREATE TABLE postern_marker (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), environment TEXT NOT NULL,
		deployment TEXT NOT NULL, synthetic INTEGER NOT NULL CHECK (synthetic IN (0, 1)), installed_at TEXT NOT NULL)`);
	db.prepare('INSERT INTO postern_marker VALUES (1, ?, ?, ?, ?)').run(environment, deployment, synthetic, '2026-11-21T00:00:00Z');
}

function database(path) {
	const db = new DatabaseSync(path);
	mark(db);
	db.exec(`CREATE TABLE items (id TEXT PRIMARY KEY, name TEXT NOT NULL, price TEXT NOT NULL, stock INTEGER NOT NULL, note TEXT);
		CREATE TABLE numbers (whole INTEGER, part TEXT);
		INSERT INTO numbers VALUES (9007199254740993, '0.1000000000000000055');`);
	const add = db.prepare('INSERT INTO items VALUES (?, ?, ?, ?, ?)');
	for (let i = 0; i < 23; i++)
		add.run(`itm_${String(i).padStart(4, '0')}`, `item ${String.fromCharCode(97 + (i % 5))}`, `${i}.50`, i, i % 2 ? 'noted' : null);
	db.close();
}

// Writes a deployment below a directory of the test's; `changes` replace parts of postern.yaml,
// `prepare` adds files before anything reads them.
export function makeSite(t, { changes, tools = catalog, prepare = () => {} } = {}) {
	const home = directory(t);
	const config = join(home, 'postern.yaml');
	mkdirSync(home, { recursive: true });
	writeFileSync(config, configuration(changes));
	writeFileSync(join(home, 'catalog.yaml'), tools);
	database(join(home, 'shop.db'));
	prepare(home);
	return { home, config };
}

// The same with keys for alice and bob.
export async function makeSiteWithKeys(t, options) {
	const site = makeSite(t, options);
	site.alice = await issueKey(site.config, { subject: 'alice', tenant: 'acme' });
	site.bob = await issueKey(site.config, { subject: 'bob', tenant: 'birch' });
	return site;
}

// Sets the clock of one principal's keys to long ago, behind the program's back.
export function expireKey(site, subject) {
	const db = new DatabaseSync(join(site.home, 'state/postern.db'));
	const { name } = db.prepare("SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'expires_us' WHERE m.type = 'table'").get();
	db.prepare(`UPDATE "${name}" SET expires_us = 1 WHERE subject = ?`).run(subject);
	db.close();
}

// The records of a deployment, in the order of their files; of one event, or all.
export const records = (site, event) => readdirSync(join(site.home, 'state/audit')).filter((name) => name.endsWith('.log')).sort()
	.flatMap((name) => readFileSync(join(site.home, 'state/audit', name), 'utf8').replaceAll('\0', '').split('\n').filter(Boolean))
	.map((line) => JSON.parse(line)).filter((r) => !event || r.e === event);

// A fresh key that decides on plans and calls nothing.
export async function approverKey(config, subject, role) {
	const end = await run(['key', 'issue', config, '--subject', subject, '--role', role, '--approver']);
	assert.equal(end.code, 0, end.stderr);
	return /psap_\w+[\w-]*/.exec(end.stdout)[0];
}
