"""Which of pyzmq's test modules are run, and which of their cases cannot apply to shmzmq.

A case that cannot apply asks for something of libzmq or Cython that is not there to be had; the
reason says what. A module that is not among the measured ones is run when it is asked for by name.
Some can never pass: test_cython and test_includes want libzmq's headers, test_cffi_backend a
backend of pyzmq, test_win32_shim Windows, and test_draft drafts of libzmq.
"""

from typing import Final

VERSION: Final = "27.3.0"

MEASURED: Final = (
    "test_socket",
    "test_context",
    "test_poll",
    "test_message",
    "test_multipart",
    "test_pair",
    "test_pubsub",
    "test_reqrep",
    "test_error",
    "test_constants",
    "test_version",
    "test_z85",
    "test_device",
    "test_monitor",
    "test_retry_eintr",
    "test_decorators",
    "test_asyncio",
    "test_future",
    "test_zmqstream",
    "test_ioloop",
    "test_log",
    "test_ext",
    "test_imports",
)

_COUNTS: Final = "exact reference counts of libzmq's zero-copy messages; here a buffer is copied"

CANNOT_APPLY: Final = {
    "test_message.py::TestFrame::test_above_30": _COUNTS,
    "test_message.py::TestFrame::test_lifecycle1": _COUNTS,
    "test_message.py::TestFrame::test_lifecycle2": _COUNTS,
    "test_context.py::TestContext::test_shadow_pyczmq": "pyczmq's handles are libzmq's",
    "test_socket.py::TestSocket::test_shadow_pyczmq": "pyczmq's handles are libzmq's",
    "test_socket.py::TestSocketGreen::test_shadow_pyczmq": "pyczmq's handles are libzmq's",
    "test_future.py::TestFutureSocket::test_close_all_fds": "calls a private method of pyzmq's",
    "test_log.py::TestPubLog::test_blank_root_topic": "publishes at once after it has subscribed "
    "over tcp: threads of pyzmq win that race in most cases, worker processes in some",
    "test_imports.py::test_ssh": "there is no module for tunnels yet",
}
