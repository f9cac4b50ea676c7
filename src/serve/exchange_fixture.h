/* exchange_fixture - for the tests of this room: an exchange that writes down what happens to it,
 * whose client can go at any moment, from any thread. */
#pragma once
#include "base/test.h"
#include "serve/exchange.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the client sees, and what became of the exchange.  Outlives it. */
struct client {
	pthread_mutex_t lock;
	char text[2048]; /* "+MESSAGE" sent, "=MESSAGE" the reply */
	unsigned sent, replies, parked, freed;
	int status;
	bool gone, cannot_park;
	void (*on_gone)(void *ctx, uint64_t token);
	void *ctx;
	uint64_t token;
	/* what the other side does while the exchange is being parked */
	void (*while_parking)(struct client *c);
	void *test;
};

struct fake_exchange {
	struct exchange x;
	struct client *client;
};

static inline void client_init(struct client *c)
{
	*c = (struct client){ 0 };
	pthread_mutex_init(&c->lock, NULL);
}

static inline void client_note(struct client *c, char mark, struct str json)
{
	size_t n = strlen(c->text);

	snprintf(c->text + n, sizeof c->text - n, "%c%.*s", mark, STR_ARG(json));
}

static inline struct client *client_of(struct exchange *x)
{
	return ((struct fake_exchange *)x)->client;
}

static inline void fake_reply(struct exchange *x, int status, struct str json, struct str session)
{
	struct client *c = client_of(x);

	(void)session;
	pthread_mutex_lock(&c->lock);
	client_note(c, '=', json);
	c->replies++;
	c->status = status;
	pthread_mutex_unlock(&c->lock);
}

static inline bool fake_send(struct exchange *x, struct str json)
{
	struct client *c = client_of(x);
	bool ok;

	pthread_mutex_lock(&c->lock);
	ok = !c->gone;
	if (ok) {
		client_note(c, '+', json);
		c->sent++;
	}
	pthread_mutex_unlock(&c->lock);
	return ok;
}

static inline bool fake_gone(struct exchange *x)
{
	struct client *c = client_of(x);
	bool gone;

	pthread_mutex_lock(&c->lock);
	gone = c->gone;
	pthread_mutex_unlock(&c->lock);
	return gone;
}

static inline void fake_free(struct exchange *x)
{
	struct client *c = client_of(x);

	pthread_mutex_lock(&c->lock);
	c->freed++;
	pthread_mutex_unlock(&c->lock);
	free(x);
}

static inline struct exchange *fake_park(
	struct exchange *x, void (*on_gone)(void *ctx, uint64_t token), void *ctx, uint64_t token)
{
	struct client *c = client_of(x);
	struct fake_exchange *parked;
	bool gone;

	if (c->cannot_park)
		return NULL;
	parked = calloc(1, sizeof *parked);
	parked->x.ops = x->ops;
	parked->x.holders = 1;
	parked->client = c;
	pthread_mutex_lock(&c->lock);
	c->parked++;
	gone = c->gone;
	if (!gone) {
		c->on_gone = on_gone;
		c->ctx = ctx;
		c->token = token;
	}
	pthread_mutex_unlock(&c->lock);
	if (gone)
		on_gone(ctx, token);
	if (c->while_parking)
		c->while_parking(c);
	return &parked->x;
}

static const struct exchange_ops fake_ops = {
	.reply = fake_reply,
	.send = fake_send,
	.gone = fake_gone,
	.park = fake_park,
	.free = fake_free,
};

/* The exchange of one request: as a front has it, on its stack. */
static inline struct fake_exchange exchange_of(struct client *c)
{
	return (struct fake_exchange){ .x = { .ops = &fake_ops }, .client = c };
}

/* The client hangs up: once. */
static inline void client_leave(struct client *c)
{
	void (*on_gone)(void *ctx, uint64_t token);

	pthread_mutex_lock(&c->lock);
	on_gone = c->on_gone;
	c->on_gone = NULL;
	c->gone = true;
	pthread_mutex_unlock(&c->lock);
	if (on_gone)
		on_gone(c->ctx, c->token);
}

static inline void assert_client(const struct client *c, const char *text)
{
	if (strcmp(c->text, text) != 0)
		fail_msg("the client got %s, not %s", c->text, text);
}

/* Nothing is held any more, and there was no second answer. */
static inline void assert_released(struct client *c)
{
	assert_int_equal(c->freed, c->parked);
	assert_true(c->replies <= 1);
	pthread_mutex_destroy(&c->lock);
}
