"""What all tables of castoff.toml have in common, and the kinds of their values."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
)
from pydantic_core import core_schema

from castoff.config import values
from castoff.store.deferred import Deferred
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


_building: ContextVar[type[BaseModel] | None] = ContextVar("_building", default=None)


class Table(Deferred):
    """One table: nothing unknown is taken in, and nothing taken for something else.

    To build the validators of all tables takes longer than all else that a short command does, and
    a castoff.toml has few of them. So a table is checked by a function of its own, which builds
    its validator when the first such table comes; what pydantic finds wrong there it tells as if
    it had looked itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Return the schema of the table while that is built, and for others how to ask it."""
        if cls is _building.get():
            return handler(source)
        return core_schema.with_info_plain_validator_function(cls._read)

    @classmethod
    def _read(cls, value: Any, info: ValidationInfo) -> Any:
        return cls.model_validate(value, context=info.context)

    @classmethod
    def model_rebuild(cls, **options: Any) -> bool | None:
        """Build the validator; pydantic calls this when it is first wanted."""
        token = _building.set(cls)
        try:
            return super().model_rebuild(**options)
        finally:
            _building.reset(token)
