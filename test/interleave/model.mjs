// model - one interleaving against its oracle: the model knows what the rows, the ledger, the log, the plans and the
// replies must be, and says where they are not.
//
// Every interleaving has items of its own, so that many share one deployment.  The model's time is what the test has
// put the clock forward; a second of real time decides nothing.
const minute = 60_000;
const lives = { client: 2 * minute, requester: 10 * minute, other: 24 * 60 * minute };
const tokenLives = 10 * minute, tokenTries = 5, noteKeyHolds = 10 * minute, callerKeyHolds = 24 * 60 * minute;

export class Disagreement extends Error {}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const sorted = (list) => list.map((x) => JSON.stringify(x)).sort();

// What a crash at a point leaves behind.
const committedAt = new Set(['after_commit', 'plan_marked', 'outcome', 'ledger_outside']);
const voidedAt = new Set(['plan_voided', 'plan_added', 'outcome', 'plan_marked']);
const keptAt = new Set(['plan_added', 'outcome', 'plan_marked']);

export const serverPoints = ['token_used', 'intent_queued', 'begun', 'statements', 'judged', 'compared', 'gate', 'ledger', 'before_commit',
	'after_commit', 'plan_marked', 'outcome', 'plan_voided', 'plan_added'];
// Also passed by the server, when the client's person answers.
export const answerPoints = ['decision_noted', 'decision_taken'];
export const startPoints = ['reconcile_marked', 'reconcile_recorded'];
export const deskPoints = ['decision_noted', 'decision_taken', 'escalation_noted', 'escalation_taken'];

export class Model {
	constructor(place, name, hits) {
		Object.assign(this, { place, name, hits, items: new Map(), names: new Map(), notes: [], plans: [], asked: [], ledger: [], used: new Map(),
			trigger: false, shadows: 0, replies: [], noteIds: 0 });
		this.mark = place.rows('SELECT coalesce(max(rowid), 0) AS n FROM postern_ledger')[0].n;
		place.records();
		for (const item of ['a', 'b']) {
			this.items.set(`${name}_${item}`, 100);
			this.names.set(`${name}_${item}`, item);
			place.db.prepare('INSERT INTO items VALUES (?, ?, 100)').run(`${name}_${item}`, item);
		}
	}

	hit(what) { this.hits.set(what, (this.hits.get(what) ?? 0) + 1); }
	item(action) { return `${this.name}_${action.item}`; }
	now() { return this.place.clockMs; }
	fail(what, expected, found) {
		throw new Disagreement(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
	}
	equal(what, expected, found) { if (!same(expected, found)) this.fail(what, expected, found); }

	// --- plans ---

	stateOf(p) { return (p.state === 'proposed' || p.state === 'approved') && this.now() >= p.expires ? 'expired' : p.state; }
	key(subject, args) { return JSON.stringify([subject, args, this.items.get(args.item_id), this.names.get(args.item_id), 'cents' in args && this.place.edition]); }
	open(key) { return this.plans.find((p) => p.key === key && ['proposed', 'approved'].includes(this.stateOf(p))); }
	known(action) {
		const list = this.plans.filter((p) => p.id);
		return list.length ? list[list.length - 1 - (action.plan % list.length)] : null;
	}
	// The plan that a preview by `subject` gives: the one that waits, or a new one.
	keep(subject, args, id) {
		const key = this.key(subject, args);
		const there = this.open(key);
		if (there) {
			if (there.id && id) this.equal('the plan that waits is found again', there.id, id);
			there.id ??= id;
			this.hit('plan found again');
			return there;
		}
		if (id && this.plans.some((p) => p.id === id)) this.fail('a new plan', 'another id', id);
		const delta = args.cents - this.items.get(args.item_id);
		const need = Math.abs(delta) > 5000 ? 'other' : 'requester';
		const plan = { id, subject, args, key, need, edition: this.place.edition, state: 'proposed', delta, expires: this.now() + lives[need] };
		this.plans.push(plan);
		this.hit('plan kept');
		return plan;
	}

	// --- what a reply says ---

	read(reply) {
		if (!reply.result) return { fault: 'protocol', reason: JSON.stringify(reply.error) };
		if (reply.result.resultType === 'input_required') return { asks: true, state: reply.result.requestState, s: reply.result };
		const s = reply.result.structuredContent;
		if (!reply.result.isError) return { outcome: s.outcome, replayed: s.replayed === true, s };
		this.replies.push({ call: s.error.call_id, code: s.error.code });
		return { fault: s.error.code, reason: s.error.details?.reason, details: s.error.details, s };
	}
	refused(got, code, reason) {
		if (got.fault !== code || (reason && !new RegExp(`^(${reason})$`).test(got.reason)))
			this.fail('the reply', `${code} ${reason ?? ''}`, got.fault ? `${got.fault} ${got.reason}` : got.s);
		this.hit(`${code} ${got.reason}`);
	}

	async ask(subject, tool, args, options) {
		const reply = await this.place.call(subject, tool, args, options);
		if (reply) return this.read(reply);
		await this.recover();
		return null;
	}
	async recover() {
		const point = this.armed;
		if (!point) this.fail('the server', 'alive', this.place.server.stderr.slice(-600));
		this.armed = null;
		if (await this.place.afterCrash(this.again)) {
			this.hit(`crash at ${this.again}`);
			this.crashedAgain = true;
		}
		this.crashed = point;
		this.crashes = (this.crashes ?? 0) + 1;
		this.hit(`crash at ${point}`);
	}

	// --- repricing ---

	args(action) {
		const item_id = this.item(action), cents = action.cents + (this.items.get(item_id) === action.cents ? 1 : 0);
		return { item_id, cents, reason: `${this.name} ${cents}` };
	}

	async preview(action) {
		const args = this.args(action), subject = action.by;
		const got = await this.ask(subject, 'reprice_item', action.run ? { ...args, dry_run: false } : args);
		if (!got) {
			if (!this.trigger && keptAt.has(this.crashed)) this.keep(subject, args, undefined);
			return;
		}
		if (this.trigger) { this.refused(got, 'UNDECLARED_EFFECT', 'table'); return; }
		const there = this.open(this.key(subject, args));
		if (action.run) {
			this.refused(got, 'REQUIRES_CONFIRMATION', there ? (there.state === 'approved' ? 'approved' : 'pending') : 'approval|pending');
			this.needs(this.keep(subject, args, got.details.plan_id), got.details.approval);
			return;
		}
		if (got.outcome !== 'preview') this.fail('the reply', 'preview', got.s);
		const plan = this.keep(subject, args, got.s.plan?.id);
		this.needs(plan, got.s.plan?.approval);
		this.equal('the effects of a preview', { before: { price: this.items.get(args.item_id) }, after: { price: args.cents } },
			{ before: got.s.effects[0].before, after: got.s.effects[0].after });
		this.equal('the sum of a preview', String(plan.delta), got.s.impact.sums.cents);
		this.hit('previewed');
	}
	needs(plan, need) { this.equal('what approval it needs', plan.need, need); }

	// What applying must come to; nothing is changed here.
	foresee(plan, by, args) {
		if (by !== plan.subject) return { no: ['NOT_FOUND', 'plan'] };
		if (!same(args, plan.args)) return { no: ['CONFIRMATION_INVALID', 'arguments'] };
		const state = this.stateOf(plan);
		if (state === 'applied') return { again: true };
		if (plan.edition !== this.place.edition) return { no: ['CONFIRMATION_INVALID', 'tool_changed'] };
		if (state === 'proposed') return { no: ['REQUIRES_CONFIRMATION', 'pending'] };
		if (state !== 'approved') return { no: ['CONFIRMATION_INVALID', state] };
		return null;
	}
	// The same for a token that was asked for; takes a try.
	takeToken(plan, token) {
		if (!this.place.token || (!plan.token && !token)) return null;
		if (!token) return ['REQUIRES_CONFIRMATION', 'confirmation_token'];
		if (plan.token && this.now() < plan.tokenUntil && plan.tries > 0) {
			if (token === plan.token) { plan.token = null; return null; }
			plan.tries--;
		}
		return ['CONFIRMATION_INVALID', 'confirmation_token'];
	}
	run(plan) {
		if (this.trigger) return { no: ['UNDECLARED_EFFECT', 'table'] };
		if (plan.key !== this.key(plan.subject, plan.args)) return { conflict: true };
		return { commit: true };
	}
	commit(plan, s) {
		this.items.set(plan.args.item_id, plan.args.cents);
		this.notes.push([plan.args.item_id, plan.args.reason]);
		plan.state = 'applied';
		plan.answer = s && (({ replayed, ...first }) => first)(s);
		plan.ledger = s?.ledger_id;
		this.ledger.push({ tool: 'reprice_item', plan: plan.id, id: s?.ledger_id, rows: 2 });
		this.hit('applied');
	}
	conflict(plan, id) {
		plan.state = 'void';
		this.keep(plan.subject, plan.args, id);
		this.hit('voided');
	}
	replayed(plan, got) {
		if (got.outcome !== 'applied' || !got.replayed) this.fail('the reply', 'the first answer again', got.s);
		if (plan.answer) {
			const { replayed, ...first } = got.s;
			this.equal('the first answer', plan.answer, first);
		}
		plan.answer ??= (({ replayed, ...first }) => first)(got.s);
		if (plan.ledger) this.equal('the ledger id', plan.ledger, got.s.ledger_id);
		this.hit('applied again: replayed');
	}
	applied(plan, got) {
		if (got.outcome !== 'applied' || got.replayed) this.fail('the reply', 'applied', got.s);
		this.equal('the rows of an applied plan', [{ price: this.items.get(plan.args.item_id) }, { price: plan.args.cents }],
			[got.s.effects[0].before, got.s.effects[0].after]);
		this.commit(plan, got.s);
	}

	words(plan, action) {
		const other = action.with === 'other arguments';
		const args = { ...plan.args, ...(other ? { cents: plan.args.cents + 1 } : {}) };
		const token = !this.place.token ? undefined : action.with === 'wrong token' ? '0000-0000-0000'
			: action.with === 'no token' ? undefined : plan.lastToken;
		const by = action.with === 'other person' ? (plan.subject === 'ada' ? 'bob' : 'ada') : plan.subject;
		return { by, args, token, sent: { ...args, plan_id: plan.id, ...(token ? { confirmation_token: token } : {}) } };
	}
	async apply(action) {
		const plan = this.known(action);
		if (!plan) return;
		const { by, args, token, sent } = this.words(plan, action);
		const got = await this.ask(by, 'reprice_item', sent);
		this.resolve(plan, got, this.foresee(plan, by, args), token);
	}
	resolve(plan, got, seen, token) {
		if (seen?.no) { if (got) this.refused(got, ...seen.no); return; }
		if (seen?.again) { if (got) this.replayed(plan, got); return; }
		const no = this.takeToken(plan, token);
		if (no) { if (got) this.refused(got, ...no); return; }
		const would = this.run(plan);
		if (!got) {
			if (would.commit && committedAt.has(this.crashed)) this.commit(plan, null);
			if (would.conflict && voidedAt.has(this.crashed)) plan.state = 'void';
			if (would.conflict && keptAt.has(this.crashed)) this.keep(plan.subject, plan.args, undefined);
			return;
		}
		if (would.no) this.refused(got, ...would.no);
		else if (would.conflict) {
			this.refused(got, 'CONFLICT', 'plan_changed');
			this.conflict(plan, got.details.plan_id);
		} else this.applied(plan, got);
	}

	// Across: by two servers.
	twice(action, call) {
		return Promise.all([this.place.server, action.across ? this.place.second : this.place.server].map((server) => call({ server })));
	}
	// Two at once: one of them wins.
	async applyTwice(action) {
		const plan = this.known(action);
		if (!plan) return;
		const { by, args, token, sent } = this.words(plan, { ...action, with: '' });
		const replies = await this.twice(action, (options) => this.place.call(by, 'reprice_item', sent, options));
		if (replies.includes(null)) {
			// whichever got how far: the ledger says
			await this.recover();
			this.adopt(plan, replies.filter(Boolean).map((r) => this.read(r)), token);
			return;
		}
		const got = replies.map((r) => this.read(r));
		const seen = this.foresee(plan, by, args);
		if (seen) { for (const one of got) this.resolve(plan, one, seen, token); return; }
		const no = this.takeToken(plan, token);
		if (no) {
			this.takeToken(plan, token);
			for (const one of got) this.refused(one, ...no);
			return;
		}
		const late = (one) => one.replayed || (token && one.reason === 'confirmation_token');
		const would = this.run(plan);
		if (would.no) { for (const one of got) if (!(token && one.reason === 'confirmation_token')) this.refused(one, ...would.no); return; }
		const first = got.findIndex((one) => (would.commit ? one.outcome === 'applied' && !one.replayed : one.reason === 'plan_changed'));
		if (first < 0) this.fail('two at once', 'one that gets through', got.map((one) => one.s));
		const second = got[1 - first];
		if (would.conflict) {
			this.conflict(plan, got[first].details.plan_id);
			if (!['plan_changed', 'void', 'confirmation_token'].includes(second.reason)) this.fail('the second of two', 'void', second.s);
			if (second.reason === 'plan_changed') this.equal('the plan of the second', got[first].details.plan_id, second.details.plan_id);
		} else {
			this.applied(plan, got[first]);
			if (!late(second)) this.fail('the second of two', 'replayed', second.s);
			if (second.replayed) this.replayed(plan, second);
		}
		this.hit(action.across ? 'two at once, by two servers' : 'two at once');
	}
	// After a crash among several: the model takes over what the ledger says, and checks the rest by it.
	adopt(plan, got, token) {
		if (token && this.stateOf(plan) === 'approved' && plan.token === token) plan.token = null;
		const row = this.place.rows('SELECT id FROM postern_ledger WHERE plan_id = ?', plan.id)[0];
		const stored = this.place.plans([plan.id]).get(plan.id);
		if (row && plan.state !== 'applied') {
			if (this.foresee(plan, plan.subject, plan.args) || !this.run(plan).commit) this.fail('a crash with two at once', 'nothing', 'a commit');
			this.commit(plan, got.find((one) => one.outcome === 'applied')?.s);
		}
		if (!row && got.some((one) => one.outcome === 'applied')) this.fail('a crash with two at once', 'a row of the ledger', 'none');
		if (stored.state === 'void' && plan.state === 'approved' && !this.trigger && this.run(plan).conflict) {
			plan.state = 'void';
			const told = got.find((one) => one.reason === 'plan_changed')?.details.plan_id;
			if (told) this.keep(plan.subject, plan.args, told);
			else this.forget = true;
		}
		this.hit('crash with two at once');
	}

	// --- people ---

	verdict(plan, what, key) {
		const who = key.split('_')[0];
		if (!key.endsWith('_yes')) return 'identity';
		const second = plan.need === 'other' && who === 'cleo', own = plan.subject === who;
		if (!own && !second) return 'none';
		if (what === 'escalate') return !own ? 'four_eyes' : this.stateOf(plan) === 'proposed' && !plan.escalated ? 'may' : 'state';
		if (this.stateOf(plan) !== 'proposed') return 'state';
		if (what === 'decline') return 'may';
		return plan.need === 'other' && own ? 'four_eyes' : 'may';
	}
	async decide(action) {
		const plan = this.known(action), what = action.what;
		if (!plan) return;
		const key = action.key === 'right' ? (plan.need === 'other' && what === 'approve' ? 'cleo_yes' : `${plan.subject}_yes`) : action.key;
		const expected = this.verdict(plan, what, key);
		const got = await this.place.decide(what, plan.id, key, `${what} by ${key}`);
		if (!got) {
			const point = this.armed;
			if (!point) this.fail('the desk', 'alive', this.place.desk.stderr.slice(-600));
			this.armed = null;
			await this.place.afterDeskCrash();
			this.hit(`crash at ${point}`);
			if (!point.endsWith('_taken')) return;
			this.decided(plan, what, { token: 'nobody has seen it' });
			plan.lastToken = '1111-1111-1111';
			return;
		}
		this.equal(`${what} by ${key}`, expected, got.verdict);
		this.hit(`${what}: ${got.verdict}`);
		if (got.verdict === 'may') this.decided(plan, what, got);
	}
	decided(plan, what, got) {
		if (what === 'escalate') {
			plan.escalated = true;
			plan.need = 'other';
			plan.expires = Math.max(plan.expires, this.now() + lives.other);
			return;
		}
		plan.state = what === 'approve' ? 'approved' : 'declined';
		plan.recorded = true;
		if (what === 'approve' && this.place.token) {
			if (!got.token) this.fail('approve', 'a token', got);
			Object.assign(plan, { token: got.token, lastToken: got.token, tries: tokenTries, tokenUntil: this.now() + tokenLives });
		}
	}

	// --- notes: nobody needs to say yes ---

	noteKeys(action) {
		const own = [action.by, 'tool', this.item(action), action.note];
		return JSON.stringify(action.key ? [action.by, 'caller', `${this.name}-key-${action.key}`] : own);
	}
	noteSeen(action) {
		const held = this.used.get(this.noteKeys(action));
		return held && this.now() < held.at + (action.key ? callerKeyHolds : noteKeyHolds) ? held : null;
	}
	noteArgs(action) {
		return { item_id: this.item(action), note: action.note, ...(action.key ? { idempotency_key: `${this.name}-key-${action.key}` } : {}) };
	}
	noted(action, s) {
		this.notes.push([this.item(action), action.note]);
		const held = { args: JSON.stringify([this.item(action), action.note]), at: this.now(), answer: s && (({ replayed, ...first }) => first)(s) };
		this.used.set(this.noteKeys(action), held);
		this.ledger.push({ tool: 'add_note', plan: null, id: s?.ledger_id, rows: 1 });
		this.hit('noted');
	}
	noteAgain(action, held, got) {
		if (held.args !== JSON.stringify([this.item(action), action.note])) { this.refused(got, 'CONFLICT', 'idempotency_key'); return; }
		if (!got.replayed) this.fail('the reply', 'the first answer again', got.s);
		const { replayed, ...first } = got.s;
		if (held.answer) this.equal('the first answer', held.answer, first);
		held.answer ??= first;
		this.hit('noted again: replayed');
	}
	async note(action) {
		const held = this.noteSeen(action);
		const got = await this.ask(action.by, 'add_note', { ...this.noteArgs(action), dry_run: action.dry === true });
		if (action.dry) {
			if (got && got.outcome !== 'preview') this.fail('the reply', 'preview', got.s);
			if (got) this.hit('note previewed');
			return;
		}
		if (!got) { if (!held && committedAt.has(this.crashed)) this.noted(action, null); return; }
		if (held) { this.noteAgain(action, held, got); return; }
		if (got.outcome !== 'applied' || got.replayed) this.fail('the reply', 'applied', got.s);
		this.noted(action, got.s);
	}
	async noteTwice(action) {
		const held = this.noteSeen(action);
		const replies = await this.twice(action, (options) => this.place.call(action.by, 'add_note', { ...this.noteArgs(action), dry_run: false }, options));
		if (replies.includes(null)) {
			await this.recover();
			const n = this.place.rows('SELECT count(*) AS n FROM notes WHERE item_id = ? AND note = ?', this.item(action), action.note)[0].n;
			const before = this.notes.filter(([i, t]) => i === this.item(action) && t === action.note).length;
			if (n === before + 1 && !held) this.noted(action, replies.filter(Boolean).map((r) => this.read(r)).find((g) => !g.replayed)?.s);
			return;
		}
		const got = replies.map((r) => this.read(r));
		if (held) { for (const one of got) this.noteAgain(action, held, one); return; }
		const first = got.findIndex((one) => one.outcome === 'applied' && !one.replayed);
		if (first < 0) this.fail('two notes at once', 'one that gets through', got.map((g) => g.s));
		this.noted(action, got[first].s);
		this.noteAgain(action, this.noteSeen(action), got[1 - first]);
		this.hit(action.across ? 'two notes at once, by two servers' : 'two notes at once');
	}

	// --- renaming: the client asks ---

	async askClient(action) {
		const item_id = this.item(action), name = action.name + (this.names.get(item_id) === action.name ? 'x' : '');
		const args = { item_id, name, reason: `${this.name} ${name}` };
		const key = this.key(action.by, args);
		const there = this.asked.find((p) => p.key === key && ['proposed', 'approved'].includes(this.stateOf(p)));
		const got = await this.ask(action.by, 'rename_item', { ...args, dry_run: false }, { capabilities: { elicitation: { form: {} } } });
		const keep = () => {
			if (there) return;
			this.asked.push({ id: this.place.newest('rename_item'), subject: action.by, args, key, need: 'client', state: 'proposed',
				edition: this.place.edition, expires: this.now() + lives.client, question: got?.state, told: got !== null });
		};
		if (!got) {
			if (!this.trigger && keptAt.has(this.crashed)) keep();
			return;
		}
		if (there && !this.trigger) there.told = true;
		if (this.trigger) this.refused(got, 'UNDECLARED_EFFECT', 'table');
		else if (there) this.refused(got, 'REQUIRES_CONFIRMATION', there.state === 'approved' ? 'approved' : 'pending');
		else if (!got.asks) this.fail('the reply', 'a question', got.s);
		else {
			keep();
			this.hit('asked in the client');
		}
	}
	async answer(action) {
		const open = this.asked.filter((p) => p.question);
		const plan = open[open.length - 1 - (action.plan % open.length)];
		if (!plan) return;
		const state = this.stateOf(plan), by = action.other ? (plan.subject === 'ada' ? 'bob' : 'ada') : plan.subject;
		const said = action.say === 'yes' || action.say === 'no' ? { action: 'accept', content: { approve: action.say === 'yes' } } : { action: action.say };
		const changed = this.key(plan.subject, plan.args) !== plan.key;
		if (action.say === 'cancel' && (state !== 'proposed' || changed)) return;
		const got = await this.ask(by, 'rename_item', { ...plan.args, dry_run: false },
			{ capabilities: { elicitation: { form: {} } }, more: { inputResponses: { approve: said }, requestState: plan.question } });
		if (action.other) {
			if (got && !/^(VALIDATION_ERROR|CONFIRMATION_INVALID|NOT_FOUND|protocol)$/.test(got.fault)) this.fail('another person\'s answer', 'refused', got.s);
			if (got) this.hit('another person\'s answer refused');
			return;
		}
		if (action.say === 'cancel') {
			if (got) this.refused(got, this.trigger ? 'UNDECLARED_EFFECT' : 'REQUIRES_CONFIRMATION');
			if (got) this.hit('the question cancelled');
			return;
		}
		if (state !== 'proposed') {
			if (got) this.refused(got, 'CONFIRMATION_INVALID', 'decided|declined|expired|void');
			return;
		}
		if (got ? false : this.crashed === 'decision_noted') return;
		plan.state = action.say === 'yes' ? 'approved' : 'declined';
		if (plan.state === 'declined') {
			if (got) this.refused(got, 'CONFIRMATION_INVALID', 'declined');
			return;
		}
		this.answered(plan, got, changed);
	}
	answered(plan, got, changed) {
		const commit = () => {
			this.names.set(plan.args.item_id, plan.args.name);
			this.notes.push([plan.args.item_id, plan.args.reason]);
			plan.state = 'applied';
			this.ledger.push({ tool: 'rename_item', plan: plan.id, id: got?.s.ledger_id, rows: 2 });
			this.hit('applied after an answer');
		};
		if (!got) {
			if (!this.trigger && !changed && committedAt.has(this.crashed)) commit();
			if (!this.trigger && changed && voidedAt.has(this.crashed)) plan.state = 'void';
			if (!this.trigger && changed && keptAt.has(this.crashed)) this.forget = true;
		} else if (this.trigger) {
			this.refused(got, 'UNDECLARED_EFFECT', 'table');
		} else if (changed) {
			this.refused(got, 'CONFLICT', 'plan_changed');
			plan.state = 'void';
			this.asked.push({ id: got.details.plan_id, subject: plan.subject, args: plan.args, key: this.key(plan.subject, plan.args), need: 'client',
				state: 'proposed', edition: this.place.edition, expires: this.now() + lives.client });
		} else {
			if (got.outcome !== 'applied' || got.replayed) this.fail('the reply', 'applied', got.s);
			commit();
		}
	}

	// --- behind the tool's back ---

	edit(action) {
		this.place.db.prepare('UPDATE items SET price = ? WHERE id = ?').run(action.cents, this.item(action));
		this.items.set(this.item(action), action.cents);
		this.shadows += this.trigger;
		this.hit('edited from outside');
	}
	// An edit while a plan is applied: before or behind it.
	async applyAndEdit(action) {
		const plan = this.known(action);
		if (!plan) return;
		const { by, args, token, sent } = this.words(plan, { with: '' });
		const item = plan.args.item_id;
		if (this.foresee(plan, by, args) || !this.run(plan).commit) return;
		const asked = this.ask(by, 'reprice_item', sent);
		await new Promise((done) => setTimeout(done, action.after));
		this.place.db.prepare('UPDATE items SET price = ? WHERE id = ?').run(action.cents, item);
		const got = await asked;
		if (got.reason === 'plan_changed') this.items.set(item, action.cents);
		this.resolve(plan, got, null, token);
		this.items.set(item, action.cents);
		this.hit(got.outcome === 'applied' ? 'edited behind it' : 'edited before it');
	}
	// Somebody else holds the database when a plan is to be applied: it waits, and then sees what they did.
	async applyAndWait(action) {
		const plan = this.known(action);
		if (!plan) return;
		const { by, args, token, sent } = this.words(plan, { with: '' });
		const item = plan.args.item_id;
		this.place.db.exec('BEGIN IMMEDIATE');
		this.place.db.prepare('UPDATE items SET price = ? WHERE id = ?').run(action.cents, item);
		const asked = this.ask(by, 'reprice_item', sent);
		await new Promise((done) => setTimeout(done, action.after));
		this.place.db.exec(action.keep ? 'COMMIT' : 'ROLLBACK');
		if (action.keep) {
			this.items.set(item, action.cents);
			this.shadows += this.trigger;
		}
		const got = await asked;
		const seen = this.foresee(plan, by, args);
		this.resolve(plan, got, seen, token);
		this.hit(action.keep ? 'waited for an edit' : 'waited for nothing');
	}
	setTrigger(action) {
		if (action.on === this.trigger) return;
		this.place.db.exec(action.on
			? `CREATE TRIGGER behind AFTER UPDATE ON items WHEN new.id LIKE '${this.name}_%' BEGIN INSERT INTO shadows VALUES (new.id); END`
			: 'DROP TRIGGER behind');
		this.trigger = action.on;
		this.hit(action.on ? 'trigger added' : 'trigger dropped');
	}
	wait(action) {
		this.place.forward(action.minutes * minute);
		this.hit(`time: ${action.minutes} min`);
	}
	async reload() {
		await this.place.reload();
		this.hit('tool changed');
	}
	// A kill order stops an apply; what was approved stays so.
	async kill(action) {
		const plan = this.known(action);
		if (!plan) return;
		await this.place.kill('tool', 'reprice_item');
		const { by, sent } = this.words(plan, { with: '' });
		const got = this.read(await this.place.call(by, 'reprice_item', sent));
		this.refused(got, 'PAUSED');
		await this.place.resume('tool', 'reprice_item');
		this.hit('killed and resumed');
	}

	// --- one action ---

	async step(action) {
		this.crashed = null;
		this.armed = action.crash ?? null;
		this.again = action.again;
		const control = this.place.controls[action.do === 'decide' ? 'desk' : 'server'];
		if (this.armed) control.crash(this.armed, action.pass ?? 1);
		await this[action.do](action);
		if (this.armed) control.crash(null);
		this.armed = null;
		this.checkRows();
	}

	// --- the oracle ---

	checkRows() {
		const ids = [...this.items.keys()];
		for (const id of ids)
			this.equal(`name and price of ${id}`, [this.names.get(id), this.items.get(id)],
				Object.values(this.place.rows('SELECT name, price FROM items WHERE id = ?', id)[0]));
		const found = this.place.rows('SELECT item_id, note FROM notes WHERE item_id IN (?, ?)', ...ids).map((r) => [r.item_id, r.note]);
		this.equal('the notes', sorted(this.notes), sorted(found));
		this.equal('the rows of the trigger', this.shadows, this.place.rows('SELECT count(*) AS n FROM shadows WHERE item_id IN (?, ?)', ...ids)[0].n);
	}
	checkLedger() {
		const rows = this.place.rows('SELECT id, call_id, plan_id, tool, intent, rows FROM postern_ledger WHERE rowid > ?', this.mark);
		const shape = (tool, plan, n) => [tool, plan ?? null, n];
		this.equal('the ledger', sorted(this.ledger.map((l) => shape(l.tool, l.plan, l.rows))), sorted(rows.map((r) => shape(r.tool, r.plan_id, r.rows))));
		for (const told of this.ledger)
			if (told.id && !rows.some((r) => r.id === told.id)) this.fail('the ledger', told, 'no such row');
		return rows;
	}
	checkLog(rows) {
		const records = this.place.records();
		const byCall = new Map();
		for (const r of records) if (r.call) byCall.set(r.call, [...(byCall.get(r.call) ?? []), r]);
		const ledger = new Map(rows.map((r) => [r.call_id, r]));
		for (const [call, list] of byCall) {
			const intents = list.filter((r) => r.e === 'CALL_INTENT');
			let ends = list.filter((r) => r.e !== 'CALL_INTENT' && r.e !== 'PLAN');
			// a start that crashed between the record and the note that it is settled says it once more
			if (this.crashedAgain && ends.every((r) => r.e === 'RECONCILE' && r.end === ends[0].end)) ends = ends.slice(0, 1);
			// a preview owes no outcome: it ended with the server, and only its plan is there
			if (this.crashes && !intents.length && !ends.length) continue;
			if (intents.length > 1) this.fail(`intents of ${call}`, 1, intents.length);
			if (ends.length !== 1) this.fail(`outcomes of ${call}`, 1, list.map((r) => [r.e, r.end]));
			if ((ends[0].end === 'committed') !== ledger.has(call)) this.fail(`the outcome of ${call}`, ledger.has(call) ? 'committed' : 'not', ends[0]);
			if (ends[0].end === 'unknown') this.fail(`the outcome of ${call}`, 'known', ends[0]);
		}
		for (const row of rows) {
			const intent = byCall.get(row.call_id)?.find((r) => r.e === 'CALL_INTENT');
			if (!intent) this.fail('the intent of a change', row.call_id, 'no record');
			this.equal('where the intent stands', `${intent.o}/${intent.b}/${intent.i}`, row.intent);
		}
		for (const told of this.replies) {
			const end = byCall.get(told.call)?.find((r) => r.e !== 'CALL_INTENT' && r.e !== 'PLAN');
			if (end?.code !== told.code) this.fail(`the record of a reply ${told.code}`, told, end);
		}
		this.checkDecisions(records);
	}
	checkDecisions(records) {
		for (const p of [...this.plans, ...this.asked].filter((p) => p.id)) {
			const mine = records.filter((r) => r.plan === p.id);
			if (!mine.length && p.told !== false) this.fail('records of a plan that was told', p.id, 'none');
			for (const [state, decision] of [['approved', 'approved'], ['applied', 'approved'], ['declined', 'declined']])
				if (p.state === state && !mine.some((r) => r.e === 'APPROVAL' && r.decision === decision))
					this.fail(`the record of what was decided on ${p.id}`, decision, mine.map((r) => [r.e, r.decision ?? r.change]));
		}
	}
	checkPlans() {
		const all = [...this.plans, ...this.asked].filter((p) => p.id);
		const stored = this.place.plans(all.map((p) => p.id));
		for (const p of all) {
			this.equal(`plan ${p.id}`, [p.state, p.need], [stored.get(p.id)?.state, stored.get(p.id)?.need]);
			const row = this.ledger.find((l) => l.plan === p.id);
			if (p.state === 'applied' && row?.id) this.equal(`the ledger id of plan ${p.id}`, row.id, stored.get(p.id).ledger_id);
		}
	}
	async finish() {
		this.setTrigger({ on: false });
		this.checkRows();
		const rows = this.checkLedger();
		this.checkLog(rows);
		this.checkPlans();
	}
	// Whatever happened: nothing of it reaches the next one.
	leave() {
		try { this.setTrigger({ on: false }); } catch { /* it was not there */ }
		for (const c of Object.values(this.place.controls)) c.crash(null);
		this.place.forward(25 * 60 * minute);
	}
}
