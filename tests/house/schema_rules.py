"""The house rules of the schema: what lets its tables be spread over a cluster by organisation.

They look at the end state, which is what a cluster is made of.
"""

from collections.abc import Collection, Iterator, Sequence

from pglast import ast
from pglast.enums import ConstrType

from house.sql_rules import COPIES, TenantTables, cluster_faults
from house.sql_trees import bodies, first_statement, nodes, tables, unheld

Schema = Sequence[ast.Node]
# Whose a row is.
TENANT, MODE = "org_id", "is_test"
POLICY = "own_rows"
PEOPLES_POLICY = "people_only"
# What an owner's function does first, so that it acts for the transaction's tenant only.
CHECK = "SELECT public.check_own_tenant(organization, test)"
_KEYS = {
    ConstrType.CONSTR_PRIMARY,
    ConstrType.CONSTR_UNIQUE,
    ConstrType.CONSTR_FOREIGN,
    ConstrType.CONSTR_EXCLUSION,
}


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


def peoples_tables(schema: Schema) -> frozenset[str]:
    """The tables that show their rows to transactions of people only."""
    return frozenset(
        node.table.relname
        for node in schema
        if isinstance(node, ast.CreatePolicyStmt) and node.policy_name == PEOPLES_POLICY
    )


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
        # Only those that row-level security holds can't copy.
        if not (fault == COPIES and _is_the_owners(function))
    ]


def settings_are_pins(schema: Schema) -> list[str]:
    """A function that queries call brings no settings: only what is called alone pins its names."""
    return [
        f"{_name(function)} brings settings"
        for function in _functions(schema)
        if "set" in _options(function)
        if not (_is_the_owners(function) or function.returnType.names[-1].sval == "trigger")
    ]


def owners_functions_take_their_tenant(
    schema: Schema, looking_across: Collection[str]
) -> list[str]:
    """What acts as the owner is told its tenant first, and checks that it is the transaction's."""
    return [
        f"{_name(function)} takes no tenant, or does not check it first"
        for function in _functions(schema)
        if _is_the_owners(function) and _name(function) not in looking_across
        if [part.name for part in function.parameters or ()][:2] != ["organization", "test"]
        or first_statement(function) != CHECK
    ]


def tenant_in_every_function(schema: Schema, looking_across: Collection[str]) -> list[str]:
    """Each use of a tenant table in a function is held to the organisation and mode."""
    known = tenant_tables(schema)
    return [
        f"{_name(function)} uses {used} without {column}"
        for function in _functions(schema)
        if _name(function) not in looking_across
        for body in bodies(function)
        for column, held in ((TENANT, known.every), (MODE, known.with_mode))
        for used in unheld(body, column, held)
    ]


def keys_begin_with_the_tenant(schema: Schema) -> list[str]:
    """The names of keys and unique indexes of tenant tables that begin with something else."""
    known = tenant_tables(schema)
    return [
        name
        for table, name, columns in _keys(schema)
        if table in known.every
        if columns[:1] != [TENANT] or (table in known.with_mode and columns[:2] != [TENANT, MODE])
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


def _keys(schema: Schema) -> Iterator[tuple[str, str, list[str | None]]]:
    """Tables, names and columns of what is unique or points elsewhere; None for an expression."""
    for node in schema:
        if isinstance(node, ast.IndexStmt) and node.unique:
            yield node.relation.relname, node.idxname, [part.name for part in node.indexParams]
        elif isinstance(node, ast.AlterTableStmt | ast.CreateStmt):
            for made in nodes(node):
                if isinstance(made, ast.Constraint) and made.contype in _KEYS:
                    yield node.relation.relname, made.conname, _columns(made)


def _columns(made: ast.Constraint) -> list[str | None]:
    if made.contype == ConstrType.CONSTR_EXCLUSION:
        return [part[0].name for part in made.exclusions]
    return [column.sval for column in made.fk_attrs or made.keys or ()]


def _is_the_owners(function: ast.CreateFunctionStmt) -> bool:
    return "security" in _options(function) and _options(function)["security"].boolval


def _functions(schema: Schema) -> Iterator[ast.CreateFunctionStmt]:
    return (node for node in schema if isinstance(node, ast.CreateFunctionStmt))


def _options(function: ast.CreateFunctionStmt) -> dict[str, object]:
    return {option.defname: option.arg for option in function.options}


def _name(function: ast.CreateFunctionStmt) -> str:
    return function.funcname[-1].sval


def unvalidated_constraints(schema: Schema) -> list[str]:
    """Constraints that the rows which were there need not meet: a promise for some rows only."""
    return [
        f"{node.relation.relname}: {command.def_.conname} is not validated"
        for node in schema
        if isinstance(node, ast.AlterTableStmt)
        for command in node.cmds
        if isinstance(command.def_, ast.Constraint) and command.def_.skip_validation
    ]
