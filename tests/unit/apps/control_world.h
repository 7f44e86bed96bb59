// SPDX-License-Identifier: BSD-3-Clause
// control_world.h - a control channel whose streams are memory, and a function whose table is a number
//
// The function is patch with a table: an operation (CTL_ROUTES, a struct ctl_route whose prefix begins with a
// byte) sets that slot to plen. What the server has it do is written down.
#ifndef WEIR_TESTS_CONTROL_WORLD_H
#define WEIR_TESTS_CONTROL_WORLD_H

#include "apps/control.h"
#include "tests/unit/apps/app_test.h"

#define WIRE_ROOM (1u << 18)

struct wire { // a stream as the server sees it, and its other end
	struct stream stream;
	uint8_t *to, *from; // bytes for the server, and what it wrote
	uint32_t to_len, to_at, from_len, from_at;
	uint32_t chunk; // bytes a call at most
	bool stuck;	// takes nothing
	bool ended;	// the other end is gone
	bool closed;	// by the server
	uint32_t next_id;
};

struct toy { // the function's table, and what it was told
	uint8_t slot[256], staged[256];
	bool is_staged[256], refuse_commit;
	unsigned slices; // a commit takes so many
	unsigned left;
	uint8_t undo[256];
	char log[512];
};
extern struct toy toy;
extern struct app world_app;

// Another function than the toy, for good, before anything else: packet memory has no free.
void world_function(const struct function *f, const char *config);

// The channel of a function with ports a and b, which stays for the next.
void world_start(void);
void world_stop(void);
struct control *world_control(void);

// Housekeeping n times; time passes besides.
void world_poll(unsigned n);
void world_pass(unsigned seconds);

struct wire *wire_open(bool shared);
void wire_free(struct wire *w); // that the server has closed

// The client's words.
void wire_put(struct wire *w, const void *bytes, uint32_t n);
uint32_t wire_send(struct wire *w, uint16_t type, const void *payload, uint32_t len); // its id
uint32_t wire_frame(uint8_t *frame, uint16_t version, uint16_t type, uint32_t id, const void *payload, uint32_t len);
// The next whole frame of the server, zeros before it left out; NULL: there is none.
const struct ctl_hdr *wire_next(struct wire *w);
// Polls until the answer to id is there, and checks its type; its payload.
const void *wire_answer(struct wire *w, uint32_t id, uint16_t type);
// The same for an error: its text, ended by 0, in a static buffer.
const char *wire_error(struct wire *w, uint32_t id, int error);
// One operation: slot `at` becomes `value`.
uint32_t wire_op(struct wire *w, uint8_t at, uint8_t value, uint16_t flags);

#endif
