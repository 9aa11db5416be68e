"""Which tests stay together when they run side by side: those that share what is dear to start, one database at a time.

A test's id enters, the name of its group leaves; what takes longest is begun first. pytest-xdist's own groups
(`--dist loadgroup`) do not keep marked tests together here: with 3.8 and pytest 9.2 six tests of one group ran on both
workers. So its scheduler is told. This file can go when `loadgroup` keeps them: a mark in each conftest says the same.
"""

import re
from typing import Any

DATABASE = re.compile(r"\[(?:.*-)?(sqlite|postgresql)(?:-.*)?\]$")
TOWN = ("test_flow", "test_register", "test_traces")
PROVEN = ("tests/system/test_mails.py", "tests/system/test_privacy.py")
STACK = ("tests/cli/test_imports.py", "tests/cli/test_index.py", "tests/system/test_openapi.py")
# They have a service of their own.
ALONE = (
    "test_conformance.py",
    "test_faults.py",
    "test_mail_delivery.py",
    "test_mail_faults.py",
    "test_smtp.py",
)
# Groups begin in this order; the rest follows.
LONG = (
    "tests/system/test_outage_faults.py",  # waits most of the time, so that the others have the machine meanwhile
    "offers",
    "notify",
    "retail",
    "town",
    "tests/notify/test_faults.py",
    "tests/system/test_faults.py",
    "tests/search/test_consumers.py",
    "tests/cli/test_supervisor.py",
    "stack",
    "proven",
    "tests/search/",
    "tests/servicekit/",
    "tests/deploy/",
)


def group(nodeid: str) -> str:
    """The group of a test; one worker runs a group from its first to its last test."""
    file = nodeid.partition("::")[0]
    database = DATABASE.search(nodeid)
    return f"{_place(file)} {database[1]}" if database else _place(file)


def _place(file: str) -> str:
    folder, _, name = file.rpartition("/")
    if folder == "tests/system" and name.removesuffix(".py") in TOWN:
        return "town"
    if file in STACK:
        return "stack"
    if file in PROVEN:
        return "proven"
    if folder in ("tests/offers", "tests/retail", "tests/notify"):
        return file if name in ALONE else folder.rpartition("/")[2]
    return file


def rank(nodeid: str) -> int:
    """The smaller, the earlier a test's group begins."""
    name = group(nodeid)
    return next((number for number, long in enumerate(LONG) if name.startswith(long)), len(LONG))


def scheduler(config: Any, log: Any) -> Any:
    """A pytest-xdist scheduler that goes by these groups."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class Groups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return Groups(config, log)
