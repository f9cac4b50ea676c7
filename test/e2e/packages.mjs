// packages - lets tests import what build/node holds: `node --import ./test/e2e/packages.mjs --test …`.
// The packages live outside the tree so that nothing installed ever stands beside the sources.
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const home = pathToFileURL(new URL('../../build/node/', import.meta.url).pathname + 'package.json').href;

registerHooks({
	resolve(name, context, next) {
		const bare = !/^(\.|\/|node:|file:)/.test(name);
		const ours = context.parentURL && !context.parentURL.includes('/node_modules/');
		return next(name, bare && ours ? { ...context, parentURL: home } : context);
	},
});
