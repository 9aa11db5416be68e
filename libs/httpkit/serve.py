"""The command that runs a service: `python -m libs.httpkit.serve MODULE:APP --port 8001`.

uvicorn does the work, with its own options and UVICORN_* variables; here stands what all services start with.
"""

import gc
import os
import sys

import uvicorn
from uvicorn.importer import import_from_string

# An open event stream must not hold up a clean stop.
OURS = ("--no-access-log", "--timeout-graceful-shutdown", "5")


def main() -> None:
    """Serve the app named by the first argument or by UVICORN_APP until SIGTERM."""
    app, *options = sys.argv[1:] or [os.environ["UVICORN_APP"]]
    # Importing makes a million objects that stay; looking for garbage among them is a tenth of the start.
    gc.disable()
    import_from_string(app)
    gc.freeze()
    gc.enable()
    uvicorn.main([app, *OURS, *options])


if __name__ == "__main__":
    main()
