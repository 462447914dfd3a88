"""A page that waits: what all applications here are but for how they wait."""


def page(wait):
    """GET /SECONDS calls ``wait`` with that many."""
    def application(environ, start_response):
        wait(float(environ["PATH_INFO"][1:]))
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
        return [b"done\n"]

    return application
