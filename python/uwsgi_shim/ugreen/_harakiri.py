"""The exception that ends a request which takes too long."""


class Harakiri(BaseException):
    """A request exceeded ``--harakiri`` or ``uwsgi.set_user_harakiri()``: raised in it where it waits, or between two lines of Python when it computes.

    It is no Exception, so ``except Exception`` lets it pass. Who catches it may still answer: there is the time of ``--harakiri-graceful-timeout`` for that.
    """


__all__ = ["Harakiri"]
