// The support desk, whole: each of its tools does what it says, refuses what lies outside its purpose, shows a
// change without making it, and leaves an event; and each level of the desk can do what the one before can.
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { ask, request, run } from './harness.mjs';
import { idOf, leads, openDesk, people } from './desk.mjs';

const scope = { list: [], after(f) { this.list.push(f); } };
let desk;
before(async () => { desk = await openDesk(scope); });
after(async () => { for (const f of scope.list.reverse()) await f(); });

const reason = 'The desk tests ask for it';
const nobody = { customer: 'cus_ffffffffff', contract: 'ctr_ffffffffff', person: 'per_ffffffffff', line: 'lin_ffffffffff', invoice: 'inv_ffffffffff', attachment: 'att_ffffffffff' };

describe('levels of the desk', () => {
	it('are strict subsets, in the matrix and in what clients are shown', async () => {
		const matrix = JSON.parse((await run(['matrix', desk.config, '--json'])).stdout);
		const of = (role) => new Set(matrix.filter((row) => row.roles[role] === 'given').map((row) => `${row.kind} ${row.name}`));
		const shown = async (subject) => {
			const reply = await ask(desk.server, request('tools/list'), { key: desk.keys[subject] });
			return new Set(reply.json.result.tools.map((tool) => tool.name));
		};
		const inside = (a, b, what) => {
			for (const name of a) assert.ok(b.has(name), `${what}: ${name}`);
			assert.ok(a.size < b.size, `${what}: nothing more than ${a.size}`);
		};
		inside(of('support_l1'), of('support_l2'), 'L2 lacks');
		inside(of('support_l2'), of('support_l3'), 'L3 lacks');
		inside(await shown('lena'), await shown('milo'), 'L2 is not shown');
		inside(await shown('milo'), await shown('nora'), 'L3 is not shown');
		// Who approves changes nothing, and who changes something approves nothing.
		const changing = matrix.filter((row) => row.mutates);
		assert.ok(changing.length >= 12);
		for (const role of Object.values(leads)) assert.deepEqual(changing.filter((row) => row.roles[role] === 'given'), []);
		// Nobody can do everything.
		for (const role of Object.values(people)) assert.ok(changing.some((row) => row.roles[role] !== 'given'), role);
	});
	it('are refused by grant what is above them', async () => {
		const line = { line_item_id: 'lin_0000003001', reason };
		await desk.refused('lena', 'void_line_item', line, 'PERMISSION_DENIED', 'grant');
		await desk.refused('milo', 'merge_duplicate_customer', { duplicate_id: idOf('cus', 516), into_id: idOf('cus', 6), reason }, 'PERMISSION_DENIED', 'grant');
		await desk.refused('nora', 'queue_invoice_reminders', { reason }, 'PERMISSION_DENIED', 'grant');
	});
	it('shows contact data to the level that may see it', async () => {
		const args = { customer_id: idOf('cus', 6) };
		const [masked, whole] = [await desk.call('milo', 'find_people', args), await desk.call('nora', 'find_people', args)];
		for (const [i, row] of masked.rows.entries()) if (row.email) {
			assert.match(row.email, /^p\*\*\*@/);
			assert.match(whole.rows[i].email, /^person\d/);
		}
	});
	it('passes postern check without a warning', async () => {
		const end = await run(['check', desk.config]);
		assert.equal(end.code, 0, end.stdout);
		assert.match(end.stdout + end.stderr, /0 errors, 0 warnings/);
	});
});

describe('reads', () => {
	const within = (got, bytes) => assert.ok(JSON.stringify(got).length < bytes * 2, 'larger than its limit');
	it('walk a contract with bounds', async () => {
		const got = await desk.call('lena', 'walk_contract_records', { contract_id: 'ctr_0000048000' });
		assert.equal(got.contract.total, '120000.00');
		assert.equal(got.line_items.length, 3);
		assert.deepEqual(got.invoices.map((row) => row.id), ['inv_0000048000']);
		assert.equal(got.signatories.length, 1);
		assert.deepEqual([got.empty, got.truncated], [[], []]);
		within(got, 16384);
		await desk.refused('lena', 'walk_contract_records', { contract_id: nobody.contract }, 'NOT_FOUND');
		await desk.refused('lena', 'walk_contract_records', { contract_id: "ctr_0000048000' OR 1" }, 'VALIDATION_ERROR');
	});
	it('summarize a customer within a budget, the same each time', async () => {
		const ask = () => desk.call('lena', 'summarize_customer_state', { customer_id: idOf('cus', 3004) });
		const [one, two] = [await ask(), await ask()];
		assert.deepEqual(one, two);
		assert.equal(one.customer.name, 'Falcon Software');
		within(one, 6144);
	});
	it('list invoices a page at a time', async () => {
		const args = { customer_id: idOf('cus', 3004), limit: 2 };
		const first = await desk.call('lena', 'list_invoices', args);
		assert.equal(first.rows.length, 2);
		const second = await desk.call('lena', 'list_invoices', { ...args, cursor: first.next_cursor });
		assert.ok(second.rows.length > 0 && second.rows.every((row) => !first.rows.some((r) => r.id === row.id)));
	});
	for (const [name, args, subject] of [
		['get_customer_summary', { customer_id: idOf('cus', 6) }, 'lena'],
		['list_customers', { status: 'churned' }, 'lena'],
		['lookup_customer_by_email', { email: 'nobody@nowhere.example' }, 'lena'],
		['search_customers', { text: 'Falcon' }, 'lena'],
		['get_customer_history', { customer_id: idOf('cus', 6) }, 'lena'],
		['find_people', { customer_id: idOf('cus', 6) }, 'lena'],
		['list_contracts', { customer_id: idOf('cus', 6) }, 'lena'],
		['contracts_ending_soon', { until: '2027-01-31' }, 'lena'],
	])
		it(`answer: ${name}`, async () => {
			const got = await desk.call(subject, name, args);
			assert.ok(!got.isError, JSON.stringify(got));
		});
});

// Of each changing tool: who calls it, who approves (nobody: null), what is refused, and what is true afterwards.
const signed = () => desk.row(`SELECT s.contract_id, s.person_id AS wrong, p.id AS 'right' FROM signatories s JOIN contracts k ON k.id = s.contract_id
	JOIN people p ON p.customer_id = k.customer_id WHERE k.status = 'active' AND k.id NOT LIKE 'ctr_00000%' AND p.left_on IS NULL AND p.id <> s.person_id
	AND NOT EXISTS (SELECT 1 FROM signatories o WHERE o.contract_id = k.id AND o.person_id = p.id) ORDER BY k.id LIMIT 1`);
const refunded = () => desk.row(`SELECT k.id AS contract_id, o.id AS right_customer_id, p.id AS signatory_id FROM refunds r JOIN customers c ON c.id = r.customer_id
	JOIN contracts k ON k.customer_id = c.id JOIN customers o ON o.name = c.name AND o.id <> c.id AND o.merged_into IS NULL
	JOIN people p ON p.customer_id = o.id AND p.role = 'managing director' AND p.left_on IS NULL
	WHERE EXISTS (SELECT 1 FROM invoices i WHERE i.contract_id = k.id AND i.status = 'paid') LIMIT 1`);
const voided = () => desk.row("SELECT id FROM contracts WHERE status = 'void' ORDER BY id LIMIT 1").id;
const changing = {
	add_case_note: {
		as: 'support_l1', by: null,
		args: () => ({ customer_id: idOf('cus', 6), note: 'Prefers mail.' }),
		refused: (args) => [
			[{ ...args, customer_id: nobody.customer }, 'NOT_FOUND', 'no_customer'],
			[{ ...args, customer_id: idOf('cus', 4242) }, 'NOT_FOUND', 'no_customer'],
			[{ ...args, note: '' }, 'VALIDATION_ERROR'],
		],
		holds: (args, got) => assert.equal(desk.row('SELECT summary FROM customer_events WHERE id = ?', Number(got.result.id)).summary, args.note),
	},
	append_event: {
		as: 'support_l1', by: null,
		args: () => ({ customer_id: idOf('cus', 3004), contract_id: 'ctr_0000003001', kind: 'call', summary: 'Asked who signed.' }),
		refused: (args) => [
			[{ ...args, contract_id: 'ctr_0000048000' }, 'PRECONDITION_FAILED', 'foreign_contract'],
			[{ ...args, customer_id: nobody.customer }, 'NOT_FOUND', 'no_customer'],
			[{ ...args, kind: 'refund' }, 'VALIDATION_ERROR'],
		],
		holds: (args, got) => assert.equal(desk.row('SELECT at FROM customer_events WHERE id = ?', Number(got.result.event_id)).at, got.result.occurred_at),
	},
	correct_signatory_on_contract: {
		as: 'support_l2', by: 'self',
		args: () => { const s = signed(); return { contract_id: s.contract_id, wrong_person_id: s.wrong, right_person_id: s.right, reason }; },
		refused: (args) => [
			[{ ...args, contract_id: voided() }, 'NOT_FOUND', 'no_contract'],
			[{ ...args, wrong_person_id: nobody.person }, 'NOT_FOUND', 'no_signatory'],
			[{ ...args, right_person_id: idOf('per', 6 * 8) }, 'PRECONDITION_FAILED', 'wrong_entity'],
			[{ ...args, right_person_id: args.wrong_person_id }, 'CONFLICT', 'already_there'],
			[{ ...args, reason: 'short' }, 'VALIDATION_ERROR'],
		],
		holds: (args) => assert.deepEqual(desk.rows('SELECT person_id FROM signatories WHERE contract_id = ? AND person_id IN (?, ?)', args.contract_id, args.wrong_person_id, args.right_person_id), [{ person_id: args.right_person_id }]),
	},
	extend_contract_term: {
		as: 'support_l2', by: 'self',
		args: () => ({ contract_id: 'ctr_0000048000', ends_on: '2029-12-31', reason }),
		refused: (args) => [
			[{ ...args, contract_id: nobody.contract }, 'NOT_FOUND', 'no_contract'],
			[{ ...args, contract_id: voided() }, 'PRECONDITION_FAILED', 'not_active'],
			[{ ...args, ends_on: '2027-12-30' }, 'PRECONDITION_FAILED', 'not_an_extension'],
			[{ ...args, ends_on: '2031-01-01' }, 'PRECONDITION_FAILED', 'not_an_extension'],
			[{ ...args, ends_on: 'next year' }, 'VALIDATION_ERROR'],
		],
		holds: (args) => assert.equal(desk.row('SELECT ends_on FROM contracts WHERE id = ?', args.contract_id).ends_on, args.ends_on),
	},
	move_contract_to_signing_entity: {
		as: 'support_l3', by: 'self', events: 2,
		args: () => ({ contract_id: 'ctr_0000003001', right_customer_id: idOf('cus', 4362), signatory_id: idOf('per', 4362 * 8), reason }),
		refused: (args) => [
			[{ ...args, contract_id: voided() }, 'NOT_FOUND', 'no_contract'],
			[{ ...args, right_customer_id: nobody.customer }, 'NOT_FOUND', 'no_customer'],
			[{ ...args, right_customer_id: idOf('cus', 3004) }, 'CONFLICT', 'already_there'],
			[{ ...args, right_customer_id: idOf('cus', 6) }, 'PRECONDITION_FAILED', 'another_business'],
			[{ ...args, signatory_id: idOf('per', 4362 * 8 + 1) }, 'PRECONDITION_FAILED', 'no_power_to_sign'],
			[{ ...args, ...refunded() }, 'PRECONDITION_FAILED', 'refunds_to_settle'],
		],
		holds: (args) => assert.deepEqual(desk.rows('SELECT DISTINCT customer_id AS c FROM invoices WHERE contract_id = ?', args.contract_id), [{ c: args.right_customer_id }]),
	},
	re_parent_attached_document: {
		as: 'support_l2', by: 'self', need: 'client',
		args: () => ({ attachment_id: 'att_0000003001', right_contract_id: idOf('ctr', 3004 * 4), reason }),
		refused: (args) => [
			[{ ...args, attachment_id: nobody.attachment }, 'NOT_FOUND', 'no_attachment'],
			[{ ...args, right_contract_id: 'ctr_0000003002' }, 'CONFLICT', 'already_there'],
			[{ ...args, right_contract_id: 'ctr_0000048000' }, 'PRECONDITION_FAILED', 'another_customer'],
		],
		holds: (args) => assert.equal(desk.row('SELECT contract_id AS c FROM attachments WHERE id = ?', args.attachment_id).c, args.right_contract_id),
	},
	void_line_item: {
		as: 'support_l2', by: 'chris',
		args: () => ({ line_item_id: 'lin_0000003002', reason }),
		refused: (args) => [
			[{ ...args, line_item_id: nobody.line }, 'NOT_FOUND', 'no_line'],
			[{ ...args, line_item_id: desk.row('SELECT id FROM line_items WHERE voided = 1 LIMIT 1').id }, 'PRECONDITION_FAILED', 'not_billed'],
		],
		holds: () => assert.equal(desk.row("SELECT total FROM contracts WHERE id = 'ctr_0000003002'").total, '0.00'),
	},
	void_and_reissue_line_item: {
		as: 'support_l2', by: 'self',
		args: () => ({ line_item_id: 'lin_0000048001', quantity: 40, unit_price_cents: 99000, reason }),
		refused: (args) => [
			[{ ...args, line_item_id: nobody.line }, 'NOT_FOUND', 'no_line'],
			[{ ...args, unit_price_cents: 100000 }, 'CONFLICT', 'nothing_to_correct'],
			[{ ...args, line_item_id: desk.row("SELECT l.id FROM line_items l JOIN contracts k ON k.id = l.contract_id WHERE l.voided = 0 AND k.status = 'active' AND l.amount * 1 < 0 LIMIT 1").id }, 'PRECONDITION_FAILED', 'is_a_credit'],
			[{ ...args, line_item_id: desk.row("SELECT l.id FROM line_items l JOIN contracts k ON k.id = l.contract_id WHERE k.status = 'void' LIMIT 1").id }, 'PRECONDITION_FAILED', 'not_billed'],
			[{ ...args, quantity: 0 }, 'VALIDATION_ERROR'],
		],
		holds: (args, got) => {
			assert.deepEqual(got.result, { line_item_id: got.result.line_item_id, contract_id: 'ctr_0000048000', total: '119600.00', currency: 'EUR' });
			assert.deepEqual(desk.row('SELECT amount, voided, replaces FROM line_items WHERE id = ?', got.result.line_item_id), { amount: '39600.00', voided: 0, replaces: args.line_item_id });
		},
	},
	merge_duplicate_customer: {
		as: 'support_l3', by: 'dana', events: 2,
		args: () => ({ duplicate_id: idOf('cus', 516), into_id: idOf('cus', 6), reason }),
		refused: (args) => [
			[{ ...args, duplicate_id: idOf('cus', 4242) }, 'NOT_FOUND', 'no_customer'],
			[{ ...args, into_id: nobody.customer }, 'NOT_FOUND', 'no_customer'],
			[{ ...args, into_id: idOf('cus', 4241) }, 'PRECONDITION_FAILED', 'no_duplicate'],
			[{ ...args, into_id: args.duplicate_id }, 'PRECONDITION_FAILED', 'no_duplicate'],
		],
		holds: (args) => {
			assert.deepEqual(desk.row('SELECT merged_into, status FROM customers WHERE id = ?', args.duplicate_id), { merged_into: args.into_id, status: 'inactive' });
			assert.equal(desk.row('SELECT count(*) AS n FROM customers WHERE merged_into = ?', args.duplicate_id).n, 0);
			for (const table of ['contracts', 'invoices', 'people'])
				assert.equal(desk.row(`SELECT count(*) AS n FROM ${table} WHERE customer_id = ?`, args.duplicate_id).n, 0, table);
		},
	},
	reissue_invoice: {
		as: 'support_l2', by: 'self',
		args: () => ({ invoice_id: 'inv_0000003002', amount_cents: 370000, reason }),
		refused: (args) => [
			[{ ...args, invoice_id: nobody.invoice }, 'NOT_FOUND', 'no_invoice'],
			[{ ...args, invoice_id: 'inv_0000003001' }, 'PRECONDITION_FAILED', 'not_open'],
			[{ ...args, amount_cents: 1140001 }, 'PRECONDITION_FAILED', 'more_than_contract'],
			[{ ...args, due_in_days: 3650 }, 'VALIDATION_ERROR'],
		],
		holds: (args, got) => {
			assert.deepEqual(desk.row('SELECT status, open_cents FROM invoices WHERE id = ?', args.invoice_id), { status: 'void', open_cents: 0 });
			assert.deepEqual(desk.row('SELECT status, open_cents, replaces FROM invoices WHERE id = ?', got.result.id), { status: 'open', open_cents: args.amount_cents, replaces: args.invoice_id });
		},
	},
	create_refund: {
		as: 'support_l2', by: 'self',
		args: () => ({ customer_id: idOf('cus', 3004), amount_cents: 12345, reason: 'duplicate' }),
		refused: (args) => [
			[{ ...args, customer_id: idOf('cus', 4242) }, 'NOT_FOUND', 'no_customer'],
			[{ ...args, customer_id: desk.row("SELECT c.id FROM customers c WHERE merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM invoices i WHERE i.customer_id = c.id AND i.status = 'paid') LIMIT 1").id }, 'PRECONDITION_FAILED', 'not_paid'],
			[{ ...args, amount_cents: 0 }, 'VALIDATION_ERROR'],
			[{ ...args, amount_cents: 1000001 }, 'VALIDATION_ERROR'],
			[{ ...args, reason: 'because' }, 'VALIDATION_ERROR'],
		],
		again: ['CONFLICT', 'already_refunded'],
		holds: (args, got) => {
			const id = Number(got.result.refund_id);
			assert.equal(desk.row('SELECT amount_cents AS n FROM refunds WHERE id = ?', id).n, args.amount_cents);
			assert.deepEqual(desk.rows('SELECT topic, amount_cents AS n FROM outbox WHERE refund_id = ?', id), [{ topic: 'payout', n: args.amount_cents }]);
		},
	},
	queue_invoice_reminders: {
		as: 'billing', by: 'self', events: 3,
		args: () => ({ at_most: 3, reason }),
		refused: (args) => [[{ ...args, at_most: 51 }, 'VALIDATION_ERROR']],
		holds: (args, got) => {
			assert.equal(got.result.queued, 3);
			const queued = desk.rows("SELECT customer_id, invoices, amount_cents FROM outbox WHERE topic = 'invoice_reminder'");
			assert.equal(new Set(queued.map((row) => row.customer_id)).size, 3);
			for (const row of queued)
				assert.deepEqual(desk.row("SELECT count(*) AS n, sum(open_cents) AS sum FROM invoices WHERE customer_id = ? AND status = 'open' AND due_on < date('now')", row.customer_id), { n: row.invoices, sum: row.amount_cents });
		},
	},
};

describe('changes', () => {
	it('are all here', async () => {
		const matrix = JSON.parse((await run(['matrix', desk.config, '--json'])).stdout);
		assert.deepEqual(matrix.filter((row) => row.mutates && !['apply_together'].includes(row.name)).map((row) => row.name).sort(), Object.keys(changing).sort());
	});
	const counts = () => ({ events: desk.row('SELECT count(*) AS n FROM customer_events').n, ledger: desk.row('SELECT count(*) AS n FROM postern_ledger').n });
	for (const [name, c] of Object.entries(changing))
		it(`${name}: shows, refuses, changes, and leaves an event`, async () => {
			const who = await desk.join(`${c.as} for ${name}`, c.as), by = c.by === 'self' ? who : c.by;
			const args = c.args(), stood = desk.dump();
			const shown = await desk.previewed(who, name, args);
			assert.ok(shown.effects.length > 0 && shown.text.includes('customer_events'), shown.text);
			assert.equal(shown.plan === undefined, by === null);
			if (by) assert.equal(shown.plan.approval, c.need ?? (by === who ? 'requester' : 'other'));
			for (const [wrong, code, why] of c.refused(args)) await desk.refused(who, name, wrong, code, why);
			if (by) await desk.refused(who, name, { ...args, dry_run: false }, 'REQUIRES_CONFIRMATION', 'pending');
			assert.deepEqual(desk.dump(), stood, 'a preview or a refusal changed something');

			const was = counts();
			const got = by ? await desk.change(who, by, name, args) : await desk.call(who, name, { ...args, dry_run: false });
			assert.equal(got.outcome, 'applied', JSON.stringify(got));
			c.holds(args, got);
			const is = counts();
			assert.equal(is.events - was.events, c.events ?? 1, 'events');
			assert.equal(is.ledger - was.ledger, 1, 'ledger');
			// Who has the grant finds it again, by any of its names.
			for (const id of [got.ledger_id, ...(by ? [shown.plan.id] : [])]) {
				const found = await desk.call('lena', 'get_change', { change_id: id });
				assert.deepEqual([found.tool, found.subject, found.rows_changed], [`${name}@1`, who, got.effects.length], JSON.stringify(found));
			}
			if (c.again) await desk.refused(who, name, args, ...c.again);
		});
});

describe('what nobody approves', () => {
	it('is done once, however often it is said within ten minutes', async () => {
		const who = await desk.join('stutterer', 'support_l1');
		const note = { customer_id: idOf('cus', 4805), note: 'Misread the invoice.', dry_run: false };
		const event = { customer_id: idOf('cus', 4805), kind: 'call', summary: 'About a total.', dry_run: false };
		const events = () => desk.row('SELECT count(*) AS n FROM customer_events WHERE customer_id = ?', idOf('cus', 4805)).n;
		const was = events();
		const first = await desk.call(who, 'add_case_note', note), again = await desk.call(who, 'add_case_note', note);
		assert.deepEqual([first.outcome, again.outcome, again.replayed], ['applied', 'applied', true]);
		assert.deepEqual(again.result, first.result);
		await Promise.all([1, 2, 3].map(() => desk.call(who, 'append_event', event)));
		assert.equal(events() - was, 2);
		// The same words about a contract are something else.
		assert.ok(!(await desk.call(who, 'append_event', { ...event, contract_id: 'ctr_0000048000' })).replayed);
		assert.equal(events() - was, 3);
	});
});

describe('large amounts', () => {
	it('go to another person, in one call or in many of a day', async () => {
		const refund = (cents) => ({ customer_id: idOf('cus', 3004), amount_cents: cents, reason: 'requested' });
		assert.equal((await desk.previewed('nora', 'create_refund', refund(100001))).plan.approval, 'other');
		for (const cents of [99999, 99998]) await desk.change('nora', 'nora', 'create_refund', refund(cents));
		const { plan } = await desk.previewed('nora', 'create_refund', refund(50));
		assert.deepEqual([plan.approval, plan.grant], ['other', 'approve.money']);
		assert.match(plan.because, /within a day/);
		for (const [who, words] of [['nora', /second person/], ['chris', /there is no plan/]]) {
			const no = await desk.approve(who, plan.id);
			assert.notEqual(no.code, 0);
			assert.match(no.text, words);
		}
		assert.equal((await desk.approve('fay', plan.id)).code, 0);
		assert.equal((await desk.call('nora', 'create_refund', { ...refund(50), plan_id: plan.id })).outcome, 'applied');
	});
	it('are no larger after a merge: what was given back to the duplicate stays given back', async () => {
		const [one, two] = desk.rows(`SELECT a.id AS a, b.id AS b FROM customers a JOIN customers b ON a.name = b.name AND a.country = b.country AND a.id < b.id
			WHERE a.merged_into IS NULL AND b.merged_into IS NULL AND EXISTS (SELECT 1 FROM invoices i WHERE i.customer_id = b.id AND i.status = 'paid' AND i.amount_cents BETWEEN 90000 AND 1000000)
			AND NOT EXISTS (SELECT 1 FROM invoices i WHERE i.customer_id = a.id AND i.status = 'paid') AND (SELECT sum(amount_cents) FROM invoices i WHERE i.customer_id = b.id AND i.status = 'paid') < 1000000 LIMIT 1`)
			.flatMap((row) => [row.a, row.b]);
		const paid = desk.row("SELECT sum(amount_cents) AS n FROM invoices WHERE customer_id = ? AND status = 'paid'", two).n;
		const who = await desk.join('merging', 'support_l3');
		await desk.change(who, who, 'create_refund', { customer_id: two, amount_cents: 90000, reason: 'error' });
		await desk.change(who, 'dana', 'merge_duplicate_customer', { duplicate_id: two, into_id: one, reason });
		const most = paid - 90000;
		await desk.refused(who, 'create_refund', { customer_id: one, amount_cents: most + 1, reason: 'error' }, 'PRECONDITION_FAILED', 'not_paid');
		assert.equal((await desk.previewed(who, 'create_refund', { customer_id: one, amount_cents: most, reason: 'error' })).impact.sums.refund_cents, String(most));
	});
	it('of a merge always do; what was merged before goes on to where it ends', async () => {
		const [first, second, last] = [516, 6, 202].map((n) => idOf('cus', n));
		const { plan } = await desk.previewed('nora', 'merge_duplicate_customer', { duplicate_id: second, into_id: last, reason });
		assert.deepEqual([plan.approval, plan.grant], ['other', 'approve.customers']);
		assert.equal(desk.row('SELECT merged_into AS into_id FROM customers WHERE id = ?', first).into_id, second);
		await desk.change('nora', 'dana', 'merge_duplicate_customer', { duplicate_id: second, into_id: last, reason });
		assert.deepEqual(desk.rows('SELECT DISTINCT merged_into AS into_id FROM customers WHERE id IN (?, ?)', first, second), [{ into_id: last }]);
	});
});

describe('a trigger behind the back of a tool', () => {
	it('makes it refuse, with the table named, also when it was prepared before', async () => {
		const args = { contract_id: 'ctr_0000003002', ends_on: '2029-02-28', reason };
		const who = await desk.join('unlucky', 'support_l2');
		const { plan } = await desk.previewed(who, 'extend_contract_term', args);
		assert.equal((await desk.approve(who, plan.id)).code, 0);
		const exec = (sql) => { const db = new DatabaseSync(desk.database); db.exec(sql); db.close(); };
		exec('CREATE TRIGGER sly AFTER UPDATE OF ends_on ON contracts BEGIN DELETE FROM document_sections; END');
		try {
			const stood = desk.dump();
			for (const more of [{}, { dry_run: false }, { plan_id: plan.id }]) {
				const no = await desk.refused(who, 'extend_contract_term', { ...args, ...more }, 'UNDECLARED_EFFECT');
				assert.equal(no.details.table, 'document_sections');
			}
			assert.deepEqual(desk.dump(), stood);
		} finally {
			exec('DROP TRIGGER sly');
		}
		assert.equal((await desk.call(who, 'extend_contract_term', { ...args, plan_id: plan.id })).outcome, 'applied');
	});
});

describe('limits of a day', () => {
	it('hold for each person: of one tool, and of all that change something', async () => {
		const [one, two] = [await desk.join('hasty', 'support_l1'), await desk.join('calm', 'support_l1')];
		const note = (who, i) => desk.call(who, 'add_case_note', { customer_id: idOf('cus', 3004), note: `Note ${i}`, dry_run: false });
		const event = (who, i) => desk.call(who, 'append_event', { customer_id: idOf('cus', 3004), kind: 'call', summary: `Call ${i}`, dry_run: false });
		let done = 0, got;
		while ((got = await (done % 2 ? note : event)(one, done)).outcome === 'applied') done++;
		assert.deepEqual([got.error.code, got.error.details.reason, done], ['RATE_LIMITED', 'destructive', 60]);
		assert.ok(got.error.retry_after_ms > 3600000);
		assert.equal((await note(two, 0)).outcome, 'applied');

		const last = await desk.join('reminder', 'billing');
		for (let i = 0; i < 10; i++) await desk.previewed(last, 'queue_invoice_reminders', { at_most: 1 + i, reason });
		await desk.refused(last, 'queue_invoice_reminders', { reason }, 'RATE_LIMITED', 'tool');
	});
});

describe('the history of a contract', () => {
	it('tells each change of it, the newest first, with what was asked', async () => {
		const contract_id = desk.row(`SELECT k.id FROM contracts k JOIN line_items l ON l.contract_id = k.id WHERE k.status = 'active' AND k.id NOT LIKE 'ctr_00000%'
			AND l.voided = 0 AND l.amount * 1 BETWEEN 1 AND 900 ORDER BY k.id LIMIT 1`).id;
		const line = desk.row('SELECT id FROM line_items WHERE contract_id = ? AND voided = 0 AND amount * 1 BETWEEN 1 AND 900 ORDER BY id LIMIT 1', contract_id).id;
		const ends_on = desk.row("SELECT date(ends_on, '+1 year') AS d FROM contracts WHERE id = ?", contract_id).d;
		assert.deepEqual((await desk.call('lena', 'list_contract_changes', { contract_id })).rows, []);
		const who = await desk.join('historian', 'support_l2');
		await desk.change(who, who, 'void_line_item', { line_item_id: line, reason, request: 'Take this line off.' });
		await desk.change(who, who, 'extend_contract_term', { contract_id, ends_on, reason });
		const { rows } = await desk.call('lena', 'list_contract_changes', { contract_id });
		assert.deepEqual(rows.map((row) => [row.tool, row.subject]), [['extend_contract_term@1', who], ['void_line_item@1', who]]);
		assert.deepEqual([rows[1].request, rows[1].reason], ['Take this line off.', reason]);
		for (const row of rows) assert.ok(row.effects.every((effect) => effect.table === 'contracts' && effect.key.id === contract_id), JSON.stringify(row.effects));
	});
});
