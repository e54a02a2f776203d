"""What a thousand clients that dawdle cost the others: ``python -m benchmarks.slow_clients URL``.

Eight clients ask an Apache of this site for a digit all the while, first alone, and then beside a
thousand of each kind, who come back as soon as they are sent away. Run it on the server itself: the
memory is that of all its processes.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import click
import psutil

from digit_classifier.evaluation import markdown_table
from tests.deployment.machine import Load

Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_HEAD = b"POST /curl-api HTTP/1.1\r\nHost: localhost\r\n"
_FORM = b'Content-Type: multipart/form-data; boundary="b"\r\n'
_PART = b'--b\r\nContent-Disposition: form-data; name="myfile"; filename="7.png"\r\n\r\n'


async def _drip(writer: asyncio.StreamWriter, piece: bytes, seconds: float) -> None:
    """Send a piece at a time, for as long as it is taken."""
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(seconds)


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Connect, and say nothing."""
    await reader.read()


async def slow_header(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never end the header: a line each second, faster than the least rate."""
    writer.write(_HEAD)
    await _drip(writer, b"X-Header: " + b"x" * 600 + b"\r\n", 1)


async def slow_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never end the body: a little more each second than the least rate."""
    writer.write(_HEAD + _FORM + b"Content-Length: 1000000\r\n\r\n" + _PART)
    await _drip(writer, b"x" * 1200, 1)


async def slow_chunks(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Do the same without telling the length."""
    writer.write(_HEAD + _FORM + b"Transfer-Encoding: chunked\r\n\r\n")
    await _drip(writer, b"4b0\r\n" + b"x" * 1200 + b"\r\n", 1)


async def slow_reader(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ask for a large file a few times, and read nothing of it."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    path = f"/bootstrap/static/{'0' * 12}/css/bootstrap.min.css"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 5)
    await asyncio.sleep(3600)


KINDS: dict[str, tuple[Client, ...]] = {
    "that say nothing": (silent,),
    "with slow headers": (slow_header,),
    "with slow bodies": (slow_body,),
    "with slow chunks": (slow_chunks,),
    "that do not read": (slow_reader,),
    "with slow headers, and as many with slow bodies": (slow_header, slow_body),
}


async def _dawdle(client: Client, host: str, port: int, counts: dict[str, int]) -> None:
    """Be one such client, and come back when sent away."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(host, port)
            counts["open"] += 1
            try:
                await client(reader, writer)
            finally:
                counts["open"] -= 1
                writer.close()
        counts["sent away"] += 1
        await asyncio.sleep(0.5)


async def _measure(address: str, clients: tuple[Client, ...], n: int, seconds: float) -> list[str]:
    parts, counts = urlsplit(address), {"open": 0, "sent away": 0}
    tasks = [
        asyncio.create_task(_dawdle(client, parts.hostname or "", parts.port or 80, counts))
        for client in clients
        for _ in range(n)
    ]
    await asyncio.sleep(5 if clients else 0)  # until all are there
    load = await asyncio.to_thread(_load, address, seconds)
    for failure in load.failures[:3]:
        click.echo(failure, err=True)
    row = [
        f"{counts['open']:,}",
        f"{load.n_requests / seconds:.0f}",
        f"{len(load.failures)}",
        f"{1000 * load.median:.0f} ms",
        f"{1000 * load.p99:.0f} ms",
        f"{1000 * load.longest:.0f} ms",
        f"{_memory(parts.port or 80):.0f} MB",
        f"{_threads(parts.port or 80):,}",
    ]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return row


def _load(address: str, seconds: float) -> Load:
    with Load(address) as load:
        time.sleep(seconds)
    return load


def _memory(port: int) -> float:
    """Return the memory of the Apache on a port, in MB; shared pages count once."""
    return sum(process.memory_full_info().pss for process in _processes(port)) / 1e6


def _threads(port: int) -> int:
    return sum(process.num_threads() for process in _processes(port))


def _processes(port: int) -> list[psutil.Process]:
    """Return the Apache on a port."""
    parent = next(
        psutil.Process(connection.pid)
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    )
    while (above := parent.parent()) and above.name() == parent.name():
        parent = above
    return [parent, *parent.children()]


@click.command()
@click.argument("address")
@click.option("--clients", default=1000, show_default=True, help="Who dawdle.")
@click.option("--seconds", default=20.0, show_default=True, help="How long each is measured.")
def main(address: str, clients: int, seconds: float) -> None:
    """Print the table."""
    rows = [["none", *asyncio.run(_measure(address, (), 0, seconds))]]
    for name, kinds in KINDS.items():
        row = asyncio.run(_measure(address, kinds, clients, seconds))
        rows.append([f"{clients:,} {name}", *row])
    header = [
        "beside clients",
        "open",
        "requests/s",
        "failed",
        "median",
        "p99",
        "longest",
        "memory",
        "threads",
    ]
    click.echo(markdown_table(header, rows))


if __name__ == "__main__":
    main()
