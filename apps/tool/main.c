// SPDX-License-Identifier: BSD-3-Clause
// main.c - weir: the tool's subcommands
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/tool/tool.h"
#include "apps/tool/util.h"

static const struct command commands[] = {
	{"check", "validate a configuration without running it",
	 "weir check FILE\n"
	 "  Prints every error as FILE:line:column: value: what was expected. Exit 0 or 2.\n",
	 cmd_check},
	{"run", "run a configuration in this process",
	 "weir run FILE [--port NAME=DEVICE]... [--clock capture|real] [--linger SECONDS]\n"
	 "                [--memory MIB] [--cpu N] [--control PATH] [--json]\n"
	 "  --port NAME=DEVICE  use DEVICE for port NAME instead of the file's:\n"
	 "                        pcap:IN,OUT   play capture IN, record into OUT (either may be empty)\n"
	 "                        pcap:live=IFACE  an interface of this host, by libpcap\n"
	 "                        dpdk:DEVARGS  any DPDK ethdev: net_vhost0,iface=PATH, a PCI address\n"
	 "                        tap:NAME      a TAP device of this host, attached to or made\n"
	 "                        packet:IFACE, xdp:IFACE  an interface, by AF_PACKET, AF_XDP\n"
	 "                        virtio-user:PATH[,server]  a vhost-user back end, by our own driver\n"
	 "                        loop:NAME     two ports of one NAME are connected\n"
	 "                        null:[size=N] discard; with a size make frames of N bytes\n"
	 "                        weir ports tells the options of each, and what it can\n"
	 "  --clock capture     time is that of the captured packets (the default when a port plays\n"
	 "                      a capture and no port is live); real: the machine's\n"
	 "  --linger SECONDS    after the captures' end, wait so long for live ports (default 1)\n"
	 "  --memory MIB        packet memory (default 256)\n"
	 "  --cpu N             stay on this CPU (for measuring)\n"
	 "  --control PATH      listen there for weir ctl PATH (a unix socket, for this user alone)\n"
	 "  --json              print figures as JSON\n"
	 "  Ends when the captures end, or by ^C. Exit 0 only when every packet is accounted for.\n",
	 cmd_run},
	{"boot", "boot a configuration as an image under QEMU",
	 "weir boot FILE --vhost NAME=SOCKET[,server]... [--accel auto|kvm|tcg]\n"
	 "                 [--machine microvm|q35] [--memory MIB] [--cpus N] [--image ELF]\n"
	 "                 [--control PATH] [--duration SECONDS] [--json] [--dry-run]\n"
	 "  --vhost NAME=SOCKET  the vhost-user socket of port NAME; with ,server QEMU listens on it\n"
	 "  --accel auto         kvm where /dev/kvm can be used, else tcg (the default)\n"
	 "  --machine microvm    the quickest to start (the default); q35: a common PC\n"
	 "  --memory MIB         default: what the configuration needs\n"
	 "  --cpus N             default: one for each of the configuration's lcores\n"
	 "  --image ELF          default: weir-FUNCTION.elf beside weir\n"
	 "  --control PATH       the image's control channel, for weir ctl PATH (a unix socket)\n"
	 "  --duration SECONDS   stop after so long (default: run until ^C)\n"
	 "  --json               print figures as JSON, and the console on standard error\n"
	 "  --dry-run            print the command line and stop\n"
	 "  On ^C the image reports its figures; a second ^C ends it without. Exit 0 only when it\n"
	 "  did and every packet is accounted for.\n",
	 cmd_boot},
	{"pktgen", "generate traffic and measure what comes of it",
	 "weir pktgen FILE [--port NAME=DEVICE]... [OPTION]...\n"
	 "       weir pktgen --port NAME=DEVICE... [OPTION]... [WHAT TO SEND]...\n"
	 "  FILE has function: pktgen and streams:; without it the first port sends, to the second.\n"
	 "  --duration TIME     so long (10s, 500ms, 2m); unless said: as the streams say, or until ^C\n"
	 "  --count N           so many packets a stream (1000, 10M)\n"
	 "  --max-loss PERCENT  exit 1 when more is lost (0; 0.1%); unless given, loss is no failure\n"
	 "  --interval TIME     between figures (1s)     --drain TIME  wait for the last packets (2s)\n"
	 "  --learn N           packets a stream beforehand, which do not count, for devices to learn from\n"
	 "                      (256 where there are next hops, else 0)\n"
	 "  --resolve TIME      how long next hops may take to answer (10s)\n"
	 "  --json              a line of JSON an interval, and one with everything at the end\n"
	 "  --plain             lines of text, no live view     --all  report every stream\n"
	 "  --memory MIB  --cpu N  --control PATH  as of weir run\n"
	 "What to send, without FILE:\n"
	 "  --dst A, --dst A-B  addresses (IPv4 or IPv6); --src, --sport, --dport likewise\n"
	 "  --proto udp|tcp|icmp|icmp6   --vlan ID\n"
	 "  --length 64 | 64-1518 | 64,512,1518 | imix | imix:NAME   with FCS (the least)\n"
	 "  --rate top | 1Mpps | 10G | l2:10G | 50%   bits are of layer 1 unless l2: stands before\n"
	 "  --burst N   --shape constant | poisson | ON:OFF (10ms:5ms)\n"
	 "  --address NAME=ADDRESS/LENGTH  the port's own: it answers ARP, ND and ping, and asks for\n"
	 "                      next hops: the destination, or --via [NAME=]ADDRESS\n"
	 "  --dst-mac MAC       to this station instead; unless said, and without --address: the other\n"
	 "                      port's. --mac NAME=MAC: a port's own\n"
	 "  --line NAME=10G     a port's line rate, where the device does not know it\n"
	 "  --both              every port sends      --lcores N\n"
	 "  --print             print the FILE that these options stand for, and stop\n"
	 "  q or ^C ends sending and reports; again: at once. Exit 0; 1: something failed (a next hop\n"
	 "  that does not answer, --max-loss, books that do not balance); 2: the words are wrong.\n",
	 cmd_pktgen},
	{"ctl", "change and show the tables of a running Weir",
	 "weir ctl ENDPOINT COMMAND... [--json] [--confirm TIME]\n"
	 "  ENDPOINT is the socket of weir run --control, or weir boot --control. COMMAND:\n"
	 "  route add|replace|del|forget [blackhole|unreachable|prohibit] PREFIX [via ADDRESS]\n"
	 "                    [interface NAME] [weight N] [nexthop via ...]... [vrf NAME]\n"
	 "  route show [PREFIX|within PREFIX] [vrf NAME] [-4|-6]    route get ADDRESS [vrf NAME]\n"
	 "  route load [whole] FILE    add or replace the routes of FILE, one a line, as above\n"
	 "  neighbor add|replace|del|forget ADDRESS interface NAME [mac MAC]    neighbor show\n"
	 "  port show [NAME]    port up|down NAME    stats    show\n"
	 "  apply FILE          the route and neighbor commands of FILE, one a line, all or none\n"
	 "  confirm, rollback   keep, or take back, what was changed with --confirm\n"
	 "  FILE may be - for standard input; # begins a comment. forget: del, if it is there.\n"
	 "  --confirm TIME  (30s, 5m) take the change back then unless it is confirmed\n"
	 "  --json          print JSON\n"
	 "  Exit 0: done; 1: refused, or no answer; 2: the words are wrong.\n",
	 cmd_ctl},
	{"fpm", "feed the routes of FRR into a running Weir",
	 "weir fpm [--listen ADDRESS:PORT] [--vrf TABLE=VRF]... [--interface HOST=NAME]...\n"
	 "                [--stale SECONDS] [--every SECONDS] [--json] ENDPOINT\n"
	 "  ENDPOINT is the socket of weir run --control, or weir boot --control. FRR connects by\n"
	 "  zebra -M dplane_fpm_nl and its command fpm address ADDRESS port PORT.\n"
	 "  --listen ADDRESS:PORT  where (127.0.0.1:2620); whoever connects sets Weir's routes\n"
	 "  --vrf TABLE=VRF        the routes of FRR's table TABLE belong to Weir's VRF; the main\n"
	 "                         table to the default one, and other tables to none\n"
	 "  --interface HOST=NAME  link-local next hops by the FRR host's interface HOST (name or\n"
	 "                         number) are on Weir's NAME; unless said: that of the same name\n"
	 "  --stale SECONDS        after FRR came back: what it does not announce in this time is\n"
	 "                         withdrawn (60)\n"
	 "  --every SECONDS        how often to say how things are, on standard error (10)\n"
	 "  --json                 that as a line of JSON on standard output\n"
	 "  Ends by ^C or SIGTERM; the routes stay in Weir until the next weir fpm takes them over.\n",
	 cmd_fpm},
	{"replay", "send the packets of captures, each at its time",
	 "weir replay CAPTURE... --port NAME=DEVICE [--port NAME=DEVICE] [OPTIONS]\n"
	 "       weir replay FILE.yaml [--port NAME=DEVICE]... [--cpu N] [--memory MIB] [--json]\n"
	 "       weir replay FILE.yaml --in PORT=CAPTURE... [--golden PORT=CAPTURE]... (--in --help says more)\n"
	 "  Of several ports, the first sends the first capture, the second the second, or:\n"
	 "  --split client       clients' packets by the first port, servers' by the second\n"
	 "  --split interface    by the capture's interfaces 0, 1, ...\n"
	 "  --split A[,B...]     what comes from these prefixes or MAC addresses by the first port\n"
	 "  --speed captured|xN|Npps|{pps: N}|{l1: BITS}|{l2: BITS}|top|step\n"
	 "                       as captured (the default), N times as fast, or at a rate; step: one\n"
	 "                       packet whenever Enter is hit, N when N is typed before\n"
	 "  --loops N|forever    how often (1); --loop-gap TIME: and the time between\n"
	 "  --unique STEP        add STEP to IP addresses in every further loop\n"
	 "  --start TIME         wait so long first; --max-gap TIME: and never longer between packets\n"
	 "  --src-mac, --dst-mac [PORT=]MAC, --vlan [PORT=]N|none, --ttl [PORT=]N|+N|-N,\n"
	 "  --map [PORT=]PREFIX:PREFIX, --map-port [PORT=]N:M      change packets (;-separated: several)\n"
	 "  --truncate N, --pad N, --snapped send|pad|skip, --fix  their lengths; checksums anew\n"
	 "  --preload, --stream  read all before (the default up to 256 MiB), or meanwhile\n"
	 "  --duration TIME      stop after so long\n"
	 "  --cpu N              stay on this CPU; --memory MIB: of packets (default: what it takes)\n"
	 "  --json               print figures as JSON\n"
	 "  Devices as for weir run. Times: 10ms, 1.5s; bytes without FCS. Exit 0: all was sent.\n",
	 cmd_replay},
	{"bench", "benchmark what is behind the ports by the book",
	 "weir bench FILE [-o RESULTS.json] [--profile NAME] [--test LIST] [--port NAME=DEVICE]...\n"
	 "       weir bench --compare BEFORE.json AFTER.json [--json]\n"
	 "       weir bench --report RESULTS.json -o REPORT.html\n"
	 "  FILE is a configuration of function pktgen: its streams say what is sent, and how they share the load.\n"
	 "  -o RESULTS.json      everything, written anew after every trial\n"
	 "  --profile NAME       quick, rfc2544 (the default), rfc8219, tst009 or mlrsearch; options change it:\n"
	 "  --test LIST          of throughput,latency,pdv,frame_loss,back_to_back,recovery,reset\n"
	 "  --method NAME        binary, tst009 (loss verification) or mlrsearch\n"
	 "  --size LIST          frame sizes with FCS: 64,512,1518\n"
	 "  --duration TIME, --settle TIME, --pause TIME   of a trial; for the device to deliver; before the next\n"
	 "  --repeat N           repetitions of every test\n"
	 "  --resolution SHARE   where a search ends, of the load: 0.5%\n"
	 "  --loss SHARE         that throughput tolerates (0)\n"
	 "  --verify R[,Z]       tst009: trials of a load until one has no loss; over Z lost frames one is enough\n"
	 "  --goal LOSS,SUM,EXCEED[,WIDTH]  of MLRsearch, once for each: 0.5%,21s,50%,0.5%\n"
	 "  --mix LIST           every test with so much of the load IPv6, per cent: 0,50,100\n"
	 "  --max RATE           frames a second to try at most, instead of the line's: 2M\n"
	 "  --latency TIME, --latency-load SHARE   how long, and at which share of the throughput\n"
	 "  --burst TIME, --burst-step FRAMES      the longest burst, and the search's resolution\n"
	 "  --overload TIME      before recovery\n"
	 "  --reset-command CMD  test reset: what resets the device, for sh\n"
	 "  --interference SHARE of a trial's time; with more taken by the host it is invalid, and repeated\n"
	 "  --pace SHARE         of the intended frames (0.1%); if the generator fails to send more, it is invalid\n"
	 "  --tries N            of a load, until a trial is valid (5)\n"
	 "  --device-pid PID     the device's process, if it is one of this machine: its waiting for a CPU counts\n"
	 "  --name TEXT, --note TEXT   of the device, for the results\n"
	 "  --port, --memory MIB, --cpu N   as of weir run\n"
	 "  --plan               say what would be done and how long it takes\n"
	 "  --json               print the results, or the comparison, as JSON\n"
	 "  Exit 0: done, nothing is worse beyond noise; 1: incomplete, or worse, or missing; 2: usage.\n",
	 cmd_bench},
	{"pack", "make one bootable file with the configuration inside",
	 "weir pack FILE -o IMAGE [--image ELF]\n"
	 "  --image ELF  default: weir-FUNCTION.elf beside weir\n"
	 "  Boot it with qemu -kernel IMAGE. A changed byte in the configuration is refused at boot.\n",
	 cmd_pack},
	{"doctor", "say what this host lacks, what that does, and what mends it",
	 "weir doctor [FILE] [--pid QEMU] [--probe MS] [--noise] [--json] [--all] [--root DIR]\n"
	 "  FILE         look also at what this configuration's ports need\n"
	 "  --pid QEMU   look also at this running QEMU: its memory, queues, threads\n"
	 "  --probe MS   poll so long for gaps on every CPU (default 1000; 0: do not)\n"
	 "  --noise      nothing but that\n"
	 "  --json       an array of {id, severity, found, effect, mend}\n"
	 "  --all        show also what is good\n"
	 "  --root DIR   look at another machine's /proc, /sys and /dev, copied under DIR\n"
	 "  Exit 0: nothing prevents work; 1: something does; 2: usage or FILE is wrong.\n",
	 cmd_doctor},
	{"ports", "show every port driver and what it can",
	 "weir ports [--json|--markdown] [--figures FILE]\n"
	 "  --figures FILE  add the benchmark figures that perf/ports.py wrote\n"
	 "  What a driver can at its best; what each port of a run got is printed at its start.\n",
	 cmd_ports},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

int usage_error(const struct command *cmd, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "weir %s: ", cmd->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nusage: %s", cmd->usage);
	return EXIT_USAGE;
}

int usage_option(const struct command *cmd, int argc, char **argv, int c)
{
	char word[64];

	if (c == 'h') {
		printf("weir %s: %s\nusage: %s", cmd->name, cmd->summary, cmd->usage);
		return 0;
	}
	// Within letters written together, argv[optind - 1] is still the word before them.
	if (optopt && strncmp(argv[optind - 1], "--", 2))
		snprintf(word, sizeof(word), "-%c", optopt);
	else
		snprintf(word, sizeof(word), "%s", argv[optind - 1]);
	return usage_error(cmd, c == ':' ? "%s: expected a value behind it" : "%s: unknown option",
			   word);
}

bool load_config(struct config *c, const char *path)
{
	struct diags diags = {0};
	bool ok = config_load(c, path, &diags);

	diag_print(&diags, stderr);
	diag_free(&diags);
	if (!ok)
		config_free(c);
	return ok;
}

int split_port(const struct config *c, char *arg, char **rest, struct err *err)
{
	char *eq = strchr(arg, '=');
	int port;

	if (!eq)
		return err_set(err, -EINVAL, "%s: expected NAME=…", arg);
	*eq = 0;
	*rest = eq + 1;
	port = config_port(c, arg);
	if (port < 0)
		return err_set(err, -ENOENT, "%s: the configuration has no port of this name", arg);
	return port;
}

char *image_path(const char *given, const char *function)
{
	char self[4096], *path;
	ssize_t n;

	if (given)
		return xstrdup(given);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return xasprintf("weir-%s.elf", function);
	self[n] = 0;
	*strrchr(self, '/') = 0;
	path = xasprintf("%s/weir-%s.elf", self, function);
	return path;
}

static int help(FILE *out, int status)
{
	size_t i;

	fputs("weir: network functions as bootable images and as Linux processes\n"
	      "usage: weir COMMAND …\n",
	      out);
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-6s %s\n", commands[i].name, commands[i].summary);
	fputs("weir COMMAND --help says more, weir --version which weir this is.\n", out);
	return status;
}

// What a script reads must have got there.
static int flushed(int status)
{
	if (!ferror(stdout) && !fflush(stdout))
		return status;
	fprintf(stderr, "weir: standard output: %s: figures or messages are lost\n",
		strerror(errno));
	return status ? status : EXIT_JOB;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		return help(stderr, EXIT_USAGE);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return flushed(help(stdout, 0));
	if (!strcmp(argv[1], "--version")) {
		printf("weir %s\n", weir_version);
		return flushed(0);
	}
	for (i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		opterr = 0;
		return flushed(commands[i].run(&commands[i], argc - 1, argv + 1));
	}
	fprintf(stderr, "weir: %s: unknown command\n", argv[1]);
	return help(stderr, EXIT_USAGE);
}
