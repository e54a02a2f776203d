"""Ports for the servers of tests."""

import secrets
import socket

#: Below those that the system gives to outgoing connections, one of which could take a port between
#: the moment that it is found free and the start of its server.
_PORTS = range(10_000, 32_000)


def free_port():
    """Return a port that no server of this machine listens on."""
    while True:
        port = secrets.choice(_PORTS)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
