// Two stories from the desk.  A contract that the wrong entity signed, put right in one plan; and corrections
// that sum to −48,000, which looked right to everybody until a second person looked at them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { run } from './harness.mjs';
import { idOf, openDesk } from './desk.mjs';

const scope = { list: [], after(f) { this.list.push(f); } };
let desk;
before(async () => { desk = await openDesk(scope); });
after(async () => { for (const f of scope.list.reverse()) await f(); });

const contract = (id) => desk.row('SELECT customer_id, total FROM contracts WHERE id = ?', id);
const took = (t, what, since) => t.diagnostic(`${what}: ${((performance.now() - since) / 1000).toFixed(1)} s`);

describe('a contract signed by the wrong entity', () => {
	const wrong = idOf('cus', 3004), right = idOf('cus', 4362), director = idOf('per', 4362 * 8);
	it('moves with three files and three invoices, in one plan with one yes', async (t) => {
		const began = performance.now(), stood = desk.dump();
		const walk = (contract_id) => desk.call('nora', 'walk_contract_records', { contract_id });
		const [walked, neighbour] = [await walk('ctr_0000003001'), await walk('ctr_0000003002')];
		assert.deepEqual([walked.contract.customer_id, walked.invoices.length], [wrong, 3]);
		const files = neighbour.attachments.filter((row) => row.file_name.startsWith('rollout annex')).map((row) => row.id);
		assert.equal(files.length, 3);

		const reason = 'Falcon Software in Belgium signed, not in France';
		const move = { contract_id: 'ctr_0000003001', right_customer_id: right, signatory_id: director, reason };
		const args = { reason, request: 'This contract was signed by the wrong entity, please put it right with everything on it.', steps: [
			...files.map((id) => ({ tool: 're_parent_attached_document', arguments: { attachment_id: id, right_contract_id: 'ctr_0000003001', reason } })),
			{ tool: 'move_contract_to_signing_entity', arguments: move }] };
		const shown = await desk.previewed('nora', 'apply_together', args);
		assert.deepEqual(shown.impact.rows, { attachments: 3, contracts: 1, customer_events: 5, invoices: 3, signatories: 2 });
		assert.equal(shown.plan.approval, 'requester');
		for (const id of [...files, ...walked.invoices.map((row) => row.id)]) assert.ok(shown.text.includes(id), shown.text);
		// The other way round the files' customer is no longer the contract's: that is said before anything is made.
		await desk.refused('nora', 'apply_together', { ...args, steps: [...args.steps].reverse() }, 'PRECONDITION_FAILED', 'another_customer');
		assert.deepEqual(desk.dump(), stood);

		assert.equal((await desk.approve('nora', shown.plan.id)).code, 0);
		const done = await desk.call('nora', 'apply_together', { ...args, plan_id: shown.plan.id });
		assert.equal(done.outcome, 'applied', JSON.stringify(done));
		assert.equal(contract('ctr_0000003001').customer_id, right);
		assert.deepEqual(desk.rows("SELECT DISTINCT customer_id AS c FROM invoices WHERE contract_id = 'ctr_0000003001'"), [{ c: right }]);
		assert.deepEqual(desk.rows("SELECT person_id AS p FROM signatories WHERE contract_id = 'ctr_0000003001'"), [{ p: director }]);
		assert.deepEqual(desk.rows("SELECT DISTINCT contract_id AS c FROM attachments WHERE id LIKE 'att_000000300_'"), [{ c: 'ctr_0000003001' }]);
		assert.deepEqual(desk.rows('SELECT id, plan_id, tool FROM postern_ledger'), [{ id: done.ledger_id, plan_id: shown.plan.id, tool: 'apply_together' }]);
		// Both customers' histories say so, and in whose words.
		assert.deepEqual(desk.rows("SELECT customer_id AS c, kind, actor, summary FROM customer_events WHERE kind LIKE 'contract_moved%' ORDER BY id"), [
			{ c: wrong, kind: 'contract_moved_away', actor: 'nora', summary: reason }, { c: right, kind: 'contract_moved_here', actor: 'nora', summary: reason }]);
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

	it('as one plan: the number is on it; it is sent to a second person, who declines; nothing moved', async (t) => {
		const began = performance.now(), stood = desk.dump();
		const args = { reason: lines[0].reason, request, steps: lines.map((line) => ({ tool: 'void_and_reissue_line_item', arguments: line })) };
		const { plan, impact, text, effects } = await desk.previewed('milo', 'apply_together', args);
		assert.equal(impact.sums.contract_total, '-48000.00');
		assert.match(text, /-48,000\.00/);
		assert.match(plan.because, /-48,000\.00 .*above/);
		assert.deepEqual([plan.approval, plan.grant], ['other', 'approve.contracts']);
		assert.equal(effects.filter((effect) => effect.table === 'line_items').length, 6);
		for (const who of ['milo', 'nora', 'dana']) assert.notEqual((await desk.approve(who, plan.id)).code, 0, who);
		await desk.refused('milo', 'apply_together', { ...args, dry_run: false }, 'REQUIRES_CONFIRMATION', 'pending');
		assert.equal((await desk.escalate('milo', plan.id, 'That is a lot of money, please look')).code, 0);
		assert.ok((await desk.pending('chris')).text.includes(plan.id));
		const seen = (await desk.show('chris', plan.id)).text;
		for (const words of ['-48,000.00', request, 'That is a lot of money', 'lin_0000048001', 'lin_0000048002', 'lin_0000048003']) assert.ok(seen.includes(words), `${words}: ${seen}`);
		assert.equal((await desk.decline('chris', plan.id, 'The contract is right: the customer misread the invoice')).code, 0);
		await desk.refused('milo', 'apply_together', { ...args, plan_id: plan.id }, 'CONFIRMATION_INVALID', 'declined');
		assert.deepEqual(desk.dump(), stood);
		assert.equal(contract('ctr_0000048000').total, '120000.00');
		// Months later it can still be shown as it was.
		const kept = desk.records();
		assert.ok(kept.some((r) => r.e === 'APPROVAL' && r.plan === plan.id && r.decision === 'declined' && r.subj === 'chris'));
		const old = await run(['audit', 'show', desk.config, plan.id]);
		for (const words of ['-48000.00', '"120000.00"', 'lin_0000048003']) assert.ok(old.stdout.includes(words), `${words}: ${old.stdout}`);
		t.diagnostic(`shown: ${impact.sums.contract_total}`);
		took(t, 'shown, escalated, looked at by a second person and declined', began);
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
		const who = await desk.join('patient', 'support_l2');
		let line = 'lin_0000048001';
		for (let i = 1; i <= 5; i++) {
			const done = await desk.change(who, who, 'void_and_reissue_line_item', { ...lines[0], line_item_id: line, unit_price_cents: price(i) });
			assert.equal(done.impact.sums.contract_total, '-900.00');
			line = done.result.line_item_id;
		}
		const { plan } = await correct(who, { ...lines[0], line_item_id: line, unit_price_cents: price(6) });
		assert.deepEqual([plan.approval, plan.grant], ['other', 'approve.contracts']);
		assert.match(plan.because, /-5,400\.00 .*within a day/);
		// Neither as steps of one plan.
		const steps = [6, 7].map((i) => ({ tool: 'void_and_reissue_line_item', arguments: { ...lines[i - 5], unit_price_cents: 99000 } }));
		const both = await desk.previewed(who, 'apply_together', { steps, reason: lines[0].reason });
		assert.match(both.plan.because, /-5,300\.00 .*within a day/);
		const mine = await correct('nora', { ...lines[0], line_item_id: line, unit_price_cents: price(6) });
		assert.equal(mine.plan.approval, 'requester');
	});
});
