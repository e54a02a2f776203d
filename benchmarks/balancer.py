"""What the end of one of three machines costs the clients; the figures in docs/balancing.md.

``python -m benchmarks.balancer``, as root where HAProxy, socat and Apache are installed, gives each
of three Apaches a network namespace and an address, puts HAProxy before them and lets eight clients
ask for a digit all the while. All of them share this machine.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import click

from digit_classifier.evaluation import markdown_table
from tests.deployment import machine as m
from tests.deployment.balancer import Balancer, Instance, balancing
from tests.deployment.own_apache import USER, built_clone
from tests.ports import free_port

SECONDS = 20
NETWORK = "198.18"  # of those that are for measurements (RFC 2544)


@dataclass(frozen=True)
class Machine:
    """A network namespace, at the other end of a cable of the same name.

    Attributes
    ----------
    name : str
    balancer, host : str
        The addresses of the cable's ends, here and there.
    """

    name: str
    balancer: str
    host: str

    @property
    def prefix(self) -> list[str]:
        """What runs a command there, as an ordinary user."""
        enter = ["nsenter", f"--net=/run/netns/{self.name}"]
        return [*enter, "setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups"]

    def link(self, state: str) -> None:
        """Set the far end ``up`` or ``down``: down, the machine neither answers nor refuses."""
        run("ip", "-n", self.name, "link", "set", "eth0", state)

    def unplug(self) -> None:
        """Take the machine off the network for a while."""
        self.link("down")
        time.sleep(SECONDS / 3)
        self.link("up")


@contextmanager
def machine(number: int) -> Iterator[Machine]:
    """Make a namespace and its cable."""
    name, near, far = (f"digits-{number}", *(f"{NETWORK}.{number}.{end}" for end in (1, 2)))
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", name, "type", "veth", "peer", "eth0", "netns", name)
        run("ip", "address", "add", f"{near}/24", "dev", name)
        run("ip", "-n", name, "address", "add", f"{far}/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "link", "set", name, "up")
        made = Machine(name, near, far)
        made.link("up")
        yield made
    finally:
        run("ip", "netns", "delete", name)


def run(*command: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, check=True)  # noqa: S603, our own commands


def upgrade(balancer: Balancer, instance: Instance) -> None:
    """Start an instance again while the balancer asks nothing of it."""
    with balancer.upgrading(instance.name):
        instance.stop()
        instance.start()


def kill(instance: Instance) -> None:
    """End an instance in the midst of everything, and start it again after a while."""
    instance.kill()
    time.sleep(SECONDS / 3)
    instance.start()


def measure(name: str, balancer: Balancer, change: Callable[[], None]) -> list[str]:
    """Make the change under load, wait until all machines serve, and return its row."""
    with m.Load(balancer.address) as load:
        started = time.monotonic()
        time.sleep(SECONDS / 4)
        change()
        m.wait_until(balancer.all_serve)
        time.sleep(max(0, started + SECONDS - time.monotonic()))
        seconds = time.monotonic() - started
    return [
        name,
        f"{seconds:.0f} s",
        f"{load.n_requests:,}",
        f"{len(load.failures)}",
        *(f"{1000 * value:,.0f} ms" for value in (load.median, load.p99, load.longest)),
    ]


def measure_all(machines: list[Machine], instances: list[Instance]) -> Iterator[list[str]]:
    """Yield a row a change."""
    first, second, _ = instances
    with balancing(free_port(), [instance.name for instance in instances]) as balancer:
        yield measure("nothing happens", balancer, lambda: None)
        yield measure("one is upgraded", balancer, lambda: upgrade(balancer, first))
        yield measure("one is killed", balancer, lambda: kill(second))
        yield measure("one loses its network", balancer, machines[2].unplug)


def main() -> None:
    """Print the table."""
    header = ["", "time", "requests", "failed", "p50", "p99", "longest"]
    with built_clone() as clone, ExitStack() as stack:
        machines = [stack.enter_context(machine(number)) for number in (1, 2, 3)]
        instances = [
            Instance(clone, at.host, 5001 + n, prefix=at.prefix, TRUSTED_PROXIES=at.balancer)
            for n, at in enumerate(machines)
        ]
        started = [stack.enter_context(instance) for instance in instances]
        click.echo(markdown_table(header, list(measure_all(machines, started))))


if __name__ == "__main__":
    main()
