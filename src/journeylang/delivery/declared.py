"""What a manifest of the kind `http` says: the request, its answers, the limits, the feedback.

All of it is data. Texts are Jinja2 (see `shaping.py`); a place is `body:path.to.it` in an answer
of JSON, where a number is an element of a list and `*` any of them, or `header:Name`.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

Outcome = Literal[
    "accepted",
    "throttle",
    "retry",
    "invalid_recipient",
    "opted_out",
    "auth",
    "config",
    "rejected",
    "unknown",
]

FEEDBACK = (
    "sent",
    "delivered",
    "opened",
    "clicked",
    "bounced",
    "soft_bounced",
    "complained",
    "unsubscribed",
    "replied",
    "answered",
    "called",
    "failed",
    "prefetched",
)
"""What a provider's word for something that happened to a message may mean."""

_STATUS = re.compile(r"[1-5]xx|[1-5]\d\d(?:-[1-5]\d\d)?")
_PLACE = re.compile(r"body:[^:]*|header:[A-Za-z0-9-]+")


def _status(value: int | str) -> int | str:
    if not _STATUS.fullmatch(str(value)):
        raise ValueError(f'`{value}` is no status: 429, "5xx" or "400-499"')
    return value


def _place(value: str) -> str:
    if not _PLACE.fullmatch(value):
        raise ValueError(f"`{value}` is no place: `body:path.to.it` or `header:Name`")
    return value


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return value


Status = Annotated[int | str, AfterValidator(_status)]
Place = Annotated[str, AfterValidator(_place)]
Regex = Annotated[str, AfterValidator(_regex)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Basic(_Table):
    """User and password (RFC 7617)."""

    kind: Literal["basic"]
    user: str
    password: str


class Bearer(_Table):
    """A token (RFC 6750)."""

    kind: Literal["bearer"]
    token: str


class ByHeader(_Table):
    """A header of the provider's own."""

    kind: Literal["header"]
    name: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    value: str


class Signed(_Table):
    """Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`."""

    kind: Literal["standard_webhooks"]
    secret: str


class Aws(_Table):
    """Amazon's Signature Version 4."""

    kind: Literal["aws"]
    access_key: str
    secret_key: str
    session_token: str = ""
    region: str
    service: str


class Apple(_Table):
    """A token that an ES256 key of Apple's signs."""

    kind: Literal["apple"]
    key: str
    key_id: str
    team_id: str


class Google(_Table):
    """A token of a service account, whose key is JSON."""

    kind: Literal["google"]
    credentials: str
    scope: str


class Vapid(_Table):
    """The sender of notifications to browsers (RFC 8292): an ES256 key and a contact."""

    kind: Literal["vapid"]
    key: str
    subject: str


Auth = Annotated[
    Basic | Bearer | ByHeader | Signed | Aws | Apple | Google | Vapid,
    Field(discriminator="kind"),
]


class Request(_Table):
    """How one message is handed over.

    A leaf of `body` that is one expression keeps the expression's type. What is none is left out,
    and so is a table or list that has nothing left because of it.
    """

    method: Literal["POST", "PUT", "PATCH"] = "POST"
    base: str = Field(
        default="",
        description="where the provider is, `https://api.acme.example`; of the settings alone, and"
        " the setting `base_url` takes its place",
    )
    path: str = Field(default="", pattern=r"^(/|\?|$|\{)")
    encoding: Literal["json", "form", "multipart", "webpush"] = Field(
        default="json",
        description="`webpush`: JSON, encrypted for the browser that the message is to; it goes to"
        " the browser's own address, at a host that the setting `hosts` has",
    )
    version: Literal["1.1", "2"] = Field(default="1.1", description="of HTTP")
    auth: Auth | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue

    @model_validator(mode="after")
    def _flat(self) -> Request:
        if self.encoding in ("form", "multipart") and not isinstance(self.body, dict):
            raise ValueError(f"a body as {self.encoding} is a table")
        return self


class Batch(_Table):
    """Many messages with one request: `items` are their bodies.

    `answers` is the place of the list with one answer for each, in the same order.
    """

    size: int = Field(ge=2, le=10_000)
    path: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue = "{{ items }}"
    answers: Place = "body:"


class Match(_Table):
    """A value that fits a regular expression, or that is there at all."""

    matches: Regex | None = None
    present: bool | None = None

    @model_validator(mode="after")
    def _one(self) -> Match:
        if (self.matches is None) == (self.present is None):
            raise ValueError("`matches` or `present`, one of the two")
        return self


Value = str | int | float | bool
Wanted = Match | Value | tuple[Value, ...]


class Rule(_Table):
    """What an answer means: all of its conditions hold. The first rule that fits decides."""

    status: tuple[Status, ...] = ()
    where: dict[Place, Wanted] = Field(default_factory=dict)
    outcome: Outcome

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        if not self.status and not self.where:
            raise ValueError("a rule has a `status`, a `where`, or both")
        return self


class Wait(_Table):
    """Where an answer says for how long to wait."""

    place: Place
    unit: Literal["seconds", "milliseconds", "epoch"] = "seconds"


class Response(_Table):
    """How answers are read. What no rule fits is read by its status alone.

    `id` is the provider's own name for a message, `detail` its words where it refuses.
    """

    id: tuple[Place, ...] = ()
    detail: tuple[Place, ...] = ()
    retry_after: tuple[Wait, ...] = (Wait(place="header:Retry-After"),)
    rules: tuple[Rule, ...] = ()


class Limits(_Table):
    """What the provider allows, as far as the settings of a channel do not say otherwise."""

    rate: str | None = None
    burst: int = Field(default=1, ge=1, le=10_000)
    connections: int = Field(default=8, ge=1, le=64)
    timeout: int = Field(default=30, ge=1, le=600)
    body_bytes: int = Field(default=20_000_000, ge=1)


class Cost(_Table):
    """Where an answer says what the message has cost."""

    amount: Place
    currency: str = Field(description="a currency like `EUR`, or the place of one")


class Set(_Table):
    """A file of rows, one for each message; `letters`: and a PDF with a letter for each."""

    file: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="how the files' names begin")
    columns: dict[str, str] = Field(min_length=1, description="the columns in order, as texts")
    letters: bool = False


class Hmac(_Table):
    """A keyed hash in a header over `signed`; `{body}` and `{header:Name}` stand for themselves."""

    kind: Literal["hmac"]
    header: str
    secret: str
    algorithm: Literal["sha256", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    signed: str = "{body}"
    key: Literal["text", "base64"] = "text"
    timestamp: str | None = Field(
        default=None,
        description="the header with the instant: what is older than 5 minutes is no longer taken",
    )
    age: int = Field(default=300, ge=1, description="seconds that a signature is good for")


class Standard(_Table):
    """Standard Webhooks; `prefix` is `svix` where the headers have the older names."""

    kind: Literal["standard_webhooks"]
    secret: str
    prefix: Literal["webhook", "svix"] = "webhook"


class Ecdsa(_Table):
    """ECDSA over SHA-256 of timestamp and body, by a public key in DER and base64."""

    kind: Literal["ecdsa"]
    public_key: str
    header: str
    timestamp: str


class Token(_Table):
    """A secret that stands in a header, or in the query."""

    kind: Literal["token"]
    secret: str
    header: str | None = None
    query: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Token:
        if (self.header is None) == (self.query is None):
            raise ValueError("`header` or `query`, one of the two")
        return self


class BasicToken(_Table):
    """User and password that the provider was told to show."""

    kind: Literal["basic"]
    user: str
    password: str


class Twilio(_Table):
    """SHA-1 over the address and the form's fields in order."""

    kind: Literal["twilio"]
    secret: str


class Mailgun(_Table):
    """A keyed hash over timestamp and token of the body, which is not signed itself."""

    kind: Literal["mailgun"]
    secret: str


class Jwt(_Table):
    """A token signed by HS256, with the body's hash in it."""

    kind: Literal["jwt"]
    secret: str
    body_hash: str = "payload_hash"


class Sns(_Table):
    """Amazon SNS: a certificate of Amazon's, and the topic."""

    kind: Literal["sns"]
    topic: str


Signature = Annotated[
    Hmac | Standard | Ecdsa | Token | BasicToken | Twilio | Mailgun | Jwt | Sns,
    Field(discriminator="kind"),
]


class HubChallenge(_Table):
    """A GET with `hub.challenge`, as Meta and WebSub ask; it comes back to who knows the token."""

    kind: Literal["hub"]
    token: str


class BodyChallenge(_Table):
    """A webhook, signed as all of them, that asks to have a part of it back."""

    kind: Literal["body"]
    answer: Place


Challenge = Annotated[HubChallenge | BodyChallenge, Field(discriminator="kind")]


class Event(_Table):
    """One thing that happened; texts are Jinja2 over `event`, `body` and `headers`.

    `message` is the public message id where the provider gives it back, `provider_id` its own name
    for the message: one of the two. `id` tells repeated deliveries apart. `at` is a number of
    seconds or milliseconds since 1970, or ISO 8601.
    """

    type: str
    id: str
    message: str | None = None
    provider_id: str | None = None
    at: str | None = None
    detail: str | None = None
    address: str | None = Field(default=None, description="whose it is, where no message is named")

    @model_validator(mode="after")
    def _found(self) -> Event:
        if self.message is None and self.provider_id is None and self.address is None:
            raise ValueError("`message`, `provider_id` or `address`: whose event is it?")
        return self


class Webhook(_Table):
    """What the provider tells later, at `/hooks/<channel>`.

    `names` says what its words mean; those that it does not have are left alone. `""` among the
    names stands for all other words.
    """

    encoding: Literal["json", "form"] = "json"
    signature: Signature
    challenge: Challenge | None = Field(
        default=None, description="how the provider asks whether the address is the right one"
    )
    events: tuple[Place, ...] = Field(
        default=("body:",), description="where the events are: single ones, or lists of them"
    )
    event: Event
    names: dict[str, Literal[FEEDBACK]]  # type: ignore[valid-type]
