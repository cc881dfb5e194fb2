"""The house rules of SQL, in store files and in migrations."""

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from house.rules import SQL, Rule, texts

# `count(*)` is no list of columns.
_EVERY_COLUMN = re.compile(r"\b(?:SELECT|DISTINCT|ALL|RETURNING)\s+\*|,\s*\*")
_TABLE = re.compile(r"\b(?:FROM|JOIN|USING|INTO|UPDATE|ONLY)\s+(\w+)")
_CONSTRAINT = re.compile(
    r"\b(PRIMARY\s+KEY|UNIQUE|CHECK|FOREIGN\s+KEY|REFERENCES|EXCLUDE)\b", re.IGNORECASE
)
_NAMED = re.compile(r"\bCONSTRAINT\s+\w+\s*$", re.IGNORECASE)
# Not constraints of their own: a unique index has a name, a policy's check belongs to the policy,
# and the references of a foreign key stand behind its columns.
_PARTS = {
    "UNIQUE": re.compile(r"\bCREATE\s+$", re.IGNORECASE),
    "CHECK": re.compile(r"\bWITH\s+$", re.IGNORECASE),
    "REFERENCES": re.compile(r"\bFOREIGN\s+KEY\s*\([^)]*\)\s*$", re.IGNORECASE),
}


@dataclass(frozen=True)
class TenantTables:
    """Names of tables whose rows belong to an organisation, and of those that have a mode, too."""

    every: Collection[str]
    with_mode: Collection[str]


def columns_listed_in_python(path: str, text: str) -> list[str]:
    """No statement in Python asks for `*`."""
    return [
        f"{path}:{line} names no columns: {' '.join(sql.split())[:40]}"
        for line, sql in texts(ast.parse(text))
        if SQL.match(sql) and _EVERY_COLUMN.search(sql)
    ]


def columns_listed(path: str, sql: str) -> list[str]:
    """No statement of a migration asks for `*`."""
    return [
        f"{path}:{_line(sql, found.start())} names no columns"
        for found in _EVERY_COLUMN.finditer(_without_comments(sql))
    ]


def constraints_named(path: str, sql: str) -> list[str]:
    """Each constraint has a name that says its rule; errors are told by these names."""
    bare = re.sub(r"\$(\w*)\$.*?\$\1\$", _blank, _without_comments(sql), flags=re.DOTALL)
    bare = re.sub(r"'[^']*'", _blank, bare)
    return [
        f"{path}:{_line(sql, found.start())} {found[1].upper()} without a name"
        for found in _CONSTRAINT.finditer(bare)
        if not _NAMED.search(bare, 0, found.start()) and not _is_part(bare, found)
    ]


def tenant_in_every_query(tables: TenantTables) -> Rule:
    """Each use of a tenant table in a store's statement is held to the organisation and mode."""

    def rule(path: str, text: str) -> list[str]:
        return [
            f"{path}:{line} {used} without {column}: {' '.join(sql.split())[:40]}"
            for line, sql in statements(text)
            for column, known in (("org_id", tables.every), ("is_test", tables.with_mode))
            for used in _unheld(sql, column, known)
        ]

    return rule


def statements(source: str) -> Iterator[tuple[int, str]]:
    """The SQL statements of a module, with its own constants filled in."""
    constants: dict[str, str] = {}
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            constants[node.targets[0].id] = _filled(node.value, constants)
    for node in _whole_texts(tree):
        text = _filled(node, constants)
        if SQL.match(text):
            yield node.lineno, text


def tenant_tables(migrations: str) -> TenantTables:
    """What the migrations make tenant tables of, by their latest names."""
    migrations = _under_latest_names(migrations)
    every = frozenset(re.findall(r"make_tenant_table\('(\w+)'", migrations))
    modes = re.findall(r"CREATE TABLE (\w+) \([^;]*?\bis_test boolean", migrations)
    return TenantTables(every, every & frozenset(modes))


def _under_latest_names(migrations: str) -> str:
    for before, after in re.findall(r"ALTER TABLE (\w+) RENAME TO (\w+)", migrations):
        migrations = re.sub(rf"\b{before}\b", after, migrations)
    return migrations


def _whole_texts(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions that may be text, without the parts that they are put together from."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant | ast.JoinedStr | ast.BinOp):
            yield child
        else:
            yield from _whole_texts(child)


def tables_with_foreign_keys(migrations: str) -> frozenset[str]:
    """The tables whose rows point at other rows of their own tenant, mode included."""
    keys = re.findall(
        r"ALTER TABLE (\w+) ADD CONSTRAINT \w+\s+FOREIGN KEY \(([^)]*)\)",
        _under_latest_names(migrations),
    )
    return frozenset(table for table, columns in keys if "is_test" in columns)


def _filled(node: ast.expr, constants: dict[str, str]) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return constants.get(name, "{}")
        case ast.JoinedStr(values=values):
            return "".join(_filled(value, constants) for value in values)
        case ast.FormattedValue(value=value):
            return _filled(value, constants)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _filled(left, constants) + _filled(right, constants)
        case _:
            return "{}"


def _unheld(sql: str, column: str, tables: Collection[str]) -> Iterator[str]:
    """Names of tables that a statement uses more often than it compares or sets the column."""
    used = [table for table in _TABLE.findall(sql) if table in tables]
    inserted = re.findall(rf"\bINSERT\s+INTO\s+(\w+)[^()]*\([^()]*\b{column}\b", sql)
    held = len(re.findall(rf"\b{column}\b\s*=", sql)) + len(inserted)
    if len(used) > held:
        yield ", ".join(used)


def _is_part(sql: str, found: re.Match[str]) -> bool:
    part = _PARTS.get(found[1].upper())
    return part is not None and part.search(sql, 0, found.start()) is not None


def _without_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*", _blank, sql)


def _blank(found: re.Match[str]) -> str:
    """Spaces instead of the text, so that what follows keeps its line."""
    return re.sub(r"[^\n]", " ", found[0])


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
