"""The tables of imports: the order, the uploaded bytes, what was found. Each service that imports has its own."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import JSON, BigInteger, Column, Field, Integer, LargeBinary, SQLModel, String
from uuid_utils import uuid7

from libs.servicekit.db import UtcDateTime, now


class ImportStatus(StrEnum):
    """How far an import is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Import(SQLModel, table=True):
    """One upload and what became of its rows. `into` is where they belong, such as a board. `error_code` and
    `error_params` say why it failed as a whole, `keyless` notes rows whose key could not be read."""

    __tablename__ = "import"

    id: str = Field(default_factory=lambda: str(uuid7()), primary_key=True)
    into: str = Field(sa_column=Column("board", String, nullable=False))
    mapping: str | None = None
    source: str
    format: str
    dry_run: bool = False
    prune: bool = False
    status: str = ImportStatus.QUEUED
    error: str | None = None
    error_code: str | None = None
    error_params: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    traceparent: str | None = None
    bytes: int = 0
    rows_total: int | None = None
    rows_done: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    broken: int = 0
    keyless: bool = False
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class ImportPart(SQLModel, table=True):
    """A piece of the uploaded file; dropped when the import is over."""

    __tablename__ = "import_part"

    import_id: str = Field(primary_key=True, foreign_key="import.id")
    number: int = Field(primary_key=True)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ImportFinding(SQLModel, table=True):
    """A line of the report."""

    __tablename__ = "import_finding"

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    )
    import_id: str = Field(foreign_key="import.id", index=True)
    line: int
    column: str | None = None
    severity: str
    code: str | None = None
    params: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    reason: str
    value: str | None = None
