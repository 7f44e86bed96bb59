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
	struct stat st;
	size_t done = 0;
	ssize_t n;
	char *p;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		err_set(err, -EINVAL, "%s: not a regular file", path);
		return NULL;
	}
	if ((uint64_t)st.st_size > max) {
		err_set(err, -EFBIG, "%s: %lld bytes, expected at most %zu", path,
			(long long)st.st_size, max);
		return NULL;
	}
	p = xrealloc(NULL, (size_t)st.st_size + 1);
	while (done < (size_t)st.st_size) {
		n = read(fd, p + done, (size_t)st.st_size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done < (size_t)st.st_size) {
		err_set(err, -EIO, "%s: only %zu of %lld bytes could be read", path, done,
			(long long)st.st_size);
		free(p);
		return NULL;
	}
	p[done] = 0;
	*len = done;
	return p;
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
	char *tmp = xasprintf("%s.XXXXXX", path);
	int fd = mkstemp(tmp);
	int rc;

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
