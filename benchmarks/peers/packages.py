"""Packages that may be installed or not."""

import importlib
from importlib.metadata import PackageNotFoundError, version


def version_of(package: str, module: str) -> str:
    """Return the version of a package whose `module` can be imported.

    Raises: ImportError, saying what is wrong.
    """
    try:
        found = version(package)
    except PackageNotFoundError:
        raise ImportError(f"{package} is not installed") from None
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{package} {found} cannot be imported: {error}") from None
    return found
