// SPDX-License-Identifier: BSD-3-Clause
// replay_split.h - by which port a captured packet leaves; which hosts are clients
#ifndef WEIR_APPS_TOOL_REPLAY_SPLIT_H
#define WEIR_APPS_TOOL_REPLAY_SPLIT_H

#include "apps/tool/replay_conf.h"
#include "core/err.h"
#include "pmd/pcap/reader.h"

struct replay_hosts; // what each address of captures did

// Reads every capture that is split into clients and servers, and judges their hosts. *h is NULL when there is none.
// 0 or -errno and err.
int replay_hosts_learn(const struct replay_conf *c, struct replay_hosts **h, struct err *err);
void replay_hosts_free(struct replay_hosts *h);
// What a frame's two hosts did, by it alone (learn() calls it).
void replay_hosts_see(struct replay_hosts *h, const uint8_t *f, uint32_t len);
struct replay_hosts *replay_hosts_new(void);

// The port of record r of capture c; REPLAY_NOWHERE.
uint16_t replay_split(const struct replay_capture *c, const struct replay_hosts *h, const struct capture_reader *r);

#endif
