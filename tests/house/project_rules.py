"""The house rules of folders and of the project's own files."""

import re
from collections.abc import Collection, Mapping

from house.rules import Rule

DOMAIN_FILES = ("README.md", "__init__.py", "types.py", "store.py", "service.py")
# More files than this are no room but a heap, and more lines are not read in one sitting.
ROOM_FILES_MAX = 11
ROOM_LINES_MAX = 2500

# Lists in pyproject.toml whose every entry is a decision that wants a reason.
_REASONED_LISTS = re.compile(r'^(?:dependencies|dev|ignore|"[^"]+") = \[')
_ENTRY = re.compile(r'\s*"[^"]+"')
_REASON = re.compile(r"#\s+\S+\s+\S+")


def domain_is_complete(domain: str, files: Collection[str]) -> list[str]:
    """A newcomer who knows one domain's files, or those of its rooms, knows all."""
    return [f"{domain}:1 has no {name}" for name in DOMAIN_FILES if name not in files]


def room_fits(room: str, lines: Mapping[str, int]) -> list[str]:
    """A room is small enough to be known as a whole; `lines` are counted for each module."""
    modules = lines.keys() - {"__init__.py"}
    total = sum(lines.values())
    offences: list[str] = []
    if len(modules) > ROOM_FILES_MAX:
        offences.append(f"{room}:1 has {len(modules)} modules, more than {ROOM_FILES_MAX}")
    if total > ROOM_LINES_MAX:
        offences.append(f"{room}:1 has {total} lines, more than {ROOM_LINES_MAX}")
    return offences


def reasons_given(path: str, text: str) -> list[str]:
    """Each dependency and each ignored lint stands on a line of its own, beside its reason."""
    offences: list[str] = []
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        opens = _REASONED_LISTS.match(line)
        entries = line.partition("[")[2] if opens else line
        is_entry = (inside or opens) and _ENTRY.match(entries)
        if is_entry and not _REASON.search(_without_strings(entries)):
            offences.append(f"{path}:{number} no reason beside {_ENTRY.match(entries)[0].strip()}")
        if opens:
            inside = "]" not in _without_strings(entries).partition("#")[0]
        elif line.startswith("]"):
            inside = False
    return offences


def names_exist(known: Collection[str]) -> Rule:
    """What a README calls by name (constraints, tests, functions, tables) is still called so."""

    def rule(path: str, text: str) -> list[str]:
        return [
            f"{path}:{number} nothing is called {name}"
            for number, line in enumerate(text.splitlines(), start=1)
            for name in re.findall(r"`(\w+_\w+)`", line)
            if name not in known
        ]

    return rule


def _without_strings(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)
