"""Amazon SES: signatures as published and as Amazon's own library makes them; moto as a server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from journeylang.delivery.channels import open_channels
from journeylang.delivery.mime import Address, Email
from journeylang.delivery.outcome import Accepted, Answer, Refused
from journeylang.delivery.sigv4 import Credentials, signed

# Of the published test suite of Signature Version 4.
SUITE = Credentials(
    access_key="AKIDEXAMPLE",
    secret_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    region="us-east-1",
    service="service",
)
NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
HOST = ("Host", "example.amazonaws.com")


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "signature"),
    [
        (
            "GET",
            "/",
            [HOST],
            b"",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "POST",
            "/",
            [HOST],
            b"",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            [HOST],
            b"",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "POST",
            "/",
            [HOST, ("Content-Type", "application/x-www-form-urlencoded")],
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)
def test_published_vectors(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes, signature: str
) -> None:
    added = dict(
        signed(SUITE, method=method, target=target, headers=headers, content=body, now=NOW)
    )
    assert added["Authorization"].endswith(f"Signature={signature}")


PATHS = st.text("abcXYZ019-_.~/", max_size=20).map(lambda path: f"/{path}")
TEXTS = st.text("abc 019-_.~äß€", max_size=10)


@given(path=PATHS, query=st.dictionaries(TEXTS, TEXTS, max_size=3), body=st.binary(max_size=50))
def test_the_same_as_amazons_library(path: str, query: dict[str, str], body: bytes) -> None:
    from urllib.parse import quote, urlencode

    target = re.sub("/+", "/", path) + (f"?{urlencode(query, quote_via=quote)}" if query else "")
    headers = [HOST, ("Content-Type", "application/json")]
    ours = dict(signed(SUITE, method="POST", target=target, headers=headers, content=body, now=NOW))
    theirs = AWSRequest(
        method="POST", url=f"https://{HOST[1]}{target}", data=body, headers=dict(headers[1:])
    )
    signer: Any = SigV4Auth(
        BotoCredentials(SUITE.access_key, SUITE.secret_key), SUITE.service, SUITE.region
    )
    with patch("botocore.auth.get_current_datetime", return_value=NOW):
        signer.add_auth(theirs)
    if "/." not in target:  # that library takes dots out of paths
        assert ours["Authorization"] == theirs.headers["Authorization"]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_an_e_mail_through_moto(moto: str) -> None:
    keys = {
        "aws_access_key_id": "AKIDEXAMPLE",
        "aws_secret_access_key": "x",
        "region_name": "us-east-1",
        "endpoint_url": moto,
    }
    client = boto3.client("sesv2", **keys)
    client.create_email_identity(EmailIdentity="acme.example")
    given = {
        "provider": "ses",
        "region": "us-east-1",
        "access_key": "AKIDEXAMPLE",
        "secret_key": "env:S",
        "from": "Ärzte <hello@acme.example>",
        "base_url": moto,
        "private": True,
    }
    outcome = open_channels({"email": given}, root=Path(), environment={"S": "x"})
    assert outcome.value is not None
    provider = outcome.value["email"].provider
    mails = [
        Email(
            id=f"{n:032x}",
            sender=Address(local="hello", domain=domain, name="Ärzte"),
            to=Address(local="jo", domain="example.com"),
            subject="Grüße",
            text="text\n",
            html="<p>html</p>",
            date=datetime(2026, 3, 2, 10),  # noqa: DTZ001
            unsubscribe="https://m.acme.example/u/1",
        )
        for n, domain in ((1, "acme.example"), (2, "elsewhere.example"))
    ]
    answers: dict[str, Answer] = {}
    assert provider.open() is None
    provider.send(mails[:1], answers)
    provider.send(mails[1:], answers)
    provider.close()
    assert isinstance(answers[mails[0].id], Accepted)
    # Nobody has verified that sender.
    assert isinstance(answers[mails[1].id], Refused)
