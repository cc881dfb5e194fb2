"""The house rules of Python source: each takes a file's path and text and returns its offences.

An offence is one line, "path:line message". Nothing here reads a file: `checkout` does.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Collection, Iterator

Rule = Callable[[str, str], list[str]]

# Files that may hold SQL; each with its reason.
SQL_FILES = (
    "src/monigo/infra/db/database.py",  # begins, tags and ends transactions
    "src/monigo/infra/db/pipeline.py",  # ends the transactions that it sends
    "src/monigo/infra/db/schema/migrations.py",  # keeps the list of applied migrations
    "src/monigo/infra/db/schema/functions.py",  # keeps the list of functions, and drops them
    "src/monigo/infra/db/schema/bring_over.py",  # makes the list anew
    "src/monigo/infra/db/schema/sql_files.py",  # sets how long a change of the schema may wait
    "src/monigo/infra/db/schema/roles.py",  # makes the application's role
    "src/monigo/infra/db/postgres/cluster.py",  # makes the database itself, where no schema is yet
)
# JSON's numbers leave as floats where the contract wants a JSON number.
FLOAT_FILE = "src/monigo/infra/json.py"

# What the pure parts must not import: input and output, clocks, randomness, frameworks.
IMPURE_MODULES = frozenset(
    {
        *("asyncio", "threading", "multiprocessing", "concurrent", "subprocess", "signal"),
        *("os", "sys", "io", "pathlib", "shutil", "tempfile", "glob", "fcntl", "importlib"),
        *("socket", "ssl", "select", "http", "urllib", "httpx", "requests", "smtplib"),
        *("logging", "structlog", "time", "random", "secrets", "uuid_utils", "sqlite3"),
        *("asyncpg", "pgqueuer", "fastapi", "starlette", "pydantic", "pydantic_settings"),
        *("typer", "uvicorn", "uvloop", "monigo.infra"),
    }
)
IMPURE_NAMES = frozenset({"open", "input", "uuid1", "uuid4", "uuid7", "exec", "eval"})

SQL = re.compile(
    r"\s*(?:"
    r"SELECT\s+\S|INSERT\s+INTO\b|UPDATE\s+\S+\s+(?:AS\s+\w+\s+)?SET\b|DELETE\s+FROM\b|MERGE\s+INTO\b|COPY\s+\w"
    r"|WITH\s+(?:RECURSIVE\s+)?\w+[^.]*\bAS\s*\(|TRUNCATE\s+\w|LOCK\s+TABLE\b"
    r"|BEGIN\s*(?:;|$)|COMMIT\s*(?:;|$)|ROLLBACK\b|SAVEPOINT\s+\w|SET\s+(?:LOCAL|ROLE|SESSION)\b"
    r"|(?:CREATE|ALTER|DROP)\s+[A-Z]|GRANT\s+[A-Z]|REVOKE\s+[A-Z]|LISTEN\s+\w|NOTIFY\s+\w"
    r")"
)

# Words of a dialect of ours, and what the field says (docs/glossary.md).
DIALECT = {
    "teller": "batcher",
    "express": "fast_path",
    "till": "payment",
    "wary": "skip_fast_path",
    "hot": "raw",
    "reckon": "rate",
    "reckoned": "rated",
    "reckoning": "rating",
    "happenings": "events",
    "thaw": "load",
    "thawed": "loaded",
    "hold_all": "lock_all",
    "hold_free": "lock_free",
    "hold_due": "lock_due",
    "hold_plan": "lock_plan",
    "book": "terms",
    "tell": "report",
    "tells": "reports",
    "told": "reported",
    "owing": "unpaid",
}
# Words of sentences that hide who does what; each with what to write instead.
VAGUE = {
    r"tell|tells|told|telling": "what is done: reported, returned, published, logged, shown",
    r"whoever": "who acts",
    r"(?:give|gives|gave|given|giving) back": "refund, return or release",
    r"what there is": "the thing itself",
    r"reckon\w*": "rate",
    r"thaw\w*": "load",
    r"wary": "what is skipped",
    r"till|teller": "the field's word",
    r"happenings?": "event",
}
_VAGUE = {re.compile(rf"\b(?:{words})\b", re.IGNORECASE): better for words, better in VAGUE.items()}
# Where such a word is the field's own: a member joins an organisation, a subscription agrees.
ITS_OWN = {"joined_at": ("src/monigo/people/", "src/monigo/api/people/")}

_NOQA = re.compile(r"# noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?(.*)")
# A reason follows a dash or a second hash; another tool's directive is none.
_REASON = re.compile(r"(?:-|#(?! pyright:))\s+\w+")


def merged(path: str, text: str) -> list[str]:
    """A merge brought the sides of each conflict together."""
    marks = ("<" * 7 + " ", ">" * 7 + " ")
    return [
        f"{path}:{number} has both sides of a conflict"
        for number, line in enumerate(text.splitlines(), 1)
        if line.startswith(marks)
    ]


def keys_once(path: str, text: str) -> list[str]:
    """A dictionary says each key once: of two, which a merge may leave, the second one counts."""
    return [
        f"{path}:{again.lineno} {ast.unparse(again)} is a key twice"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Dict)
        for again in _repeated([key for key in node.keys if key is not None])
    ]


def lines_at_most(limit: int) -> Rule:
    """A file is no longer than so many lines."""

    def rule(path: str, text: str) -> list[str]:
        count = len(text.splitlines())
        return [f"{path}:{count} has {count} lines, more than {limit}"] if count > limit else []

    return rule


def functions_at_most(limit: int) -> Rule:
    """A function is no longer than so many lines, its signature and docstring included."""

    def rule(path: str, text: str) -> list[str]:
        return [
            f"{path}:{node.lineno} {node.name} has {length} lines, more than {limit}"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (length := (node.end_lineno or 0) - node.lineno + 1) > limit
        ]

    return rule


def no_float(path: str, text: str) -> list[str]:
    """No binary fraction is near money: `float(…)` nowhere, a literal only where none can be.

    That is a time to wait, or an example in the API's documentation, which is JSON.
    """
    if path == FLOAT_FILE:
        return []
    tree = ast.parse(text)
    harmless = {
        id(part)
        for node in ast.walk(tree)
        for value in (*_seconds_values(node), *_example_values(node))
        for part in ast.walk(value)
    }
    return [
        f"{path}:{node.lineno} float() is not exact: use Decimal"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _dotted(node.func) == "float"
    ] + [
        f"{path}:{node.lineno} {node.value!r} is not exact: use Decimal, or a …_SECONDS constant"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, float)
        and id(node) not in harmless
    ]


def values_are_structs(path: str, text: str) -> list[str]:
    """What never changes is a struct; a frozen dataclass takes fifteen times as long to make."""
    return [
        f"{path}:{node.lineno} is a frozen dataclass: make it a msgspec.Struct"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and _dotted(node.func) in {"dataclass", "dataclasses.dataclass"}
        and any(keyword.arg == "frozen" for keyword in node.keywords)
    ]


def sql_in_stores_only(path: str, text: str) -> list[str]:
    """SQL stands in store files, the database's own modules and migrations."""
    name = path.rpartition("/")[2]
    if name == "store.py" or name.endswith("_store.py") or path in SQL_FILES:
        return []
    return [
        f"{path}:{line} SQL outside a store: {' '.join(sql.split())[:40]}"
        for line, sql in texts(ast.parse(text))
        if SQL.match(sql)
    ]


def pure(path: str, text: str) -> list[str]:
    """Values in, values out: no input or output, clock, randomness, framework or async."""
    tree = ast.parse(text)
    waiting = ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await
    return [
        *(
            f"{path}:{line} imports {module}, which is not pure"
            for line, module in _imported_modules(tree)
            if any(module == known or module.startswith(f"{known}.") for known in IMPURE_MODULES)
        ),
        *(
            f"{path}:{node.lineno} {name} is not pure"
            for node, name in _names(tree)
            if name.rpartition(".")[2] in IMPURE_NAMES
        ),
        *(
            f"{path}:{node.lineno} async is not pure"
            for node in ast.walk(tree)
            if isinstance(node, waiting)
        ),
    ]


def words_of_the_field(path: str, text: str) -> list[str]:
    """A name is made of the field's words, which a billing engineer from elsewhere knows."""
    offences: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.NAME:
            continue
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", token.string).lower()
        offences += [
            f"{path}:{token.start[0]} {token.string}: say {better}, not {word}"
            for word, better in DIALECT.items()
            if f"_{word}_" in f"_{name}_" and not path.startswith(ITS_OWN.get(word, ()))
        ]
    return offences


def names_of_the_field_in_sql(path: str, text: str) -> list[str]:
    """Tables, columns, constraints and functions have the field's words, too."""
    return [
        f"{path}:{number} {name}: say {better}, not {word}"
        for number, line in enumerate(text.splitlines(), start=1)
        for name in re.findall(r"\w+", line)
        for word, better in DIALECT.items()
        if f"_{word}_" in f"_{name.lower()}_"
    ]


def plain_sentences(path: str, text: str) -> list[str]:
    """Docstrings, comments and pages say who does what, in words that a stranger knows."""
    return [
        f"{path}:{line} {found[0]}: say {better}"
        for line, sentence in _prose(path, text)
        for words, better in _VAGUE.items()
        if (found := words.search(re.sub(r"`[^`]*`", "", sentence)))
    ]


def called_in(owner: str, functions: Collection[str]) -> Rule:
    """Functions, by the last name of their module and their own, that one file alone may call."""

    def rule(path: str, text: str) -> list[str]:
        return [
            f"{path}:{node.lineno} {_dotted(node.func)} is called in {owner} only"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call) and _dotted(node.func) in functions and path != owner
        ]

    return rule


def noqa_with_reason(path: str, text: str) -> list[str]:
    """An ignored lint says why, behind it or on the comment line above."""
    comments = {
        token.start[0]: token
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    }
    return [
        f"{path}:{number} noqa without a reason"
        for number, comment in comments.items()
        if (found := _NOQA.match(comment.string))
        and not _REASON.search(found[1])
        and not _is_alone(comments.get(number - 1))
    ]


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each string of a module but docstrings, with its line; `{}` for what is filled in."""
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if id(node) in parts or id(node) in documentation:
            continue
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(_piece(value) for value in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _prose(path: str, text: str) -> Iterator[tuple[int, str]]:
    """The lines of a file that are sentences, not code."""
    lines = enumerate(text.splitlines(), start=1)
    if path.endswith(".sql"):
        yield from ((number, line.partition("--")[2]) for number, line in lines)
    elif path.endswith(".py"):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                first = node.value.lineno
                yield from enumerate(str(node.value.value).splitlines(), start=first)
    else:
        yield from lines


def _repeated(keys: list[ast.expr]) -> Iterator[ast.expr]:
    seen: set[str] = set()
    for key in keys:
        written = ast.unparse(key)
        if written in seen:
            yield key
        seen.add(written)


def _is_alone(comment: tokenize.TokenInfo | None) -> bool:
    """Whether a comment has its line for itself."""
    return comment is not None and comment.line.lstrip().startswith("#")


def _piece(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "{}"


def _dotted(node: ast.expr) -> str:
    """`a.b.c` as text; empty for what is not a chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = _dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


def _names(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and (dotted := _dotted(node)):
            yield node, dotted


def _imported_modules(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            # `from monigo import infra` names a module, too.
            if node.module == "monigo":
                yield from ((node.lineno, f"monigo.{alias.name}") for alias in node.names)


def _seconds_values(node: ast.AST) -> Iterator[ast.expr]:
    """What is assigned to a name that ends in `_SECONDS`, or in `_SECONDS_MAX`."""
    if isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if any(re.search(r"_seconds(_max|_min)?$", name.lower()) for name in names):
            yield node.value


def _example_values(node: ast.AST) -> Iterator[ast.expr]:
    """What stands under `examples` in a JSON schema or a field."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "examples":
                yield value
    elif isinstance(node, ast.keyword) and node.arg == "examples":
        yield node.value
