"""``python -m tests.deployment.bad_day``, as root: the transcript of an operator's bad day.

It deploys on this machine with TLS on ports of its own, upgrades without variables, deploys a
release whose page fails, twice, goes back, goes back to a release by name, and removes everything.
Each command is printed with its output, its exit status and what eight clients met meanwhile.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from digit_classifier import __version__
from tests.deployment import machine as m
from tests.deployment.certificates import make_certificate
from tests.deployment.clone import PROJECT, Clone

ADDRESS = "https://127.0.0.1:8443"
PAUSE = 0.1  # seconds between two requests of a client


def show(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Day:
    """A clone that is upgraded, and the operator's commands in it."""

    def __init__(self, folder):
        self._clone = Clone(folder / "digit-classifier")
        command = ["git", "-c", "safe.directory=*", "clone", "--quiet", PROJECT, self._clone.path]
        subprocess.run(command, check=True)
        self.certificate, self.key = make_certificate(folder)

    def edit(self, name, old, new):
        path = self._clone.path / "digit_classifier" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def commit(self, message):
        show(f"\n# git pull: {message}")
        author = ["-c", "user.name=operator", "-c", "user.email=operator@localhost"]
        command = ["git", "-C", str(self._clone.path), *author, "commit", "--quiet", "--all"]
        subprocess.run([*command, "--message", message], check=True)

    def run(self, script, *arguments, serving=True, **variables):
        """Run a command while clients ask, if something serves, and print what came of both."""
        given = "".join(f"{name}={value} " for name, value in variables.items())
        show(f"\n$ sudo {given}bash deployment_scripts/{' '.join([script, *arguments])}")
        if not serving:
            finished = self._clone.run(script, *arguments, **variables)
            met = ""
        else:
            with m.Load(ADDRESS, PAUSE, self.certificate) as load:
                finished = self._clone.run(script, *arguments, **variables)
            met = f"; meanwhile {load.n_requests} requests, {len(load.failures)} failed"
        show(re.sub(r"\n+", "\n", finished.stdout + finished.stderr).strip("\n"))
        show(f"=> exit {finished.returncode}{met}")
        return finished.stdout


def main():
    build, cleanup = "build_all_EC2.sh", "cleanup.sh"
    with tempfile.TemporaryDirectory() as folder:
        day = Day(Path(folder))
        tls = {"TLS_CERT": day.certificate, "TLS_KEY": day.key, "HTTPS_PORT": "8443"}
        day.run(build, serving=False, SERVER_NAME="digits.example", HTTP_PORT="8080", **tls)
        day.edit("__init__.py", __version__, "0.1.1")
        day.commit("Version 0.1.1")
        day.run(build)
        day.run(build, TLS_CERT="", TLS_KEY="")
        day.edit("__init__.py", "0.1.1", "0.1.2")
        day.edit(
            "web/templates/index.html", "{% endblock %}", "{{ nothing.of.that_name }}{% endblock %}"
        )
        day.commit("Version 0.1.2, whose page fails")
        day.run(build)
        day.run(build)
        day.run("reload.sh")
        day.run(build, "--releases")
        day.run(build, "--rollback")
        listed = day.run(build, "--releases")
        day.run(build, "--rollback", re.findall(r"^0\.1\.1-\S+", listed, re.MULTILINE)[0])
        day.run(build, "--releases")
        day.run(cleanup, "--system", "--yes", serving=False)


if __name__ == "__main__":
    main()
