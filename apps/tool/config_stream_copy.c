// SPDX-License-Identifier: BSD-3-Clause
// config_stream_copy.c - the values that one copy of a stream has
#include <errno.h>
#include <stdlib.h>

#include "apps/tool/config_stream.h"
#include "apps/tool/util.h"

unsigned __int128 stream_value_at(const struct stream_value *v, uint64_t k)
{
	if (v->kind == VALUE_LIST)
		return v->list[k % v->count];
	if (v->kind == VALUE_RANGE)
		return v->first + v->step * (k % v->count);
	return v->first;
}

static uint64_t scramble(uint64_t x) // splitmix64's finalizer
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static unsigned __int128 random_at(const struct stream_value *v, uint64_t copy, uint32_t seed)
{
	uint64_t low = scramble(scramble(seed) ^ (uint64_t)v->first ^ copy);
	unsigned __int128 n = (unsigned __int128)scramble(low) << 64 | low;

	return v->span == ~(unsigned __int128)0 ? n : v->first + n % (v->span + 1);
}

static int evaluate(const struct stream_value *v, const struct layer_field *f, uint64_t i,
		    uint64_t copy, unsigned __int128 *value, struct err *err)
{
	struct err why;

	if (expr_eval(v->expr, i, copy, value, &why))
		return err_set(err, -EINVAL, "with i %llu, c %llu: %s", (unsigned long long)i,
			       (unsigned long long)copy, why.text);
	if (f->bits < 128 && *value >> f->bits)
		return err_set(err, -EINVAL,
			       "with i %llu, c %llu: expected a value that fits %u bits",
			       (unsigned long long)i, (unsigned long long)copy, f->bits);
	return 0;
}

static int evaluate_all(struct stream_value *to, const struct stream_value *v,
			const struct layer_field *f, uint64_t copy, struct err *err)
{
	to->kind = VALUE_LIST;
	to->expr = NULL;
	to->list = xrealloc(NULL, v->count * sizeof(*to->list));
	for (uint64_t i = 0; i < v->count; i++) {
		int rc = evaluate(v, f, i, copy, &to->list[i], err);

		if (rc) {
			free(to->list);
			to->list = NULL;
			to->kind = VALUE_AUTO;
			return rc;
		}
	}
	return 0;
}

int stream_value_copy(struct stream_value *to, const struct stream_value *v,
		      const struct layer_field *f, uint64_t copy, uint32_t seed, struct err *err)
{
	unsigned __int128 one;
	int rc = 0;

	*to = *v;
	if (v->kind == VALUE_EXPR && !v->per_copy)
		return evaluate_all(to, v, f, copy, err);
	if (!v->per_copy)
		return 0;
	if (v->kind == VALUE_EXPR)
		rc = evaluate(v, f, copy / v->every, copy, &one, err);
	else if (v->kind == VALUE_RANDOM)
		one = random_at(v, copy / v->every, seed);
	else
		one = stream_value_at(v, copy / v->every);
	*to = (struct stream_value){
		.kind = rc ? VALUE_AUTO : VALUE_ONE, .every = 1, .place = v->place};
	if (!rc)
		to->first = one;
	return rc;
}
