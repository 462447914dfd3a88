"""Lets ``./ugreen-py -w tests.cpubound_green --async 30 --ugreen`` work as uWSGI's users know it; the example is in ``examples``."""

from examples.cpubound_green import application

__all__ = ["application"]
