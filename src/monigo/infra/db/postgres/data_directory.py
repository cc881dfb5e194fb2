"""Where the embedded database lives, who owns it, and which server runs on it."""

import fcntl
import os
import secrets
import socket
from pathlib import Path

from msgspec import Struct

HOST = "127.0.0.1"
USER = "monigo"
DATABASE = "monigo"

# Below the ports that Linux (from 32768), macOS and Windows (from 49152) give to outgoing
# connections, so that a kept port is rarely taken by chance between two starts.
PORTS = range(20_000, 30_000)
# Enough to find a free port among ten thousand, few enough to fail at once without loopback.
PORT_TRIES_MAX = 50
# 192 bits; the URL-safe alphabet needs no quoting in a connection URL.
PASSWORD_BYTES = 24
# What a failure quotes of a log: the last lines, not a screenful.
LOG_TAIL_BYTES = 2_000


class EmbeddedPostgresError(RuntimeError):
    """The embedded database can't be started, attached to or stopped; the text is advice."""


class DataDirectory(Struct, frozen=True):
    """The data directory, absolute, and the names in it."""

    root: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own directory; exists only completely initialised."""
        return self.root / "postgres"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.root / "postgres.log"

    @property
    def lock(self) -> Path:
        """Held by the process that owns the server."""
        return self.root / "postgres.owner.lock"

    def open(self, path: Path, flags: int) -> int:
        """Open a file that only its owner may read, creating it for the directory's owner.

        Never through a symbolic link: root may work in a directory of somebody else.
        """
        flags |= os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        if os.geteuid() == 0:
            owner = self.root.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        return descriptor

    def write(self, name: str, text: str) -> None:
        """Replace a small file so that a crash leaves the old text or the new."""
        draft = self.root / f".{name}.new"
        draft.unlink(missing_ok=True)
        with os.fdopen(self.open(draft, os.O_WRONLY | os.O_EXCL), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.root / name)

    def password(self) -> str:
        """The owner's password; a random one is made for a cluster still to be initialised."""
        path = self.root / "postgres.password"
        if not path.exists():
            if (self.cluster / "PG_VERSION").exists():
                raise EmbeddedPostgresError(
                    f"{path} is missing, and without it nobody can log in to {self.cluster}: "
                    "restore it from a backup of the data directory."
                )
            self.write(path.name, secrets.token_urlsafe(PASSWORD_BYTES) + "\n")
        return path.read_text().strip()

    def url(self, port: int) -> str:
        """The owner's libpq URL."""
        return f"postgresql://{USER}:{self.password()}@{HOST}:{port}/{DATABASE}"

    def free_port(self) -> int:
        """The port of the last start, or another one when something else took it."""
        path = self.root / "postgres.port"
        kept = path.read_text().strip() if path.exists() else ""
        if kept.isdecimal() and _is_free(int(kept)):
            return int(kept)
        for _ in range(PORT_TRIES_MAX):
            port = secrets.choice(PORTS)
            if _is_free(port):
                self.write(path.name, f"{port}\n")
                return port
        raise EmbeddedPostgresError(f"no free port on {HOST} between {PORTS[0]} and {PORTS[-1]}.")

    def try_lock(self) -> int | None:
        """Become the server's owner: the descriptor that holds the lock, or None if taken.

        The kernel drops the lock with the process, however that dies.
        """
        descriptor = self.open(self.lock, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)  # for people and error messages
        return descriptor

    def log_size(self) -> int:
        """The log's length in bytes, which is where the next start's lines begin."""
        return self.log.stat().st_size if self.log.exists() else 0

    def log_tail(self, *, start: int = 0) -> str:
        """The log's last lines, from `start` on."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(start, self.log_size() - LOG_TAIL_BYTES))
            return file.read().decode(errors="replace").strip()


def open_data_directory(data_dir: Path) -> DataDirectory:
    """The data directory, made (for its owner alone) if it is not there yet."""
    root = data_dir.expanduser().absolute()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return DataDirectory(root.resolve())


class Postmaster(Struct, frozen=True):
    """The main process of a server, its port, and whether it is ready for connections."""

    pid: int
    port: int
    is_ready: bool


def find_postmaster(cluster: Path) -> Postmaster | None:
    """The server that runs on the cluster, started by this process or another.

    `postmaster.pid` alone proves nothing: it outlives a crash, and its pid may by now be
    another program's.
    """
    # Its lines: pid, directory, start, port, socket directory, address, shared memory, status.
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        pid, port = int(lines[0]), int(lines[3])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    if not is_postmaster(pid, cluster):
        return None
    return Postmaster(pid=pid, port=port, is_ready=lines[-1].strip() == "ready")


def is_postmaster(pid: int, cluster: Path) -> bool:
    """Whether a live postgres of that pid works in this very directory."""
    process = Path(f"/proc/{pid}")
    if not Path("/proc/self/cwd").exists():  # macOS: only the existence can be checked
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True
    try:
        # A server's processes always work in the cluster's directory; a dead one has none.
        return (process / "comm").read_text().strip() == "postgres" and (process / "cwd").samefile(
            cluster
        )
    except OSError:
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As PostgreSQL does: connections of the last run in TIME_WAIT don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
