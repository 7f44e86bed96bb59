// SPDX-License-Identifier: BSD-3-Clause
// sig.h - the signature of a generated packet: whose it is, which one, and when it was sent
//
// The last SIG_LEN bytes of the innermost payload, which is where the frame ends; where a device has padded
// a short frame, where its IP packet ends. So it passes routers, NAT and tunnels, which change what is in
// front. Big-endian. The checksums over it are right: whoever changes a byte without them is found out.
//
//	offset 0   magic: SIG_MAGIC
//	       2   run: of the trial; anything else is a straggler of an earlier one
//	       4   stream
//	       6   sequence number within the stream, from 0
//	       10  when it was sent: ns since 1970 (in the image: since its clock was started)
//
// The time is read once a burst: packets of one burst may say so up to the time it took to build them early.
#ifndef WEIR_APPS_PKTGEN_SIG_H
#define WEIR_APPS_PKTGEN_SIG_H

#include <stdint.h>

#define SIG_MAGIC 0x5765u // "We"
#define SIG_LEN	  18u

#define SIG_AT_RUN    2u
#define SIG_AT_STREAM 4u
#define SIG_AT_SEQ    6u
#define SIG_AT_TIME   10u

#endif
