"""The server's settings, fit to the memory that this process may use."""

import os
from collections.abc import Iterator
from pathlib import Path

MEBIBYTE = 1024 * 1024

# The machine is shared with the API and other programs. The caches are reserved, not filled:
# an idle server touches little of them.
# Holds the hash index of 20 million events, into which every insert falls at random.
SHARED_BUFFERS_MAX = 2048 * MEBIBYTE
SHARED_BUFFERS_MIN = 32 * MEBIBYTE
MAINTENANCE_MEMORY_MAX = 256 * MEBIBYTE
WORK_MEMORY_MAX = 16 * MEBIBYTE
WORK_MEMORY_MIN = 4 * MEBIBYTE
CONNECTIONS_MAX = 100
# After each checkpoint, every page that is touched goes to the log whole: the fewer, the faster.
WAL_SIZE_MAX = 6144 * MEBIBYTE
WAL_SIZE_MIN = 512 * MEBIBYTE

TEMPLATE = """\
# Written anew at each start of monigo. For your own settings use ALTER SYSTEM SET, which wins.
max_connections = {connections}
shared_buffers = {shared_buffers}MB
effective_cache_size = {cache}MB
work_mem = {work_memory}MB
maintenance_work_mem = {maintenance_memory}MB
huge_pages = off                      # reserved memory would be taken even when idle
jit = off                             # compiling costs more than our short queries
max_parallel_workers_per_gather = 0   # cores serve requests; /dev/shm may be small
max_parallel_maintenance_workers = 0
io_workers = 2                        # of three: fewer idle processes
random_page_cost = 1.1                # solid-state disks

fsync = on                            # a committed event or cent is never lost
synchronous_commit = on
full_page_writes = on
wal_buffers = {wal_buffers}MB
wal_compression = pglz                # page images shrink; these binaries have no lz4
max_wal_size = {wal}MB               # so that ingest seldom forces checkpoints
min_wal_size = 160MB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9

autovacuum_naptime = 10s              # a table that grows fast is soon planned for as it is

timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = off               # stderr goes to postgres.log, which the launcher bounds
log_line_prefix = '%m [%p] '
log_checkpoints = off
log_lock_waits = on
log_min_error_statement = panic       # statements may hold customers' data, and conflicts are daily
"""


def configuration(memory: int, free_disk: int) -> str:
    """The text of postgresql.conf for so many bytes of memory and of free disk."""
    wal = min(WAL_SIZE_MAX, max(WAL_SIZE_MIN, free_disk // 16))
    shared_buffers = min(SHARED_BUFFERS_MAX, max(SHARED_BUFFERS_MIN, memory // 4))
    maintenance = min(MAINTENANCE_MEMORY_MAX, memory // 16)
    work = min(WORK_MEMORY_MAX, max(WORK_MEMORY_MIN, memory // 512))
    return TEMPLATE.format(
        connections=CONNECTIONS_MAX,
        wal=wal // MEBIBYTE,
        shared_buffers=shared_buffers // MEBIBYTE,
        cache=max(shared_buffers, memory // 2) // MEBIBYTE,
        work_memory=work // MEBIBYTE,
        maintenance_memory=max(1, maintenance // MEBIBYTE),
        wal_buffers=max(1, min(16, shared_buffers // MEBIBYTE // 32)),
    )


def usable_memory() -> int:
    """Bytes of memory: the machine's, or the control group's limit where that is lower."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([physical, *_group_limits()])


def _group_limits() -> Iterator[int]:
    groups = Path("/proc/self/cgroup")
    for line in groups.read_text().splitlines() if groups.exists() else []:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            mount, name = Path("/sys/fs/cgroup"), "memory.max"
        elif "memory" in controllers.split(","):
            mount, name = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"
        else:
            continue
        # A limit on any ancestor binds too; inside a container only the mount's root is seen.
        own = mount / path.lstrip("/")
        for group in (own, *own.parents):
            if not group.is_relative_to(mount):
                break
            limit = group / name
            text = limit.read_text().strip() if limit.exists() else ""
            if text.isdecimal():
                yield int(text)
