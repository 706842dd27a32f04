"""Devices: proxies that make their own sockets and run here, in a thread or in a process."""

from ..forwarding import proxy, proxy_steerable
from . import basedevice, monitoredqueue, monitoredqueuedevice, proxydevice, proxysteerabledevice
from .base import Device, ProcessDevice, ThreadDevice
from .monitored_queue import (
    MonitoredQueue,
    ProcessMonitoredQueue,
    ThreadMonitoredQueue,
    monitored_queue,
)
from .proxies import (
    ProcessProxy,
    ProcessProxySteerable,
    Proxy,
    ProxySteerable,
    ThreadProxy,
    ThreadProxySteerable,
)

__all__ = [
    "Device",
    "MonitoredQueue",
    "ProcessDevice",
    "ProcessMonitoredQueue",
    "ProcessProxy",
    "ProcessProxySteerable",
    "Proxy",
    "ProxySteerable",
    "ThreadDevice",
    "ThreadMonitoredQueue",
    "ThreadProxy",
    "ThreadProxySteerable",
    "basedevice",
    "monitored_queue",
    "monitoredqueue",
    "monitoredqueuedevice",
    "proxy",
    "proxy_steerable",
    "proxydevice",
    "proxysteerabledevice",
]
