"""A module that waits while it is imported."""

import time

time.sleep(0.3)
VALUE = 42
