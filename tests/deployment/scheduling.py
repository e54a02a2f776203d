"""How two workers of pytest-xdist share the tests of Apache."""

from xdist.scheduler import LoadScopeScheduling

#: The modules of the tests that change this machine, which one worker runs in their order.
OF_THIS_MACHINE = ("test_releases.py", "test_system.py")


class TwoGroups(LoadScopeScheduling):
    """One worker runs the tests that change this machine, the other those with their own Apache.

    (With pytest 9.2, pytest-xdist 3.8 knows no groups: ``--dist loadgroup`` is ``--dist load``.)
    """

    def _split_scope(self, nodeid):
        module, _, _ = nodeid.partition("::")
        return "this machine" if module.endswith(OF_THIS_MACHINE) else "Apache of its own"
