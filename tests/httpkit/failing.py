"""A service whose migrations lie where COBURG_PROBE_MIGRATIONS says; its broker is nowhere."""

import os
from pathlib import Path

from libs.httpkit.app import create_app
from libs.servicekit.settings import ServiceSettings, Settings

app = create_app(
    "probe",
    title="Probe",
    routers=[],
    migrations=Path(os.environ["COBURG_PROBE_MIGRATIONS"]),
    settings=Settings(service="probe", own=ServiceSettings(), nats_url="nats://127.0.0.1:9"),
)
