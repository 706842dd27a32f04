"""The compiled core: which modules are built, and how. All other metadata stands in pyproject.toml.

The hot path is Python source in Cython's pure Python mode; a module is one extension.
"""

from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup  # type: ignore[import-untyped]

COMPILED = [
    "shmzmq/shm/batch.py",
    "shmzmq/shm/board.py",
    "shmzmq/shm/doorbell.py",
    "shmzmq/shm/forks.py",
    "shmzmq/shm/mapping.py",
    "shmzmq/shm/blocks.py",
    "shmzmq/shm/box.py",
    "shmzmq/shm/chain.py",
    "shmzmq/shm/consumer.py",
    "shmzmq/shm/lease.py",
    "shmzmq/shm/ledger.py",
    "shmzmq/shm/lender.py",
    "shmzmq/shm/parts.py",
    "shmzmq/shm/patience.py",
    "shmzmq/shm/producer.py",
    "shmzmq/shm/records.py",
    "shmzmq/shm/runs.py",
    "shmzmq/shm/waiting.py",
    "shmzmq/message.py",
    "shmzmq/lending.py",
    "shmzmq/pipe.py",
    "shmzmq/renewal.py",
    *sorted(set(glob("shmzmq/patterns/*.py")) - {"shmzmq/patterns/__init__.py"}),
    "shmzmq/socket_core.py",
    "shmzmq/socket_base.py",
    "shmzmq/batch_sources.py",
    "shmzmq/batches.py",
    "shmzmq/zmtp/codec.py",
    "shmzmq/workers/exchange.py",
    "shmzmq/workers/mail.py",
    "shmzmq/workers/reactor.py",
    "shmzmq/workers/receiving.py",
    "shmzmq/workers/relay.py",
    "shmzmq/workers/sending.py",
    "shmzmq/workers/traffic.py",
]

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "auto_pickle": False,
    "binding": True,
    "embedsignature": True,
}


def extensions() -> list[Extension]:
    """Return one extension for each compiled module, as cythonize wants them."""
    sources = [
        Extension(
            path.removesuffix(".py").replace("/", "."),
            [path],
            extra_compile_args=["-O3", "-fno-strict-aliasing"],
        )
        for path in COMPILED
    ]
    built: list[Extension] = cythonize(  # type: ignore[no-untyped-call]
        sources, compiler_directives=DIRECTIVES, build_dir="build/cython"
    )
    return built


setup(ext_modules=extensions())
