"""Log records as messages: `handlers` sends them, ``python -m shmzmq.log`` shows them."""
