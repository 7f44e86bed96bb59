// SPDX-License-Identifier: BSD-3-Clause
// verdict_match.h - which packet that was sent is which of the golden's
//
// The rule, a port at a time (docs/verdicts.md):
// 1. Both lists are walked together. Packets of the same identity (vframe_identity()) are a pair. Where
//    they part, they are joined again at the nearest pair within VMATCH_WINDOW packets of both: the one
//    that skips the fewest. If there is none, at the nearest within VMATCH_WINDOW of either, if VMATCH_PROOF
//    in a row are pairs. What is skipped is a gap; when they meet nowhere, VMATCH_WINDOW of both are.
// 2. What fell into gaps is paired by identity, wherever it is, in order: it has moved.
// 3. What is left of a gap is paired by likeness: 60% of what describes the packet must agree. First the
//    one in the same place of the gap is tried, then VMATCH_NEAR to either side.
// 4. What is left is missing, or unexpected.
#ifndef WEIR_APPS_TOOL_VERDICT_MATCH_H
#define WEIR_APPS_TOOL_VERDICT_MATCH_H

#include "apps/tool/verdict.h"
#include "apps/tool/verdict_trace.h"

#define VMATCH_WINDOW 1024u
#define VMATCH_PROOF  3u
#define VMATCH_NEAR   8u
#define VMATCH_LIKE   60u

// Sets pair, gap, late and verdict of every packet of both.
void verdict_match(struct vpackets *sent, struct vpackets *want, const struct verdict_run *r);

// After that, for each missing packet: the received one that should have become it (record), if one is like
// it that has not become anything else that was expected of this port.
void verdict_explain(struct vtrace *t, struct vpackets *sent, struct vpackets *want);

#endif
