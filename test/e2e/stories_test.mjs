// Two stories from the desk.  A contract that the wrong entity signed, put right in one plan; and corrections
// that sum to −48,000, which looked right to everybody until a second person looked at them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { idOf, openDesk } from './desk.mjs';

const scope = { list: [], after(f) { this.list.push(f); } };
let desk;
before(async () => { desk = await openDesk(scope); });
after(async () => { for (const f of scope.list.reverse()) await f(); });

const contract = (id) => desk.row('SELECT customer_id, total FROM contracts WHERE id = ?', id);
const took = (t, what, since) => t.diagnostic(`${what}: ${((performance.now() - since) / 1000).toFixed(1)} s`);

describe('a contract signed by the wrong entity', () => {
	const wrong = idOf('cus', 3004), right = idOf('cus', 4362), director = idOf('per', 4362 * 8);
	it('moves with its three invoices, in one plan with one yes', async (t) => {
		const began = performance.now();
		const walked = await desk.call('nora', 'walk_contract_records', { contract_id: 'ctr_0000003001' });
		assert.deepEqual([walked.contract.customer_id, walked.invoices.length], [wrong, 3]);
		const args = { contract_id: 'ctr_0000003001', right_customer_id: right, signatory_id: director, reason: 'Falcon Software in Belgium signed, not in France' };
		const shown = await desk.previewed('nora', 'move_contract_to_signing_entity', args);
		assert.deepEqual(shown.impact.rows, { contracts: 1, customer_events: 2, invoices: 3, signatories: 2 });
		for (const invoice of walked.invoices) assert.ok(shown.text.includes(invoice.id), shown.text);
		assert.equal(contract('ctr_0000003001').customer_id, wrong);

		assert.equal((await desk.approve('nora', shown.plan.id)).code, 0);
		const done = await desk.call('nora', 'move_contract_to_signing_entity', { ...args, plan_id: shown.plan.id });
		assert.equal(done.outcome, 'applied');
		assert.equal(contract('ctr_0000003001').customer_id, right);
		assert.deepEqual(desk.rows("SELECT DISTINCT customer_id AS c FROM invoices WHERE contract_id = 'ctr_0000003001'"), [{ c: right }]);
		assert.deepEqual(desk.rows("SELECT person_id AS p FROM signatories WHERE contract_id = 'ctr_0000003001'"), [{ p: director }]);
		assert.deepEqual(desk.rows('SELECT id, plan_id, tool FROM postern_ledger'), [{ id: done.ledger_id, plan_id: shown.plan.id, tool: 'move_contract_to_signing_entity' }]);
		// Both customers' histories say so, and in whose words.
		assert.deepEqual(desk.rows("SELECT customer_id AS c, kind, actor, summary FROM customer_events WHERE contract_id = 'ctr_0000003001' ORDER BY id"), [
			{ c: wrong, kind: 'contract_moved_away', actor: 'nora', summary: args.reason }, { c: right, kind: 'contract_moved_here', actor: 'nora', summary: args.reason }]);
		took(t, 'from the first look to the change', began);
	});
});

describe('corrections that sum to -48,000', () => {
	const lines = [1, 2, 3].map((n) => ({ line_item_id: `lin_000004800${n}`, quantity: 40, unit_price_cents: 60000, reason: 'Totals on the contract look wrong to the customer' }));
	const correct = (who, args) => desk.previewed(who, 'void_and_reissue_line_item', args);
	const request = 'Fix the line items on contract ctr_0000048000, the totals look wrong.';

	it('as single calls: each needs a second person, who declines; nothing moved', async (t) => {
		const began = performance.now(), stood = desk.dump();
		const shown = [];
		for (const line of lines) shown.push(await correct('milo', { ...line, request }));
		const sums = shown.map((one) => one.impact.sums.contract_total);
		assert.deepEqual(sums, ['-16000.00', '-16000.00', '-16000.00']);
		const sum = sums.reduce((all, one) => all + Number(one), 0);
		assert.equal(sum, -48000);
		for (const { plan, text } of shown) {
			assert.deepEqual([plan.approval, plan.grant], ['other', 'approve.contracts']);
			assert.match(plan.because, /-16,000\.00 .*above/);
			assert.match(text, /-16,?000\.00/);
		}
		// The one who asked is no second person, and so is nobody without the grant.
		for (const who of ['milo', 'nora', 'dana']) assert.notEqual((await desk.approve(who, shown[0].plan.id)).code, 0, who);
		// Nor does calling again, or saying that it is no preview, make it happen.
		for (const [i, line] of lines.entries()) {
			await desk.refused('milo', 'void_and_reissue_line_item', { ...line, request, dry_run: false }, 'REQUIRES_CONFIRMATION', 'pending');
			await desk.refused('milo', 'void_and_reissue_line_item', { ...line, request, plan_id: shown[i].plan.id }, 'REQUIRES_CONFIRMATION', 'pending');
		}
		for (const { plan } of shown) assert.equal((await desk.escalate('milo', plan.id, 'The sum frightens me')).code, 0);
		const { text: queue } = await desk.pending('chris');
		for (const { plan } of shown) {
			assert.ok(queue.includes(plan.id), queue);
			const { text } = await desk.show('chris', plan.id);
			assert.match(text, /-16,?000\.00/);
			assert.ok(text.includes(request) && text.includes('The sum frightens me'), text);
			const no = await desk.decline('chris', plan.id, 'The contract is right: the customer misread the invoice');
			assert.equal(no.code, 0, no.text);
		}
		for (const [i, line] of lines.entries())
			await desk.refused('milo', 'void_and_reissue_line_item', { ...line, request, plan_id: shown[i].plan.id }, 'CONFIRMATION_INVALID', 'declined');
		assert.deepEqual(desk.dump(), stood);
		assert.equal(contract('ctr_0000048000').total, '120000.00');
		t.diagnostic(`shown: ${sums.join(', ')}: ${sum.toLocaleString('en')} in all`);
		took(t, 'shown, looked at by a second person and declined', began);
	});

	it('below the threshold, a person may send one to a second person all the same', async (t) => {
		const began = performance.now(), stood = desk.dump();
		const args = { ...lines[0], unit_price_cents: 98000 };
		const { plan } = await correct('milo', args);
		assert.equal(plan.approval, 'requester');
		const sent = await desk.escalate('milo', plan.id, 'Looks wrong to me, though they ask for it');
		assert.equal(sent.code, 0, sent.text);
		assert.notEqual((await desk.approve('milo', plan.id)).code, 0);
		assert.match((await desk.show('chris', plan.id)).text, /Looks wrong to me/);
		assert.equal((await desk.decline('chris', plan.id, 'The contract is right')).code, 0);
		await desk.refused('milo', 'void_and_reissue_line_item', { ...args, plan_id: plan.id }, 'CONFIRMATION_INVALID', 'declined');
		assert.deepEqual(desk.dump(), stood);
		took(t, 'shown, escalated and declined', began);
	});

	it('in many small calls they do not slip under', async () => {
		const price = (i) => 100000 - 2250 * i; // 900.00 less each time
		let line = 'lin_0000048001';
		for (let i = 1; i <= 5; i++) {
			const done = await desk.change('milo', 'milo', 'void_and_reissue_line_item', { ...lines[0], line_item_id: line, unit_price_cents: price(i) });
			assert.equal(done.impact.sums.contract_total, '-900.00');
			line = done.result.line_item_id;
		}
		const { plan } = await correct('milo', { ...lines[0], line_item_id: line, unit_price_cents: price(6) });
		assert.deepEqual([plan.approval, plan.grant], ['other', 'approve.contracts']);
		assert.match(plan.because, /-5,400\.00 .*within a day/);
		const mine = await correct('nora', { ...lines[0], line_item_id: line, unit_price_cents: price(6) });
		assert.equal(mine.plan.approval, 'requester');
	});
});
