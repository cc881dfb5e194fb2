"""Initialises a cluster once, and readies it for each start."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from monigo.infra.db.postgres.data_directory import (
    DATABASE,
    USER,
    DataDirectory,
    EmbeddedPostgresError,
)
from monigo.infra.db.postgres.install import (
    Account,
    choose_account,
    find_programs,
    give,
    location,
    named_account,
    run,
)
from monigo.infra.db.postgres.settings import configuration, usable_memory

VERSION = "18"
DRAFT_PREFIX = ".postgres-init-"


class Cluster(Struct, frozen=True):
    """A cluster ready to be started: where its programs are and who runs them."""

    programs: Path
    account: Account | None


def prepare(directory: DataDirectory) -> Cluster:
    """Make the cluster startable; the caller owns it and knows that no server runs on it."""
    account = choose_account(directory)
    programs = find_programs(account)
    version = directory.cluster / "PG_VERSION"
    if not version.exists():
        _initialise(directory, account=account, programs=programs)
    elif version.read_text().strip() != VERSION:
        raise EmbeddedPostgresError(
            f"{directory.cluster} was made by PostgreSQL {version.read_text().strip()}, this is "
            f"{VERSION}: dump it with the old version and restore it here."
        )
    if account is not None and directory.cluster.stat().st_uid != account.uid:
        give(directory.cluster, account)  # restored by root from a backup
    _remove_remnants(directory.cluster)
    _configure(directory.cluster, account)
    return Cluster(programs=programs, account=account)


def _initialise(directory: DataDirectory, *, account: Account | None, programs: Path) -> None:
    """Build the cluster in a draft and rename it: a crash leaves nothing that looks finished."""
    if directory.cluster.exists() and any(directory.cluster.iterdir()):
        raise EmbeddedPostgresError(
            f"{directory.cluster} holds files but no database: move them away and start again."
        )
    for remnant in directory.root.glob(f"{DRAFT_PREFIX}*"):
        with _locked(remnant):
            shutil.rmtree(remnant, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=DRAFT_PREFIX, dir=directory.root))
    try:
        with _locked(draft) as lock:
            _build(draft / "data", directory, account=account, programs=programs, lock=lock)
            (draft / "data").rename(directory.cluster)
        _sync_directory(directory.root)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _build(
    data: Path, directory: DataDirectory, *, account: Account | None, programs: Path, lock: int
) -> None:
    """Make a cluster with our database; its programs hold the lock on the draft as well."""
    data.mkdir(mode=0o700)
    (data.parent / "password").write_text(directory.password())
    builder = named_account(account)
    if builder is not None:
        give(data.parent, builder)
    where = location(data, builder)
    options = [
        *("--username", USER, "--pwfile", "../password", "--auth", "scram-sha-256"),
        # Sorting by code point with Unicode's cases: the same on every system and after its
        # upgrades, so an index never disagrees with the C library.
        *("--encoding", "UTF8", "--locale", "C"),
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
        "--data-checksums",
    ]
    initdb = [programs / "initdb", "-D", where, *options]
    run(initdb, cwd=data, account=builder, inherits=[lock])
    single = [programs / "postgres", "--single", "-D", where, "-c", "exit_on_error=on", "postgres"]
    text = f"CREATE DATABASE {DATABASE}\n"
    run(single, cwd=data, account=builder, inherits=[lock], text=text)
    if account is not None:
        give(data, account)


@contextmanager
def _locked(draft: Path) -> Generator[int]:
    """Hold a draft's lock, once the programs of a killed process no longer write into it."""
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _remove_remnants(cluster: Path) -> None:
    """Remove what a crashed server left.

    PostgreSQL refuses to start when a lock file's pid has become another program's, or when the
    file is empty. Two servers on one cluster stay impossible: we hold the owner's lock, and
    PostgreSQL finds the shared memory of a server's remains by the directory's inode.
    """
    for path in (cluster / "postmaster.pid", *cluster.glob(".s.PGSQL.*")):
        path.unlink(missing_ok=True)


def _configure(cluster: Path, account: Account | None) -> None:
    # A new file under a fresh name, renamed: root never writes through a link planted here.
    descriptor, name = tempfile.mkstemp(prefix="postgresql.conf.", dir=cluster)
    with os.fdopen(descriptor, "w") as file:
        file.write(configuration(usable_memory(), shutil.disk_usage(cluster).free))
        if account is not None:
            os.fchown(descriptor, account.uid, account.gid)
        file.flush()
        os.fsync(descriptor)
    Path(name).replace(cluster / "postgresql.conf")


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
