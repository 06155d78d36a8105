"""The HTTP client of simulated participants and of load tests."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode


class Browser:
    """One keep-alive connection to a server, with its cookies.

    It does little work, because load tests run thousands of these on the machine of the server that they measure.

    Attributes:
        location: Target of the last response's redirect.
        headers: Headers of the last response, with names in lower case.
    """

    def __init__(self, port: int, host: str = "127.0.0.1", accept: str = "application/json") -> None:
        self.host, self.port, self.accept = host, port, accept
        self.location = ""
        self.headers: dict[str, str] = {}
        self.cookies: dict[str, str] = {}
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Send one request and return status and body. `location` is the target of a redirect.

        Raises:
            OSError: If the connection fails.
            EOFError: If the server closes the connection.
        """
        body = urlencode(form or {})
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nAccept: {self.accept}\r\n"
        if method == "POST":
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        if self.cookies:
            head += f"Cookie: {'; '.join(f'{name}={value}' for name, value in self.cookies.items())}\r\n"
        if self._streams is None:
            self._streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self._streams
        try:
            writer.write(f"{head}\r\n{body}".encode())
            status = self._read_head(await reader.readuntil(b"\r\n\r\n"))
            content = await _read_body(reader, self.headers)
        except (OSError, EOFError):
            self.close()
            raise
        if self.headers.get("connection", "").lower() == "close":
            self.close()
        return status, content

    def _read_head(self, head: bytes) -> int:
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = self.headers = {}
        for name, _, value in (line.partition(":") for line in lines):
            value = value.strip()
            headers[name.lower()] = value
            if name.lower() == "set-cookie":
                cookie, _, content = value.partition(";")[0].partition("=")
                self.cookies[cookie] = content
        self.location = headers.get("location", "")
        return int(first.split()[1])

    def close(self) -> None:
        """Close the connection."""
        if self._streams:
            self._streams[1].close()
        self._streams = None


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    if headers.get("transfer-encoding") != "chunked":
        return await reader.read()
    content = b""
    while size := int(await reader.readline(), 16):
        content += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return content
