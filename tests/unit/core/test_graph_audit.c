// SPDX-License-Identifier: BSD-3-Clause
// test_graph_audit.c - audit builds stop at a node that breaks the contract, and name it
//
// Each sin is committed by a child process, whose words and end are looked at. Other builds have no
// audit: there these tests are skipped (test_graph.c has what those builds do instead).
#include "tests/unit/core/graph_kinds.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct clock now_clock;

static uint8_t pick_no_edge(struct node *node, struct mbuf *m)
{
	return 5; // of two
}

static uint8_t pick_no_reason(struct node *node, struct mbuf *m)
{
	return NEXT_DROP(2); // of two
}

static uint8_t pick_release_what_it_has_not(struct node *node, struct mbuf *m)
{
	graph_sent_held(node, 3);
	return NEXT_HELD;
}

static uint8_t pick_emit_nowhere(struct node *node, struct mbuf *m)
{
	graph_emit(node, 9, m);
	return NEXT_CONSUMED;
}

static uint8_t pick_drop_held_for_nothing(struct node *node, struct mbuf *m)
{
	graph_drop_held(node, 77, m);
	return NEXT_HELD;
}

static uint8_t pick_enter_again(struct node *node, struct mbuf *m)
{
	graph_rx(node->graph, node, &m, 1);
	return NEXT_CONSUMED;
}

static uint8_t pick_forever(struct node *node, struct mbuf *m)
{
	return NEXT_HELD;
}

// Sets next for none but the first packet.
static void forgetful_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	next[0] = NEXT_CONSUMED;
}

static const struct node_def forgetful_def = {.name = "forgetful", .process = forgetful_process};

// Holds packets and does not drop them when it is destroyed.
static void careless_destroy(struct node *node)
{
}

static const struct node_def careless_def = {
	.name = "careless", .process = picker_process, .destroy = careless_destroy};

static void commit(const struct node_def *def, uint8_t (*pick)(struct node *, struct mbuf *),
		   unsigned n)
{
	struct picker p = {.pick = pick, .due = TIME_NEVER};
	struct graph *g = graph_create(&now_clock, NULL);
	struct node *node = graph_add(g, def, "sinner", &p, NULL);
	struct mbuf *pkts[GRAPH_BURST + 1];

	for (unsigned e = 0; e < node->edges; e++)
		node->edge[e] = node;
	test_packets(test_pool(256), pkts, n, 0);
	graph_rx(g, node, pkts, n);
	graph_destroy(g);
}

// The child writes to a pipe in place of stderr and must end by abort().
static void expect(const char *words, const struct node_def *def,
		   uint8_t (*pick)(struct node *, struct mbuf *), unsigned n)
{
#ifndef WEIR_AUDIT
	skip();
#endif
	char text[2048];
	size_t len = 0;
	ssize_t got;
	int fd[2], status;
	pid_t child;

	assert_int_equal(pipe(fd), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		signal(SIGABRT, SIG_DFL); // cmocka's is in the way
		dup2(fd[1], STDERR_FILENO);
		commit(def, pick, n);
		_exit(0);
	}
	close(fd[1]);
	while (len < sizeof(text) - 1 && (got = read(fd[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = 0;
	close(fd[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || !strstr(text, words))
		fail_msg("status %#x, wanted '%s', said: %s", (unsigned)status, words, text);
}

static void test_no_edge(void **state)
{
	expect("graph: node 'sinner' named no edge and no drop reason with next 5\n"
	       "graph: rx 1 + generated 0 = ",
	       &picker_def, pick_no_edge, 1);
}

static void test_no_reason(void **state)
{
	expect("node 'sinner' named no edge and no drop reason with next 130", &picker_def,
	       pick_no_reason, 1);
}

static void test_next_unset(void **state)
{
	expect("node 'sinner' named no edge and no drop reason with next 192", &forgetful_def, NULL,
	       2);
}

static void test_over_release(void **state)
{
	expect("node 'sinner' let go more packets than it held, by 2", &picker_def,
	       pick_release_what_it_has_not, 1);
}

static void test_emit_nowhere(void **state)
{
	expect("node 'sinner' emitted or released to an edge it has not: 9", &picker_def,
	       pick_emit_nowhere, 1);
}

static void test_drop_for_nothing(void **state)
{
	expect("node 'sinner' dropped for a reason it has not: 77", &picker_def,
	       pick_drop_held_for_nothing, 1);
}

static void test_reentry(void **state)
{
	expect("node 'sinner' was given by graph_rx(), from within a node or as a burst of 1",
	       &picker_def, pick_enter_again, 1);
}

static void test_burst_too_long(void **state)
{
	expect("node 'sinner' was given by graph_rx(), from within a node or as a burst of ",
	       &picker_def, pick_forever, GRAPH_BURST + 1);
}

static void test_held_at_destroy(void **state)
{
	expect("node 'sinner' is destroyed while it holds packets: 3", &careless_def, pick_forever, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_edge),
		cmocka_unit_test(test_no_reason),
		cmocka_unit_test(test_next_unset),
		cmocka_unit_test(test_over_release),
		cmocka_unit_test(test_emit_nowhere),
		cmocka_unit_test(test_drop_for_nothing),
		cmocka_unit_test(test_reentry),
		cmocka_unit_test(test_burst_too_long),
		cmocka_unit_test(test_held_at_destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
