// SPDX-License-Identifier: BSD-3-Clause
// ctl_names.c - the names of ports, interfaces and VRFs, as the server describes them
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/ctl_client_priv.h"
#include "apps/tool/util.h"

int ctl_list(struct ctl_client *c, uint16_t type, uint32_t from, uint32_t size, struct ctl_list *head,
	     const void **records, struct err *err)
{
	struct ctl_from f = {.from = from};
	struct ctl_answer a;
	int rc = ctl_call(c, type, &f, sizeof(f), &a, err);

	if (rc)
		return rc;
	if (a.len >= sizeof(*head)) {
		uint32_t len = a.len - (uint32_t)sizeof(*head);
		bool goes_on;

		memcpy(head, a.payload, sizeof(*head));
		*records = (const uint8_t *)a.payload + sizeof(*head);
		goes_on = !head->next || (head->next > from && head->count);
		if (goes_on && (!size || (uint64_t)head->count * size == len))
			return (int)len;
	}
	c->broken = -EPROTO;
	return err_set(err, -EPROTO, "%s: a list that cannot be: it is broken, or no Weir", c->name);
}

static int load(struct ctl_client *c, struct err *err)
{
	struct ctl_list head = {0};
	const void *records;
	int rc = ctl_feed_settle(c, err); // answers come in order

	if (rc)
		return rc;
	do {
		rc = ctl_list(c, CTL_DESCRIBE, head.next, sizeof(struct ctl_name), &head, &records, err);
		if (rc < 0)
			return rc;
		if (c->n_names + head.count > CTL_NAMES_MAX)
			return err_set(err, -EPROTO, "%s: more than %u names", c->name, CTL_NAMES_MAX);
		c->names = xrealloc(c->names, (c->n_names + head.count + 1) * sizeof(*c->names));
		memcpy(c->names + c->n_names, records, head.count * sizeof(*c->names));
		for (uint32_t i = 0; i < head.count; i++) {
			char *name = c->names[c->n_names++].name;

			name[sizeof(c->names->name) - 1] = 0;
			for (; *name; name++)
				if (text_control(name))
					*name = '?';
		}
	} while (head.next);
	return 0;
}

static const char *kind_name(enum ctl_kind kind)
{
	return kind == CTL_KIND_PORT ? "port" : kind == CTL_KIND_IFACE ? "interface" : "VRF";
}

int ctl_index(struct ctl_client *c, enum ctl_kind kind, const char *name, struct err *err)
{
	char there[200] = "";
	size_t n = 0;
	int rc = c->names ? 0 : load(c, err);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < c->n_names; i++) {
		if (c->names[i].kind != kind)
			continue;
		if (!strcmp(c->names[i].name, name))
			return c->names[i].index;
		if (n < sizeof(there))
			n += (size_t)snprintf(there + n, sizeof(there) - n, "%s%s", n ? ", " : "",
					      c->names[i].name);
	}
	return err_set(err, -ENOENT, "%s: no %s is called so: there %s %s", name, kind_name(kind),
		       n ? "are" : "is", n ? there : "none");
}

const char *ctl_name(struct ctl_client *c, enum ctl_kind kind, uint16_t index)
{
	if (!c->names && load(c, NULL))
		return NULL;
	for (uint32_t i = 0; i < c->n_names; i++)
		if (c->names[i].kind == kind && c->names[i].index == index)
			return c->names[i].name;
	return NULL;
}
