"""The stubs of the compiled modules: every public name that there is, with the parameters it has.

What a compiled module has is asked of the module itself. Two things it cannot tell: the parameters
of constructors, and attributes of instances that have a dict. Those are read from its source.
"""

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

import pytest

import shmzmq

PACKAGE = Path(shmzmq.__path__[0])
# The buffer protocol has a name of its own only since Python 3.12 (PEP 688); stubs say it always.
NAMELESS_SLOTS = {"__buffer__"} if sys.version_info < (3, 12) else set()
MAY_BE_SUBCLASSED = 1 << 10  # Py_TPFLAGS_BASETYPE


def stems(suffix: str) -> set[str]:
    """Return the modules of the package that have a file with *suffix*, as ``shm/ring``."""
    files = PACKAGE.rglob(f"*{suffix}")
    return {str(file.relative_to(PACKAGE)).removesuffix(suffix) for file in files}


COMPILED = sorted(stems(EXTENSION_SUFFIXES[0]))
compiled = pytest.mark.parametrize("stem", COMPILED)


def load(stem: str) -> ModuleType:
    return importlib.import_module(f"shmzmq.{stem.replace('/', '.')}")


def parse(stem: str, suffix: str) -> ast.Module:
    return ast.parse((PACKAGE / f"{stem}{suffix}").read_text())


def classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """Yield the public classes of a module or stub."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node


def declarations(scope: ast.Module | ast.ClassDef) -> dict[str, list[ast.stmt]]:
    """Return what a stub says in *scope*, by name; several statements for overloads and setters."""
    found: dict[str, list[ast.stmt]] = {}
    for node in scope.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.setdefault(name, []).append(node)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                found.setdefault(name, []).append(node)
    return {name: nodes for name, nodes in found.items() if not is_private(name)}


def is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).startswith("Final[")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def public_names(module: ModuleType) -> set[str]:
    """Return the functions and classes that *module* defines itself."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }


def parameters(function: ast.FunctionDef) -> list[inspect.Parameter]:
    """Return the parameters of a function in a stub or a source, without their annotations."""
    arguments = function.args
    extra = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra):
        argument.annotation = None
    bare = ast.Expression(ast.Lambda(arguments, ast.Constant(None)))
    made = eval(compile(ast.fix_missing_locations(bare), function.name, "eval"))
    return list(inspect.signature(made).parameters.values())


def check_parameters(
    function: str, said: list[inspect.Parameter], real: list[inspect.Parameter]
) -> None:
    """Hold a stub's parameters against the real ones; a stub may write a default as ``...``."""
    names, real_names = ([(item.name, item.kind) for item in items] for items in (said, real))
    assert names == real_names, function
    for ours, theirs in zip(said, real, strict=True):
        assert ours.default is ... or ours.default == theirs.default, f"{function}: {ours.name}"


def is_marked(node: ast.FunctionDef | ast.ClassDef, decorator: str) -> bool:
    return any(ast.unparse(mark) == decorator for mark in node.decorator_list)


def constructor(cls: ast.ClassDef) -> ast.FunctionDef | None:
    """Return the constructor of *cls*; in a source it may be Cython's."""
    for node in cls.body:
        if isinstance(node, ast.FunctionDef) and node.name in ("__init__", "__cinit__"):
            return node
    return None


def assigned_in_constructor(stem: str, name: str) -> set[str]:
    """Return the attributes that the constructor of the class called *name* gives to instances."""
    for cls in classes(parse(stem, ".py")):
        made = constructor(cls) if cls.name == name else None
        if made is not None:
            targets = (node for node in ast.walk(made) if isinstance(node, ast.Attribute))
            return {node.attr for node in targets if isinstance(node.ctx, ast.Store)}
    return set()


def test_there_is_a_stub_for_each_compiled_module_and_for_no_other() -> None:
    assert len(COMPILED) > 20
    assert sorted(stems(".pyi")) == COMPILED


@compiled
def test_the_stub_has_the_names_of_the_module(stem: str) -> None:
    module = load(stem)
    said = declarations(parse(stem, ".pyi"))
    constants = {name for name, nodes in said.items() if is_constant(nodes[0])}
    assert constants <= set(vars(module))
    assert set(said) - constants == public_names(module)


@compiled
def test_the_stub_has_the_members_of_each_class(stem: str) -> None:
    module = load(stem)
    for node in classes(parse(stem, ".pyi")):
        cls = getattr(module, node.name)
        there = {*dir(cls), *NAMELESS_SLOTS}
        if "__dict__" in vars(cls):
            there |= assigned_in_constructor(stem, node.name)
        said = set(declarations(node))
        assert said <= there, f"{node.name} has no {sorted(said - there)}"
        inherited = {name for base in cls.__bases__ for name in dir(base)}
        own = {name for name in vars(cls) if not name.startswith("_")} - inherited
        assert own <= said, f"the stub of {node.name} lacks {sorted(own - said)}"


@compiled
def test_the_stub_says_which_classes_are_final(stem: str) -> None:
    module = load(stem)
    for node in classes(parse(stem, ".pyi")):
        flags = getattr(module, node.name).__flags__
        assert is_marked(node, "final") != bool(flags & MAY_BE_SUBCLASSED), node.name


@compiled
def test_functions_and_methods_have_the_parameters_that_the_stub_says(stem: str) -> None:
    module, tree = load(stem), parse(stem, ".pyi")
    scopes: list[ast.Module | ast.ClassDef] = [tree, *classes(tree)]
    for scope in scopes:
        owner = module if isinstance(scope, ast.Module) else getattr(module, scope.name)
        for name, nodes in declarations(scope).items():
            functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
            if not functions or name.startswith("__"):
                continue  # constructors have a test of their own; Python defines the other slots
            member = inspect.getattr_static(owner, name)
            if is_marked(functions[0], "property"):
                assert inspect.isdatadescriptor(member), name
                continue
            real = list(inspect.signature(member).parameters.values())
            if len(functions) == 1:
                check_parameters(name, parameters(functions[0]), real)
            for overload in functions:
                names = [item.name for item in parameters(overload)]
                assert names == [item.name for item in real], name


@compiled
def test_constructors_have_the_parameters_that_the_stub_says(stem: str) -> None:
    stubs = {cls.name: constructor(cls) for cls in classes(parse(stem, ".pyi"))}
    for cls in classes(parse(stem, ".py")):
        said, real = stubs[cls.name], constructor(cls)
        if real is None:
            assert said is None, cls.name
        elif said is not None:
            check_parameters(cls.name, parameters(said), parameters(real))
        else:  # as object has it
            assert not cls.bases, cls.name
            assert len(parameters(real)) == 1, cls.name
