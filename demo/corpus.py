"""The input: every source file of the standard library of the Python that runs."""

import sysconfig
from pathlib import Path

NOT_STANDARD = {"site-packages", "dist-packages"}


def standard_library() -> Path:
    """Return the directory of the standard library."""
    return Path(sysconfig.get_path("stdlib"))


def source_files(root: Path) -> list[str]:
    """Return the paths of all .py files below `root`, relative to it, in order."""
    found = (path.relative_to(root) for path in root.rglob("*.py") if path.is_file())
    return sorted(str(path) for path in found if not NOT_STANDARD.intersection(path.parts))
