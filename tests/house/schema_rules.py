"""The house rules of the schema: what lets its tables be spread over a cluster by organisation.

They look at the end state, which is what a cluster is made of.
"""

from collections.abc import Iterator, Sequence

from pglast import ast
from pglast.enums import ConstrType

from house.sql_rules import TenantTables, cluster_faults
from house.sql_trees import bodies, tables

Schema = Sequence[ast.Node]
# Whose a row is.
TENANT, MODE = "org_id", "is_test"
POLICY = "own_rows"


def tenant_tables(schema: Schema) -> TenantTables:
    """The tables whose rows belong to an organisation: those with the policy that says so."""
    columns = _columns_of_tables(schema)
    every = frozenset(
        node.table.relname
        for node in schema
        if isinstance(node, ast.CreatePolicyStmt)
        and node.policy_name == POLICY
        and TENANT in columns[node.table.relname]
    )
    return TenantTables(every, frozenset(table for table in every if MODE in columns[table]))


def tables_with_foreign_keys(schema: Schema) -> frozenset[str]:
    """The tables whose rows point at other rows of their own tenant, mode included."""
    return frozenset(
        node.relation.relname
        for node in schema
        if isinstance(node, ast.AlterTableStmt)
        for command in node.cmds
        if isinstance(command.def_, ast.Constraint)
        and command.def_.contype == ConstrType.CONSTR_FOREIGN
        and MODE in {column.sval for column in command.def_.fk_attrs}
    )


def functions_run_on_a_cluster(schema: Schema) -> list[str]:
    """The statements inside functions are such as a cluster runs, too."""
    volatile, with_settings = volatile_functions(schema), functions_with_settings(schema)
    return [
        f"{_name(function)}: {fault}"
        for function in _functions(schema)
        for body in bodies(function)
        for fault in cluster_faults(body, volatile, with_settings)
    ]


def triggers_gather_first(schema: Schema) -> list[str]:
    """A trigger joins what a statement changed with no other table: it gathers ids first."""
    changed = {
        node.funcname[-1].sval: {relation.name for relation in node.transitionRels}
        for node in schema
        if isinstance(node, ast.CreateTrigStmt) and node.transitionRels
    }
    return [
        f"{_name(function)} joins {', '.join(sorted(used & changed[_name(function)]))}"
        for function in _functions(schema)
        if _name(function) in changed
        for body in bodies(function)
        if (used := set(tables(body))) & changed[_name(function)]
        and used - changed[_name(function)]
    ]


def volatile_functions(schema: Schema) -> frozenset[str]:
    """The functions whose value may differ from row to row."""
    return frozenset(
        _name(function)
        for function in _functions(schema)
        if _options(function).get("volatility", ast.String(sval="volatile")).sval == "volatile"
    )


def functions_with_settings(schema: Schema) -> frozenset[str]:
    """The functions that bring settings of their own."""
    return frozenset(_name(made) for made in _functions(schema) if "set" in _options(made))


def _columns_of_tables(schema: Schema) -> dict[str, set[str]]:
    return {
        node.relation.relname: {
            part.colname for part in node.tableElts or () if isinstance(part, ast.ColumnDef)
        }
        for node in schema
        if isinstance(node, ast.CreateStmt)
    }


def _functions(schema: Schema) -> Iterator[ast.CreateFunctionStmt]:
    return (node for node in schema if isinstance(node, ast.CreateFunctionStmt))


def _options(function: ast.CreateFunctionStmt) -> dict[str, object]:
    return {option.defname: option.arg for option in function.options}


def _name(function: ast.CreateFunctionStmt) -> str:
    return function.funcname[-1].sval
