"""The reference page of the options, docs/options.md, written from the table."""

from collections.abc import Iterable, Iterator

from ..constants import SocketType
from .spec import ALL_SOCKETS, OptionSpec
from .table import OPTIONS

_HEAD = """\
# Socket options

Written from the option table (`shmzmq/options/table.py`) by `python -m shmzmq.options`; `make
docs` checks that it is current. What is said here is what `Socket.set` and `Socket.get` go by, and
what their errors name.

An option is set with `socket.setsockopt(zmq.LINGER, 0)`, `socket.set(...)` or as an attribute,
`socket.linger = 0`. A value that is refused changes nothing. **In effect** names the version from
which on a test shows what the option does; *not yet* means that its value is checked and kept, and
nothing more. A socket that asks for security, which is not in effect yet, has no connections at
all: `bind` and `connect` raise `ENOTSUP`, but over inproc.

Other names of one option stand beside its name. Numbers are libzmq's; XPUB_VERBOSE_UNSUBSCRIBE and
what else libzmq never numbered have numbers that it leaves free.

"""

_OWNERS = {
    "core": "Every socket: queues, waiting, connections, state",
    "patterns": "Single socket types",
    "tcp": "Stream transports",
    "ipc": "ipc",
    "vmci": "vmci",
    "security": "Security",
    "multicast": "Multicast",
}


def page() -> str:
    """Return docs/options.md as it should be."""
    return _HEAD + "\n".join(_sections()).rstrip() + "\n"


def _sections() -> Iterator[str]:
    yield "| option | number | type | default | in effect |"
    yield "| --- | --- | --- | --- | --- |"
    for spec in sorted(OPTIONS, key=lambda spec: spec.name):
        row = (_link(spec), f"{spec.number:d}", _type(spec), _default(spec), _since(spec))
        yield f"| {' | '.join(row)} |"
    for owner, title in _OWNERS.items():
        yield f"\n## {title}\n"
        for spec in OPTIONS:
            if spec.owner == owner:
                yield from _entry(spec)


def _entry(spec: OptionSpec) -> Iterator[str]:
    yield f"### {spec.name}\n"
    yield f"{spec.doc}\n"
    for term, words in _facts(spec):
        if words:
            yield f"- {term}: {words}"
    yield ""


def _facts(spec: OptionSpec) -> Iterator[tuple[str, str]]:
    yield "also called", ", ".join(spec.aliases)
    yield "number", f"{spec.number:d}"
    takes = f", {spec.bounds.takes}" if spec.bounds is not None else ""
    null = ", or None for not set" if spec.nullable else ""
    yield "type", f"{_type(spec)}{takes}{null}"
    yield "unit", spec.unit
    yield "default", _default(spec)
    access = {"r": "can only be read", "w": "can only be set", "rw": "can be set and read"}
    yield "access", access[spec.access]
    yield "sockets", _names(spec.sockets)
    ignored = spec.ignored_by - spec.sockets
    yield (
        "taken without effect by",
        "all others" if spec.ignored_by == ALL_SOCKETS else (_names(ignored) if ignored else ""),
    )
    yield "transports", ", ".join(spec.transports) or "all"
    if spec.writable:
        yield (
            "takes effect",
            "at once" if spec.takes_effect == "at once" else (f"at the {spec.takes_effect}"),
        )
    needs = (f"{option.name} = 1 on {kind.name}" for kind, option in spec.needs.items())
    yield "needs", ", ".join(needs)
    yield "in effect", _since(spec)


def _link(spec: OptionSpec) -> str:
    others = f" ({', '.join(spec.aliases)})" if spec.aliases else ""
    return f"[{spec.name}](#{spec.name.lower()}){others}"


def _type(spec: OptionSpec) -> str:
    return spec.type.name.lower()


def _default(spec: OptionSpec) -> str:
    if spec.default is None:
        return "none"
    return "not set" if spec.default in (b"", ()) else f"{spec.default!r}"


def _since(spec: OptionSpec) -> str:
    return f"since {spec.since}" if spec.since else "*not yet*"


def _names(sockets: Iterable[SocketType]) -> str:
    kinds = frozenset(sockets)
    if kinds == ALL_SOCKETS:
        return "all"
    missing = ALL_SOCKETS - kinds
    if len(missing) == 1:
        return f"all but {next(iter(missing)).name}"
    return ", ".join(kind.name for kind in sorted(kinds))
