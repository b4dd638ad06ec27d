"""The article's example as data: which model goes from where to whom. Waited for, checked and printed from here alone."""

from dataclasses import dataclass

from infra.local.demo.holdings import OWN, PULLED, PUSHED, Held, registry_model_id, serving, shared

REGISTRY = "contoso-hub"
CARDS, CARDS_TUNED, BERT = "credit-card-default:1", "credit-card-default:2", "bert-case-uncased_fine-tuned:1"
CARDS_ENDPOINT, BERT_ENDPOINT = "credit-card-tailwind", "bert-adventure"


@dataclass(frozen=True, slots=True)
class Journey:
    """A model registered in `origin`, shared to the registry, and what came of it: `pushes` by Fanout, `pulls` by hand."""

    model: str
    origin: str
    pushes: tuple[Held, ...] = ()
    pulls: tuple[Held, ...] = ()

    @property
    def registered(self) -> Held:
        return Held(self.origin, self.model, OWN)

    @property
    def share(self) -> Held:
        return shared(REGISTRY, self.model, self.origin)

    @property
    def by_fanout(self) -> tuple[Held, ...]:
        return (self.share, *self.pushes)


def _served(workspace: str, endpoint: str, model: str) -> Held:
    return serving(workspace, endpoint, registry_model_id(REGISTRY, model), 100)


CARDS_JOURNEY = Journey(
    CARDS,
    "workspace1",
    pushes=(Held("workspace3", CARDS, PUSHED), _served("workspace3", CARDS_ENDPOINT, CARDS)),
)
BERT_JOURNEY = Journey(
    BERT,
    "workspace3",
    pushes=(Held("workspace1", BERT, PUSHED), Held("workspace2", BERT, PUSHED), _served("workspace4", BERT_ENDPOINT, BERT)),
    pulls=(Held("workspace4", BERT, PULLED),),
)
TUNED_JOURNEY = Journey(CARDS_TUNED, "workspace3")
JOURNEYS = (CARDS_JOURNEY, BERT_JOURNEY, TUNED_JOURNEY)


def expected() -> set[Held]:
    """All that workspaces and registry must hold in the end, and nothing else."""
    return {fact for journey in JOURNEYS for fact in (journey.registered, *journey.by_fanout, *journey.pulls)}
