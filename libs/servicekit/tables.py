"""The tables every service has, beside its own; made by the revision `servicekit_0001`."""

from datetime import timedelta

from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary, MetaData, String, Table

from libs.servicekit.db import UtcDateTime

metadata = MetaData()
_ID = BigInteger().with_variant(Integer(), "sqlite")

outbox = Table(
    "outbox",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("event_id", String(64), nullable=False),
    Column("subject", String(400), nullable=False),
    Column("thing", String(200), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("traceparent", String(55)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    # The thing's version, and how often the audit had the fact published again.
    Column("version", BigInteger),
    Column("again", Integer, nullable=False, server_default="0"),
    # What the broker will never take is set aside with the reason, so that it holds up nothing else.
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("refused", String(500)),
)
# Things of which the bus knows newer versions than this database: nothing is published of them until someone decides.
ahead = Table(
    "ahead",
    metadata,
    Column("thing", String(200), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
inbox = Table(
    "inbox",
    metadata,
    Column("consumer", String(80), primary_key=True),
    Column("event_id", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)
seen = Table(
    "seen",
    metadata,
    Column("consumer", String(80), primary_key=True),
    Column("thing", String(200), primary_key=True),
    Column("version", BigInteger, nullable=False),
)
lease = Table(
    "lease",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
idempotency = Table(
    "idempotency",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer),
    Column("headers", JSON),
    Column("body", LargeBinary),
    Column("at", UtcDateTime, nullable=False),
)

# How long rows are of use: a broker restored from an older disk is sent what it lost (the newest fact of each thing for
# ever); an event may be delivered again; a client may repeat a request.
KEPT = {
    outbox.c.sent_at: timedelta(days=7),
    inbox.c.at: timedelta(days=30),
    idempotency.c.at: timedelta(days=1),
}
