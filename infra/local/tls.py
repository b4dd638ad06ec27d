"""The certificates of the local cloud: azure-core sends bearer tokens over TLS only, so a plain-HTTP stand-in cannot work.

Clients trust `ca.pem` (REQUESTS_CA_BUNDLE); servers load `server.pem`, which holds the chain and the key.
"""

import argparse
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1", "::1")


def make_certificates(directory: Path) -> None:
    """Write `ca.pem` and `server.pem` into `directory`, unless both are there: a restart must not end what clients trust."""
    authority_file, server_file = directory / "ca.pem", directory / "server.pem"
    if authority_file.exists() and server_file.exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="Fanout local cloud")
    authority.cert_pem.write_to_path(str(authority_file))
    server_file.touch(mode=0o600)
    authority.issue_cert(*NAMES).private_key_and_cert_chain_pem.write_to_path(str(server_file))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.local.tls", description=__doc__)
    parser.add_argument("directory", type=Path)
    make_certificates(parser.parse_args().directory)


if __name__ == "__main__":
    main()
