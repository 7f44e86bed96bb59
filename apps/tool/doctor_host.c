// SPDX-License-Identifier: BSD-3-Clause
// doctor_host.c - the machine below: its clock, the hypervisor it is a guest of, KVM and QEMU
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/tool/doctor.h"
#include "apps/tool/util.h"

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0"

static void clock_source(struct doctor *d)
{
	char *name = doctor_read(d, CLOCKSOURCE "/current_clocksource");
	char *all = doctor_read(d, CLOCKSOURCE "/available_clocksource");

	if (!name)
		doctor_unchecked(d, "clock-source", "the kernel's clock", "it is not in /sys");
	else if (!strcmp(name, "tsc") || !strcmp(name, "kvm-clock"))
		doctor_ok(d, "clock-source", "%s", name);
	else
		doctor_add(d, "clock-source", DOCTOR_WARNING,
			   xasprintf("the kernel keeps time by %s (it has: %s)", name,
				     all ? all : name),
			   xstrdup("it found the TSC unsteady, by which Weir keeps time; and every "
				   "clock_gettime() of a peer costs a microsecond"),
			   xstrdup("see why: dmesg | grep -i tsc; where the TSC is good all the "
				   "same: kernel "
				   "command line tsc=reliable clocksource=tsc"));
	free(name);
	free(all);
}

// Ticks of /proc/stat's first line: user nice system idle iowait irq softirq steal.
static void steal(struct doctor *d)
{
	char *stat = doctor_read(d, "/proc/stat");
	uint64_t t[8], all = 0;
	unsigned i, n = 0;

	if (stat)
		n = (unsigned)sscanf(stat,
				     "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
				     " %" SCNu64 " %" SCNu64 " %" SCNu64,
				     &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]);
	free(stat);
	if (n != 8) {
		doctor_unchecked(d, "steal", "time the hypervisor took", "/proc/stat does not say");
		return;
	}
	for (i = 0; i < 8; i++)
		all += t[i];
	all -= t[3] + t[4]; // nobody steals from those who want nothing
	if (t[7] * 1000 > all)
		doctor_add(d, "steal", DOCTOR_WARNING,
			   xasprintf("the hypervisor took %.1f%% of the time this machine wanted "
				     "to run, "
				     "since it started",
				     100.0 * (double)t[7] / (double)all),
			   xstrdup("poll loops stop for milliseconds: packets wait or are lost"),
			   xstrdup("on the host below: a CPU of its own for each vCPU (virsh "
				   "vcpupin, taskset "
				   "on QEMU's vCPU threads); in a cloud: a dedicated instance"));
	else
		doctor_ok(d, "steal", "%.2f%% since this machine started",
			  all ? 100.0 * (double)t[7] / (double)all : 0.0);
}

static void virtualization(struct doctor *d)
{
	char *info = doctor_read(d, "/proc/cpuinfo"),
	     *flags = info ? doctor_field(info, "flags") : NULL;
	char *pvm = doctor_path(d, "/sys/module/kvm_pvm");
	bool guest = flags && doctor_word(flags, "hypervisor"), nested_pvm = !access(pvm, F_OK);
	bool hardware = flags && (doctor_word(flags, "vmx") || doctor_word(flags, "svm"));

	if (!flags)
		doctor_unchecked(d, "nested", "whether this is a guest",
				 "/proc/cpuinfo has no flags");
	else if (nested_pvm)
		doctor_add(
			d, "nested", DOCTOR_WARNING,
			xstrdup("a guest itself, and its KVM is PVM (module kvm_pvm)"),
			xstrdup("guests' ring 0 is emulated, about half a microsecond an "
				"instruction: "
				"firmware takes a second or two, an exit or a console byte tens of "
				"microseconds; forwarding, in ring 3, is at full speed"),
			xstrdup("weir boot --machine microvm (the default), or q35 with qboot "
				"(package "
				"qemu-system-data); a host with VMX or SVM for the rest"));
	else if (guest && hardware)
		doctor_add(d, "nested", DOCTOR_NOTE,
			   xstrdup("a guest itself: its guests are nested"),
			   xstrdup("every exit of an image costs several times as much: boot and "
				   "console, "
				   "not forwarding"),
			   xstrdup("measure boot times on the host itself"));
	else
		doctor_ok(d, "nested", guest ? "a guest" : "not a guest");
	free(pvm);
	free(flags);
	free(info);
}

static void kvm(struct doctor *d)
{
	char *path = doctor_path(d, "/dev/kvm");

	if (!access(path, R_OK | W_OK))
		doctor_ok(d, "kvm", "/dev/kvm can be used");
	else
		doctor_add(
			d, "kvm", doctor_wants_image(d) ? DOCTOR_WARNING : DOCTOR_NOTE,
			xasprintf("/dev/kvm %s", access(path, F_OK)
							 ? "is not there"
							 : "may not be opened by this user"),
			xstrdup("images run under TCG, emulated: about half the packet rate"),
			xstrdup(access(path, F_OK)
					? "modprobe kvm_intel or kvm_amd; virtualization on in the "
					  "firmware; in a guest: nested virtualization on in its "
					  "host"
					: "usermod -aG kvm $USER, then log in again"));
	free(path);
}

// Both of QEMU's spellings: "QEMU emulator version 7.2.22 (Debian …".
static void qemu_version(struct doctor *d)
{
	FILE *p = popen("qemu-system-x86_64 --version 2>/dev/null", "re");
	unsigned major = 0, minor = 0;
	char line[128] = "";

	if (p && fgets(line, sizeof(line), p))
		sscanf(line, "QEMU emulator version %u.%u", &major, &minor);
	if (p)
		pclose(p);
	if (!major)
		doctor_unchecked(d, "qemu", "QEMU's version",
				 "qemu-system-x86_64 --version does not tell");
	else if (major < 7)
		doctor_add(
			d, "qemu", DOCTOR_WARNING, xasprintf("QEMU %u.%u", major, minor),
			xstrdup("images are tried with 7.2; before 5.2 microvm has no PCIe and "
				"images find "
				"no device"),
			xstrdup("QEMU 7.2 or later (Debian 12: apt-get install qemu-system-x86)"));
	else
		doctor_ok(d, "qemu", "version %u.%u", major, minor);
}

static bool in_path(const char *name)
{
	const char *path = getenv("PATH"), *end;
	bool found = false;

	for (; path && *path && !found; path = *end ? end + 1 : end) {
		char *file;

		end = strchrnul(path, ':');
		file = xasprintf("%.*s/%s", (int)(end - path), path, name);
		found = !access(file, X_OK);
		free(file);
	}
	return found;
}

static void qemu(struct doctor *d)
{
	char *path = doctor_path(d, "/usr/bin/qemu-system-x86_64");
	bool there = *d->root ? !access(path, F_OK) : in_path("qemu-system-x86_64");

	free(path);
	if (!there)
		doctor_add(d, "qemu", doctor_wants_image(d) ? DOCTOR_ERROR : DOCTOR_NOTE,
			   xstrdup("qemu-system-x86_64 is not installed"),
			   xstrdup("weir boot cannot start images here; weir run needs none"),
			   xstrdup("apt-get install qemu-system-x86"));
	else if (*d->root)
		doctor_unchecked(d, "qemu", "QEMU's version", "it is another machine's");
	else
		qemu_version(d);
}

void doctor_host(struct doctor *d)
{
	clock_source(d);
	steal(d);
	virtualization(d);
	kvm(d);
	qemu(d);
}
