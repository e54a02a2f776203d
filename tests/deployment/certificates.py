"""A certificate of our own for digits.example and this machine."""

import subprocess


def make_certificate(folder):
    """Write a certificate and its key into a folder, and return their paths."""
    paths = str(folder / "cert.pem"), str(folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=digits.example", "-out", paths[0], "-keyout", paths[1]]
    command += ["-addext", "subjectAltName=DNS:digits.example,IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return paths
