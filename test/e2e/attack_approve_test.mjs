// Attempts to approve as oneself, across sites, with wire keys, with another's session; and values that lie.
import assert from 'node:assert/strict';
import http from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { ask, issueKey, request, serve } from './harness.mjs';
import { decide, makeShop } from './shop.mjs';

const parts = { approvals: 'approvals: { address: 127.0.0.1:0 }', roles: `roles:
  seller: [shop.note, shop.price, shop.rename, shop.history]
  chief: [approve.prices]
  seer: [shop.see_notes]
  both: [shop.note, shop.price, shop.rename, shop.history, approve.prices]` };

async function open(t, more = {}) {
	const site = await makeShop(t, { parts: { ...parts, ...more } });
	site.key = await issueKey(site.config, { subject: 'ada', roles: ['both'] });
	site.ben = await issueKey(site.config, { subject: 'ben', roles: ['both'] });
	site.yes = await site.approver('ada', 'both');
	site.benYes = await site.approver('ben', 'both');
	site.server = await serve(t, site.config);
	site.desk = Number(/approvals address=127\.0\.0\.1:(\d+)/.exec(site.server.stderr)?.[1]);
	site.origin = `http://127.0.0.1:${site.desk}`;
	return site;
}
const raw = async (site, name, args, { key = site.key, capabilities, more = {} } = {}) => (await ask(site.server, request('tools/call', { name, arguments: args, ...more }, { capabilities }), { key })).json;
const call = async (...all) => (await raw(...all)).result.structuredContent;

const go = (site, path, { body, headers = {}, method } = {}) => new Promise((done, failed) => {
	const sent = http.request({ host: '127.0.0.1', port: site.desk, path, agent: false, method: method ?? (body === undefined ? 'GET' : 'POST'),
		headers: { Host: `127.0.0.1:${site.desk}`, ...(body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded', Origin: site.origin }), ...headers } }, (reply) => {
		let text = '';
		reply.on('data', (data) => (text += data)).on('end', () => done({ status: reply.statusCode, text, headers: reply.headers }));
	});
	sent.on('error', failed);
	sent.end(body === undefined ? undefined : String(body));
});
const signIn = async (site, key) => {
	const { headers, status } = await go(site, '/approvals/sign-in', { body: new URLSearchParams({ key }) });
	return status === 303 ? headers['set-cookie'][0].split(';')[0] : null;
};
const field = (text, name, decision) => {
	const form = text.split('<form').find((part) => part.includes(`value="${decision}"`)) ?? '';
	return new RegExp(`name="${name}"[^>]*value="([^"]*)"`).exec(form)?.[1];
};
const formOf = (text, decision) => new URLSearchParams({ decision, shown: field(text, 'shown', decision), seal: field(text, 'seal', decision), note: '' });

describe('the approval page', () => {
	it('takes no wire key, no seal of another visit, plan or answer, no foreign origin, no framed or bent request', async (t) => {
		const site = await open(t);
		const args = { item_id: 'itm_0001', cents: 150, reason: 'mistyped' };
		const { plan: { id } } = await call(site, 'reprice_item', args);
		const { plan: { id: other } } = await call(site, 'reprice_item', { ...args, item_id: 'itm_0002' });
		assert.equal(await signIn(site, site.key), null, 'a wire key signs in');
		const wire = await go(site, `/approvals/${id}`, { headers: { Authorization: `Bearer ${site.yes}` } });
		assert.equal(wire.status, 303, 'a bearer of an approver opens a page without a visit');
		const cookie = await signIn(site, site.yes), second = await signIn(site, site.yes), ben = await signIn(site, site.benYes);
		const page = (await go(site, `/approvals/${id}`, { headers: { Cookie: cookie } })).text;
		assert.equal((await go(site, `/approvals/${id}`, { headers: { Cookie: ben } })).status, 404);
		const good = formOf(page, 'approve');
		assert.ok(good.get('seal') && good.get('shown'), page.slice(0, 300));
		const tries = [
			['no cookie', id, good, {}],
			['another visit', id, good, { Cookie: second }],
			['another person', id, good, { Cookie: ben }],
			['another plan', other, good, { Cookie: cookie }],
			['another origin', id, good, { Cookie: cookie, Origin: 'http://evil.example' }],
			['origin null', id, good, { Cookie: cookie, Origin: 'null' }],
			['no origin', id, good, { Cookie: cookie, Origin: '' }],
			['same host, other port', id, good, { Cookie: cookie, Origin: `http://127.0.0.1:${site.server.port}` }],
			['same-site', id, good, { Cookie: cookie, 'Sec-Fetch-Site': 'same-site' }],
			['framed', id, good, { Cookie: cookie, 'Sec-Fetch-Dest': 'iframe' }],
			['another host', id, good, { Cookie: cookie, Host: 'evil.example', Origin: 'http://evil.example' }],
			['two origins', id, good, { Cookie: cookie, Origin: [site.origin, 'http://evil.example'] }],
			['as text', id, good, { Cookie: cookie, 'Content-Type': 'text/plain' }],
			['two cookies, the first of another', id, good, { Cookie: `${ben}; ${cookie}` }],
			['the decline\'s seal', id, new URLSearchParams([...formOf(page, 'decline')].map(([n, v]) => [n, n === 'decision' ? 'approve' : v])), { Cookie: cookie }],
			['decision twice', id, `${good}&decision=decline`, { Cookie: cookie }],
			['shown of another', id, new URLSearchParams([...good].map(([n, v]) => [n, n === 'shown' ? '0'.repeat(64) : v])), { Cookie: cookie }],
			['an empty seal', id, new URLSearchParams([...good].map(([n, v]) => [n, n === 'seal' ? '' : v])), { Cookie: cookie }],
		];
		for (const [what, plan, body, headers] of tries) {
			const { status } = await go(site, `/approvals/${plan}/decide`, { body, headers });
			assert.ok(status >= 400, `${what}: ${status}`);
			assert.equal(site.plan(plan).state, 'proposed', what);
		}
		assert.ok((await go(site, `/approvals/${id}/decide?${good}`, { headers: { Cookie: cookie } })).status >= 400);
		assert.equal((await go(site, `/approvals/${id}/decide`, { body: good, headers: { Cookie: cookie } })).status, 303);
		assert.equal(site.plan(id).state, 'approved');
		assert.ok((await go(site, `/approvals/${id}/decide`, { body: formOf(page, 'decline'), headers: { Cookie: cookie } })).status >= 400);
		assert.equal(site.plan(id).state, 'approved');
	});
	it('keeps nobody\'s chosen session, and needs a second person for what needs one', async (t) => {
		const site = await open(t);
		const args = { item_id: 'itm_0001', cents: 9000, reason: 'mistyped' };
		const { plan } = await call(site, 'reprice_item', args);
		assert.equal(plan.approval, 'other');
		const planted = 'postern-visit=' + 'A'.repeat(43);
		const entered = await go(site, '/approvals/sign-in', { body: new URLSearchParams({ key: site.yes }), headers: { Cookie: planted } });
		assert.doesNotMatch(entered.headers['set-cookie'][0], /A{43}/);
		assert.equal((await go(site, '/approvals', { headers: { Cookie: planted } })).status, 303);
		const mine = entered.headers['set-cookie'][0].split(';')[0];
		const page = (await go(site, `/approvals/${plan.id}`, { headers: { Cookie: mine } })).text;
		assert.doesNotMatch(page, /value="approve"/);
		assert.notEqual((await decide(site, 'approve', plan.id, site.yes)).code, 0);
		assert.notEqual((await decide(site, 'approve', plan.id, site.ben)).code, 0, 'a wire key approves at the terminal');
		assert.equal(site.plan(plan.id).state, 'proposed');
		assert.equal((await decide(site, 'approve', plan.id, site.benYes)).code, 0);
		// ben may not apply what ada asked for, nor may another agent of hers
		const { error } = await call(site, 'reprice_item', { ...args, plan_id: plan.id }, { key: site.ben });
		assert.equal(error.code, 'NOT_FOUND');
		const agent = await issueKey(site.config, { subject: 'ada', roles: ['both'], agent: 'other' });
		assert.equal((await call(site, 'reprice_item', { ...args, plan_id: plan.id }, { key: agent })).error.code, 'NOT_FOUND');
		assert.equal((await call(site, 'reprice_item', { ...args, plan_id: plan.id })).outcome, 'applied');
	});
});

describe('a question\'s state', () => {
	const can = { elicitation: { form: {}, url: {} } };
	const yes = { approve: { action: 'accept', content: { approve: true } } };
	it('is worth nothing a second time, elsewhere, by another, or of a page as of a form', async (t) => {
		const site = await open(t);
		const args = { item_id: 'itm_0001', name: 'Screw', reason: 'a screw', dry_run: false };
		const asked = (await raw(site, 'rename_item', args, { capabilities: can })).result;
		const state = asked.requestState;
		const back = (name, a, options = {}) => raw(site, name, a, { capabilities: can, more: { requestState: options.state ?? state, inputResponses: yes }, ...options });
		for (const [what, reply] of [
			['other arguments', await back('rename_item', { ...args, name: 'Nail' })],
			['another tool', await back('add_note', { item_id: 'itm_0001', note: 'x', dry_run: false })],
			['another person', await back('rename_item', args, { key: site.ben })],
			['a dry run', await back('rename_item', { ...args, dry_run: true })],
			['bent', await back('rename_item', args, { state: state.slice(0, -2) + (state.endsWith('AA') ? 'BB' : 'AA') })],
		]) assert.notEqual(reply.result?.structuredContent?.outcome, 'applied', what);
		assert.equal(site.item('itm_0001').name, 'Bolt 1');
		const price = { item_id: 'itm_0002', cents: 150, reason: 'x', dry_run: false };
		const page = (await raw(site, 'reprice_item', price, { capabilities: can })).result;
		const bent = await back('reprice_item', price, { state: page.requestState });
		assert.notEqual(bent.result?.structuredContent?.outcome, 'applied');
		const answers = await Promise.all(Array.from({ length: 8 }, () => back('rename_item', args)));
		assert.equal(answers.filter((a) => a.result?.structuredContent?.outcome === 'applied' && !a.result.structuredContent.replayed).length, 1, JSON.stringify(answers.map((a) => a.result?.structuredContent?.error ?? a.error ?? 'ok')));
		const later = await back('rename_item', args);
		assert.notEqual(later.result?.structuredContent?.outcome === 'applied' && !later.result.structuredContent.replayed, true);
		assert.equal(site.ledger().length, 1);
	});
});

describe('two servers on one store', () => {
	it('apply a plan once, and the yes of one counts at the other', async (t) => {
		const site = await open(t, { approvals: '' });
		const second = await serve(t, site.config, { args: ['--instance', 'b'] });
		const args = { item_id: 'itm_0001', cents: 150, reason: 'mistyped' };
		const { plan: { id } } = await call(site, 'reprice_item', args);
		assert.equal((await decide(site, 'approve', id, site.yes)).code, 0);
		const there = { ...site, server: second };
		const all = await Promise.all(Array.from({ length: 16 }, (_, i) => call(i % 2 ? site : there, 'reprice_item', { ...args, plan_id: id })));
		assert.equal(all.filter((a) => a.outcome === 'applied' && !a.replayed).length, 1, JSON.stringify(all.map((a) => a.error?.code ?? a.replayed)));
		assert.equal(site.ledger().length, 1);
	});
});

describe('a yes whose giver lost the right to it', () => {
	it('is worth nothing when the key was revoked before it is applied', async (t) => {
		const site = await open(t);
		const args = { item_id: 'itm_0001', cents: 150, reason: 'mistyped' };
		const { plan: { id } } = await call(site, 'reprice_item', args);
		assert.equal((await decide(site, 'approve', id, site.yes)).code, 0);
		const { run } = await import('./harness.mjs');
		assert.equal((await run(['key', 'revoke', site.config, site.yes.split('_')[2]])).code, 0);
		const { error } = await call(site, 'reprice_item', { ...args, plan_id: id });
		assert.equal(error?.code, 'PERMISSION_DENIED');
		assert.equal(site.item('itm_0001').price, 100);
	});
});
