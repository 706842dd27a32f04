"""Every option of the manuals that is in effect has a file here that starts from the manual's
sentence and uses the option; manual.py says which, in the manuals' order.
"""

import ast
import re
from pathlib import Path

import pytest
from options.manual import NOT_YET, SHOWN_IN

from shmzmq.options import BY_NAME, OPTIONS

HERE = Path(__file__).parent
IN_EFFECT = [name for name, file in SHOWN_IN.items() if file != NOT_YET]


def test_there_are_as_many_as_in_the_manuals() -> None:
    assert len(SHOWN_IN) == 75
    assert {BY_NAME[name].name for name in SHOWN_IN} <= {spec.name for spec in OPTIONS}


@pytest.mark.parametrize("name", SHOWN_IN)
def test_the_table_calls_it_in_effect_where_a_file_shows_it(name: str) -> None:
    assert (BY_NAME[name].since is None) == (SHOWN_IN[name] == NOT_YET)


@pytest.mark.parametrize("name", IN_EFFECT)
def test_its_file_starts_from_the_sentence_and_uses_the_option(name: str) -> None:
    source = (HERE / f"{SHOWN_IN[name]}.py").read_text(encoding="utf-8")
    module = ast.parse(source)
    docstring = ast.get_docstring(module) or ""
    assert re.search(rf"\b{name}\b", docstring), "the docstring does not name it"
    assert '"' in docstring, "no sentence of the manual is quoted"
    code = source.partition(docstring[-20:])[2]
    assert re.search(rf"\b({name}|{name.lower()})\b", code), "no test sets it"
    assert any(
        isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in module.body
    )
