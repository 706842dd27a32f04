"""The compiled sources as text: which functions they have, and which comments name a pair."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "shmzmq"

RELEASES = {"store_release", "exchange", "fetch_or", "fetch_and", "fence"}
ACQUIRES = {"load_acquire", "exchange", "fetch_or", "fetch_and", "fence"}
ATOMICS = RELEASES | ACQUIRES | {"load_relaxed", "store_relaxed"}

_PAIR_COMMENT = re.compile(r'#.*\bpairs? ((?:"\w+"(?:, | and )?)+)')
_CALL = re.compile(r"\b(" + "|".join(sorted(ATOMICS)) + r")\(")


@dataclass(frozen=True)
class Place:
    """A place in a source where an atomic operation belongs to a pair."""

    path: str
    function: str
    line: int
    operations: frozenset[str]

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.function}"


def compiled_sources() -> dict[str, str]:
    """Return the text of every module that uses atomics or explains a pair, by its path."""
    texts = {path: path.read_text() for path in PACKAGE.rglob("*.py")}
    return {
        str(path.relative_to(PACKAGE)): text
        for path, text in sorted(texts.items())
        if "shm.atomics import" in text or 'Pair "' in text
    }


def functions(text: str) -> dict[str, tuple[int, int]]:
    """Return the first and last line of every function of a source, by its qualified name."""
    found: dict[str, tuple[int, int]] = {}

    def walk(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                walk(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef):
                found[prefix + node.name] = (node.lineno, node.end_lineno or node.lineno)

    walk(ast.parse(text).body, "")
    return found


def source_of(path: str, function: str) -> str:
    """Return the text of one function of the package. Raises KeyError if there is none."""
    text = (PACKAGE / path).read_text()
    first, last = functions(text)[function]
    return "\n".join(text.splitlines()[first - 1 : last])


def function_at(text: str, line: int) -> str:
    """Return the name of the function that *line* stands in, empty for none."""
    for name, (first, last) in functions(text).items():
        if first <= line <= last:
            return name
    return ""


def pair_places(sources: Mapping[str, str]) -> dict[str, list[Place]]:
    """Return where each pair is named in a comment, and the atomic operations that stand there.

    A comment belongs to the code on its line, or to the next code when it has a line to itself.
    """
    places: dict[str, list[Place]] = {}
    for path, text in sources.items():
        lines = text.splitlines()
        for number, comment, own_line in _comments(text):
            match = _PAIR_COMMENT.search(comment)
            if match is None:
                continue
            code = _code_after(lines, number) if own_line else lines[number - 1].split("#")[0]
            place = Place(path, function_at(text, number), number, frozenset(_CALL.findall(code)))
            for name in re.findall(r'"(\w+)"', match[1]):
                places.setdefault(name, []).append(place)
    return places


def _comments(text: str) -> Iterator[tuple[int, str, bool]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string, token.line.lstrip().startswith("#")


def _code_after(lines: list[str], number: int) -> str:
    """Return the first statement behind line *number*, joined while brackets are open."""
    code = ""
    for line in lines[number:]:
        if line.lstrip().startswith("#") and not code:
            continue
        code += line
        if code.count("(") <= code.count(")"):
            break
    return code
