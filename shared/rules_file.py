"""Reads the provider's rules from a folder, and tells whoever wrote them all that is wrong with them at once.

provider.yaml      registries, limits, groups
tenants/*.yaml     one file per tenant, so that each tenant can own its file
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import TypeAdapter, ValidationError

from shared.marked_yaml import MarkedDocument, UnreadableYamlError, read_yaml, written
from shared.rules import Provider, Rules, Tenant
from shared.rules_checks import Known, check_owners, check_provider, check_tenant, check_tenants
from shared.rules_complaints import complaint
from shared.rules_findings import Finding
from shared.rules_match_checks import check_matches
from shared.rules_references import check_references
from shared.rules_shapes import ProviderShape, TenantShape

PROVIDER_FILE = "provider.yaml"
TENANTS_FOLDER = "tenants"

_PROVIDERS = TypeAdapter(ProviderShape)
_TENANTS = TypeAdapter(TenantShape)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: where it is (`file` from the folder, first line 1), what it is and what to do about it."""

    file: str
    line: int
    path: str
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " + (f"{self.path}: " if self.path else "")
        return f"{where}{self.what}. Remedy: {self.remedy}."


class InvalidRulesError(Exception):
    """The rules cannot be applied; `problems` says why, all of it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class RulesRead:
    """The provider, and tenants by id. `warnings`: what may well be meant, and will not work as it stands."""

    provider: Provider
    tenants: tuple[Tenant, ...]
    warnings: tuple[Problem, ...]


def read_rules(folder: FilePath) -> tuple[Provider, tuple[Tenant, ...]]:
    """The provider, and the tenants by id. InvalidRulesError for anything that cannot be applied as it stands."""
    read = read_folder(folder)
    return read.provider, read.tenants


def read_folder(folder: FilePath) -> RulesRead:
    """All rules, with the warnings. InvalidRulesError likewise."""
    reading = _Reading(folder)
    provider = reading.shape(PROVIDER_FILE, _PROVIDERS)
    files = reading.tenant_files()
    shapes = {file: shape for file in files if (shape := reading.shape(file, _TENANTS))}
    tenants = {file: shape.value() for file, shape in shapes.items() if reading.has_references(file, shape)}
    known = Known(provider.value() if provider else None, frozenset(reading.stated_ids(files)))
    if known.provider:
        reading.note(check_provider(PROVIDER_FILE, known.provider, known))
        reading.note(_foreign(known.provider, shapes))
    reading.note(check_tenants(tenants, known))
    if reading.problems or known.provider is None:
        raise InvalidRulesError(tuple(sorted(reading.problems)))
    reading.note(check_matches(tenants, known.provider, tenants.keys()))
    return reading.result(known.provider, tenants.values())


def read_tenant(file: FilePath, tenant_id: str, in_force: Rules) -> RulesRead:
    """One tenant's rules, to stand beside the others in force. InvalidRulesError likewise."""
    reading = _Reading(file.parent)
    shape = reading.shape(file.name, _TENANTS)
    if shape is None or not reading.has_references(file.name, shape):
        raise InvalidRulesError(tuple(sorted(reading.problems)))
    tenant = shape.value()
    others = {f"the rules of {other.id}": other for other in in_force.tenants.values() if other.id != tenant.id}
    together = {**others, file.name: tenant}
    known = Known(in_force.provider, frozenset(each.id for each in together.values()))
    if tenant.id != tenant_id:
        what, remedy = f"these are the rules of {tenant.id}, and not of {tenant_id}", "name the file or the tenant that is meant"
        reading.note([Finding(file.name, ("id",), what, remedy)])
    if tenant.id in in_force.provider.groups:
        reading.note([Finding(file.name, ("id",), f"{tenant.id!r} is a group too", "give the tenant another id")])
    reading.note(_foreign(in_force.provider, {file.name: shape}))
    reading.note(finding for finding in check_owners(together) if finding.file == file.name)
    reading.note(check_tenant(file.name, tenant, known))
    if not reading.problems:
        reading.note(check_matches(together, in_force.provider, {file.name}))
    return reading.result(in_force.provider, [tenant])


def _foreign(provider: Provider, tenants: Mapping[str, TenantShape]) -> Iterator[Finding]:
    """Tenants of another Entra tenant. One import carries one token, and an identity is of one Entra tenant."""
    for file, tenant in tenants.items():
        if tenant.entra_tenant is None or _same(tenant.entra_tenant, provider.entra_tenant):
            continue
        what = "Azure ML cannot share between workspaces and registries of different Entra tenants"
        remedy = f"move the workspaces to the provider's Entra tenant ({provider.entra_tenant}), or leave this tenant out"
        if provider.entra_tenant is None:
            remedy = "state the provider's own entra_tenant in provider.yaml, if this is the same one"
        yield Finding(file, ("entra_tenant",), what, remedy)


def _same(guid: str, other: str | None) -> bool:
    return other is not None and guid.lower() == other.lower()


class _Reading:
    """One pass over the folder: what was read, and what was wrong so far."""

    def __init__(self, folder: FilePath) -> None:
        self.problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._folder = folder
        self._documents: dict[str, MarkedDocument] = {}

    def tenant_files(self) -> list[str]:
        present = sorted((self._folder / TENANTS_FOLDER).glob("*"))
        for path in present:
            if path.suffix == ".yml":
                self._problem(f"{TENANTS_FOLDER}/{path.name}", 1, "", "its name ends in .yml", "let it end in .yaml")
        files = [f"{TENANTS_FOLDER}/{path.name}" for path in present if path.suffix == ".yaml"]
        if not files:
            remedy = f"write one file per tenant, {TENANTS_FOLDER}/<tenant>.yaml"
            self._problem(TENANTS_FOLDER, 1, "", "there is no tenant's file in this folder", remedy)
        return files

    def shape[S](self, file: str, adapter: TypeAdapter[S]) -> S | None:
        """The file's content, None where it is not what it should be."""
        document = self._document(file)
        if document is None:
            return None
        for path, line in document.repeated:
            self._problem(file, line, written(path), "this field stands here twice", "keep one of them")
        try:
            return adapter.validate_python(document.content)
        except ValidationError as wrong:
            for error in wrong.errors(include_url=False):
                path, what, remedy = complaint(error)
                self._problem(file, document.line(path), written(path), what, remedy)
            return None

    def has_references(self, file: str, shape: TenantShape) -> bool:
        """Whether the workspaces that the rules name are found among the tenant's. Notes those that are not."""
        findings = list(check_references(file, shape.references(), shape.own))
        self.note(findings)
        return not findings

    def stated_ids(self, files: Iterable[str]) -> Iterator[str]:
        """The tenants' ids, those of files with mistakes included: an unreadable one's is likely its name."""
        for file in files:
            document = self._documents.get(file)
            content = document.content if document else None
            yield str(content["id"]) if isinstance(content, dict) and "id" in content else FilePath(file).stem

    def note(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            line = self._documents[finding.file].line(finding.path)
            problem = Problem(finding.file, line, written(finding.path), finding.what, finding.remedy)
            (self._warnings if finding.is_warning else self.problems).append(problem)

    def result(self, provider: Provider, tenants: Iterable[Tenant]) -> RulesRead:
        if self.problems:
            raise InvalidRulesError(tuple(sorted(self.problems)))
        return RulesRead(provider, tuple(sorted(tenants, key=lambda tenant: tenant.id)), tuple(sorted(self._warnings)))

    def _document(self, file: str) -> MarkedDocument | None:
        try:
            self._documents[file] = read_yaml((self._folder / file).read_bytes())
        except OSError as wrong:
            self._problem(file, 1, "", f"cannot be read ({wrong.strerror})", "write it, and let it be readable")
        except UnreadableYamlError as wrong:
            self._problem(file, wrong.line, "", f"is not YAML that can be read here: {wrong}", "correct the line")
        return self._documents.get(file)

    def _problem(self, file: str, line: int, path: str, what: str, remedy: str) -> None:
        self.problems.append(Problem(file, line, path, what, remedy))
