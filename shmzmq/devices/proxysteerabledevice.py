"""pyzmq's name for the module of devices that can be steered."""

from .proxies import ProcessProxySteerable, ProxySteerable, ThreadProxySteerable

__all__ = ["ProcessProxySteerable", "ProxySteerable", "ThreadProxySteerable"]
