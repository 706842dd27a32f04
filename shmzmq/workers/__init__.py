"""I/O workers: processes that listen, connect and shake hands for an application.

`pool` is the application's side, `process` the worker's; `commands` is all that they say to each
other.
"""
