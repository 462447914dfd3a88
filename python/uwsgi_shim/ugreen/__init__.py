"""The server's own Python package. Only importable inside the server; ``uwsgi`` is the module that applications use."""

try:
    import _ugreen
except ImportError:
    raise ImportError("the ugreen package works only inside the server; run your application with: ./ugreen-py -w your_module") from None

__version__ = _ugreen.server_version
