"""Small mistakes that a programmer could have made, one at a time, in the source of one module.

A mutant is named by where it is, what stood there and what stands there now,
so that its name outlives edits elsewhere.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, cast

from attrs import frozen

REMOVABLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.Return, ast.Raise, ast.Continue, ast.Break, ast.Delete)

TOLD_MAX = 90  # characters of what stands around a mistake
Enums = dict[str, list[list[str]]]  # members in their order, by class name; two classes may share a name

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
TWINS = {"min": "max", "any": "all", "floor_to": "ceil_to", "sum": "max"}
TWINS |= {other: one for one, other in TWINS.items() if one != "sum"}
FORGOTTEN = {"abs", "sorted", "reversed", "tuple", "list"}  # calls that may be left out

# What is read by people or by type checkers alone.
UNSPOKEN: dict[type[ast.AST], set[str]] = {
    ast.FunctionDef: {"decorator_list", "returns", "type_params"},
    ast.AsyncFunctionDef: {"decorator_list", "returns", "type_params"},
    ast.ClassDef: {"decorator_list", "bases", "keywords", "type_params"},
    ast.arg: {"annotation"},
    ast.AnnAssign: {"annotation", "target"},
}


@frozen(kw_only=True)
class Mutant:
    """One mistake."""

    where: str  # module, class and function, dotted
    before: str
    after: str
    number: int = 1  # among mutants that read alike
    line: int
    lines: tuple[int, int]  # first and last of the statement it is in
    in_function: bool
    tree: Callable[[], ast.Module]

    @property
    def name(self) -> str:
        """How the list of explained ones refers to it."""
        number = f" #{self.number}" if self.number > 1 else ""
        return f"`{self.where}`: `{self.before}` -> `{self.after}`{number}"


def enums_of(trees: list[ast.Module]) -> Enums:
    """Return the members of every enum, and of every class of plain constants, in these sources."""
    found: Enums = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                members = [
                    each.targets[0].id
                    for each in node.body
                    if isinstance(each, ast.Assign)
                    and isinstance(each.targets[0], ast.Name)
                    and isinstance(each.value, ast.Constant)
                ]
                if len(members) > 1 and all(name.isupper() for name in members):
                    found.setdefault(node.name, []).append(members)
    return found


def mutants_of(source: str, module: str, enums: Enums) -> Iterator[Mutant]:
    """Yield every mutant of a module's source."""
    tree = ast.parse(source)
    seen: Counter[tuple[str, str, str]] = Counter()
    for place in _places(tree, module):
        for replacement in _replacements(place, enums):
            before, after = _told(place, replacement)
            if before == after:
                continue
            seen[place.where, before, after] += 1
            yield Mutant(
                where=place.where,
                before=before,
                after=after,
                number=seen[place.where, before, after],
                line=getattr(place.node, "lineno", place.statement.lineno),
                lines=(place.statement.lineno, place.last_line),
                in_function=place.in_function,
                tree=functools.partial(_with, tree, place, replacement),
            )


@frozen
class _Place:
    node: ast.AST
    parent: ast.AST
    path: tuple[tuple[str, int | None], ...]  # from the root: field, and index in it
    where: str
    statement: ast.stmt
    in_function: bool

    @property
    def last_line(self) -> int:
        """A compound statement is its head; its body has statements of its own."""
        body: list[ast.stmt] = getattr(self.statement, "body", [])
        first, last = self.statement.lineno, self.statement.end_lineno
        return max(first, body[0].lineno - 1) if body else last or first


def _places(tree: ast.Module, module: str) -> Iterator[_Place]:
    def walk(node: ast.AST, path: tuple[Any, ...], where: str, statement: Any, *, inside: bool) -> Iterator[_Place]:
        for name, value in ast.iter_fields(node):
            if name in UNSPOKEN.get(type(node), ()):
                continue
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(child, ast.AST) or _is_unspoken(child, node):
                    continue
                here = (*path, (name, index))
                stands = child if isinstance(child, ast.stmt) else statement
                yield _Place(child, node, here, where, stands, inside)
                if isinstance(child, ast.Raise):
                    continue  # what it says is for people
                named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                below = f"{where}.{cast('ast.ClassDef', child).name}" if named else where
                within = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
                yield from walk(child, here, below, stands, inside=within)

    yield from walk(tree, (), module, None, inside=False)


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _is_unspoken(node: ast.AST, parent: ast.AST) -> bool:
    """Whether nothing in *node* is worth a mutant: docstrings, imports, sentences, what only types are for."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    if isinstance(node, ast.Assign) and isinstance(parent, ast.ClassDef) and "Enum" in map(_last_name, parent.bases):
        return True  # members are compared by what they are, never by how they are written
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
        return True
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and " " in node.value
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _told(place: _Place, replacement: ast.AST | None) -> tuple[str, str]:
    """Return what stood there and what stands there now, with enough around it to be found by a reader."""
    small = replacement is None or isinstance(place.node, ast.Constant | ast.Attribute)
    if small and not hasattr(place.parent, "body"):
        around = copy.deepcopy(place.parent)
        _put(around, place.path[-1], replacement)
        if len(_text(place.parent)) < TOLD_MAX:
            return _text(place.parent), _text(around)
    return _text(place.node), _text(replacement)


def _text(node: ast.AST | None) -> str:
    return " ".join(ast.unparse(node).split()) if node else "nothing"


def _with(tree: ast.Module, place: _Place, replacement: ast.AST | None) -> ast.Module:
    """Return the tree with one node replaced; None takes it out of its list."""
    mutated = copy.deepcopy(tree)
    node: Any = mutated
    for name, index in place.path[:-1]:
        node = getattr(node, name) if index is None else getattr(node, name)[index]
    _put(node, place.path[-1], replacement)
    return ast.fix_missing_locations(mutated)


def _put(node: Any, at: tuple[str, int | None], replacement: ast.AST | None) -> None:
    name, index = at
    if replacement is None:
        del getattr(node, name)[index]
        if isinstance(node, ast.Dict):
            del node.values[cast("int", index)]
    elif index is None:
        setattr(node, name, ast.copy_location(replacement, getattr(node, name)))
    else:
        listed = getattr(node, name)
        listed[index] = ast.copy_location(replacement, listed[index])


# ------------------------------------------------------------------ the mistakes


def _replacements(place: _Place, enums: Enums) -> Iterator[ast.AST | None]:
    node, parent = place.node, place.parent
    for kind, mistakes in MISTAKES.items():
        if isinstance(node, kind):
            yield from mistakes(node)
    if isinstance(node, REMOVABLE) and not _is_needed(place):
        yield ast.Pass()
    if isinstance(node, ast.expr):
        yield from _as_condition(node, parent)
        if _may_be_left_out(node, parent, rows=not place.in_function):
            yield None
    if isinstance(node, ast.keyword) and node.arg:
        yield None
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in enums:
        yield from _other_member(node, enums[node.value.id])


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        for other in COMPARED[type(operator)]:
            yield ast.Compare(node.left, [*node.ops[:index], other(), *node.ops[index + 1 :]], node.comparators)


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    turned = isinstance(node.op, ast.Mult) and any(_last_name(each) == "sign" for each in (node.left, node.right))
    if type(node.op) in COMPUTED and not turned:  # multiplied by one or minus one is as good as divided
        yield ast.BinOp(node.left, COMPUTED[type(node.op)](), node.right)


def _boolean(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for index in range(len(node.values)):
        rest = node.values[:index] + node.values[index + 1 :]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield node.operand


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
        if value > 0:
            yield ast.Constant(value - 1)
    elif isinstance(value, str):
        yield ast.Constant(value + "~")


def _augmented(node: ast.AugAssign) -> Iterator[ast.AST]:
    if type(node.op) in COMPUTED:
        yield ast.AugAssign(node.target, COMPUTED[type(node.op)](), node.value)
    target = copy.deepcopy(node.target)
    yield ast.Assign([target], node.value, lineno=node.lineno)


def _returned(node: ast.Return) -> Iterator[ast.AST]:
    nothing = isinstance(node.value, ast.Constant) and not node.value.value  # None and False mean the same
    nothing = nothing or (isinstance(node.value, ast.Tuple) and not node.value.elts)
    if node.value is not None and not nothing:
        yield ast.Return(ast.Constant(None))


def _called(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name):
        if node.func.id in TWINS:
            yield ast.Call(ast.Name(TWINS[node.func.id], ast.Load()), node.args, node.keywords)
        if node.func.id in FORGOTTEN and node.args:
            yield node.args[0]


def _comprehension(node: ast.comprehension) -> Iterator[ast.AST]:
    for index in range(len(node.ifs)):
        yield ast.comprehension(node.target, node.iter, node.ifs[:index] + node.ifs[index + 1 :], node.is_async)


def _as_condition(node: ast.expr, parent: ast.AST) -> Iterator[ast.AST]:
    """A condition that no other mistake turns round."""
    decides = isinstance(parent, ast.If | ast.While | ast.IfExp) and parent.test is node
    decides = decides or (isinstance(parent, ast.BoolOp) and node in parent.values)
    decides = decides or (isinstance(parent, ast.comprehension) and node in parent.ifs)
    turned = isinstance(node, ast.UnaryOp | ast.BoolOp) or (isinstance(node, ast.Compare) and len(node.ops) == 1)
    if decides and not turned:
        yield ast.UnaryOp(ast.Not(), node)


def _is_needed(place: _Place) -> bool:
    """Whether a name would be missing, or nothing would change, if the statement were removed."""
    node, parent = place.node, place.parent
    if isinstance(node, ast.Return):
        return isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and parent.body[-1] is node
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
    # In its own block it is the first to give the name; under a condition it may be the second.
    return not isinstance(parent, ast.If | ast.For | ast.While | ast.Try | ast.With)


def _may_be_left_out(node: ast.expr, parent: ast.AST, *, rows: bool) -> bool:
    """Whether *node* is one of several that were listed."""
    if isinstance(parent, ast.Dict):
        return node in parent.keys
    if isinstance(parent, ast.Tuple):
        return rows and isinstance(parent.ctx, ast.Load) and len(parent.elts) > 1
    return isinstance(parent, ast.Set | ast.List) and len(parent.elts) > 1


def _other_member(node: ast.Attribute, classes: list[list[str]]) -> Iterator[ast.AST]:
    members = next((members for members in classes if node.attr in members), None)
    if members:
        other = members[(members.index(node.attr) + 1) % len(members)]
        yield ast.Attribute(node.value, other, node.ctx)


MISTAKES: dict[Any, Callable[[Any], Iterator[ast.AST]]] = {
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.AugAssign: _augmented,
    ast.Return: _returned,
    ast.Call: _called,
    ast.comprehension: _comprehension,
}
