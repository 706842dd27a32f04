"""pyzmq's name for the module of devices with a third socket."""

from .proxies import ProcessProxy, Proxy, ThreadProxy

__all__ = ["ProcessProxy", "Proxy", "ThreadProxy"]
