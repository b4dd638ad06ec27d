"""A real blob service for contract tests: Azurite's, over TLS, in memory, with two accounts; and clients of its containers."""

import contextlib
import os
import re
import secrets
import shutil
import subprocess
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from azure.core.credentials import AccessToken
from azure.storage.blob import ContainerClient, generate_container_sas

from infra.local.tls import make_certificates
from shared.copies import Folder

AZURITE = Path(__file__).parents[2] / "node_modules/azurite/dist/src/blob/main.js"
ACCOUNTS = {name: b64encode(name.encode().ljust(64, b"-")).decode() for name in ("provider", "tenant")}
_LISTENING = re.compile(r"listens on (https://\S+)")


@dataclass(frozen=True)
class BlobService:
    """It keeps to `AZURITE_ACCOUNTS`, checks SAS, and takes tokens for what they say, unsigned (`--oauth basic`)."""

    url: str

    def container(self, account: str) -> ContainerClient:
        """A new one, with all rights."""
        key = {"account_name": account, "account_key": ACCOUNTS[account]}
        name = f"c-{uuid.uuid4()}"
        container = ContainerClient.from_container_url(f"{self.url}/{account}/{name}", key, retry_total=0)
        container.create_container()
        return container


def folder(container: ContainerClient, prefix: str, permission: str = "rcwl", **sas: Any) -> Folder:
    """A folder of the container, with the right to do what `permission` says."""
    account = str(container.account_name)
    options = {"expiry": datetime.now(UTC) + timedelta(hours=1), **sas}
    token = generate_container_sas(account, container.container_name, ACCOUNTS[account], permission=permission, **options)
    return Folder(container.url, prefix, token)


class Identity:
    """A credential whose tokens Azurite believes."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        now = int(time.time())
        claims = {"iss": "https://sts.windows.net/t/", "aud": scopes[0].removesuffix("/.default"), "oid": "o", "tid": "t"}
        token = jwt.encode({**claims, "iat": now, "nbf": now - 60, "exp": now + 3600}, secrets.token_bytes(32))
        return AccessToken(token, now + 3600)


@contextlib.contextmanager
def blob_service(directory: Path) -> Iterator[BlobService]:
    make_certificates(directory)
    server = str(directory / "server.pem")
    flags = ["--blobPort", "0", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    trusted = {"NODE_EXTRA_CA_CERTS": str(directory / "ca.pem")}  # it asks itself whether the source of a copy may be read
    accounts = {"AZURITE_ACCOUNTS": ";".join(f"{name}:{key}" for name, key in ACCOUNTS.items())}
    process = subprocess.Popen(
        [shutil.which("node") or "node", str(AZURITE), *flags, "--cert", server, "--key", server, "--oauth", "basic"],
        stdout=subprocess.PIPE,
        env=os.environ | accounts | trusted,
        text=True,
    )
    try:
        yield BlobService(_address(process).replace("127.0.0.1", "localhost"))
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    for line in process.stdout:
        if listening := _LISTENING.search(line):
            return listening[1]
    raise RuntimeError("Azurite's blob service did not start")
