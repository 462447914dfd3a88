"""What the type checker must find: each line that ends in ``# error: CODE`` has that mistake, and no other line has one."""

import ugreen
import uwsgi


def fn(number: int) -> str:
    return str(number)


ugreen.sleep("1")  # error: arg-type
ugreen.run_in_thread(fn, "one")  # error: arg-type
ugreen.run_in_thread(fn, 1, nonsense=2)  # error: call-arg
text: int = ugreen.run_in_thread(fn, 1)  # error: assignment
uwsgi.suspend(1)  # error: call-arg
uwsgi.set_logvar("name", 1)  # error: arg-type
uwsgi.wait_fd_read(fd=1)  # error: call-arg
uwsgi.cache_get("key")  # error: attr-defined
ugreen.Waiter()  # error: attr-defined
queue: "ugreen.Queue[int]" = ugreen.Queue()
queue.put("text")  # error: arg-type
