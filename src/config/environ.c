/* environ - see environ.h. */
#include "config/environ.h"

#include "base/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kept {
	struct kept *next;
	const char *name;
	struct str value;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept *first;

static char *copy(const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(heap_alloc(n), text, n);
}

static struct kept *find(const char *name)
{
	struct kept *k = first;

	while (k && strcmp(k->name, name) != 0)
		k = k->next;
	return k;
}

struct str environ_secret(struct arena *a, const char *name)
{
	const char *value;
	struct kept *k;

	pthread_mutex_lock(&lock);
	k = find(name);
	value = k ? NULL : getenv(name);
	if (value && *value) {
		k = heap_new(struct kept);
		*k = (struct kept){ first, copy(name), str_c(copy(value)) };
		first = k;
	}
	pthread_mutex_unlock(&lock);
	return k ? arena_str(a, k->value) : STR_NONE;
}

void environ_wipe(void)
{
	pthread_mutex_lock(&lock);
	for (const struct kept *k = first; k; k = k->next)
		for (char **variable = environ; *variable; variable++) {
			char *value = strchr(*variable, '=');

			if (value && str_eq(str_c(value + 1), k->value))
				wipe(value + 1, k->value.n);
		}
	pthread_mutex_unlock(&lock);
}
