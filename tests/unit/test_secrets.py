"""What must not get into a row, a log or a message never does, in whatever form and wherever it stands."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.secrets import LONGEST, without_secrets

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def in_base64(size: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=size, max_size=size).map(lambda key: base64.b64encode(key).decode())


account_keys = in_base64(64)
queue_keys = in_base64(32)
signatures = queue_keys.map(lambda key: quote(key, safe=""))
function_keys = st.binary(min_size=40, max_size=40).map(lambda key: base64.urlsafe_b64encode(key).decode() + "==")
endpoint_keys = st.text(st.sampled_from(LETTERS), min_size=32, max_size=32)
client_secrets = st.text(st.sampled_from(LETTERS + "~._-"), min_size=34, max_size=40).map(lambda end: f"aB18Q~{end}")
tokens = st.lists(st.text(st.sampled_from(LETTERS + "-_"), min_size=20, max_size=60), min_size=2, max_size=2).map(
    lambda parts: "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9." + ".".join(parts)
)

FORMS: list[tuple[str, st.SearchStrategy[str]]] = [
    ("https://a.blob.core.windows.net/c/m?sv=2024-08-04&sr=c&sig={}&se=2026-03-02", signatures),
    ("sharedAccessSignature=sr=queue&sig={}&se=1767225600&skn=k", signatures),
    ("Authorization: SharedAccessSignature sr=queue&sig={}&se=1767225600&skn=k", signatures),
    ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core.windows.net", account_keys),
    ("Endpoint=sb://b/;SharedAccessKeyName=k;SharedAccessKey={};EntityPath=q", queue_keys),
    ("the MAC signature found in the request '{}' is not the same as any computed", queue_keys),
    ("the key {} is not accepted", account_keys),
    ("<AccountKey>{}</AccountKey>", account_keys),
    ("Authorization: Bearer {}", tokens),
    ("Authorization: SharedKey account:{}", queue_keys),
    ("authorization=basic {}", endpoint_keys),
    ("'Authorization': 'Bearer {}'", tokens),
    ("bearer\t{} is not accepted", endpoint_keys),
    ("the token {} is for another audience", tokens),
    ("client_id=app&client_secret={}&grant_type=client_credentials", client_secrets),
    ("Invalid secret {} provided", client_secrets),
    ("access_token={}", tokens),
    ("aeg-sas-key: {}", queue_keys),
    ("aeg-sas-token: {}", endpoint_keys),
    ("x-functions-key: {}", function_keys),
    ("https://app/runtime/webhooks/eventgrid?functionName=f&code={}", function_keys),
    ("X-IDENTITY-HEADER: {}", endpoint_keys),
    ("password={};", endpoint_keys),
    ("git+https://{}@github.com/contoso/model.git", endpoint_keys),
    ("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", account_keys),
    ('{"primaryKey": "{}", "secondaryKey": "none"}', endpoint_keys),
]
WRAPPINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": json.dumps,
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "as .NET escapes it": lambda text: text.replace("&", "\\u0026").replace("=", "\\u003d").replace('"', "\\u0022"),
    "URL-encoded": lambda text: quote(text, safe=""),
    "URL-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
}
WHOLE = 8  # so many characters in a row of a secret would be a leak


@st.composite
def told_secrets(draw: st.DrawFn) -> tuple[str, str]:
    """A secret, and a text that tells it in one of its forms."""
    form, kinds = draw(st.sampled_from(FORMS))
    secret = draw(kinds)
    return secret, form.replace("{}", secret)


def leaks(secret: str, text: str, around: str = "") -> bool:
    """Any part of it that is long enough, but for a token's header, which is no secret, and for what stands `around` it too."""
    body = secret.removeprefix("eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.")
    forms = {body, quote(body, safe=""), quote(quote(body, safe=""), safe=""), body.replace("/", "\\/")}
    parts = {form[at : at + WHOLE] for form in forms for at in range(len(form) - WHOLE + 1)}
    return any(part in text and part not in around for part in parts)


@given(
    told=told_secrets(),
    before=st.text(max_size=30) | st.text(st.sampled_from("ab /'\"&=?"), max_size=900),
    after=st.text(st.sampled_from(" ,.)]}'\"\n"), max_size=3),
    wrapping=st.sampled_from(sorted(WRAPPINGS)),
)
def test_no_secret_survives(told: tuple[str, str], before: str, after: str, wrapping: str) -> None:
    secret, text = told
    wrap = WRAPPINGS[wrapping]
    around = before + wrap(text.replace(secret, ""))
    assert not leaks(secret, without_secrets(f"{before} {wrap(text)}{after}"), around)


@given(told=told_secrets(), room=st.integers(0, 400))
def test_no_secret_survives_where_the_text_is_cut(told: tuple[str, str], room: int) -> None:
    secret, text = told
    kept = without_secrets("x" * (LONGEST - room) + " " + text)
    assert len(kept) <= LONGEST
    assert not leaks(secret, kept, text.replace(secret, ""))


@given(told=told_secrets())
def test_no_secret_survives_in_a_page_of_megabytes(told: tuple[str, str]) -> None:
    secret, text = told
    assert not leaks(secret, without_secrets(f"{text} " * 300), text.replace(secret, ""))


@given(signature=signatures, length=st.integers(9, 40))
def test_no_secret_survives_that_was_cut_before(signature: str, length: int) -> None:
    assert not leaks(signature, without_secrets(f"cannot read https://a/m?sv=1&sig={signature[:length]}"))


@given(told=told_secrets(), before=st.text(max_size=900), longest=st.integers(0, LONGEST))
@example(told=("s3cr3t-s3cr3t", "Bearer s3cr3t-s3cr3t"), before="", longest=10)
def test_to_do_it_again_changes_nothing(told: tuple[str, str], before: str, longest: int) -> None:
    once = without_secrets(f"{before} {told[1]}", longest)
    assert without_secrets(once, longest) == once


@pytest.mark.parametrize(
    "text",
    [
        "(AuthorizationFailed) The client 'app' does not have authorization to perform action 'Microsoft.MachineLearningServices/"
        "workspaces/models/read' over scope '/subscriptions/4fb3e0ae-6f5c-4c6b-a8a4-0f3d9b7c1d11/resourceGroups/g'",
        "The bearer token is expired",
        'Bearer authorization_uri="https://login.windows.net/", error="invalid_token"',
        "Could not find asset with ID: azureml://registries/hub/models/credit-card/versions/2",
        "SharedAccessKeyName=RootManageSharedAccessKey; code: OutOfQuota; PublicKeyToken=31bf3856ad364e35",
        "password is wrong; the account key was rotated; design=new",
        "abfss://container@account.dfs.core.windows.net/path",
        f"sha256 {'0123456789abcdef' * 4}",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("read https://a.blob/m?sv=1&sig=s3cr3t%3D&se=2026 now", "read https://a.blob/m?sv=1&sig=…&se=2026 now"),
        ('{"primaryKey": "s3cr3t", "secondaryKey": "s3cr3t"}', '{"primaryKey": "…", "secondaryKey": "…"}'),
        ("u=https%3A%2F%2Fa%3Fsig%3Ds3cr3t%252F%26se%3D2026", "u=https%3A%2F%2Fa%3Fsig%3D…%26se%3D2026"),
        ("AccountName=a;AccountKey=s3cr3t==;EndpointSuffix=e", "AccountName=a;AccountKey=…;EndpointSuffix=e"),
    ],
)
def test_what_stands_around_a_secret_stays(text: str, kept: str) -> None:
    assert without_secrets(text) == kept
