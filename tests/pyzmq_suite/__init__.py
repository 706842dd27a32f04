"""pyzmq's own tests, run with shmzmq in zmq's place: ``make pyzmq-suite``."""
