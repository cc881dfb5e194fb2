"""The house rules of SQL, in store files and in migrations."""

import ast as python
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pglast import ast, parse_sql
from pglast.enums import ConstrType
from pglast.parser import ParseError

from house.rules import SQL, Rule
from house.sql_trees import (
    calls,
    has_star,
    line_of,
    nodes,
    parsed,
    tables,
    unheld,
    with_lines,
)
from monigo.infra.db.schema.sql_files import SchemaFile

# Functions of PostgreSQL's own whose value differs from row to row.
_VOLATILE = frozenset({"random", "gen_random_uuid", "clock_timestamp", "nextval", "timeofday"})
# Left of a template.
_HOLE = re.compile(r"\{\w*\}")
# What a cluster says of a copy as the application's role.
COPIES = "INSERT … SELECT needs RETURNING or ON CONFLICT"
_REPLACED = ast.CreateFunctionStmt | ast.CreateTrigStmt | ast.ViewStmt
_NAMED_KINDS = {
    ConstrType.CONSTR_PRIMARY: "PRIMARY KEY",
    ConstrType.CONSTR_UNIQUE: "UNIQUE",
    ConstrType.CONSTR_CHECK: "CHECK",
    ConstrType.CONSTR_FOREIGN: "FOREIGN KEY",
    ConstrType.CONSTR_EXCLUSION: "EXCLUDE",
}


@dataclass(frozen=True)
class TenantTables:
    """Names of tables whose rows belong to an organisation, and of those that have a mode, too."""

    every: Collection[str]
    with_mode: Collection[str]


def columns_listed_in_python(path: str, text: str) -> list[str]:
    """No statement in Python asks for `*`."""
    return [
        f"{path}:{line} names no columns: {_beginning(sql)}"
        for line, sql in statements(text)
        if has_star(parsed(sql))
    ]


def columns_listed(path: str, sql: str) -> list[str]:
    """No statement of a migration asks for `*`."""
    return [f"{path}:{line} names no columns" for line, tree in with_lines(sql) if has_star(tree)]


def constraints_named(path: str, sql: str) -> list[str]:
    """Each constraint has a name that says its rule; errors are told by these names."""
    return [
        f"{path}:{line_of(sql, made.location)} {_NAMED_KINDS[made.contype]} without a name"
        for made in nodes(parse_sql(sql))
        if isinstance(made, ast.Constraint) and made.contype in _NAMED_KINDS and not made.conname
    ]


def migration_runs_on_a_cluster(path: str, sql: str) -> list[str]:
    """The statements of a migration are such as a cluster runs, too; its owner may copy."""
    return [
        f"{path}:{line} {fault}"
        for line, tree in with_lines(sql)
        for fault in cluster_faults(tree, volatile=(), with_settings=())
        if fault != COPIES
    ]


def statements_told_apart(path: str, sql: str) -> list[str]:
    """What is sent to the server one by one is one statement each, as its own parser sees them."""
    sent = list(SchemaFile(path, sql).statements())
    return [
        f"{path}:{line_of(sql, sql.index(one))} is not one statement: {_beginning(one)}"
        for one in sent
        if _count(one) != 1
    ]


def _count(sql: str) -> int:
    """How many statements a text holds; none where it is not SQL."""
    try:
        return len(parse_sql(sql))
    except ParseError:
        return 0


def made_again(path: str, sql: str) -> list[str]:
    """A file of functions can be run any number of times."""
    return [
        f"{path}:{line} makes something once only"
        for line, tree in with_lines(sql)
        if not (
            (isinstance(tree, _REPLACED) and tree.replace)
            or (isinstance(tree, ast.DropStmt) and tree.missing_ok)
            or isinstance(tree, ast.GrantStmt)
        )
    ]


def no_functions_but(known: Collection[str]) -> Rule:
    """Functions, triggers and views are made in db/functions, and migrations use none of them."""

    def rule(path: str, sql: str) -> list[str]:
        return [
            f"{path}:{line} belongs in db/functions"
            for line, tree in with_lines(sql)
            if isinstance(tree, ast.CreateTrigStmt | ast.ViewStmt)
            or (isinstance(tree, ast.CreateFunctionStmt) and tree.funcname[-1].sval not in known)
        ]

    return rule


def one_change_a_statement(path: str, sql: str) -> list[str]:
    """A migration changes one thing with each ALTER and renames nothing: a cluster does neither."""
    return [
        f"{path}:{line} {fault}" for line, tree in with_lines(sql) for fault in _alterations(tree)
    ]


def _alterations(tree: ast.Node) -> Iterator[str]:
    if isinstance(tree, ast.RenameStmt):
        yield "renames: make another, and drop the old"
    if isinstance(tree, ast.AlterTableStmt) and len(tree.cmds) > 1:
        yield "changes joined in one ALTER"


def tenant_in_every_query(tables: TenantTables) -> Rule:
    """Each use of a tenant table in a store's statement is held to the organisation and mode."""

    def rule(path: str, text: str) -> list[str]:
        return [
            f"{path}:{line} {used} without {column}: {_beginning(sql)}"
            for line, sql in statements(text)
            for column, known in (("org_id", tables.every), ("is_test", tables.with_mode))
            for used in unheld(parsed(sql), column, known)
        ]

    return rule


def tables_of(own: Collection[str], owner: str) -> Rule:
    """Tables that are named by the files of one folder only."""

    def rule(path: str, text: str) -> list[str]:
        return [
            f"{path}:{line} {used} is asked for elsewhere: {_beginning(sql)}"
            for line, sql in statements(text)
            if not path.startswith(owner)
            for used in sorted(set(tables(parsed(sql))) & set(own))
        ]

    return rule


def runs_on_a_cluster(volatile: Collection[str], with_settings: Collection[str]) -> Rule:
    """A store's statements are such as a cluster of PostgreSQL servers runs, too.

    Args:
        volatile: functions of the schema whose value differs from row to row.
        with_settings: functions of the schema that bring settings of their own.
    """

    def rule(path: str, text: str) -> list[str]:
        pieces = _lines_of_pieces(text)
        return [
            f"{path}:{line} {fault}: {_beginning(sql)}"
            for line, sql in statements(text)
            # A template is looked at where it is filled, a piece where it is used.
            if not _HOLE.search(sql) and line not in pieces
            for fault in cluster_faults(parsed(sql), volatile, with_settings)
        ]

    return rule


def may_become(state: str, table: str, others: Collection[str]) -> Rule:
    """Names each statement by which a row of a table may get into a state: all but to other ones.

    What sets the status to one of the `others`, written out, does not; whatever else sets it may.
    """

    def rule(path: str, text: str) -> list[str]:
        return [
            f"{path}:{line} may make {table} {state}"
            for line, sql in statements(text)
            for value in _statuses(parsed(sql), table)
            if not (isinstance(value, ast.A_Const) and value.val.sval in others)
        ]

    return rule


def _statuses(tree: object, table: str) -> Iterator[ast.Node]:
    """What statements write into a table's status."""
    for node in nodes(tree):
        if not isinstance(node, ast.InsertStmt | ast.UpdateStmt) or node.relation.relname != table:
            continue
        set_targets = node.targetList if isinstance(node, ast.UpdateStmt) else ()
        if isinstance(node, ast.InsertStmt):
            set_targets = node.onConflictClause.targetList if node.onConflictClause else ()
            names = [column.name for column in node.cols]
            source = node.selectStmt
            rows = source.valuesLists or [[target.val for target in source.targetList]]
            yield from (row[names.index("status")] for row in rows if "status" in names)
        yield from (target.val for target in set_targets or () if target.name == "status")


def cluster_faults(
    tree: object, volatile: Collection[str], with_settings: Collection[str]
) -> Iterator[str]:
    """What a cluster refuses in a statement, or takes for something else."""
    called = set(calls(tree))
    if "set_config" in called:
        yield "set_config never reaches a cluster's workers: SET LOCAL"
    if called & set(with_settings) and any(tables(tree)):
        yield "a function with settings is called alone"
    for node in nodes(tree):
        if isinstance(node, ast.InsertStmt) and _copies(node):
            yield COPIES
        if isinstance(node, ast.UpdateStmt) and set(calls(node)) & {*volatile, *_VOLATILE}:
            yield "a volatile function in an UPDATE"
        if isinstance(node, ast.UpdateStmt) and any(
            isinstance(part, ast.CaseExpr) and part.arg for part in nodes(node)
        ):
            yield "CASE … WHEN in an UPDATE: CASE WHEN … ="


def _copies(insert: ast.InsertStmt) -> bool:
    source = insert.selectStmt
    is_query = isinstance(source, ast.SelectStmt) and not source.valuesLists
    return is_query and not insert.onConflictClause and not insert.returningClause


def _beginning(sql: str) -> str:
    return " ".join(sql.split())[:40]


def statements(source: str) -> Iterator[tuple[int, str]]:
    """The SQL statements of a module, with its own constants filled in.

    A hole is left where the text is known at run time only, or where a constant is a template.
    """
    constants: dict[str, str] = {}
    tree = python.parse(source)
    for node in tree.body:
        if isinstance(node, python.Assign) and isinstance(node.targets[0], python.Name):
            constants[node.targets[0].id] = _filled(node.value, constants)
    for node in _whole_texts(tree):
        text = _filled(node, constants)
        if SQL.match(text):
            yield node.lineno, text


def _lines_of_pieces(source: str) -> set[int]:
    """Where constants begin that are pieces of statements: those of a private name."""
    return {
        node.value.lineno
        for node in python.parse(source).body
        if isinstance(node, python.Assign)
        and isinstance(node.targets[0], python.Name)
        and node.targets[0].id.startswith("_")
    }


def _whole_texts(node: python.AST) -> Iterator[python.expr]:
    """The expressions that may be text, without the parts that they are put together from."""
    for child in python.iter_child_nodes(node):
        if isinstance(child, python.Constant | python.JoinedStr | python.BinOp) or (
            isinstance(child, python.Call) and _is_format(child)
        ):
            yield child
        else:
            yield from _whole_texts(child)


def _is_format(call: python.Call) -> bool:
    return isinstance(call.func, python.Attribute) and call.func.attr == "format"


def _filled(node: python.expr, constants: dict[str, str]) -> str:  # noqa: PLR0911 - a case, a return
    match node:
        case python.Constant(value=str(text)):
            return text
        case python.Name(id=name):
            return constants.get(name, "{}")
        case python.JoinedStr(values=values):
            return "".join(_filled(value, constants) for value in values)
        case python.FormattedValue(value=value):
            return _filled(value, constants)
        case python.BinOp(left=left, op=python.Add(), right=right):
            return _filled(left, constants) + _filled(right, constants)
        case python.Call(func=python.Attribute(value=template), keywords=given) if _is_format(node):
            values = {one.arg: _filled(one.value, constants) for one in given if one.arg}
            return re.sub(
                r"\{(\w+)\}",
                lambda hole: values.get(hole[1], hole[0]),
                _filled(template, constants),
            )
        case _:
            return "{}"
