// SPDX-License-Identifier: BSD-3-Clause
// config_stream.h - streams of function pktgen: as the user said them, and what they compile to
//
// config_streams.c reads the list into struct config_stream; config_stream_compile.c makes struct
// config_frames of all, once everything else (addresses, routes) is known, and again for other lengths.
// Lengths here are the user's: with FCS.
#ifndef WEIR_APPS_TOOL_CONFIG_STREAM_H
#define WEIR_APPS_TOOL_CONFIG_STREAM_H

#include "apps/tool/config_internal.h"
#include "apps/tool/expr.h"

#define STREAM_FCS	  4u
#define STREAM_LENGTH_MIN 64u
#define STREAM_LENGTH_MAX 9018u
#define STREAM_LAYERS_MAX 16u
#define STREAM_FIELDS_MAX 12u // of a layer
#define STREAM_LIST_MAX	  65536u

// --- values (config_stream_value.c) ---

enum stream_value_kind {
	VALUE_AUTO, // not said: what the stack, the port or the table of layers gives
	VALUE_ONE,
	VALUE_RANGE,  // first, first + step, … `count` values
	VALUE_LIST,
	VALUE_RANDOM, // first to first + span
	VALUE_EXPR,   // `count` values of i; a list once the copy is known
};

struct stream_value {
	uint8_t kind;
	bool per_copy; // value k is that of copy k, and all its packets have it
	uint32_t every; // packets that have the same value; at least 1
	unsigned __int128 first, step, span;
	uint64_t count;
	unsigned __int128 *list; // of `count`, the stream's
	struct expr *expr;
	struct config_place place;
};

enum field_form { FORM_NUMBER, FORM_MAC, FORM_IP4, FORM_IP6, FORM_SWITCH };

struct layer_field {
	const char *name;
	uint8_t form; // enum field_form
	uint8_t bits; // 0: no bits of the header
	uint16_t bit; // the first, from the layer's begin
	uint16_t number; // when nothing else gives one
	bool fixed; // one value for all packets of the stream: more depends on it
};

// A scalar as a value of that form; false when it is none.
bool stream_value_text(const struct layer_field *f, const char *s, unsigned __int128 *v);
// Reads any way to say values. False after a diag.
bool stream_value_read(struct config_reader *r, yaml_node_t *node, const struct layer_field *f,
		       struct stream_value *v);
// Value k of one that is no VALUE_AUTO, VALUE_RANDOM or VALUE_EXPR; k counts values, not packets.
unsigned __int128 stream_value_at(const struct stream_value *v, uint64_t k);
// Fixes what depends on the copy: per_copy becomes VALUE_ONE, VALUE_EXPR a list (new memory, which the caller
// frees). 0, or -EINVAL and err.
int stream_value_copy(struct stream_value *to, const struct stream_value *v, const struct layer_field *f,
		      uint64_t copy, uint32_t seed, struct err *err);
void stream_value_free(struct stream_value *v);

// --- layers (config_stream_layers.c, config_stream_stack.c) ---

enum layer_id {
	LAYER_ETH, LAYER_VLAN, LAYER_MPLS, LAYER_IP4, LAYER_IP6, LAYER_UDP, LAYER_TCP, LAYER_ICMP, LAYER_ICMP6,
	LAYER_GRE, LAYER_VXLAN, LAYER_ARP, LAYER_KINDS
};

// Places of fields in layer_type.field, where code names them.
enum { ETH_DST, ETH_SRC, ETH_TYPE };
enum { VLAN_ID, VLAN_PCP, VLAN_DEI, VLAN_TPID, VLAN_TYPE };
enum { MPLS_LABEL, MPLS_TC, MPLS_S, MPLS_TTL };
enum { IP_SRC, IP_DST, IP_PROTO }; // of both families
enum { UDP_SRC, UDP_DST, UDP_CSUM };
enum { GRE_KEY, GRE_SEQ, GRE_CSUM, GRE_PROTO };
enum { VXLAN_VNI };
enum { ARP_OP, ARP_SENDER_MAC, ARP_SENDER_IP, ARP_TARGET_MAC, ARP_TARGET_IP };

struct layer_type {
	const char *name;
	uint8_t len;   // of the header at least
	uint8_t brief; // the field that a bare value is for
	uint8_t csum;  // where its checksum lies; 0: it has none
	uint16_t next; // bit of each layer that may follow
	const struct layer_field *field;
};

extern const struct layer_type layer_types[LAYER_KINDS];

struct stream_layer {
	uint8_t id;    // enum layer_id
	uint16_t at;   // where its header begins; set when it is laid out
	struct config_place place;
	struct stream_value value[STREAM_FIELDS_MAX];
};

unsigned layer_len(const struct stream_layer *l);
unsigned layer_bit(const struct stream_layer *l, unsigned field); // with what optional fields shift
// EtherType, IP protocol or GRE protocol of layer `id` behind layer `under`; 0: there is none.
uint16_t layer_code(uint8_t under, uint8_t id);

// Reads layers: [NAME, NAME: VALUE, NAME: {FIELD: VALUE, …}]. False after a diag.
struct config_stream;
void stream_layers_read(struct config_reader *r, yaml_node_t *node, struct config_stream *s);
// Adds one before layer `at` and gives it.
struct stream_layer *stream_layer_add(struct config_stream *s, unsigned at, uint8_t id);

// --- a stream ---

struct stream_length {
	uint16_t len; // with FCS
	uint16_t weight;
};

struct config_stream {
	char *name;
	int port;
	bool bad; // said wrongly, diags are there
	struct stream_layer *layer; // LAYER_ETH first
	unsigned layers;
	struct stream_length *length; // none: the least
	size_t n_length, room_length;
	bool shuffled;
	uint8_t *payload; // begins the payload
	size_t payload_len;
	uint8_t pattern; // enum stream_pattern: of what follows it
	bool repeat;	 // or it again
	uint8_t *frame;	 // a whole one, without FCS, instead of layers
	size_t frame_len;
	bool is_signed;
	uint8_t via_family; // 0: not said
	union ip_addr via;
	uint32_t copies;
	struct blob_stream blob; // rate, shape, burst, seed, start, count, duration
	struct config_place place, port_place, length_place, layers_place, via_place;
};

enum stream_pattern { PATTERN_ZEROS, PATTERN_INCREMENT, PATTERN_RANDOM, PATTERNS };

// --- keys of a stream; arg is a struct stream_reader ---

struct stream_reader {
	struct config_reader *r;
	struct config_stream *s;
};

void stream_read_length(struct ydoc *y, yaml_node_t *node, void *arg);
void stream_read_rate(struct ydoc *y, yaml_node_t *node, void *arg);
void stream_read_burst(struct ydoc *y, yaml_node_t *node, void *arg);
void stream_read_shape(struct ydoc *y, yaml_node_t *node, void *arg);
void stream_read_start(struct ydoc *y, yaml_node_t *node, void *arg);
void stream_read_count(struct ydoc *y, yaml_node_t *node, void *arg);
void stream_read_duration(struct ydoc *y, yaml_node_t *node, void *arg);
void stream_read_seed(struct ydoc *y, yaml_node_t *node, void *arg);
void stream_read_payload(struct ydoc *y, yaml_node_t *node, void *arg);
void stream_read_frame(struct ydoc *y, yaml_node_t *node, void *arg);

// {pcap: FILE, packet: N, skip: BYTES} (config_stream_capture.c): bytes of a captured packet, which the caller
// frees. False after a diag.
struct stream_capture {
	yaml_node_t *file;
	uint32_t packet, skip;
	bool bad;
	uint8_t *data;
	size_t len;
};
bool stream_capture_read(struct config_reader *r, yaml_node_t *node, bool whole, struct stream_capture *p);

// Numbers with a unit behind (config_stream_text.c): "1.5M" and scale 1000 is 1500000000. units: "k", "M" and so
// on, each with its factor; no unit is factor 1, where `bare`. False: none, or beyond 64 bits.
struct text_unit {
	const char *name;
	uint64_t factor;
};
extern const struct text_unit units_si[];   // k, M, G, T
extern const struct text_unit units_time[]; // ns, us, ms, s, m, h: in ns
bool text_scaled(const char *s, const struct text_unit *units, bool bare, uint64_t scale, uint64_t *v);

// --- from streams to frames ---

// What is wrong with a stream as a whole, and where.
struct stream_fault {
	struct config_place place;
	struct err err;
};

// Says what is wrong; gives -EINVAL.
int stream_fault(struct stream_fault *f, const struct config_place *place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define STREAM_LISTS (2 * STREAM_LAYERS_MAX * STREAM_FIELDS_MAX) // an IPv6 address has two

// One copy of a stream on its way: layers without a VALUE_AUTO or per_copy left.
struct stream_plan {
	const struct config *c;
	const struct config_stream *s;
	struct stream_layer *layer;
	unsigned layers;
	unsigned head_len;
	uint8_t via_family; // 0: no next hop is resolved
	union ip_addr via;
	bool port_mac; // the frames' source is the port's address
	uint32_t *list; // STREAM_LISTS places of lists that all copies share, plus 1; 0: not there yet
};

// What was left to us: addresses, ports, types (config_stream_defaults.c); the next hop (config_stream_hop.c).
int stream_defaults(struct stream_plan *p, struct stream_fault *f);
int stream_hop(struct stream_plan *p, struct stream_fault *f);

// The checksums of a stack (config_stream_sums.c).
struct stream_sum {
	uint8_t layer;
	uint16_t at;	   // of the checksum
	uint16_t from, to; // what it covers; to 0: the end of the frame
	int pseudo;	   // the layer whose addresses it counts, too; -1: none
	bool udp;	   // 0 is sent as 0xffff
};
#define STREAM_SUMS_MAX (2 * STREAM_LAYERS_MAX)
unsigned stream_sums(const struct stream_plan *p, struct stream_sum sum[STREAM_SUMS_MAX]);
// How much each of n checksums counts what lies at byte `at` of the head (of layer `addr`, when it is one of its
// addresses, else -1): 1, 0, or -1, where checksums inside make more than up for it. at UINT_MAX: the signature.
void stream_sum_weights(const struct stream_sum *sum, unsigned n, unsigned at, int addr, int weight[]);

// The heads of a plan (config_stream_head.c). stream_body gives len bytes of payload.
struct stream_body {
	uint8_t *data;
	uint32_t *sum; // of the first 2 k bytes, as csum_add
	unsigned len;
};
void stream_body(const struct config_stream *s, unsigned len, struct stream_body *b); // the end of a whole frame
void stream_body_free(struct stream_body *b);
void stream_head(const struct stream_plan *p, uint8_t *head); // all but lengths and checksums
void stream_head_finish(const struct stream_plan *p, const struct stream_sum *sum, unsigned sums,
			const struct stream_body *body, unsigned len, uint8_t *head);

// The fields that change, added to out, and what b says of them and of checksums (config_stream_fields.c).
int stream_fields(struct stream_plan *p, const struct stream_sum *sum, unsigned sums, struct config_frames *out,
		  struct blob_stream *b, struct stream_fault *f);

// Everything of c->streams into c->frames, faults as diags. Streams that were said wrongly are passed over.
void config_check_streams(struct config_reader *r);
void config_streams_free(struct config *c);

#endif
