"""Who gets an asset, without the index: a look at every tenant there is."""

from shared.planning import Decision, SharedAsset, plan_for
from shared.rules import Rules


def look_at_every_tenant(shared: SharedAsset, rules: Rules) -> tuple[Decision, ...]:
    publisher = rules.tenant_of(shared.origin) if shared.origin else None
    if publisher is None:
        return ()
    everyone = sorted(rules.tenants.values(), key=lambda tenant: tenant.id)
    return tuple(decision for subscriber in everyone for decision in plan_for(subscriber, publisher, shared, rules))
