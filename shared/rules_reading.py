"""A folder of rules as it is being read: its files, their lines, and all that was wrong so far."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import BaseModel, ValidationError

from shared.marked_yaml import MarkedDocument, UnreadableYamlError, read_yaml, written
from shared.rules import Provider
from shared.rules_complaints import complaint
from shared.rules_findings import Finding
from shared.rules_references import check_references
from shared.rules_tenant_shape import TenantShape
from shared.tenants import Tenant

TENANTS_FOLDER = "tenants"
MOST_BYTES = 4_000_000  # of a file: eight times what a tenant's rules can be, see shared.azure.rules_rows


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: where it is (`file` by the path that the folder was named by, first line 1), what it is, what to do about it."""

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


class Reading:
    """One pass over the folder. Files are named from there."""

    def __init__(self, folder: FilePath) -> None:
        self.problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._folder = folder
        self._documents: dict[str, MarkedDocument] = {}
        self._mistaken: set[str] = set()

    def tenant_files(self) -> list[str]:
        """None, where there is no folder of tenants. What would be overlooked there is a problem; hidden files are nobody's."""
        try:
            present = sorted(path for path in (self._folder / TENANTS_FOLDER).iterdir() if not path.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as wrong:
            self._problem(TENANTS_FOLDER, 1, "", f"cannot be read ({wrong.strerror})", "let it be a folder that can be read")
            return []
        for path in present:
            file = f"{TENANTS_FOLDER}/{path.name}"
            if path.is_dir():
                self._problem(file, 1, "", "is a folder, and is not looked into", "put tenants' files beside it, and remove it")
            elif path.suffix != ".yaml" and path.suffix.lower() in (".yml", ".yaml"):
                self._problem(file, 1, "", f"its name ends in {path.suffix}", "let it end in .yaml")
        return [f"{TENANTS_FOLDER}/{path.name}" for path in present if path.suffix == ".yaml" and not path.is_dir()]

    def tenant(self, file: str) -> TenantShape:
        """What the file says, taken by itself. InvalidRulesError where that is no tenant's rules."""
        shape = self.shape(file, TenantShape)
        if shape is None or not self.has_references(file, shape):
            raise self.refusal()
        return shape

    def shape[S: BaseModel](self, file: str, expected: type[S]) -> S | None:
        """The file's content, None where it is not what it should be."""
        document = self._document(file)
        if document is None:
            return None
        for path, line in document.repeated:
            self._problem(file, line, written(path), "this field stands here twice", "keep one of them")
        try:
            return expected.model_validate(document.content)
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
        """The tenants' ids, those of files with mistakes included: of such a file its name too, as it is likely the id."""
        for file in files:
            document = self._documents.get(file)
            content = document.content if document else None
            stated = content.get("id") if isinstance(content, dict) else None
            if isinstance(stated, str):
                yield stated
            if file in self._mistaken:
                yield FilePath(file).stem

    def note(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            line, path = self._documents[finding.file].line(finding.path), written(finding.path)
            if finding.is_warning:
                self._warnings.append(Problem(self._named(finding.file), line, path, finding.what, finding.remedy))
            else:
                self._problem(finding.file, line, path, finding.what, finding.remedy)

    def refusal(self) -> InvalidRulesError:
        return InvalidRulesError(tuple(sorted(self.problems)))

    def result(self, provider: Provider, tenants: Iterable[Tenant]) -> RulesRead:
        if self.problems:
            raise self.refusal()
        return RulesRead(provider, tuple(sorted(tenants, key=lambda tenant: tenant.id)), tuple(sorted(self._warnings)))

    def _document(self, file: str) -> MarkedDocument | None:
        try:
            source = self._source(file)
            if source is not None:
                self._documents[file] = read_yaml(source)
        except OSError as wrong:
            self._problem(file, 1, "", f"cannot be read ({wrong.strerror})", "write it, and let it be readable")
        except UnreadableYamlError as wrong:
            self._problem(file, wrong.line, "", f"is not YAML that can be read here: {wrong}", wrong.remedy)
        return self._documents.get(file)

    def _source(self, file: str) -> bytes | None:
        path = self._folder / file
        if path.exists() and not path.is_file():  # a pipe would never end, nor begin
            self._problem(file, 1, "", "is no file", "write rules there, or name another file")
            return None
        with path.open("rb") as opened:
            source = opened.read(MOST_BYTES + 1)
        if len(source) > MOST_BYTES:
            remedy = "merge rules by globs or groups, and keep other things elsewhere"
            self._problem(file, 1, "", f"has more than {MOST_BYTES:,} bytes", remedy)
            return None
        return source

    def _problem(self, file: str, line: int, path: str, what: str, remedy: str) -> None:
        self._mistaken.add(file)
        self.problems.append(Problem(self._named(file), line, path, what, remedy))

    def _named(self, file: str) -> str:
        return str(self._folder / file)
