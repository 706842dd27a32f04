"""pyzmq's name for the module of devices that run `monitored_queue`."""

from .monitored_queue import MonitoredQueue, ProcessMonitoredQueue, ThreadMonitoredQueue

__all__ = ["MonitoredQueue", "ProcessMonitoredQueue", "ThreadMonitoredQueue"]
