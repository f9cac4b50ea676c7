/* of_key - the principal that a row of the store stands for. */
#include "identity/inside.h"

static void split_roles(struct arena *a, struct str list, struct principal *p)
{
	size_t count = 1;
	struct str *roles;
	struct str head, tail;

	for (size_t i = 0; i < list.n; i++)
		count += list.p[i] == ',';
	roles = arena_array(a, struct str, count);
	p->roles = roles;
	while (list.n) {
		if (!str_cut(list, ',', &head, &tail)) {
			head = list;
			tail = STR_NONE;
		}
		head = str_trim(head);
		if (head.n && !is_listed(p->roles, p->role_count, head))
			roles[p->role_count++] = head;
		list = tail;
	}
}

bool principal_of_key(const struct config *config, struct arena *a, const struct key_row *row,
	struct principal *out)
{
	struct principal p = { .subject = arena_str(a, row->subject),
		.tenant = arena_str(a, row->tenant),
		.agent = arena_str(a, row->agent),
		.credential = arena_str(a, row->id),
		.credential_kind = CREDENTIAL_KEY,
		.environment = arena_str(a, row->environment),
		.expires_us = row->expires_us,
		.approver = row->approver };

	if (!row->subject.n || !principal_name_ok(row->subject) ||
		!principal_name_ok(row->tenant) || !principal_name_ok(row->agent) ||
		!principal_kind_read(row->kind, &p.kind))
		return false;
	split_roles(a, arena_str(a, row->roles), &p);
	principal_finish(config, a, &p);
	*out = p;
	return true;
}
