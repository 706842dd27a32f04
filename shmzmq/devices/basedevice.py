"""pyzmq's name for the module of devices of two sockets."""

from .base import Device, ProcessDevice, ThreadDevice

__all__ = ["Device", "ProcessDevice", "ThreadDevice"]
