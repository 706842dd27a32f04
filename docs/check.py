"""Check the documentation against the tree: `python docs/check.py`, or `make docs`.

In every Markdown file of the root and of docs/: relative links lead to files that exist, files of
the source tree named in backquotes exist, and Python blocks compile. Prints what does not hold, one
line each, and ends with status 1 then.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
SOURCE = re.compile(r"`((?:shmzmq|transports|tests|benchmarks|demo|docs)/[\w./-]+)`")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def complaints(page: Path) -> Iterator[str]:
    """Yield what does not hold on one page."""
    text = page.read_text(encoding="utf-8")
    for found in LINK.finditer(text):
        target = found[1]
        elsewhere = "://" in target or target.startswith("mailto:")
        if not elsewhere and not (page.parent / target).exists():
            yield at(page, text, found.start(), f"a link to {target}, which does not exist")
    for found in SOURCE.finditer(text):
        if not (ROOT / found[1]).exists():
            yield at(page, text, found.start(), f"names {found[1]}, which does not exist")
    for found in BLOCK.finditer(text):
        try:
            compile(found[1], str(page), "exec")
        except SyntaxError as error:
            yield at(
                page, text, found.start(), f"a Python block that does not compile: {error.msg}"
            )


def at(page: Path, text: str, position: int, what: str) -> str:
    """Return a complaint with the file and the line that it is about."""
    line = text.count("\n", 0, position) + 1
    return f"{page.relative_to(ROOT)}:{line}: {what}"


def main() -> int:
    """Check all pages; return the exit status."""
    pages = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    found = [complaint for page in pages for complaint in complaints(page)]
    for complaint in found:
        print(complaint)
    print(f"{len(pages)} pages, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
