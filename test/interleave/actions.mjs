// actions - what an interleaving is made of: random ones from a seed, and the tour, which goes once wherever random
// ones come seldom.
import { answerPoints, deskPoints, serverPoints, startPoints } from './model.mjs';

export function random(seed) {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

const crashes = new Set(['preview', 'apply', 'applyTwice', 'note', 'noteTwice', 'askClient', 'answer']);

// One in `seldom` of those that may crash does.
export function sequence(rng, { seldom = 12 } = {}) {
	const pick = (...list) => list[Math.floor(rng() * list.length)];
	const made = {
		preview: () => ({ by: pick('ada', 'ada', 'ada', 'bob'), item: pick('a', 'a', 'b'), cents: pick(150, 150, 160, 9000), run: rng() < 0.3 }),
		approve: () => ({ do: 'decide', what: 'approve', plan: pick(0, 0, 0, 1, 2), key: pick('right', 'right', 'right', 'right', 'ada', 'ada_yes', 'bob_yes', 'cleo_yes') }),
		decline: () => ({ do: 'decide', what: 'decline', plan: pick(0, 0, 1, 2), key: pick('right', 'right', 'cleo_yes', 'bob_yes') }),
		escalate: () => ({ do: 'decide', what: 'escalate', plan: pick(0, 0, 1), key: pick('right', 'right', 'cleo_yes') }),
		apply: () => ({ plan: pick(0, 0, 0, 1, 2), with: pick('', '', '', '', '', 'other arguments', 'other person', 'wrong token', 'no token') }),
		applyTwice: () => ({ plan: pick(0, 0, 1), across: rng() < 0.5 }),
		applyAndEdit: () => ({ plan: pick(0, 0, 1), cents: pick(107, 207), after: pick(0, 0, 1, 2, 3, 5) }),
		askClient: () => ({ by: pick('ada', 'ada', 'bob'), item: pick('a', 'a', 'b'), name: pick('nail', 'nail', 'peg') }),
		answer: () => ({ plan: pick(0, 0, 0, 1), say: pick('yes', 'yes', 'yes', 'no', 'decline', 'cancel'), other: rng() < 0.1 }),
		applyAndWait: () => ({ plan: pick(0, 0, 1), cents: pick(107, 207), after: pick(1, 5, 10), keep: rng() < 0.6 }),
		edit: () => ({ item: pick('a', 'a', 'b'), cents: pick(100, 107, 207, 8007) }),
		setTrigger: () => ({ on: rng() < 0.4 }),
		wait: () => ({ minutes: pick(1, 9, 9, 11, 11, 1500) }),
		reload: () => ({}),
		kill: () => ({ plan: 0 }),
		note: () => ({ by: pick('ada', 'ada', 'bob'), item: pick('a', 'b'), note: pick('x', 'y'), key: pick(0, 0, 0, 1, 2), dry: rng() < 0.2 }),
		noteTwice: () => ({ by: 'ada', item: pick('a', 'b'), note: pick('x', 'y', 'z'), key: pick(0, 0, 1), across: rng() < 0.5 }),
	};
	const weights = { preview: 22, approve: 22, decline: 4, escalate: 4, apply: 22, applyTwice: 6, askClient: 7, answer: 7, applyAndEdit: 4, applyAndWait: 3, edit: 5, setTrigger: 5,
		wait: 6, reload: 1.5, kill: 0.1, note: 8, noteTwice: 4 };
	const total = Object.values(weights).reduce((a, b) => a + b);
	const list = [];
	for (let n = 3 + Math.floor(rng() * 10); n > 0; n--) {
		let at = rng() * total;
		const name = Object.keys(weights).find((k) => (at -= weights[k]) < 0);
		const action = { do: name, ...made[name]() };
		if (crashes.has(action.do) && rng() * seldom < 1) Object.assign(action, { crash: pick(...serverPoints, ...(action.do === 'answer' ? answerPoints : [])), pass: action.do.endsWith('Twice') ? pick(1, 2) : 1,
			again: pick(undefined, undefined, ...startPoints) });
		if (action.do === 'decide' && rng() * seldom < 1) action.crash = pick(...deskPoints);
		list.push(action);
	}
	return list;
}

const preview = { do: 'preview', by: 'ada', item: 'a', cents: 150 };
const large = { ...preview, cents: 9000 };
const approve = { do: 'decide', what: 'approve', plan: 0, key: 'right' };
const apply = { do: 'apply', plan: 0, with: '' };
const edit = { do: 'edit', item: 'a', cents: 107 };
const question = { do: 'askClient', by: 'ada', item: 'a', name: 'nail' };
const yes = { do: 'answer', plan: 0, say: 'yes' };
const note = { do: 'note', by: 'ada', item: 'a', note: 'x', key: 0 };

// Every crash point, each followed by what a client would do next; and every transition.  Two deployments share it.
export function tour({ token, whole }) {
	const list = [];
	for (const crash of serverPoints) {
		list.push([preview, approve, { ...apply, crash }, apply, apply, preview, approve, apply]);
		list.push([preview, approve, edit, { ...apply, crash }, preview, approve, apply]);
		list.push([preview, approve, { ...apply, crash }, { ...edit, cents: 100 }, preview, approve, apply]);
		list.push([{ ...note, crash }, note, note]);
		list.push([{ ...preview, crash }, preview, { ...preview, run: true, crash }, approve, apply]);
		for (const pass of [1, 2]) {
			list.push([preview, approve, { do: 'applyTwice', plan: 0, crash, pass }, apply, apply]);
			list.push([{ ...note, do: 'noteTwice', crash, pass }, note]);
		}
	}
	for (const crash of answerPoints) list.push([question, { ...yes, crash }, yes, question]);
	for (const crash of ['before_commit', 'after_commit']) list.push([question, { ...yes, crash }, yes, question]);
	for (const say of ['no', 'decline', 'cancel']) list.push([question, { ...yes, say }, yes, question]);
	list.push([question, yes, yes, question], [question, { ...yes, other: true }, yes], [question, edit, yes, yes], [question, { do: 'wait', minutes: 9 }, yes],
		[question, { do: 'setTrigger', on: true }, yes, { do: 'setTrigger', on: false }, yes, question]);
	for (const crash of deskPoints)
		list.push([preview, { ...approve, what: crash.startsWith('esc') ? 'escalate' : 'approve', crash }, approve, apply, apply]);
	for (const key of ['ada', 'ada_yes', 'bob_yes', 'cleo_yes', 'right'])
		for (const what of ['approve', 'decline', 'escalate'])
			list.push([preview, { ...approve, what, key }, apply], [large, { ...approve, what, key }, { ...approve, what, key }, apply]);
	for (const how of ['other arguments', 'other person', 'wrong token', 'no token'])
		list.push([preview, { ...apply, with: how }, approve, { ...apply, with: how }, apply, { ...apply, with: how }, apply]);
	for (const minutes of [9, 11])
		list.push([preview, { do: 'wait', minutes }, approve, apply], [preview, approve, { do: 'wait', minutes }, apply, preview],
			[note, { do: 'wait', minutes }, note], [{ ...note, key: 1 }, { do: 'wait', minutes }, { ...note, key: 1 }]);
	for (const after of [0, 1, 2, 3, 4, 5, 6, 8])
		list.push([preview, approve, { do: 'applyAndEdit', plan: 0, cents: 107, after }]);
	for (const keep of [true, false, true, false])
		list.push([preview, approve, { do: 'applyAndWait', plan: 0, cents: 107, after: 5, keep }, apply]);
	list.push(
		[large, approve, { do: 'wait', minutes: 1500 }, apply],
		[preview, preview, { ...preview, run: true }, approve, { ...preview, run: true }, apply],
		[preview, approve, edit, apply, { ...apply, plan: 1 }, apply, approve, apply],
		[preview, approve, { do: 'setTrigger', on: true }, apply, preview, { do: 'setTrigger', on: false }, apply],
		[preview, approve, { do: 'reload' }, apply, preview, approve, apply],
		[preview, { do: 'reload' }, approve, apply],
		[preview, approve, { do: 'kill', plan: 0 }, apply],
		[preview, { ...approve, what: 'decline' }, apply, preview, approve, apply],
		[preview, { ...approve, what: 'escalate' }, approve, { do: 'wait', minutes: 11 }, apply],
		[preview, approve, { do: 'applyTwice', plan: 0 }], [preview, approve, { do: 'applyTwice', plan: 0, across: true }],
		...startPoints.map((again) => [preview, approve, { ...apply, crash: 'after_commit', again }, apply, preview]),
		[preview, approve, edit, { do: 'applyTwice', plan: 0 }], [preview, approve, edit, { do: 'applyTwice', plan: 0, across: true }],
		[preview, approve, ...Array(6).fill({ ...apply, with: 'wrong token' }), apply],
		[{ ...note, dry: true }, note, note, { ...note, key: 1 }, { ...note, key: 1, note: 'y' }, { ...note, by: 'bob' }],
		[{ ...note, do: 'noteTwice' }, { ...note, do: 'noteTwice' }, { ...note, do: 'noteTwice', key: 1, across: true }],
		// what was applied once, and undone from outside, is a new change
		[preview, approve, apply, { ...edit, cents: 100 }, preview, approve, apply, apply],
	);
	// the quick ones first
	list.sort((a, b) => a.some((one) => one.crash) - b.some((one) => one.crash));
	const tokens = [[preview, approve, { ...apply, crash: 'token_used' }, apply, preview, approve, apply],
		...['wrong token', 'no token'].map((how) => [preview, approve, { ...apply, with: how }, apply])];
	return whole ? list : [...(token ? tokens : []), ...list.filter((_, i) => i % 2 === (token ? 1 : 0))];
}
