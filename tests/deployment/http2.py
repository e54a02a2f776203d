"""As much of HTTP/2 as it takes to ask for one thing in many streams at once."""

import socket
import ssl
import struct
from collections import Counter

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
#: The first byte of the header block of an answer with 200, as every encoder writes it.
STATUS_200 = 0x88


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def header_block(path):
    """Fields without compression: a name and a value with their lengths."""
    fields = {":method": "GET", ":scheme": "https", ":authority": "localhost", ":path": path}
    return b"".join(
        bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )


def connect(port, timeout):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    plain = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    return context.wrap_socket(plain, server_hostname="localhost")


def ask_in_streams(port, path, n_streams, timeout=60):
    """Open streams on one connection without waiting, and return what became of them.

    Returns
    -------
    Counter
        How many were answered with "200", with an "other" status, were "reset", or got no answer
        and are "lost".
    """
    outcome = Counter()
    numbers = range(1, 2 * n_streams, 2)
    try:
        with connect(port, timeout) as connection:
            block = header_block(path)
            opened = b"".join(frame(HEADERS, END_STREAM | END_HEADERS, n, block) for n in numbers)
            connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + opened)
            received = connection.makefile("rb")
            while outcome.total() < n_streams and (head := received.read(9)):
                length, kind, flags, _ = struct.unpack(">IBBI", b"\0" + head)
                payload = received.read(length)
                if kind == SETTINGS and not flags & ACK:
                    connection.sendall(frame(SETTINGS, ACK, 0))
                elif kind == DATA and length:
                    connection.sendall(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", length)))
                elif kind == HEADERS:
                    outcome["200" if payload[0] == STATUS_200 else "other"] += 1
                elif kind == RST_STREAM:
                    outcome["reset"] += 1
                elif kind == GOAWAY:
                    break
    except OSError:
        pass
    outcome["lost"] = n_streams - outcome.total()
    return outcome
