// SPDX-License-Identifier: BSD-3-Clause
// util.c - memory and whole files for the host tool
#include "apps/tool/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Noreturn void die_no_memory(void)
{
	fputs("weir: out of memory\n", stderr);
	exit(1);
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n);
	if (!p)
		die_no_memory();
	return p;
}

char *xstrdup(const char *s)
{
	char *p = strdup(s);

	if (!p)
		die_no_memory();
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		die_no_memory();
	return p;
}

unsigned text_control(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;

	if ((u[0] && u[0] < 0x20) || u[0] == 0x7f)
		return 1;
	return u[0] == 0xc2 && u[1] >= 0x80 && u[1] < 0xa0 ? 2 : 0;
}

bool text_number(const char *s, unsigned min, unsigned max, unsigned *v)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(s, &end, 10);
	// strtoul takes signs and blanks.
	if (*s < '0' || *s > '9' || *end || errno || n < min || n > max)
		return false;
	*v = (unsigned)n;
	return true;
}

bool text_ns(const char *s, uint64_t *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
	char *end;
	double v = strtod(s, &end);

	if (end == s || !(v >= 0) || v > 1e6)
		return false;
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(end, units[i].name)) {
			*ns = (uint64_t)(v * units[i].ns);
			return true;
		}
	return false;
}

void *array_add(void *array, size_t *n, size_t *room, size_t size)
{
	if (*n == *room) {
		*room = *room ? 2 * *room : 16;
		array = xrealloc(array, *room * size);
	}
	memset((char *)array + *n * size, 0, size);
	++*n;
	return array;
}

static char *read_fd(int fd, const char *path, size_t max, size_t *len, struct err *err)
{
	size_t done = 0, room = 1u << 16;
	char *p = xrealloc(NULL, room);
	ssize_t n;

	for (;;) {
		if (done == room - 1)
			p = xrealloc(p, room *= 2);
		n = read(fd, p + done, room - 1 - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || done + (size_t)n > max)
			break;
		done += (size_t)n;
		if (!n) {
			p[done] = 0;
			*len = done;
			return p;
		}
	}
	if (n < 0)
		err_set(err, -errno, "%s: %s", path, strerror(errno));
	else
		err_set(err, -EFBIG, "%s: expected at most %zu bytes", path, max);
	free(p);
	return NULL;
}

char *file_read(const char *path, size_t max, size_t *len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *p;

	if (fd < 0) {
		err_set(err, -errno, "%s: %s", path, strerror(errno));
		return NULL;
	}
	p = read_fd(fd, path, max, len, err);
	close(fd);
	return p;
}

static int write_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	for (; len; p += n, len -= (size_t)n) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n ? -errno : -ENOSPC;
	}
	return 0;
}

int file_write(const char *path, const void *data, size_t len, unsigned mode, struct err *err)
{
	struct stat st;
	char *tmp;
	int fd, rc;

	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "%s: is not a regular file: expected the name of one, "
					     "there or not", path);
	tmp = xasprintf("%s.XXXXXX", path);
	fd = mkstemp(tmp);
	if (fd < 0) {
		rc = err_set(err, -errno, "%s: cannot be written: %s", path, strerror(errno));
		free(tmp);
		return rc;
	}
	rc = write_all(fd, data, len);
	if (!rc && fchmod(fd, mode) < 0)
		rc = -errno;
	if (close(fd) < 0 && !rc)
		rc = -errno;
	if (!rc && rename(tmp, path) < 0)
		rc = -errno;
	if (rc) {
		unlink(tmp);
		err_set(err, rc, "%s: cannot be written: %s", path, strerror(-rc));
	}
	free(tmp);
	return rc;
}

void yaml_quote(FILE *out, const char *s, size_t n)
{
	fputc('"', out);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}
