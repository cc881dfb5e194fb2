"""docs/error-codes.md lists the code of every error that the source can answer with."""

import ast
from pathlib import Path

from monigo.api.kernel.http.errors import STATUSES
from monigo.core.errors import ErrorKind
from support.golden import assert_golden

SOURCE = Path(__file__).parents[2] / "src" / "monigo"
HEAD = """# Error codes

Every error is `{"error": "for people", "code": "for programs"}`, with `details` by field at fault.
A message may change, a code may not. `make golden` writes this list from the source; … stands for
what differs from case to case.

| code | status | says |
|---|---|---|
"""


def test_every_code_is_documented():
    found = {
        entry
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        for entry in _entries(node)
    }
    lines = [f"| `{code}` | {status} | {says} |\n" for code, status, says in sorted(found)]

    assert {"bill_not_found", "test_clock_stopped", "route_not_found"} <= {one for one, *_ in found}
    assert_golden("docs/error-codes.md", HEAD + "".join(lines))


def _entries(node):
    """The codes that a piece of syntax can answer with, their statuses and messages."""
    match node:
        case ast.Call(ast.Name("conflict"), [ast.Constant(code), message]):
            found = [(code, 409, _text(message))]
        case ast.Call(ast.Name("not_found"), [ast.Constant(what)]):
            found = [(f"{what}_not_found", 404, f"{what} not found")]
        case ast.Call(ast.Name("DomainError"), [kind, ast.Constant(code), message]) if isinstance(
            kind, ast.Attribute
        ):
            found = [(code, STATUSES[ErrorKind[kind.attr]], _text(message))]
        case ast.Call(
            ast.Name("not_found"), [ast.IfExp(_, ast.Constant(one), ast.Constant(other))]
        ):
            found = [(f"{what}_not_found", 404, f"{what} not found") for what in (one, other)]
        case ast.Call(ast.Name("plain_error"), [ast.Constant(status), ast.Constant(code), *rest]):
            found = [(code, status, _text(rest[0]))]
        case ast.Dict([ast.Constant("error"), ast.Constant("code")], [_, ast.Constant(code)]):
            found = [(code, 500, "…")]
        case ast.Assign([ast.Name("_HTTP_ERRORS")], ast.Dict(statuses, answers)):
            found = [
                (answer.elts[0].value, status.value, answer.elts[1].value)
                for status, answer in zip(statuses, answers, strict=True)
            ]
        case _:
            found = []
    return found


def _text(message):
    match message:
        case ast.Constant(text):
            return text
        case ast.JoinedStr(parts):
            return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in parts)
        case _:
            return "…"
