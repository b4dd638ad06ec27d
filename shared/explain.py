"""Why a tenant gets an asset, or does not: the plan, in words, with what each rule says that has a part in it.

Built on the same questions as `shared.planning`, so that the two never differ: what is explained is the plan.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.decisions import Decision, passes_over
from shared.objections import SharedAsset, keeps_in, publication_to, withholds
from shared.planning import Allowed, NoLongerAllowed, Paused, Target, plan_for, still_allowed
from shared.rules import Rules
from shared.tenants import Publication, Tenant
from shared.windows import is_open, next_opening


class Answer(StrEnum):
    YES = "yes"
    WAITS = "waits"  # a yes that somebody has to approve, or whose window is not open
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
    """One tenant's answer at a time. `decisions` are its part of the plan: one for each action that its subscriptions ask for.

    `recall` is why the asset was taken back: then nobody gets it, whatever was planned.
    """

    tenant: str
    decisions: tuple[Decision, ...]
    publisher: Word
    subscriber: Word
    at: datetime
    recall: str | None = None

    @property
    def answer(self) -> Answer:
        answers = {self.answer_to(decision) for decision in self.decisions}
        return next((answer for answer in Answer if answer in answers), Answer.NO)

    def answer_to(self, decision: Decision) -> Answer:
        """To one action of one subscription."""
        if self.recall or not decision.allowed:
            return Answer.NO
        shut = decision.window is not None and not is_open(decision.window, self.at)
        return Answer.WAITS if decision.approval or shut else Answer.YES

    @property
    def reason(self) -> str:
        """The first decision's that has the tenant's answer, or the noes that left nothing to decide."""
        deciding = next((each for each in self.decisions if self.answer_to(each) is self.answer), None)
        if deciding is not None:
            return self.why(deciding)
        return "; ".join(str(word) for word in (self.publisher, self.subscriber) if not word.yes)

    def why(self, decision: Decision) -> str:
        """In words: one of the tenant's decisions."""
        if decision.allowed:
            return _recalled(self.recall) if self.recall else f"{self.publisher}; {decision.reason}{self._release(decision)}"
        return f"{decision.reason} ({self.publisher.details})" if self.publisher.details else decision.reason

    def _release(self, decision: Decision) -> str:
        """What a yes has to wait for."""
        if decision.approval:
            return f", and waits for the approval of the {decision.approval}"
        if decision.window is None:
            return ""
        named = f", in its window alone ({decision.window.cron}, {decision.window.timezone})"
        if self.answer_to(decision) is Answer.YES:
            return f"{named}, which is open"
        return f"{named}, which opens at {next_opening(decision.window, self.at):%Y-%m-%dT%H:%MZ}"


def explain(
    shared: SharedAsset, rules: Rules, at: datetime, only: Collection[str] | None = None, recall: str | None = None
) -> tuple[Explanation, ...]:
    """Every tenant's, or that of the tenants in `only`, by id. Their decisions, one after the other, are the plan."""
    publisher = rules.tenant_of(shared.origin) if shared.origin else None
    asked = [tenant for tenant_id, tenant in sorted(rules.tenants.items()) if only is None or tenant_id in only]
    if publisher is None:
        return tuple(Explanation(each.id, (), *_words_of_nobody(each.id, shared), at, recall) for each in asked)
    return tuple(
        Explanation(each.id, plan_for(each, publisher, shared, rules), *_words(each, publisher, shared, rules), at, recall)
        for each in asked
    )


def today(delivery: Target, shared: SharedAsset, rules: Rules, recall: str | None = None) -> Word:
    """What is said now of something that was decided before. A recall outlasts all rules."""
    if recall:
        return Word(False, _recalled(recall))
    match still_allowed(delivery, shared, rules):
        case Allowed(decision):
            return Word(True, decision.reason)
        case Paused() as pause:
            return Word(False, f"held: {pause}")
        case NoLongerAllowed(reason):
            return Word(False, reason)


def _recalled(why: str) -> str:
    return f"it was recalled: {why}"


def _words_of_nobody(tenant_id: str, shared: SharedAsset) -> tuple[Word, Word]:
    if shared.origin is None:
        why = f"it was made in registry {shared.registry} itself, whose readers can pull it: no subscription is about it"
    else:
        why = f"workspace {shared.origin}, which it comes from, belongs to no tenant"
    return Word(False, why), Word(True, f"{tenant_id} was not asked")


def _words(subscriber: Tenant, publisher: Tenant, shared: SharedAsset, rules: Rules) -> tuple[Word, Word]:
    """The publisher's and the subscriber's."""
    lets_out = _word_of_publisher(publisher, subscriber.id, shared, rules)
    return lets_out, _word_of_subscriber(subscriber, publisher, shared, rules)


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
