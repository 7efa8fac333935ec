"""What all tables of castoff.toml have in common, and the kinds of their values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
)

from castoff.config import values
from castoff.store.version import NAME

Name = Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
Text = Annotated[str, StringConstraints(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Port = Annotated[int, Field(ge=1, le=65_535)]
Moment = Literal[
    "before_prepare",
    "prepare",
    "backup",
    "once",
    "start_idle",
    "check_idle",
    "before_activate",
    "activate",
    "after_activate",
    "quarantine",
    "on_rollback",
    "on_failure",
]
Transport = Literal["ssh", "local"]
Checksums = Literal["sha256", "md5"]
Retries = Annotated[int, Field(ge=0, le=100)]
RelativePath = Annotated[str, AfterValidator(values.inside)]
Folder = Annotated[str, AfterValidator(values.folder)]
Address = Annotated[Text, AfterValidator(values.no_option)]
SecretAllowance = Annotated[str, AfterValidator(values.secret_allowance)]
PruneRule = Annotated[str, AfterValidator(values.prune)]
Umask = Annotated[str, AfterValidator(values.umask)]
Mode = Annotated[str, AfterValidator(values.mode)]
BaseUrl = Annotated[str, AfterValidator(values.base_url)]
PublicUrl = Annotated[str, AfterValidator(values.public_url)]
Sudo = Annotated[bool | str, PlainValidator(values.user_to_become)]


class Table(BaseModel):
    """One table: nothing unknown is taken in, and nothing taken for something else."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
