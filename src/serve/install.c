/* install - see install.h. */
#include "serve/install.h"

#include "base/clock.h"
#include "sql/ledger.h"
#include "sql/marker.h"

bool install_source(const struct config *config, struct str source, bool synthetic, int64_t wall_us,
	struct err *err)
{
	const struct source_config *s = config_source(config, source);
	struct marker marker = { .found = true,
		.environment = str_c(environment_name(config->environment)),
		.deployment = config->name,
		.synthetic = synthetic };
	struct buf time;
	bool ok;

	if (!s)
		return err_set(err, E_NOT_FOUND, "the configuration has no such source");
	if (s->kind != SOURCE_SQLITE)
		return err_set(err, E_NOT_FOUND, "only a database can be marked");
	if (synthetic && config->environment == ENV_PRODUCTION)
		return err_set(err, E_INVALID, "what is synthetic does not belong to production");
	buf_init(&time, 64);
	clock_write_rfc3339(&time, wall_us);
	ok = marker_install(s->path, &marker, buf_str(&time), err) &&
	     (ledger_install(s->path, err) || err_while(err, "marked, but without a ledger"));
	buf_done(&time);
	return ok;
}
