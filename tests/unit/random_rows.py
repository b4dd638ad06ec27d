"""Random rows, assets and workspaces as Azure names them: hypothesis strategies."""

import string
from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

from shared.actions import AuthMode, BatchEndpoint, Mode, OnlineEndpoint, Register, Scoring
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceId
from shared.errors import Owner, Reason
from shared.keys import key
from shared.rows import Address, Attempt, Claim, DeliveryRow, PlanRow, Rest, RowKind, ShareRow, TargetRow
from shared.states import DeliveryState, ShareState

ASSET_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.\-]{0,254}"  # azure-rest-api-specs, machinelearningservices
SEQUENCE_NUMBERS = st.integers(1, 2**63 - 1)  # of Service Bus: 64 bits, the upper 16 a partition's

asset_names = st.from_regex(ASSET_NAME, fullmatch=True)
assets = st.builds(Asset, st.sampled_from(Kind), asset_names, asset_names)
workspaces = st.builds(
    WorkspaceId,
    st.uuids().map(str),
    st.from_regex(r"[-\w._()]{1,90}", fullmatch=True),  # letters of any language
    st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}", fullmatch=True),
)
keys = st.text(string.printable).map(key)
addresses = st.builds(Address, st.sampled_from(RowKind), keys, keys)
times = st.builds(
    datetime.replace,
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),
    tzinfo=st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
long_texts = st.builds(str.__mul__, st.text(max_size=20), st.sampled_from([1, 1, 1, 1_500]))

_short = st.text(max_size=60)
_revisions = st.integers(1, 2**31 - 1)
_words = st.dictionaries(_short, _short, max_size=3)
_values = st.recursive(_short | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=2))
_reasons = st.builds(Reason, _short, long_texts, st.sampled_from(Owner), _short)
_scorings = st.none() | st.builds(Scoring, _short, _short, st.none() | _short)
_rows_own = {
    "partition": keys,
    "row": keys,
    "rev": _revisions,
    "created_at": times,
    "next_at": times,
    "step": _short,
    "since": st.none() | times,
    "looks": st.integers(0, 10_000),
    "operation": st.none() | st.just("https://westeurope.api.azureml.ms/assetstore/v1.0/operations/7"),
    "claim": st.none() | st.builds(Claim, SEQUENCE_NUMBERS, times),
    "failures": st.integers(0, 10_000),
    "attempts": st.lists(st.builds(Attempt, times, _short, st.text(max_size=500)), max_size=20).map(tuple),
    "reason": st.none() | _reasons,
    "correlation_id": st.none() | _short,
    "untold": st.booleans(),
    "commands": st.lists(_short, max_size=3).map(tuple),
    "renamed_from": st.none() | asset_names,
    "recall": st.none() | _short,
    "cancelled_by": st.none() | _short,
}

shares = st.builds(
    ShareRow,
    **_rows_own,
    state=st.sampled_from(ShareState),
    registry=asset_names,
    asset=assets,
    origin=st.none() | workspaces,
    origin_tenant=st.none() | _short,
    rank=_short,
    publications=st.lists(_short, max_size=3).map(tuple),
    rules_revision=_revisions,
    environment=st.none() | _short,
    needs=st.lists(assets, max_size=2).map(tuple),
    fan_out=st.booleans(),
    again=st.booleans(),
    only=st.lists(_short, max_size=3).map(tuple),
    into=st.lists(workspaces, max_size=2).map(tuple),
    routes=st.lists(_short, max_size=3).map(tuple),
)
deliveries = st.builds(
    DeliveryRow,
    **_rows_own,
    state=st.sampled_from(DeliveryState),
    registry=asset_names,
    asset=assets,
    tenant=_short,
    workspace=workspaces,
    action=st.builds(Register, st.sampled_from(Mode))
    | st.builds(
        OnlineEndpoint,
        _short,
        _short,
        st.integers(1, 50),
        st.lists(st.integers(1, 100)).map(tuple),
        st.sampled_from(AuthMode),
        st.integers(0, 18),
        st.booleans(),
        st.none() | _short,
        _scorings,
    )
    | st.builds(BatchEndpoint, _short, _short, st.integers(1, 50), st.integers(0, 18), st.booleans(), _scorings),
    publication=_short,
    subscription=_short,
    rules_revision=_revisions,
    origin_tenant=st.none() | _short,
    origin=st.none() | workspaces,
    rank=_short,
    mode=st.none() | st.sampled_from(Mode),
    copied=st.none() | _short,
    traffic=st.none() | st.integers(0, 100),
    rest=st.none() | st.builds(Rest, st.integers(0, 100), st.lists(_short, max_size=3).map(tuple)),
    failing=st.none() | _reasons,
    approved_by=st.none() | _short,
    done=st.none() | _short,
)
registry_assets = st.builds(
    RegistryAsset,
    asset=assets,
    registry=asset_names,
    uri=_short,
    type=_short,
    origin=st.none() | _short,
    description=st.none() | long_texts,
    tags=_words,
    properties=_words,
    flavors=st.dictionaries(_short, _values),
    definition=st.dictionaries(_short, _values),
    archived=st.booleans(),
    created_at=st.none() | times,
)
plans = st.builds(
    PlanRow,
    asset=registry_assets,
    share=addresses,
    origin=st.none() | workspaces,
    origin_tenant=st.none() | _short,
    environment=st.none() | _short,
    recall=st.none() | _short,
    cursor=st.just("") | keys,
    page_from=st.just("") | keys,
    planned=st.integers(0, 100_000),
    rev=_revisions,
)
targets = st.builds(
    TargetRow,
    tenant=_short,
    workspace=workspaces,
    endpoint=_short,
    desired=addresses,
    rank=_short,
    claimant=st.none() | addresses,
    rev=_revisions,
)
