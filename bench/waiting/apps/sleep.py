"""time.sleep()"""

import time

from bench.waiting.apps.page import page

wait = time.sleep
application = page(wait)
