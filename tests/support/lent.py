"""Two sockets of this process with a pipe between them as between processes, and a pool to lend."""

from dataclasses import dataclass

from shmzmq.patterns.dealer import Dealer
from shmzmq.pipe import Pipe
from shmzmq.pipe_segment import create_pipe_segment
from shmzmq.shm import segment as segments
from shmzmq.shm.blocks import Pool
from shmzmq.shm.layout import OFFSETS, RETURNED_OFFSETS, RING_CONTROL_OFFSETS, Kind
from shmzmq.shm.liveness import ProcessId, this_process
from shmzmq.socket_base import SocketBase
from support.pipe_ends import Held
from support.pipes import bare_socket

LARGE = 100_000
MIB = 1 << 20


@dataclass
class Lent:
    """The lender's socket and pipe, and the reader's."""

    pool: Pool
    near: SocketBase
    far: SocketBase
    pipe: Pipe
    there: Pipe
    held: Held

    def used(self) -> int:
        """Return how many blocks have a use, once all that came back is collected."""
        self.pool.collect_from_dead()
        return sum(self.pool.describe()["used"].values())

    def returned(self) -> int:
        """Return the first word of `returned` of the ring that is lent over."""
        return int(self.pipe.segment.word(RETURNED_OFFSETS[self.pipe.side]))

    def set_returned(self, word: int) -> None:
        """Overwrite it, as a reader gone mad might."""
        self.pipe.segment.set_word(RETURNED_OFFSETS[self.pipe.side], word)

    def record(self, place: int = 0) -> int:
        """Return where in the pipe segment the record at *place* of the lender's ring begins."""
        control = RING_CONTROL_OFFSETS[self.pipe.side]
        return int(self.pipe.segment.word(control + OFFSETS["ring"]["offset"])) + place

    def far_end(self, limit: int = 0) -> SocketBase:
        """Attach another reader to the lender's pipe, which was renewed."""
        self.far, self.there = _attach(self.near, self.pipe, limit)
        self.held.append(self.far)
        return self.far


def lent(
    held: Held, *, pool: int = 64 * MIB, limit: int = 0, reader: ProcessId | None = None
) -> Lent:
    """Lay a pipe; *reader* is who reads there as far as the lender knows, this process if None."""
    blocks = Pool(pool)
    near = bare_socket(Dealer(), private=False)
    near.use_pool(blocks)
    segment = create_pipe_segment(outbound=16384, inbound=4096, token=b"0123456789abcdef")
    pipe = Pipe(segment, 0, near.board, near.board.allocate(), limit)
    near.hold_pipe(pipe)
    near.pattern.attach(pipe)
    pipe.set_reader(reader or this_process())
    far, there = _attach(near, pipe, limit)
    held.extend((near, far, pipe, blocks))
    return Lent(blocks, near, far, pipe, there, held)


def _attach(near: SocketBase, pipe: Pipe, limit: int) -> tuple[SocketBase, Pipe]:
    far = bare_socket(Dealer(), private=False)
    segment = segments.open_segment(pipe.segment.name, Kind.PIPE)
    there = Pipe(segment, 1, far.board, far.board.allocate(), limit)
    far.hold_pipe(there)
    pipe.attach(far.board, there.bit)
    pipe.set_limits(limit, limit)
    there.attach(near.board, pipe.bit)
    there.set_limits(limit, limit)
    far.pattern.attach(there)
    return far, there
