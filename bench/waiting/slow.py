"""An HTTP server that answers GET /SECONDS that much later, any number at once: ``slow.py PORT``. It keeps connections unless told otherwise."""

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\ndone\n"


class Slow(asyncio.Protocol):
    """Clients here send requests without a body, one after the other and each in one piece."""

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        asyncio.get_running_loop().call_later(float(data.split(None, 2)[1][1:]), self._answer, b"\r\nConnection: close\r\n" in data)

    def _answer(self, is_last):
        self._transport.write(ANSWER)
        if is_last:
            self._transport.close()


async def main():
    server = await asyncio.get_running_loop().create_server(Slow, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
