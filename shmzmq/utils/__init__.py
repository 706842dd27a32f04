"""pyzmq's small helpers, under the names that programs import them by."""
