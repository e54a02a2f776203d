"""Pictures sent by ``wrk`` (``apt-get install wrk``), as bodies and as files of forms."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from urllib3 import encode_multipart_formdata

_SCRIPT = Path(__file__).with_name("wrk.lua")
_BOUNDARY = "-----------------------------9051914041544843365972754266"
KINDS = ("body", "form")


@dataclass(frozen=True)
class Load:
    """Requests to send, with their bodies in files.

    Attributes
    ----------
    content_type : str
    files : sequence of Path
        Bodies, sent one after another.
    headers : sequence of str
        Additional headers of every request, each as ``"Name: value"``.
    """

    content_type: str
    files: Sequence[Path]
    headers: Sequence[str] = ()

    @classmethod
    def of(cls, pictures: Sequence[bytes], kind: str, folder: Path) -> "Load":
        """Write a body per image: a form if `kind` is ``form``, else the image itself."""
        files = []
        content_type = "image/png"  # the servers look at the content alone
        for index, picture in enumerate(pictures):
            body = picture
            if kind == "form":
                form = {"image": (f"{index}.png", picture, "image/png")}
                body, content_type = encode_multipart_formdata(form, _BOUNDARY)
            files.append(folder / f"{kind}-{index}")
            files[-1].write_bytes(body)
        return cls(content_type, files)

    def send(self, url: str, n_connections: int, seconds: int) -> dict[str, float]:
        """Send the bodies over and over; return wrk's counts and latencies in milliseconds."""
        command = ["wrk", "--threads", "1", "--connections", str(n_connections)]
        command += [
            "--duration",
            f"{seconds}s",
            "--timeout",
            "10s",
            "--script",
            str(_SCRIPT),
            url,
        ]
        command += [f"--header={header}" for header in self.headers]
        command += ["--", self.content_type, *map(str, self.files)]
        finished = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        return json.loads(finished.stdout.splitlines()[-1])
