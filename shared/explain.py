"""Why a tenant gets an asset, or does not: the plan, in words, with what each rule says that has a part in it.

Built on the same questions as `shared.planning`, so that the two never differ: what is explained is the plan.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from shared.decisions import Decision, passes_over
from shared.objections import SharedAsset, keeps_in, publication_to, withholds
from shared.planning import Allowed, NoLongerAllowed, Paused, Target, plan_for, still_allowed
from shared.rules import Rules
from shared.tenants import Publication, Tenant


class Answer(StrEnum):
    YES = "yes"
    WAITS = "waits"  # a yes that somebody has to approve, or whose window has to open
    NO = "no"


@dataclass(frozen=True, slots=True)
class Word:
    """What one of the parties says. `rules` are the names of its rules that say so: a no is of them all, and `details` are why."""

    yes: bool
    text: str
    rules: tuple[str, ...] = ()
    details: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.details})" if self.details else self.text


@dataclass(frozen=True, slots=True)
class Explanation:
    """One tenant's answer. `decisions` are its part of the plan: one for each action that its subscriptions ask for."""

    tenant: str
    decisions: tuple[Decision, ...]
    publisher: Word
    subscriber: Word

    @property
    def answer(self) -> Answer:
        answers = {answer_of(decision) for decision in self.decisions}
        return next((answer for answer in Answer if answer in answers), Answer.NO)

    @property
    def reason(self) -> str:
        """The first decision's that has the tenant's answer, or the noes that left nothing to decide."""
        deciding = next((each for each in self.decisions if answer_of(each) is self.answer), None)
        if deciding is not None:
            return self.why(deciding)
        return "; ".join(str(word) for word in (self.publisher, self.subscriber) if not word.yes)

    def why(self, decision: Decision) -> str:
        """In words: one of the tenant's decisions."""
        if decision.allowed:
            return f"{self.publisher}; {in_words(decision)}"
        return f"{decision.reason} ({self.publisher.details})" if self.publisher.details else decision.reason


def explain(shared: SharedAsset, rules: Rules, only: Collection[str] | None = None) -> tuple[Explanation, ...]:
    """Every tenant's, or that of the tenants in `only`, by id. Their decisions, one after the other, are the plan."""
    publisher = rules.tenant_of(shared.origin) if shared.origin else None
    return tuple(
        _of_nobody(tenant_id, shared) if publisher is None else _of_tenant(rules.tenants[tenant_id], publisher, shared, rules)
        for tenant_id in sorted(rules.tenants)
        if only is None or tenant_id in only
    )


def answer_of(decision: Decision) -> Answer:
    if not decision.allowed:
        return Answer.NO
    return Answer.WAITS if decision.approval or decision.window else Answer.YES


def in_words(decision: Decision) -> str:
    if decision.allowed and decision.approval:
        return f"{decision.reason}, and waits for the approval of the {decision.approval}"
    if decision.allowed and decision.window:
        return f"{decision.reason}, in its window alone ({decision.window.cron}, {decision.window.timezone})"
    return decision.reason


def today(delivery: Target, shared: SharedAsset, rules: Rules) -> Word:
    """What the rules as they are now say of something that was decided before."""
    match still_allowed(delivery, shared, rules):
        case Allowed(decision):
            return Word(True, in_words(decision))
        case Paused() as pause:
            return Word(False, f"held: {pause}")
        case NoLongerAllowed(reason):
            return Word(False, reason)


def _of_nobody(tenant_id: str, shared: SharedAsset) -> Explanation:
    if shared.origin is None:
        why = f"it was made in registry {shared.registry} itself, whose readers can pull it: no subscription is about it"
    else:
        why = f"workspace {shared.origin}, which it comes from, belongs to no tenant"
    return Explanation(tenant_id, (), Word(False, why), Word(True, f"{tenant_id} was not asked"))


def _of_tenant(subscriber: Tenant, publisher: Tenant, shared: SharedAsset, rules: Rules) -> Explanation:
    return Explanation(
        tenant=subscriber.id,
        decisions=plan_for(subscriber, publisher, shared, rules),
        publisher=_word_of_publisher(publisher, subscriber.id, shared, rules),
        subscriber=_word_of_subscriber(subscriber, publisher, shared, rules),
    )


def _word_of_publisher(publisher: Tenant, receiver: str, shared: SharedAsset, rules: Rules) -> Word:
    publication = publication_to(publisher, receiver, shared, rules)
    if publication is not None:
        return Word(True, f"publication {publication.name} lets it out to {receiver}", (publication.name,))
    noes = {each.name: _no(each, publisher, receiver, shared, rules) for each in publisher.publications}
    return _none_of_them(f"no publication of {publisher.id} lets it out to {receiver}", noes.items())


def _no(publication: Publication, publisher: Tenant, receiver: str, shared: SharedAsset, rules: Rules) -> str:
    leaving = keeps_in(publication, shared.named_at_origin, shared.origin, shared.tags, rules) if shared.origin else None
    return leaving or withholds(publication, publisher, receiver, shared, rules) or ""


def _word_of_subscriber(subscriber: Tenant, publisher: Tenant, shared: SharedAsset, rules: Rules) -> Word:
    noes = {each.name: passes_over(each, publisher, shared.asset, rules) for each in subscriber.subscriptions}
    about_it = tuple(sorted(name for name, no in noes.items() if no is None))
    if about_it:
        return Word(True, f"subscription {' and '.join(about_it)} of {subscriber.id} is about it", about_it)
    return _none_of_them(f"no subscription of {subscriber.id} is about it", ((name, no or "") for name, no in noes.items()))


def _none_of_them(what: str, noes: Iterable[tuple[str, str]]) -> Word:
    """With what each rule says; why many say the same is said once."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in sorted(noes):
        by_reason.setdefault(reason, []).append(name)
    said = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in by_reason.items())
    rules = tuple(sorted(name for names in by_reason.values() for name in names))
    return Word(False, what, rules, said or "it has none")
