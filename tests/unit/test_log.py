"""Log records as messages: PUBHandler, TopicLogger, and the program that shows them."""

import logging
import subprocess
from collections.abc import Iterator

import pytest
from support.children import python_command, python_environment
from support.factory import SocketFactory
from support.waiting import wait_for

import shmzmq as zmq
from shmzmq.log.handlers import PUBHandler, TopicLogger

PATIENCE_S = 20


@pytest.fixture
def handler(sockets: SocketFactory) -> Iterator[PUBHandler]:
    publisher = sockets.open(zmq.XPUB, bind="tcp://127.0.0.1:*")
    handler = PUBHandler(publisher, root_topic="app")
    yield handler
    handler.close()


@pytest.fixture
def subscriber(handler: PUBHandler, sockets: SocketFactory) -> zmq.Socket:
    """A subscriber to everything, whose subscription is in force."""
    endpoint = handler.socket.last_endpoint.decode()
    subscriber = sockets.open(zmq.SUB, connect=endpoint, subscribe=b"")
    assert handler.socket.recv() == b"\1"
    return subscriber


def logger_of(handler: PUBHandler, kind: type[logging.Logger] = logging.Logger) -> logging.Logger:
    logger = kind("shmzmq.test", logging.DEBUG)
    logger.addHandler(handler)
    return logger


def test_topic_and_text(handler: PUBHandler, subscriber: zmq.Socket) -> None:
    logger = logger_of(handler)
    logger.info("hellö %s", "world")
    assert subscriber.recv_multipart() == [b"app.INFO", "hellö world\n".encode()]
    logger.info("sub::%d items", 3)
    assert subscriber.recv_multipart() == [b"app.INFO.sub", b"3 items\n"]
    handler.root_topic = b""
    logger.warning("careful")
    topic, text = subscriber.recv_multipart()
    assert topic == b"WARNING"
    assert text.startswith(b"WARNING test_log.py:")
    assert text.endswith(b"careful\n")


def test_formatters(handler: PUBHandler, subscriber: zmq.Socket) -> None:
    logger = logger_of(handler)
    handler.setFormatter(logging.Formatter("D %(message)s"), logging.DEBUG)
    logger.debug("one")
    assert subscriber.recv_multipart() == [b"app.DEBUG", b"D one"]
    handler.setFormatter(logging.Formatter("all %(message)s"))
    for level, name in ((logging.DEBUG, b"DEBUG"), (logging.ERROR, b"ERROR")):
        logger.log(level, "two")
        assert subscriber.recv_multipart() == [b"app." + name, b"all two"]


def test_a_topic_logger_has_the_topic_first(handler: PUBHandler, subscriber: zmq.Socket) -> None:
    logger = logger_of(handler, TopicLogger)
    logger.log(logging.INFO, "sub.topic", "text %d", 1)
    assert subscriber.recv_multipart() == [b"app.INFO.sub.topic", b"text 1\n"]
    logger.info("sub", "text %d", 2)  # noqa: PLE1205 - this is what the class is for
    assert subscriber.recv_multipart() == [b"app.INFO.sub", b"text 2\n"]


def test_the_record_of_other_handlers_is_not_changed(
    handler: PUBHandler, subscriber: zmq.Socket
) -> None:
    heard: list[str] = []

    class Other(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    logger = logger_of(handler)
    logger.addHandler(Other())
    logger.info("sub::text")
    assert subscriber.recv_multipart() == [b"app.INFO.sub", b"text\n"]
    assert heard == ["sub::text"]


def test_an_endpoint_is_bound(context: zmq.Context) -> None:
    handler = PUBHandler("inproc://log", context)
    assert handler.ctx is context
    assert handler.socket.socket_type == zmq.PUB
    assert handler.socket.last_endpoint == b"inproc://log"
    handler.socket.close()


@pytest.mark.parametrize("colour", [True, False])
def test_the_program_shows_records(handler: PUBHandler, colour: bool) -> None:
    option = "--color" if colour else "--no-color"
    endpoint = handler.socket.last_endpoint.decode()
    command = [*python_command("shmzmq.log"), endpoint, "-t", "app", option]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=python_environment()
    ) as program:
        try:
            wait_for(lambda: handler.socket.poll(100), "the program's subscription", PATIENCE_S)
            assert handler.socket.recv() == b"\1app"
            logger_of(handler).error("it broke")
            assert program.stdout is not None
            shown = program.stdout.readline()
        finally:
            program.terminate()
    assert ("\x1b[31mapp.ERROR\x1b[0m" in shown) == colour
    assert "app.ERROR" in shown
    assert "it broke" in shown
