// SPDX-License-Identifier: BSD-3-Clause
// model.h - a virtio-net PCI device in software, for tests: honest by default, every lie a knob
//
// Stands where the machine would: it is what core/pci.h and pmd/virtio/mmio.h reach. The device
// side of the rings is written from virtio 1.2 sections 2.7, 2.8 and 5.1.6 without any of the
// driver's code, and is strict: what a driver must not do fails the test. One device at a time.
#ifndef WEIR_TESTS_VIRTIO_MODEL_H
#define WEIR_TESTS_VIRTIO_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_RX 0u
#define MODEL_TX 1u

#define MODEL_F_MTU	    (1ull << 3)
#define MODEL_F_MAC	    (1ull << 5)
#define MODEL_F_MRG_RXBUF   (1ull << 15)
#define MODEL_F_STATUS	    (1ull << 16)
#define MODEL_F_EVENT_IDX   (1ull << 29)
#define MODEL_F_VERSION_1   (1ull << 32)
#define MODEL_F_RING_PACKED (1ull << 34)
#define MODEL_F_IN_ORDER    (1ull << 35)

// Where model_reset() puts the four capabilities in configuration space.
#define MODEL_CAP_COMMON 0x40u
#define MODEL_CAP_NOTIFY 0x50u
#define MODEL_CAP_ISR	 0x64u
#define MODEL_CAP_DEVICE 0x74u
#define MODEL_CAP_MSIX	 0x84u
#define MODEL_NO_VECTOR	 0xffffu

struct model_queue {
	uint16_t max; // size offered
	uint16_t notify_off;
	// As the driver set it.
	uint16_t size, enable;
	uint64_t desc, avail, used;
	uint16_t vector; // MODEL_NO_VECTOR: none
	// The device's own.
	uint16_t next_avail, used_idx; // packed: of descriptors, free-running too
	uint16_t next_id;	       // with IN_ORDER
	unsigned packets_taken;
	unsigned doorbells;
};

struct model {
	// Knobs, honest after model_init(). Kept over resets of the device.
	uint8_t pci[256]; // configuration space
	size_t bar_len;
	uint64_t features;
	uint8_t mac[6];
	uint16_t net_status, pairs, mtu;
	uint16_t queues;
	bool refuse_features; // FEATURES_OK does not stick
	bool restless;	      // the generation changes at every look
	unsigned reset_reads; // reads of the status before a reset is done
	bool no_vectors;      // refuses MSI-X vectors
	int msix_fails;	      // what programming the MSI-X table answers
	bool mmio;	      // behind MMIO registers (4.2.2), not on the PCI bus
	uint32_t mmio_magic, mmio_version, mmio_id;
	bool absent;	      // no such device on the bus
	uint8_t rx_header[10]; // of received packets, in front of num_buffers
	bool offloads;	       // headers of sent packets need not be zeros
	void (*bell)(unsigned q); // called when the driver rings; NULL: not
	bool lenient; // a driver's mistakes are not fatal: for fuzzing a driver's reaction alone
	// State.
	uint8_t status, generation;
	uint8_t tx_header[12]; // of the packet that model_transmit() took last
	uint64_t driver_features;
	uint32_t feature_select, driver_select;
	uint16_t queue_select;
	unsigned reset_wait, resets;
	bool bus_master;
	unsigned msix_entry, msix_lcore, msix_calls; // as last programmed
	struct model_queue q[2];
};

extern struct model model;

// An honest device: all features, rings of 256, link up, MTU 1500.
void model_init(void);

// Changes the configuration as a device does: with a new generation.
void model_set_link(bool up);

// Device side of the rings. The queue must be enabled and the driver ready.

// Takes the next buffer the driver made available on queue q; its head descriptor, -1 when there is
// none.
int model_take(unsigned q);

// Says that buffer `id` has been used, `len` bytes written. Anything may be said.
void model_use(unsigned q, uint32_t id, uint32_t len);

// The same of n buffers in order, of which id is the last, by one element (IN_ORDER); packed: n
// descriptors.
void model_skip_to(unsigned q, uint32_t id, uint32_t len, unsigned n);

// Writes used elements without moving the index, and moves the index: for lies about it. Packed:
// writes length and id, and flags descriptors as used up to the index.
void model_put_used(unsigned q, uint16_t at, uint32_t id, uint32_t len);
void model_set_used_idx(unsigned q, uint16_t idx);

void model_set_no_notify(unsigned q, bool on);

// Whether the driver wants an interrupt when a buffer of queue q is used, and has a vector for it.
bool model_interrupts(unsigned q);

// A received frame, over as many buffers as it takes. False when too few are there (none is taken).
bool model_receive(const void *frame, size_t len);

// The same, with an arbitrary num_buffers in the header.
bool model_receive_as(const void *frame, size_t len, uint16_t num_buffers);

// Copies the bytes of chain `head` of the transmit queue, header included; returns how many.
size_t model_gather(int head, void *dst, size_t cap);

// Takes a sent packet, checks its header, copies the frame and gives the buffer back. Its length,
// or -1 when there is none.
int model_transmit(void *frame, size_t cap);

// Writes len bytes to the buffer of descriptor id of the receive queue, up to its length.
void model_write(int id, const void *data, size_t len);

#endif
