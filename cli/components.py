"""What a stack consists of: every component's command line, environment, port and readiness.

A new service is one line in SERVICES. Whoever runs components (the supervisor, the tests) gets them here.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli import accounts, keys, meilisearch, register
from cli.home import ROOT, Home

# name → offset from COBURG_PORT_BASE
SERVICES = {"offers": 1, "retail": 2, "search": 4, "notify": 5}
# By default Meilisearch clears buffers of a share of all memory before every task (ADR 18):
# on 24 GiB that is 0.2 to 3 seconds of CPU for one document, with this 0.02.
INDEXING_MEMORY = "1GiB"


@dataclass(frozen=True)
class Component:
    """One process of the stack; without a command it is external: waited for, never started.

    `shy_of_disk`: once it met a full disk it refuses until it is started anew.
    """

    name: str
    url: str
    probe: str
    command: tuple[str, ...] = ()
    environ: Mapping[str, str] | None = None
    shy_of_disk: bool = False

    @property
    def port(self) -> int:
        """The port it answers on."""
        return urlsplit(self.url).port or 0


def layers(home: Home) -> list[list[Component]]:
    """Everything that `up` starts, in order; the components of one layer start together."""
    below = [
        nats(home),
        search_engine(home),
        *([] if "COBURG_SMTP_URL" in home.environ else [mail_server(home)]),
    ]
    return [below, [service(home, name) for name in SERVICES]]


def nats(home: Home) -> Component:
    """The message broker with JetStream."""
    url = bare(nats_address(home))
    if "COBURG_NATS_URL" in home.environ:
        return Component("nats", url, probe=url)
    server = Path(sys.executable).parent / "nats-server"
    command = (str(server), "-c", str(home.folder / "nats" / "nats.conf"))
    return Component("nats", url, url, command, home.environ, shy_of_disk=True)


def bare(url: str) -> str:
    """The first address of a list, without the user and password that it may carry."""
    first = urlsplit(url.partition(",")[0])
    return f"{first.scheme}://{first.netloc.rpartition('@')[2]}"


def search_engine(home: Home) -> Component:
    """Meilisearch, with a master key of its own that only the search service is told."""
    url = meilisearch_url(home)
    if "COBURG_MEILISEARCH_URL" in home.environ:
        return Component("meilisearch", url, f"{url}/health")
    folder = home.folder / "meilisearch"
    options = {
        "--http-addr": urlsplit(url).netloc,
        "--db-path": folder / "data.ms",
        "--dump-dir": folder / "dumps",
        "--snapshot-dir": folder / "snapshots",
        "--env": "production",
        "--log-level": "WARN",
        "--max-indexing-memory": home.environ.get("MEILI_MAX_INDEXING_MEMORY", INDEXING_MEMORY),
    }
    words = [str(word) for option in options.items() for word in option]
    environ = {**home.environ, "MEILI_MASTER_KEY": keys.meilisearch_key(home)}
    return Component(
        "meilisearch", url, f"{url}/health", (str(meilisearch.find(home)), *words, "--no-analytics"), environ
    )


def mail_server(home: Home) -> Component:
    """The mailbox that keeps what would be sent; where an SMTP server is set there is none."""
    url = f"smtp://127.0.0.1:{home.port(25, 2525)}"
    words = ("-m", "cli.mailbox", str(urlsplit(url).port), str(home.folder / "mail"))
    return Component("mailbox", url, url, (sys.executable, *words), {**home.environ, "PYTHONPATH": str(ROOT)})


def service(home: Home, name: str) -> Component:
    """One of our own services."""
    url = service_url(home, name)
    serve = (
        "-m",
        "libs.serving",
        f"services.{name}.app:app",
        "--host",
        "127.0.0.1",
        "--port",
        str(urlsplit(url).port),
    )
    environ = service_environment(home)
    environ.setdefault(f"COBURG_{name.upper()}_PUBLIC_URL", url)
    if name == "search" and "COBURG_MEILISEARCH_URL" not in home.environ:
        environ["COBURG_MEILISEARCH_KEY"] = keys.meilisearch_key(home)
        environ.setdefault("COBURG_MEILISEARCH_PUBLIC_URL", meilisearch_url(home))
    return Component(name, url, f"{url}/health/ready", (sys.executable, *serve), environ)


def service_environment(home: Home) -> dict[str, str]:
    """What services and provision are told; what the caller has set stands."""
    defaults = {
        "COBURG_NATS_URL": nats_url(home),
        "COBURG_MEILISEARCH_URL": meilisearch_url(home),
        "COBURG_SMTP_URL": f"{mail_server(home).url}?tls=none",
        "COBURG_WEBHOOK_TARGETS": "any",
        "COBURG_OIDC_JWKS": str(home.keys / "jwks.json"),
        "COBURG_LOG_FORMAT": "console",
    }
    fixed = {"COBURG_HOME": str(home.folder), "COBURG_TRACES": str(home.traces), "PYTHONPATH": str(ROOT)}
    return defaults | dict(home.environ) | fixed


def nats_address(home: Home) -> str:
    """Where the broker is."""
    return home.environ.get("COBURG_NATS_URL") or f"nats://127.0.0.1:{home.port(22, 4222)}"


def nats_url(home: Home) -> str:
    """Where the broker is, with the town's password where it is the embedded one."""
    given = home.environ.get("COBURG_NATS_URL")
    return given or accounts.town_url(home, home.port(22, 4222))


def meilisearch_url(home: Home) -> str:
    """Where the search engine is."""
    given = home.environ.get("COBURG_MEILISEARCH_URL", "").rstrip("/")
    return given or f"http://127.0.0.1:{home.port(70, 7700)}"


def service_url(home: Home, name: str) -> str:
    """Where a service of this stack answers."""
    return f"http://127.0.0.1:{home.port(SERVICES[name], 8000 + SERVICES[name])}"


def prepare(home: Home) -> None:
    """Folders, keys and configuration files that the components find at their start."""
    for folder in (home.folder, home.logs, home.traces, home.folder / "nats", home.folder / "meilisearch"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.folder.chmod(
        0o700
    )  # databases, keys and logs are nobody else's, also in a home made by an older release
    keys.ensure(home)
    if "COBURG_NATS_URL" not in home.environ:
        accounts.adopt(home)
        write_nats_configuration(home)


def write_nats_configuration(home: Home) -> None:
    """Loopback only, with the accounts of the town and of its partners."""
    accounts.embedded(home, urlsplit(nats_address(home)).port or 0, register.load(home.folder))


def provision(home: Home) -> Component:
    """Declares streams and durable consumers on the broker, idempotently, and ends."""
    command = (sys.executable, "-m", "libs.provision")
    return Component("provision", nats_address(home), "", command, service_environment(home))


def launch(component: Component) -> dict[str, Any]:
    """Arguments of Popen for a child that has its own group and dies with its parent."""
    launcher = [sys.executable, "-I", "-S", str(ROOT / "cli" / "launcher.py"), str(os.getpid())]
    return {
        "args": [*launcher, *component.command],
        "env": component.environ,
        "cwd": ROOT,
        "stdin": subprocess.DEVNULL,
        "stderr": subprocess.STDOUT,
        "process_group": 0,
        "umask": 0o077,
    }
