"""The house rules of folders and of the project's own files."""

import re
from collections.abc import Collection

from house.rules import Rule

DOMAIN_FILES = ("README.md", "__init__.py", "types.py", "store.py", "service.py")

# Lists in pyproject.toml whose every entry is a decision that wants a reason.
_REASONED_LISTS = re.compile(r'^(?:dependencies|dev|ignore|"[^"]+") = \[')
_ENTRY = re.compile(r'\s*"[^"]+"')
_REASON = re.compile(r"#\s+\S+\s+\S+")


def domain_is_complete(domain: str, files: Collection[str]) -> list[str]:
    """A newcomer who knows one domain's files knows all."""
    return [f"{domain}:1 has no {name}" for name in DOMAIN_FILES if name not in files]


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
