"""The article's example, played with the real azure-ai-ml.

It only acts as the tenants' data scientists do, and never calls Fanout.
"""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.cloud import LocalCloud
from infra.local.demo import journeys
from infra.local.demo.holdings import by_fresh_clients
from infra.local.demo.journeys import BERT_JOURNEY, CARDS_JOURNEY, REGISTRY, TUNED_JOURNEY
from infra.local.demo.models import Bank, CreditCardModel, write_bert_stand_in, write_credit_card_model, write_request
from infra.local.demo.watch import Watch

if TYPE_CHECKING:
    from azure.ai.ml.entities import Model

SECONDS_OF_QUIET = 3.0


class WentWrong(Exception):
    """The demo's outcome is not what it must be; the text has a line for each difference."""


class Story:
    """`say` announces each step. `folder` takes the models' files."""

    def __init__(self, cloud: LocalCloud, watch: Watch, folder: Path, say: Callable[[str], None]) -> None:
        self._cloud = cloud
        self._watch = watch
        self._folder = folder
        self._say = say
        self._bank = Bank()

    def play(self) -> None:
        """Raises NotInTime or WentWrong."""
        cards = self._bank.train()
        self._credit_card_model_is_registered(cards)
        self._bert_is_registered()
        self._endpoint_is_invoked(cards)
        self._bert_is_pulled_by_hand()
        self._fine_tuned_model_is_registered(cards)
        self._nothing_circulates()

    def check(self, origins: dict[str, str]) -> None:
        """Hold what everybody has, as fresh clients see it, against what they must have. Raises WentWrong."""
        found, expected = by_fresh_clients(self._cloud, origins), journeys.expected()
        differences = [f"missing: {fact}" for fact in sorted(expected - found)]
        differences += [f"too much: {fact}" for fact in sorted(found - expected)]
        if differences:
            raise WentWrong("\n".join(differences))

    def _credit_card_model_is_registered(self, cards: CreditCardModel) -> None:
        self._say("workspace1's data scientist registers credit-card-default, a model of scikit-learn, trained just now")
        self._register("workspace1", "credit-card-default", "1", write_credit_card_model(cards, self._folder / "cards"))
        self._watch.wait_for((CARDS_JOURNEY.registered, *CARDS_JOURNEY.by_fanout))

    def _bert_is_registered(self) -> None:
        self._say("workspace3's data scientist registers bert-case-uncased_fine-tuned")
        self._register("workspace3", "bert-case-uncased_fine-tuned", "1", write_bert_stand_in(self._folder / "bert"))
        self._watch.wait_for((BERT_JOURNEY.registered, *BERT_JOURNEY.by_fanout))

    def _endpoint_is_invoked(self, cards: CreditCardModel) -> None:
        self._say("workspace3's application asks its new endpoint about customers")
        request = write_request(self._bank.unseen, self._folder / "customers.json")
        endpoints = self._cloud.ml_client("workspace3").online_endpoints
        answer = json.loads(endpoints.invoke(endpoint_name=journeys.CARDS_ENDPOINT, request_file=str(request)))
        if answer != cards.predict(self._bank.unseen):
            raise WentWrong(f"{journeys.CARDS_ENDPOINT} answered {answer}, the model itself {cards.predict(self._bank.unseen)}")
        self._say(f"It answers {answer}, as the model does that workspace1 trained")

    def _bert_is_pulled_by_hand(self) -> None:
        self._say("workspace4's data scientist gets bert-case-uncased_fine-tuned from the registry and registers it")
        pulled = self._cloud.registry_client(REGISTRY).models.get("bert-case-uncased_fine-tuned", "1")
        self._cloud.ml_client("workspace4").models.create_or_update(pulled)
        self._watch.wait_for(BERT_JOURNEY.pulls)

    def _fine_tuned_model_is_registered(self, cards: CreditCardModel) -> None:
        self._say("workspace3's data scientist fine-tunes credit-card-default on its own customers and registers version 2")
        tuned = self._bank.fine_tune(cards)
        self._register("workspace3", "credit-card-default", "2", write_credit_card_model(tuned, self._folder / "tuned"))
        self._watch.wait_for((TUNED_JOURNEY.registered, *TUNED_JOURNEY.by_fanout))

    def _nothing_circulates(self) -> None:
        self._say(f"Nothing more may happen: no push and no pull is shared back ({SECONDS_OF_QUIET:.0f} s of quiet)")
        self._watch.wait_until_quiet(SECONDS_OF_QUIET)

    def _register(self, workspace: str, name: str, version: str, folder: Path) -> "Model":
        from azure.ai.ml.constants import AssetTypes
        from azure.ai.ml.entities import Model

        model = Model(name=name, version=version, path=str(folder), type=AssetTypes.MLFLOW_MODEL)
        with redirect_stderr(io.StringIO()):  # after every upload the SDK prints an escape sequence, asked for or not
            return self._cloud.ml_client(workspace).models.create_or_update(model)
