"""The rate one way and the time of a round trip, beside pyzmq when that is installed."""

from collections.abc import Sequence

from rich.table import Table

from benchmarks import latency, throughput
from benchmarks.cases import Case, Pattern, Transport
from benchmarks.figures import format_figure, format_ratio, format_size
from benchmarks.peers import pyzmq
from benchmarks.peers.registry import muster
from benchmarks.peers.zeromq import ZeromqPeer
from benchmarks.settings import Settings
from benchmarks.turn_about import Answer, Question, spread

SIZES = (64, 1 << 20)
ROUNDS = 3
SECONDS = 0.3
TIME_LIMIT_S = 60.0


def speed_settings(peer: ZeromqPeer) -> Settings:
    """Return the settings of a short run of `peer` against pyzmq."""
    roster = muster([peer, pyzmq.PEER])
    return Settings(roster, ROUNDS, SECONDS, TIME_LIMIT_S, reference=pyzmq.PEER.name)


def speed_questions(settings: Settings) -> list[Question]:
    """Return the questions of the demo, all over ipc."""
    one_way = [Case(Pattern.PUSH_PULL, Transport.IPC, size) for size in SIZES]
    there_and_back = [Case(Pattern.REQ_REP, Transport.IPC, size) for size in SIZES]
    return [
        *throughput.questions(one_way, settings),
        *latency.questions(there_and_back, [0.0], settings),
    ]


def speed_table(answers: Sequence[Answer], peer: ZeromqPeer, settings: Settings) -> Table:
    """Return the answers as a table with a column for each library and the ratio."""
    names = [present.name for present in settings.roster.present]
    table = Table(title="Speed over ipc", title_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right")
    if len(names) > 1:
        table.add_column("ratio", justify="right")
    for answer in answers:
        question = answer.question
        size = format_size(int(question.labels["size"]))
        what = "one way" if question.higher_is_better else "round trip"
        cells = [f"{size} {what}, {question.metric}"]
        for name in names:
            found = spread(answer.values(name, question.metric))
            cells.append(format_figure(found.median) if found else "failed")
        if len(names) > 1:
            ratio = spread(answer.ratios(peer.name))
            better = "more" if question.higher_is_better else "shorter"
            cells.append(f"{format_ratio(ratio.median)} {better}" if ratio else "")
        table.add_row(*cells)
    return table
