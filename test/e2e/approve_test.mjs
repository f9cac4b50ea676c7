// Approving in the terminal, from outside: a plan that a call proposed, shown and approved by a person at a
// terminal of their own (script(1) gives one), applied by the next call; and every way that is no yes.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { ask, issueKey, request, run, serve, sitDown } from './harness.mjs';
import { approverKey, makeSite, records } from './site.mjs';

const changes = {
	sources: `sources:
  shop: { sqlite: { file: shop.db }, owner: tests, purpose: what the tests change }`,
	roles: `roles:
  seller: [shop.price]
  chief: [approve.prices]`,
	limits: 'limits: { destructive: 1000/d per principal }',
};

const tools = `tools:
  reprice_item:
    description: Gives an item another price.
    owner: tests
    purpose: prices
    source: shop
    requires: shop.price
    input: { item_id: { type: string, maxLength: 20 }, price: { type: string, maxLength: 20 }, reason: { type: string, maxLength: 200 } }
    write: UPDATE items SET price = :price WHERE id = :item_id
    effects: { items: { update: [price], key: [id], where: id = :item_id, columns: { id: string, price: string } } }
    returns: { shape: one, from: "SELECT id, price FROM items WHERE id = :item_id", columns: { id: string, price: string } }
    approval: { by: NEED }
`;

async function makeShop(t, need, more = {}) {
	const site = makeSite(t, { changes: { ...changes, ...more }, tools: tools.replace('NEED', need) });
	const made = await run(['install', site.config, 'shop']);
	assert.equal(made.code, 0, made.stderr);
	site.key = await issueKey(site.config, { subject: 'ada', roles: ['seller'] });
	site.ada = await approverKey(site.config, 'ada', 'seller');
	site.eve = await approverKey(site.config, 'eve', 'chief');
	site.server = await serve(t, site.config);
	return site;
}

async function call(site, args) {
	const reply = JSON.parse((await ask(site.server, request('tools/call', { name: 'reprice_item', arguments: args }), { key: site.key })).body);
	return reply.result.structuredContent;
}

const wanted = { item_id: 'itm_0001', price: '9.99', reason: 'a typing mistake' };
const propose = async (site) => (await call(site, wanted)).plan.id;
const price = (site) => {
	const db = new DatabaseSync(join(site.home, 'shop.db'), { readOnly: true });
	try {
		return db.prepare('SELECT price FROM items WHERE id = ?').get('itm_0001').price;
	} finally {
		db.close();
	}
};
const asks = 'approver\'s key: ', agrees = 'type yes: ';

test('what a call proposed is approved at the terminal, and applied by the next call', async (t) => {
	const site = await makeShop(t, 'requester');
	const plan = await propose(site);
	assert.equal((await call(site, { ...wanted, plan_id: plan })).error.code, 'REQUIRES_CONFIRMATION');
	const list = await sitDown(['pending', site.config], [[asks, site.ada]]);
	assert.equal(list.code, 0, list.seen);
	assert.match(list.seen, new RegExp(`${plan} +proposed +reprice_item`));
	const yes = await sitDown(['approve', site.config, plan, '--note', 'right'], [[asks, site.ada], [agrees, 'yes']]);
	assert.equal(yes.code, 0, yes.seen);
	assert.match(yes.seen, /reprice_item@1[^]*"price":"9\.99"[^]*update items[^]*1\.50[^]*9\.99[^]*asked by +ada/);
	assert.ok(!yes.seen.includes(site.ada));
	assert.equal(price(site), '1.50');
	const done = await call(site, { ...wanted, plan_id: plan });
	assert.equal(done.outcome, 'applied', JSON.stringify(done));
	assert.equal(price(site), '9.99');
	const [decision] = records(site, 'APPROVAL');
	assert.deepEqual([decision.plan, decision.decision, decision.subj, decision.channel, decision.note], [plan, 'approved', 'ada', 'terminal', 'right']);
	const shown = await sitDown(['show', site.config, plan], [[asks, site.ada]]);
	assert.match(shown.seen, /state +applied[^]*decided by +ada, by terminal/);
});

test('a plan that was applied is used up: undone and asked for again, the change is a new plan', async (t) => {
	const site = await makeShop(t, 'requester');
	const apply = async (plan) => {
		assert.equal((await sitDown(['approve', site.config, plan], [[asks, site.ada], [agrees, 'yes']])).code, 0);
		const done = await call(site, { ...wanted, plan_id: plan });
		assert.equal(done.outcome, 'applied', JSON.stringify(done));
		return done;
	};
	const first = await propose(site);
	const done = await apply(first);
	const db = new DatabaseSync(join(site.home, 'shop.db'));
	db.exec("UPDATE items SET price = '1.50' WHERE id = 'itm_0001'");
	db.close();
	const second = await propose(site);
	assert.notEqual(second, first);
	assert.deepEqual(await call(site, { ...wanted, plan_id: first }), { ...done, replayed: true });
	assert.equal(price(site), '1.50');
	assert.ok(!(await apply(second)).replayed);
	assert.equal(price(site), '9.99');
});

test('the caller\'s own key, another person\'s and a half-hearted yes approve nothing', async (t) => {
	const site = await makeShop(t, 'requester');
	const plan = await propose(site);
	for (const [key, code] of [[site.key, 77], [site.eve, 1], ['nonsense', 77]]) {
		const end = await sitDown(['approve', site.config, plan], [[asks, key], [agrees, 'yes']]);
		assert.equal(end.code, code, end.seen);
		assert.ok(!end.seen.includes('9.99'));
	}
	const half = await sitDown(['approve', site.config, plan], [[asks, site.ada], [agrees, 'y']]);
	assert.equal(half.code, 1, half.seen);
	assert.equal((await call(site, { ...wanted, plan_id: plan })).error.code, 'REQUIRES_CONFIRMATION');
	assert.equal(records(site, 'APPROVAL').length, 0);
	assert.equal(records(site, 'AUTH_FAIL').length, 2);
	assert.equal(price(site), '1.50');
});

test('four eyes: not the requester, but another who holds the grant; a declined plan is over', async (t) => {
	const site = await makeShop(t, 'other, grant: approve.prices');
	const plan = await propose(site);
	const own = await sitDown(['approve', site.config, plan], [[asks, site.ada], [agrees, 'yes']]);
	assert.equal(own.code, 77, own.seen);
	assert.match(own.seen, /second person/);
	assert.equal(records(site, 'DENY').at(-1).reason, 'four_eyes');
	const other = await sitDown(['approve', site.config, plan], [[asks, site.eve], [agrees, 'yes']]);
	assert.equal(other.code, 0, other.seen);
	assert.equal((await call(site, { ...wanted, plan_id: plan })).outcome, 'applied');
	const next = (await call(site, { ...wanted, price: '1.50' })).plan.id;
	const no = await sitDown(['decline', site.config, next, '--reason', 'it was right'], [[asks, site.eve]]);
	assert.equal(no.code, 0, no.seen);
	assert.equal((await call(site, { ...wanted, price: '1.50', plan_id: next })).error.code, 'CONFIRMATION_INVALID');
	assert.equal(price(site), '9.99');
});

test('a requester sends a plan on; whoever holds approve.plans has it in the queue', async (t) => {
	const site = await makeShop(t, 'requester', { roles: changes.roles.replace('approve.prices', 'approve.plans') });
	const plan = await propose(site);
	const sent = await sitDown(['escalate', site.config, plan, '--note', 'is that right?'], [[asks, site.ada]]);
	assert.equal(sent.code, 0, sent.seen);
	const queue = await sitDown(['pending', site.config], [[asks, site.eve]]);
	assert.match(queue.seen, new RegExp(`${plan} .*is that right\\?`));
	assert.equal((await sitDown(['approve', site.config, plan], [[asks, site.ada], [agrees, 'yes']])).code, 77);
	assert.equal((await sitDown(['approve', site.config, plan], [[asks, site.eve], [agrees, 'yes']])).code, 0);
	assert.equal((await call(site, { ...wanted, plan_id: plan })).outcome, 'applied');
});

test('what an agent asks for is approved by whoever holds approve.plans, and applied', async (t) => {
	const site = await makeShop(t, 'requester', { roles: changes.roles.replace('approve.prices', 'approve.plans') });
	site.key = await issueKey(site.config, { subject: 'bot', roles: ['seller'], args: ['--kind', 'agent'] });
	const plan = await propose(site);
	assert.equal((await sitDown(['approve', site.config, plan], [[asks, site.eve], [agrees, 'yes']])).code, 0);
	assert.equal((await call(site, { ...wanted, plan_id: plan })).outcome, 'applied');
	assert.equal(price(site), '9.99');
});

test('a key that stands for another change is no answer for a plan', async (t) => {
	const site = await makeShop(t, 'requester');
	const applied = async (plan) => {
		assert.equal((await sitDown(['approve', site.config, plan], [[asks, site.ada], [agrees, 'yes']])).code, 0);
		return call(site, { ...wanted, plan_id: plan, idempotency_key: 'k1' });
	};
	assert.equal((await applied(await propose(site))).outcome, 'applied');
	const db = new DatabaseSync(join(site.home, 'shop.db'));
	db.exec("UPDATE items SET price = '1.00' WHERE id = 'itm_0001'");
	db.close();
	const second = await propose(site), { error } = await applied(second);
	assert.deepEqual([error.code, error.details.reason], ['CONFLICT', 'idempotency_key']);
	assert.equal(price(site), '1.00');
	assert.equal((await call(site, { ...wanted, plan_id: second })).outcome, 'applied');
	assert.equal(price(site), '9.99');
});

test('where the deployment asks for it, the token that approving shows must come with the call', async (t) => {
	const site = await makeShop(t, 'requester', { approvals: 'approvals: { token: true }' });
	const plan = await propose(site);
	const yes = await sitDown(['approve', site.config, plan], [[asks, site.ada], [agrees, 'yes']]);
	const token = /shown once: ([0-9A-Z-]{14})/.exec(yes.seen)[1];
	assert.equal((await call(site, { ...wanted, plan_id: plan })).error.code, 'REQUIRES_CONFIRMATION');
	assert.equal((await call(site, { ...wanted, plan_id: plan, confirmation_token: 'AAAA-AAAA-AAAA' })).error.code, 'CONFIRMATION_INVALID');
	assert.equal((await call(site, { ...wanted, plan_id: plan, confirmation_token: token.toLowerCase() })).outcome, 'applied');
	assert.equal(price(site), '9.99');
	const home = join(site.home, 'state/audit');
	assert.ok(!readdirSync(home).some((name) => name.endsWith('.log') && readFileSync(join(home, name), 'utf8').includes(token)));
});
