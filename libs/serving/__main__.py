"""The command that runs a service: `python -m libs.serving MODULE:APP --port 8001`.

uvicorn does the work; here stands what all services start with.
"""

import argparse
import gc
import os
import sys
from functools import partial
from ipaddress import ip_network
from typing import Any

import uvicorn
from uvicorn.importer import import_from_string

from libs.servicekit.kit import Kit
from libs.serving.protocol import BoundedProtocol

# An open event stream must not hold up a clean stop.
END_SECONDS = 5


def main() -> None:
    """Serve the app until SIGTERM. What the command line leaves out is read from UVICORN_APP, _HOST and _PORT."""
    arguments = argparse.ArgumentParser(prog="python -m libs.serving", description=main.__doc__)
    arguments.add_argument(
        "app", nargs="?", default=os.environ.get("UVICORN_APP"), help="where it is, as MODULE:APP"
    )
    arguments.add_argument("--host", default=os.environ.get("UVICORN_HOST", "127.0.0.1"))
    arguments.add_argument("--port", type=int, default=os.environ.get("UVICORN_PORT", "8000"))
    given = arguments.parse_args()
    if not given.app:
        arguments.error("say which app, as MODULE:APP")
    # Importing makes a million objects that stay; looking for garbage among them is a sixth of the start (ADR 53).
    gc.disable()
    app = import_from_string(given.app)
    gc.freeze()
    gc.enable()
    # The app has set up logging for uvicorn as well.
    config = uvicorn.Config(
        app,
        host=given.host,
        port=given.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=END_SECONDS,
        http=BoundedProtocol,
        **proxies(os.environ.get("COBURG_TRUSTED_PROXIES", "")),
    )
    sys.exit(run(uvicorn.Server(config), getattr(app, "state", None)))


def run(server: uvicorn.Server, state: Any) -> int:
    """Serve to the end; the exit code is 1 for a service that could not start (`Kit.failure`) or could not listen."""
    kit: Kit | None = getattr(state, "kit", None)
    if kit:
        kit.leave = partial(setattr, server, "should_exit", True)
    server.run()
    return int(not server.started or bool(kit and kit.failure))


def proxies(trusted: str) -> dict[str, Any]:
    """Whose `X-Forwarded-For` counts: the rightmost address in it that is none of these is the client's."""
    addresses = [address.strip() for address in trusted.split(",") if address.strip()]
    for address in addresses:
        ip_network(address)  # a name or `*` would let anybody be anybody
    return {"proxy_headers": bool(addresses), "forwarded_allow_ips": addresses}


if __name__ == "__main__":
    main()
