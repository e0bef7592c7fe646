/* Loaded before the C library: each sync of a file takes 7 ms at least, as on a disk that has to turn, or one across a network. What
   else the process does meanwhile is not held up: the time counts from the call, and not from when the sync is noticed to be over. */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int at_least(long call, int file) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_nsec += 7000000;
  if (end.tv_nsec >= 1000000000) {
    end.tv_nsec -= 1000000000;
    end.tv_sec += 1;
  }
  long result = syscall(call, file);
  int error = errno;
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, 0);
  errno = error;
  return (int)result;
}

int fsync(int file) { return at_least(SYS_fsync, file); }

int fdatasync(int file) { return at_least(SYS_fdatasync, file); }
