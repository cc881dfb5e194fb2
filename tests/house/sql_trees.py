"""SQL as PostgreSQL's own parser reads it: what the rules of SQL look at instead of at text."""

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from pglast import ast, parse_plpgsql, parse_sql
from pglast.enums import A_Expr_Kind
from pglast.parser import ParseError, parse_sql_json
from pglast.stream import RawStream

# What a hole of a statement may stand for, where its text is only known at run time.
_FILLINGS = ("", "held", "1", "SELECT 1", "WHERE true", "(SELECT 1) AS held", "LIMIT 1", "'held'")
_HOLE = re.compile(r"\{\w*\}")
# What PL/pgSQL marks an expression with; higher numbers are assignments.
_EXPRESSION = 2
_COMPARISONS = {A_Expr_Kind.AEXPR_OP, A_Expr_Kind.AEXPR_IN, A_Expr_Kind.AEXPR_OP_ANY}


_STATEMENTS = (ast.SelectStmt, ast.ReturnStmt)
_PARTS = ast.SelectStmt | ast.UpdateStmt | ast.DeleteStmt


@cache
def parsed(sql: str) -> tuple[ast.Node, ...]:
    """The statements of a text, whose holes are filled with what makes them SQL.

    Raises:
        ParseError: no filling does.
    """
    while hole := _HOLE.search(sql):
        sql = min(
            (sql[: hole.start()] + filling + sql[hole.end() :] for filling in _FILLINGS),
            key=_unread,
        )
    return tuple(raw.stmt for raw in parse_sql(sql))


def with_lines(sql: str) -> Iterator[tuple[int, ast.Node]]:
    """The statements of a file, each with the line on which it begins."""
    for raw in parse_sql(sql):
        start = raw.stmt_location or 0
        yield line_of(sql, start + _margin(sql[start:])), raw.stmt


def line_of(text: str, position: int) -> int:
    """The number of the line that a position of a text lies on."""
    return text.count("\n", 0, position) + 1


def nodes(tree: object) -> Iterator[ast.Node]:
    """A tree's nodes, from the root."""
    if isinstance(tree, tuple):
        for part in tree:
            yield from nodes(part)
    elif isinstance(tree, ast.Node):
        yield tree
        for name in tree:
            yield from nodes(getattr(tree, name))


def calls(tree: object) -> Iterator[str]:
    """The names of the functions that a tree calls, without their schema."""
    for node in nodes(tree):
        if isinstance(node, ast.FuncCall):
            yield node.funcname[-1].sval


def has_star(tree: object) -> bool:
    """Whether a statement asks for every column of a table, whichever there may be.

    What a function returns is listed where the function is called.
    """
    called = {
        node.alias.aliasname
        for node in nodes(tree)
        if isinstance(node, ast.RangeFunction) and node.alias
    }
    return any(
        isinstance(node, ast.ColumnRef)
        and isinstance(node.fields[-1], ast.A_Star)
        and getattr(node.fields[0], "sval", "") not in called
        for node in nodes(tree)
    )


def tables(tree: object) -> Iterator[str]:
    """The names of the tables and views that a tree reads or writes."""
    for node in nodes(tree):
        if isinstance(node, ast.RangeVar):
            yield node.relname


def unheld(tree: object, column: str, known: Collection[str]) -> Iterator[str]:
    """Tables of a statement whose rows nothing holds to one value of a column.

    Each part of a statement (sub-select, common table expression) is looked at with its own
    tables. A table is held where its column is compared, alone or in a row, with something that is
    not of these tables, or with the column of one that is held; or where an INSERT names it.
    """
    elsewhere = {node.ctename for node in nodes(tree) if isinstance(node, ast.CommonTableExpr)}
    for part in nodes(tree):
        if isinstance(part, ast.InsertStmt):
            table = part.relation.relname
            if table in known and column not in {target.name for target in part.cols or ()}:
                yield table
        elif isinstance(part, _PARTS):
            own = {
                used.alias.aliasname if used.alias else used.relname: used.relname
                for used in _own_tables(part)
                if used.relname in known and used.relname not in elsewhere
            }
            yield from (own[name] for name in own.keys() - _held(part, column, own))


def bodies(function: ast.CreateFunctionStmt) -> Iterator[ast.Node]:
    """The statements in a function's body; an expression as a SELECT of it."""
    options = {option.defname: option.arg for option in function.options}
    if options["language"].sval == "plpgsql":
        for query, mode in _queries(parse_plpgsql(_with_known_types(function))):
            yield from parsed(_as_statement(query, mode))
    elif "as" in options:
        yield from parsed(options["as"][0].sval)
    else:
        yield from (node for node in nodes(function.sql_body) if isinstance(node, _STATEMENTS))


def first_statement(function: ast.CreateFunctionStmt) -> str:
    """The first statement of a function in PL/pgSQL; empty where it is none of SQL."""
    ((made,),) = (tree.values() for tree in parse_plpgsql(_with_known_types(function)))
    first = made["action"]["PLpgSQL_stmt_block"]["body"][0]
    return next((query for query, _ in _queries(first)), "")


def _with_known_types(function: ast.CreateFunctionStmt) -> str:
    """A function's text; the parser of PL/pgSQL knows no type that somebody defined."""
    copy = parse_sql(RawStream()(function))[0].stmt
    for node in nodes(copy):
        if isinstance(node, ast.TypeName) and node.names[0].sval == "public":
            node.names = (ast.String(sval="text"),)
    return RawStream()(copy)


def _own_tables(part: ast.Node) -> Iterator[ast.RangeVar]:
    """The tables of one part of a statement, not those of the parts inside it."""
    if isinstance(part, ast.UpdateStmt | ast.DeleteStmt):
        yield part.relation
    waiting = list(_sources(part))
    while waiting:
        item = waiting.pop()
        if isinstance(item, ast.RangeVar):
            yield item
        elif isinstance(item, ast.JoinExpr):
            waiting += [item.larg, item.rarg]


def _sources(part: ast.Node) -> tuple[ast.Node, ...]:
    return (part.usingClause if isinstance(part, ast.DeleteStmt) else part.fromClause) or ()


def _held(part: ast.Node, column: str, own: Collection[str]) -> set[str]:
    """Which of a part's tables are held."""
    pairs: list[tuple[str, str]] = []
    for node, is_inside in _walk(part):
        # Inside another part, a column without a table's name is that part's.
        alone = next(iter(own)) if len(own) == 1 and not is_inside else ""
        pairs += [
            tuple(_owner(side, own, alone) if _names(side, column) else "" for side in sides)
            for sides in _comparisons(node)
            if any(_names(side, column) for side in sides)
        ]
    held = {one or other for one, other in pairs if not (one and other)} - {""}
    while more := {name for pair in pairs if held & set(pair) for name in pair} - held - {""}:
        held |= more
    return held


def _walk(part: ast.Node) -> Iterator[tuple[ast.Node, bool]]:
    """A part's nodes, each with whether it lies inside another part."""
    waiting: list[tuple[object, bool]] = [(getattr(part, name), False) for name in part]
    while waiting:
        item, is_inside = waiting.pop()
        if isinstance(item, tuple):
            waiting += [(each, is_inside) for each in item]
        elif isinstance(item, ast.Node):
            yield item, is_inside
            inside = is_inside or isinstance(item, _PARTS)
            waiting += [(getattr(item, name), inside) for name in item]


def _comparisons(node: ast.Node) -> Iterator[tuple[object, object]]:
    """The two sides of a comparison; of rows, column by column."""
    if isinstance(node, ast.A_Expr) and node.kind in _COMPARISONS and node.name[-1].sval == "=":
        yield from _sides(node.lexpr, node.rexpr)
    elif isinstance(node, ast.SubLink) and node.testexpr is not None:
        yield from _sides(node.testexpr, None)
    elif isinstance(node, ast.JoinExpr) and node.usingClause:
        for name in node.usingClause:
            one, other = (_first_table(side) for side in (node.larg, node.rarg))
            yield ast.ColumnRef(fields=(one, name)), ast.ColumnRef(fields=(other, name))


def _sides(left: object, right: object) -> Iterator[tuple[object, object]]:
    if isinstance(left, ast.RowExpr):
        others = right.args if isinstance(right, ast.RowExpr) else [None] * len(left.args)
        yield from zip(left.args, others, strict=True)
    else:
        yield left, right


def _first_table(item: ast.Node) -> ast.String:
    while isinstance(item, ast.JoinExpr):
        item = item.larg
    alias = getattr(item, "alias", None)
    return ast.String(sval=alias.aliasname if alias else item.relname)


def _names(side: object, column: str) -> bool:
    return isinstance(side, ast.ColumnRef) and getattr(side.fields[-1], "sval", "") == column


def _owner(side: Any, own: Collection[str], alone: str) -> str:
    """Whose a column is; empty where of none of these tables."""
    if len(side.fields) == 1:
        return alone
    name = side.fields[-2].sval
    return name if name in own else ""


def _queries(tree: Any) -> Iterator[tuple[str, int]]:
    if isinstance(tree, dict):
        if "query" in tree and "parseMode" in tree:
            yield tree["query"], tree["parseMode"]
        if "PLpgSQL_stmt_dynexecute" in tree:
            yield from _constant(tree["PLpgSQL_stmt_dynexecute"]["query"]["PLpgSQL_expr"]["query"])
        for value in tree.values():
            yield from _queries(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _queries(value)


def _constant(expression: str) -> Iterator[tuple[str, int]]:
    """The statement that an EXECUTE is given as it is, not put together."""
    (found,) = parsed(f"SELECT {expression}")
    value = found.targetList[0].val
    if isinstance(value, ast.A_Const) and isinstance(value.val, ast.String):
        yield value.val.sval, 0


def _as_statement(query: str, mode: int) -> str:
    """A piece of PL/pgSQL as a statement: what is assigned or tested becomes a SELECT."""
    if mode == 0:
        return query
    return f"SELECT {query.partition(':=')[2] if mode > _EXPRESSION else query}"


def _unread(sql: str) -> int:
    """How much of a text lies behind where the parser stops; a hole not filled yet stops it.

    Answers in JSON take a twentieth of the time of trees.
    """
    try:
        parse_sql_json(sql)
    except ParseError as error:
        at = error.args[1]  # None where the text ends too early.
        return 0 if at is None else len(sql) - at
    return -1


def _margin(sql: str) -> int:
    """The blanks and comments before a statement."""
    found = re.match(r"(?:\s+|--[^\n]*\n|/\*.*?\*/)*", sql, re.DOTALL)
    return found.end() if found else 0
