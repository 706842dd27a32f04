"""Sockets in tornado's loop, which is asyncio's (``pip install tornado``)."""
