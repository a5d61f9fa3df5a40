/*
 * Preloaded into a program under test (LD_PRELOAD): lets the N-th system call of some kinds on files of one folder fail, or
 * sends the program a signal there. By environment:
 *   FAULT_UNDER    files in this folder are meant; an absolute path
 *   FAULT_CALLS    kinds of calls, separated by commas: open, read, write, fsync, rename, link, mkdir, remove, truncate, times
 *   FAULT_AT       number of the call that fails, from 1
 *   FAULT_STICKY   1: every later one fails too
 *   FAULT_ERRNO    what it fails with; 0: a write or read that moves only half of the bytes
 *   FAULT_SIGNAL   the signal to send before the call, which then goes on; no error then
 *   FAULT_COUNTER  a file whose first eight bytes count the calls that were met
 *   FAULT_CLOCK    seconds that the wall clock jumps by at that call
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char *under, *calls;
static size_t under_length;
static uint64_t at_call;
static int is_sticky, fault_errno, fault_signal;
static long clock_jump;
static _Atomic int has_jumped;
static _Atomic uint64_t own_counter;
static _Atomic uint64_t *counter = &own_counter;

static long number(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : atol(text);
}

__attribute__((constructor)) static void begin(void) {
  under = getenv("FAULT_UNDER");
  calls = getenv("FAULT_CALLS");
  under_length = under == NULL ? 0 : strlen(under);
  at_call = (uint64_t)number("FAULT_AT", 0);
  is_sticky = number("FAULT_STICKY", 0) != 0;
  fault_errno = (int)number("FAULT_ERRNO", EIO);
  fault_signal = (int)number("FAULT_SIGNAL", 0);
  clock_jump = number("FAULT_CLOCK", 0);
  const char *file = getenv("FAULT_COUNTER");
  if (file == NULL) return;
  int fd = open(file, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *shared = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (shared != MAP_FAILED) counter = shared;
  close(fd);
}

static int is_chosen(const char *call) {
  if (under == NULL || calls == NULL) return 0;
  size_t length = strlen(call);
  for (const char *from = calls; (from = strstr(from, call)) != NULL; from += length)
    if ((from == calls || from[-1] == ',') && (from[length] == ',' || from[length] == 0)) return 1;
  return 0;
}

/* A path in the folder: also one that goes through a handle in /proc, or is relative. */
static int is_below(const char *path) {
  char parent[PATH_MAX], real[PATH_MAX];
  if (path == NULL || strlen(path) >= PATH_MAX) return 0;
  strcpy(parent, path);
  char *slash = strrchr(parent, '/');
  if (slash == parent) return 0;
  if (slash != NULL) *slash = 0;
  char *(*resolve)(const char *, char *) = realpath;
  int saved = errno;
  const char *found = resolve(slash == NULL ? "." : parent, real);
  errno = saved;
  const char *held = found == NULL ? path : real;
  return strncmp(held, under, under_length) == 0 && (held[under_length] == 0 || held[under_length] == '/');
}

static int is_handle_below(int fd) {
  char link[64], real[PATH_MAX];
  int saved = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, real, sizeof real - 1);
  errno = saved;
  if (length < 0) return 0;
  real[length] = 0;
  return strncmp(real, under, under_length) == 0 && (real[under_length] == 0 || real[under_length] == '/');
}

/* Counts the call; 1 when it is to fail now. */
static int meets_fault(void) {
  uint64_t now = atomic_fetch_add(counter, 1) + 1;
  if (at_call == 0 || now < at_call || (now > at_call && !is_sticky)) return 0;
  if (clock_jump != 0) {
    has_jumped = 1;
    return 0;
  }
  if (fault_signal == 0) return 1;
  if (now == at_call) kill(getpid(), fault_signal);
  return 0;
}

static int path_fails(const char *call, const char *path) {
  if (!is_chosen(call) || !is_below(path) || !meets_fault()) return 0;
  errno = fault_errno;
  return fault_errno != 0;
}

static int handle_fails(const char *call, int fd) {
  if (!is_chosen(call) || !is_handle_below(fd) || !meets_fault()) return 0;
  errno = fault_errno;
  return fault_errno != 0;
}

/* 0: as always; 1: fails; 2: moves half of the bytes. */
static int transfer_fails(const char *call, int fd) {
  if (!is_chosen(call) || !is_handle_below(fd) || !meets_fault()) return 0;
  if (fault_errno == 0) return 2;
  errno = fault_errno;
  return 1;
}

static size_t half(size_t length) { return length > 1 ? length / 2 : length; }

#define REAL(type, name, ...)                                                                                           \
  static type (*real)(__VA_ARGS__);                                                                                    \
  if (real == NULL) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name);

#define OPEN(function)                                                                                                  \
  int function(const char *path, int flags, ...) {                                                                     \
    REAL(int, #function, const char *, int, ...)                                                                       \
    va_list list;                                                                                                      \
    va_start(list, flags);                                                                                             \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;                                     \
    va_end(list);                                                                                                      \
    if (path_fails("open", path)) return -1;                                                                           \
    return real(path, flags, mode);                                                                                    \
  }
OPEN(open)
OPEN(open64)

#define TRANSFER(kind, function, buffer)                                                                                \
  ssize_t function(int fd, buffer bytes, size_t length) {                                                              \
    REAL(ssize_t, #function, int, buffer, size_t)                                                                      \
    int fault = transfer_fails(kind, fd);                                                                              \
    if (fault == 1) return -1;                                                                                         \
    return real(fd, bytes, fault == 2 ? half(length) : length);                                                        \
  }
TRANSFER("read", read, void *)
TRANSFER("write", write, const void *)

#define POSITIONED(kind, function, buffer)                                                                              \
  ssize_t function(int fd, buffer bytes, size_t length, off64_t offset) {                                              \
    REAL(ssize_t, #function, int, buffer, size_t, off64_t)                                                             \
    int fault = transfer_fails(kind, fd);                                                                              \
    if (fault == 1) return -1;                                                                                         \
    return real(fd, bytes, fault == 2 ? half(length) : length, offset);                                                \
  }
POSITIONED("read", pread, void *)
POSITIONED("read", pread64, void *)
POSITIONED("write", pwrite, const void *)
POSITIONED("write", pwrite64, const void *)

/* Half of a vector is its first part alone, or half of the only one. */
static struct iovec half_of(const struct iovec *vectors, int *count) {
  struct iovec first = vectors[0];
  if (*count == 1) first.iov_len = half(first.iov_len);
  *count = 1;
  return first;
}

#define VECTORS(kind, function)                                                                                         \
  ssize_t function(int fd, const struct iovec *vectors, int count) {                                                   \
    REAL(ssize_t, #function, int, const struct iovec *, int)                                                           \
    int fault = transfer_fails(kind, fd);                                                                              \
    if (fault == 1) return -1;                                                                                         \
    if (fault == 0 || count == 0) return real(fd, vectors, count);                                                     \
    struct iovec first = half_of(vectors, &count);                                                                     \
    return real(fd, &first, count);                                                                                    \
  }
VECTORS("read", readv)
VECTORS("write", writev)

#define POSITIONED_VECTORS(kind, function)                                                                              \
  ssize_t function(int fd, const struct iovec *vectors, int count, off64_t offset) {                                   \
    REAL(ssize_t, #function, int, const struct iovec *, int, off64_t)                                                  \
    int fault = transfer_fails(kind, fd);                                                                              \
    if (fault == 1) return -1;                                                                                         \
    if (fault == 0 || count == 0) return real(fd, vectors, count, offset);                                             \
    struct iovec first = half_of(vectors, &count);                                                                     \
    return real(fd, &first, count, offset);                                                                            \
  }
POSITIONED_VECTORS("read", preadv)
POSITIONED_VECTORS("read", preadv64)
POSITIONED_VECTORS("write", pwritev)
POSITIONED_VECTORS("write", pwritev64)

#define ON_HANDLE(kind, function)                                                                                       \
  int function(int fd) {                                                                                               \
    REAL(int, #function, int)                                                                                          \
    return handle_fails(kind, fd) ? -1 : real(fd);                                                                     \
  }
ON_HANDLE("fsync", fsync)
ON_HANDLE("fsync", fdatasync)

#define TRUNCATE(function)                                                                                              \
  int function(int fd, off64_t length) {                                                                               \
    REAL(int, #function, int, off64_t)                                                                                 \
    return handle_fails("truncate", fd) ? -1 : real(fd, length);                                                       \
  }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

int futimens(int fd, const struct timespec times[2]) {
  REAL(int, "futimens", int, const struct timespec *)
  return handle_fails("times", fd) ? -1 : real(fd, times);
}

int utimensat(int folder, const char *path, const struct timespec times[2], int flags) {
  REAL(int, "utimensat", int, const char *, const struct timespec *, int)
  return path_fails("times", path) ? -1 : real(folder, path, times, flags);
}

#define ON_TWO(kind, function, met)                                                                                     \
  int function(const char *from, const char *to) {                                                                     \
    REAL(int, #function, const char *, const char *)                                                                   \
    return path_fails(kind, met) ? -1 : real(from, to);                                                                \
  }
ON_TWO("rename", rename, to)
ON_TWO("link", link, to)

int mkdir(const char *path, mode_t mode) {
  REAL(int, "mkdir", const char *, mode_t)
  return path_fails("mkdir", path) ? -1 : real(path, mode);
}

#define ON_PATH(kind, function)                                                                                         \
  int function(const char *path) {                                                                                     \
    REAL(int, #function, const char *)                                                                                 \
    return path_fails(kind, path) ? -1 : real(path);                                                                   \
  }
ON_PATH("remove", unlink)
ON_PATH("remove", rmdir)

int clock_gettime(clockid_t clock, struct timespec *now) {
  REAL(int, "clock_gettime", clockid_t, struct timespec *)
  int result = real(clock, now);
  if (has_jumped && result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += clock_jump;
  return result;
}

int gettimeofday(struct timeval *now, void *zone) {
  REAL(int, "gettimeofday", struct timeval *, void *)
  int result = real(now, zone);
  if (has_jumped && result == 0) now->tv_sec += clock_jump;
  return result;
}
