"""A template deployed on paper: its resources as they would be made, with parameters, loops, conditions and modules worked out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.bicep.evaluation import beside, items, truth, value
from tests.bicep.functions import GROUP, SUBSCRIPTION
from tests.bicep.reading import BicepError, Declared, Node, Param, read, trees


@dataclass(frozen=True, slots=True)
class Resource:
    """`id` is its ARM id. `body` is what is sent."""

    kind: str
    id: str
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.body["name"])

    @property
    def properties(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.body.get("properties", {})
        return found


@dataclass(frozen=True, slots=True)
class Deployment:
    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> list[Resource]:
        return [each for each in self.resources if each.kind == kind]


def deploy(sources: Mapping[str, str], path: str, /, **params: object) -> Deployment:
    """BicepError where Azure would refuse it, or would have to guess."""
    resources: list[Resource] = []
    scope = SUBSCRIPTION if read(sources[path]).target == "subscription" else GROUP
    return Deployment(resources, _File(sources, path, params, scope, resources).deploy())


class _File:
    """One template with its parameters. What a name is, is worked out when it is first needed."""

    def __init__(self, sources: Mapping[str, str], path: str, params: Mapping[str, Any], scope: str, made: list[Resource]) -> None:
        self.sources, self.path = sources, path
        self._template = read(sources[path])
        self._params, self._scope, self._made = params, scope, made
        self._known: dict[str, Any] = {}
        if unknown := params.keys() - self._template.params.keys():
            raise BicepError(f"{path} has no parameter {', '.join(sorted(unknown))}")

    def deploy(self) -> dict[str, Any]:
        """Its outputs."""
        for name in (*self._template.params, *self._template.resources, *self._template.modules):
            self.symbol(name)
        return {name: self._value(node) for name, node in self._template.outputs.items()}

    def symbol(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = self._work_out(name)
        return self._known[name]

    def _work_out(self, name: str) -> Any:
        template = self._template
        if name in template.params:
            return self._param(name, template.params[name])
        if name in template.variables:
            return self._value(template.variables[name])
        if name in template.resources:
            return self._each(template.resources[name], self._resource)
        if name in template.modules:
            return self._each(template.modules[name], self._module)
        raise BicepError(f"{self.path}: {name} is nothing")

    def _value(self, node: Node) -> Any:
        return value(node, self, {})

    def _param(self, name: str, param: Param) -> Any:
        if name in self._params:
            given = self._params[name]
        elif param.default is not None:
            given = self._value(param.default)
        else:
            raise BicepError(f"{self.path}: parameter {name} is missing")
        allowed = param.decorators.get("allowed")
        if allowed is not None and given not in self._value(allowed):
            raise BicepError(f"{self.path}: parameter {name} may not be {given!r}")
        return given

    def _each(self, declared: Declared, make: Callable[[Declared, Mapping[str, Any]], Any]) -> Any:
        """What is declared: one thing, one for each item of a loop, or none where a condition does not hold."""
        body = declared.body
        if body.data == "deploy_condition":
            condition, body = trees(body)
            if not truth(condition, self, {}):
                return None
        if body.data == "loop":
            return [make(declared, value(content, self, local)) for content, local in items(body, self, {})]
        return make(declared, self._value(body))

    def _resource(self, declared: Declared, body: Mapping[str, Any]) -> Any:
        kind = declared.place.partition("@")[0]
        sent = {key: content for key, content in body.items() if key not in ("parent", "scope")}
        resource = Resource(kind, f"{self._place(kind, body)}/{body['name']}", sent)
        if not declared.existing:
            self._made.append(resource)
        return {"id": resource.id, "name": resource.name}

    def _place(self, kind: str, body: Mapping[str, Any]) -> str:
        if "parent" in body:
            return f"{body['parent']['id']}/{kind.rpartition('/')[2]}"
        if kind == "Microsoft.Resources/resourceGroups":
            return f"{self._scope}/resourceGroups"
        scope = body["scope"]["id"] if "scope" in body else self._scope
        return f"{scope}/providers/{kind}"

    def _module(self, declared: Declared, body: Mapping[str, Any]) -> Any:
        path = beside(self, declared.place)
        if path not in self.sources:
            raise BicepError(f"{self.path}: there is no {declared.place}")
        scope = body["scope"]["id"] if "scope" in body else self._scope
        target = read(self.sources[path]).target
        if target != ("resourceGroup" if "/resourceGroups/" in scope else "subscription"):
            raise BicepError(f"{path} is for a {target}, and {self.path} deploys it to {scope}")
        return {"name": body["name"], "outputs": _File(self.sources, path, body.get("params", {}), scope, self._made).deploy()}
