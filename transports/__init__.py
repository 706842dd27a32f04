"""Transports: how bytes or messages get from one endpoint to another.

One module or package for each.

A transport knows nothing of sockets, pipes or patterns. `interface` says what it must offer,
`registry` finds it by the scheme of an endpoint.
"""
