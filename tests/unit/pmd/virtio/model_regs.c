// SPDX-License-Identifier: BSD-3-Clause
// model_regs.c - registers of the device of model.h: status, features, queues, configuration
#include "model_regs.h"

#include <string.h>

static uint8_t status_read(void)
{
	if (model.reset_wait && --model.reset_wait == 0)
		model.status = 0;
	return model.status;
}

static void device_reset(void)
{
	model.resets++;
	for (unsigned i = 0; i < 2; i++) {
		struct model_queue *q = &model.q[i];

		q->size = q->max;
		q->enable = 0;
		q->next_avail = 0;
		q->used_idx = 0;
		q->next_id = 0;
		q->packets_taken = 0;
		q->desc = q->avail = q->used = 0;
		q->vector = MODEL_NO_VECTOR;
	}
	model.driver_features = 0;
	model.reset_wait = model.reset_reads;
	if (!model.reset_wait)
		model.status = 0;
}

static void status_write(uint8_t v)
{
	if (v == 0) {
		device_reset();
		return;
	}
	if ((v & MODEL_FEATURES_OK) && model.refuse_features)
		v &= (uint8_t)~MODEL_FEATURES_OK;
	if ((v & MODEL_DRIVER_OK) && !(model.status & MODEL_FEATURES_OK))
		model_fatal("is ready before the features are agreed");
	model.status = v;
}

struct model_queue *model_selected(void)
{
	return model.queue_select < 2 && model.queue_select < model.queues
		       ? &model.q[model.queue_select]
		       : NULL;
}

uint64_t model_common_read(uint32_t off)
{
	struct model_queue *q = model_selected();

	switch (off) {
	case 0x04:
		return model.feature_select > 1
			       ? 0
			       : (uint32_t)(model.features >> (32 * model.feature_select));
	case 0x12:
		return model.queues;
	case 0x14:
		return status_read();
	case 0x15:
		model.generation = (uint8_t)(model.generation + model.restless);
		return model.generation;
	case 0x18:
		return q ? q->max : 0;
	case 0x1a:
		return q ? q->vector : 0;
	case 0x1e:
		return q ? q->notify_off : 0;
	default:
		model_fatal("reads a register that it has no use for");
		return 0;
	}
}

static void set_half(uint64_t *field, bool high, uint32_t v)
{
	*field = high ? (uint32_t)*field | (uint64_t)v << 32 : (*field >> 32 << 32) | v;
}

static void queue_write(uint32_t off, uint32_t v)
{
	struct model_queue *q = model_selected();

	if (!q) {
		model_fatal("sets up a queue that is not there");
		return;
	}
	if (!(model.status & MODEL_FEATURES_OK) || (model.status & MODEL_DRIVER_OK) || q->enable)
		model_fatal("sets up a queue at the wrong time");
	switch (off) {
	case 0x18:
		if (!v || (v & (v - 1)) || v > q->max)
			model_fatal("chooses an impossible queue size");
		q->size = (uint16_t)v;
		return;
	case 0x1a:
		q->vector = model.no_vectors ? MODEL_NO_VECTOR : (uint16_t)v;
		return;
	case 0x1c:
		if (q->desc % 16 || q->avail % 2 || q->used % 4 || !q->desc || !q->avail ||
		    !q->used)
			model_fatal("misaligns a ring");
		q->enable = (uint16_t)v;
		return;
	case 0x20:
	case 0x24:
		set_half(&q->desc, off & 4, v);
		return;
	case 0x28:
	case 0x2c:
		set_half(&q->avail, off & 4, v);
		return;
	case 0x30:
	case 0x34:
		set_half(&q->used, off & 4, v);
		return;
	default:
		model_fatal("writes a register that it has no use for");
	}
}

void model_common_write(uint32_t off, uint32_t v)
{
	switch (off) {
	case 0x00:
		model.feature_select = v;
		return;
	case 0x08:
		model.driver_select = v;
		return;
	case 0x0c:
		set_half(&model.driver_features, model.driver_select, v);
		if (model.driver_features & ~model.features)
			model_fatal("takes features that were not offered");
		return;
	case 0x14:
		status_write((uint8_t)v);
		return;
	case 0x16:
		model.queue_select = (uint16_t)v;
		return;
	default:
		queue_write(off, v);
	}
}

uint64_t model_device_read(uint32_t off, size_t len)
{
	uint8_t c[12];
	uint64_t v = 0;

	memcpy(c, model.mac, 6);
	memcpy(c + 6, &model.net_status, 2);
	memcpy(c + 8, &model.pairs, 2);
	memcpy(c + 10, &model.mtu, 2);
	if (off + len > sizeof(c) || len != (off < 6 ? 1 : 2)) // 4.1.3.1
		model_fatal("reads the configuration by accesses of the wrong width");
	else
		memcpy(&v, c + off, len);
	return v;
}
