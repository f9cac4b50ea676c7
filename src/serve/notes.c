/* notes - see notes.h. */
#include "serve/notes.h"

#include "serve/log.h"

#include <pthread.h>
#include <string.h>

#define NOTES_MAX 256
#define NOTE_BYTES 2048

struct note {
	const char *event;
	size_t bytes;
	char fields[NOTE_BYTES];
};

struct notes {
	pthread_mutex_t lock;
	pthread_cond_t more;
	pthread_t thread;
	struct audit *audit;
	struct note ring[NOTES_MAX];
	size_t first, count;
	unsigned lost;
	bool running, ending;
};

struct notes *notes_new(struct audit *audit)
{
	struct notes *n = heap_new(struct notes);

	n->audit = audit;
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->more, NULL);
	return n;
}

static void say_lost(unsigned lost)
{
	if (lost)
		log_error("notes_lost", "count=%u note=\"the audit log is too slow\"", lost);
}

/* False: there will be none any more. */
static bool take(struct notes *n, struct note *out)
{
	unsigned lost;
	bool got;

	pthread_mutex_lock(&n->lock);
	while (!n->count && !n->ending)
		pthread_cond_wait(&n->more, &n->lock);
	got = n->count > 0;
	if (got) {
		*out = n->ring[n->first];
		n->first = (n->first + 1) % NOTES_MAX;
		n->count--;
	}
	lost = n->lost;
	n->lost = 0;
	pthread_mutex_unlock(&n->lock);
	say_lost(lost);
	return got;
}

static void *write_notes(void *ctx)
{
	struct notes *n = ctx;
	struct note note;

	while (take(n, &note)) {
		struct log_text why;
		struct err err;

		if (!audit_event(n->audit, note.event, str_n(note.fields, note.bytes), &err))
			log_error("audit_unavailable", "event=%s error=%s", note.event,
				log_value(&why, str_c(err.text)));
	}
	return NULL;
}

bool notes_start(struct notes *n, struct err *err)
{
	if (!n->running && pthread_create(&n->thread, NULL, write_notes, n) != 0)
		return err_set(err, E_UNAVAILABLE, "there is no thread for the notes");
	n->running = true;
	return true;
}

void notes_free(struct notes **at)
{
	struct notes *n = *at;

	if (!n)
		return;
	pthread_mutex_lock(&n->lock);
	n->ending = true;
	pthread_cond_signal(&n->more);
	pthread_mutex_unlock(&n->lock);
	if (n->running)
		pthread_join(n->thread, NULL);
	pthread_cond_destroy(&n->more);
	pthread_mutex_destroy(&n->lock);
	heap_free(n);
	*at = NULL;
}

void notes_add(struct notes *n, const char *event, struct str fields_json)
{
	pthread_mutex_lock(&n->lock);
	if (n->count == NOTES_MAX || fields_json.n > NOTE_BYTES) {
		n->lost++;
	} else {
		struct note *to = &n->ring[(n->first + n->count++) % NOTES_MAX];

		to->event = event;
		to->bytes = fields_json.n;
		memcpy(to->fields, fields_json.p, fields_json.n);
	}
	pthread_cond_signal(&n->more);
	pthread_mutex_unlock(&n->lock);
}
