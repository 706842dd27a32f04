"""Shared memory: segments, the rings, boards and directories in them, and waiting for news."""
